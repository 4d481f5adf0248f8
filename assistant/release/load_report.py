"""A measurement under load as a Markdown report with a chart, and as one object for programs. Pure but for matplotlib."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from assistant.errors import Language, Text
from assistant.release.capacity_picture import svg_chart
from assistant.release.load_steps import Findings, Sample, Step

_HEADS = {
    "ja": "| 同時の人数 | 質問 | 回答 | 引用のみ | 断り | 失敗 | 最初の文字 p50 / p95 | 順番待ち p50 / p95 | 回答全体 p50 / p95 "
    "| トークン/秒(1 人) | トークン/秒(全体) | 回答/分 |",
    "en": "| users at once | asked | answered | quotes | turned away | failed | first token p50 / p95 | wait p50 / p95 "
    "| whole answer p50 / p95 | tokens/s each | tokens/s in all | answers/min |",
}


_ABOUT = {
    "date": Text(ja="日時", en="date"),
    "api": Text(ja="API", en="API"),
    "model": Text(ja="モデル", en="model"),
    "parallel": Text(ja="同時に答える数", en="answers at once"),
    "questions": Text(ja="質問の種類", en="questions in the mix"),
    "processors": Text(ja="CPU の数", en="processors"),
    "gpu": Text(ja="GPU", en="GPU"),
}


def report_object(steps: Sequence[Step], found: Findings, about: Mapping[str, Any]) -> dict[str, Any]:
    """Everything for programs, and for `--against`; seconds."""
    told = asdict(found) | {"advice": found.advice.value}
    return {"about": dict(about), "findings": told, "steps": [_step_object(step) for step in steps]}


def _step_object(step: Step) -> dict[str, Any]:
    return {
        "users": step.users,
        "seconds": step.seconds,
        "first_token_p95_seconds": step.first_token_seconds(0.95),
        "wait_p95_seconds": step.wait_seconds(0.95),
        "tokens_per_second_each": step.tokens_per_second_each,
        "tokens_per_second": step.tokens_per_second,
        "answers_per_minute": step.answers_per_minute,
        "samples": [asdict(sample) for sample in step.samples],
    }


def read_steps(kept: Mapping[str, Any]) -> list[Step]:
    """The steps of a former run's object. Raises KeyError or TypeError for anything else."""
    return [
        Step(step["users"], step["seconds"], tuple(Sample(**sample) for sample in step["samples"]))
        for step in kept["steps"]
    ]


def report_page(
    steps: Sequence[Step], found: Findings, about: Mapping[str, Any], *, picture: str, language: Language
) -> str:
    """The Markdown page; `picture` is the chart's file beside it."""
    title = Text(ja="何人まで使えるか", en="How many people it serves").in_language(language)
    lines = [f"# {title}", ""]
    lines += [f"- {_ABOUT[name].in_language(language)}: {value}" for name, value in about.items()]
    lines += [
        "",
        *(f"**{line}**" if place == 0 else line for place, line in enumerate(findings_lines(found, language))),
    ]
    lines += ["", f"![{title}]({picture})", "", _HEADS[language], "|" + "---|" * 12]
    lines += [_row(step) for step in steps]
    codes = sorted({f"{s.end}: {s.code}" for step in steps for s in step.samples if s.code and s.end != "answered"})
    lines += ["", *(f"- {code}" for code in codes)] if codes else []
    lines += ["", _how(language)]
    return "\n".join(lines) + "\n"


def findings_lines(found: Findings, language: Language) -> Iterator[str]:
    """What a person wants to know first."""
    yield Text(
        ja=f"p95 {found.target_seconds:g} 秒以内で {found.people} 人"
        + (f"(段の間を直線で見ると約 {found.people_about} 人)" if found.people_about > found.people else ""),
        en=f"{found.people} people at p95 <= {found.target_seconds:g} s"
        + (f" (about {found.people_about}, on a line between the steps)" if found.people_about > found.people else ""),
    ).in_language(language)
    yield Text(
        ja=f"最大で毎分 {found.most_answers_per_minute:.1f} 件の回答。"
        + (f"{found.knee_users} 人から先は増えません。" if found.knee_users else "測った範囲ではまだ増えています。"),
        en=f"At most {found.most_answers_per_minute:.1f} answers a minute; "
        + (f"no more beyond {found.knee_users} users." if found.knee_users else "still growing where it was measured."),
    ).in_language(language)
    yield "→ " + found.reason.in_language(language)


def _row(step: Step) -> str:
    def pair(low: float | None, high: float | None) -> str:
        return "-" if low is None or high is None else f"{low:.2f} / {high:.2f} s"

    each = step.tokens_per_second_each
    cells = (
        str(step.users),
        str(len(step.samples)),
        *(str(step.count(end)) for end in ("answered", "quotes", "turned_away", "failed")),
        pair(step.first_token_seconds(0.5), step.first_token_seconds(0.95)),
        pair(step.wait_seconds(0.5), step.wait_seconds(0.95)),
        pair(step.total_seconds(0.5), step.total_seconds(0.95)),
        "-" if each is None else f"{each:.1f}",
        f"{step.tokens_per_second:.1f}",
        f"{step.answers_per_minute:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _how(language: Language) -> str:
    return Text(
        ja="各利用者は、回答が終わるとすぐ次を質問します。席で仕事をする人はもっと間を置くので、人数は控えめな値です。"
        "トークンは届いた文字のかたまりで数え、段の前後の立ち上がりと終わりも含みます。",
        en="Each user asks again as soon as an answer has ended. People at their desks pause longer, so the numbers are on the safe "
        "side. Tokens are counted as pieces of text that came; beginning and end of a step are included.",
    ).in_language(language)


def report_picture(steps: Sequence[Step], found: Findings, language: Language) -> str:
    """Three charts over the users at once: waits with the target, tokens a second, answers a minute. SVG text."""
    users = [step.users for step in steps]
    label = Text(ja="同時の人数", en="users at once").in_language(language)
    with svg_chart(panels=3, height=3.6, sharey=False) as (axes, target):
        waits, pace, answers = axes
        for share, style in ((0.5, "o--"), (0.95, "o-")):
            waits.plot(
                users, [step.first_token_seconds(share) or 0.0 for step in steps], style, label=f"p{share:.0%}"[:-1]
            )
        waits.axhline(found.target_seconds, color="#B03030", linewidth=1.2)
        waits.set_title(Text(ja="最初の文字まで(秒)", en="to the first token, s").in_language(language))
        waits.legend(frameon=False)
        pace.plot(
            users,
            [step.tokens_per_second for step in steps],
            "o-",
            label=Text(ja="全体", en="all").in_language(language),
        )
        pace.plot(
            users, [step.tokens_per_second_each or 0.0 for step in steps], "o--",
            label=Text(ja="1 人", en="each").in_language(language),
        )  # fmt: skip
        pace.set_title(Text(ja="トークン/秒", en="tokens/s").in_language(language))
        pace.legend(frameon=False)
        answers.plot(users, [step.answers_per_minute for step in steps], "o-")
        answers.set_title(Text(ja="回答/分", en="answers/min").in_language(language))
        for panel in axes:
            panel.set_xscale("log", base=2)
            panel.set_xticks(users, [str(number) for number in users])
            panel.minorticks_off()
            panel.set_ylim(bottom=0)
            panel.set_xlabel(label)
            panel.spines[["top", "right"]].set_visible(False)
    return target.getvalue()
