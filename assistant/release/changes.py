"""What changed between two runs of one set, question by question. Pure, but for reading the former run's file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.errors import EvaluationFailed, Language, Text
from assistant.release.scores import RETRIEVAL

ANSWER_SCORES = ("refused", "containment", "character_f1", "valid", "right")


def read_results(file: Path) -> dict[str, Any]:
    """A former run's JSON. Raises EvaluationFailed when it is none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig"))  # PowerShell's > writes a BOM
    except (OSError, ValueError) as error:
        raise _no_results(file) from error
    rows = found.get("per_question") if isinstance(found, dict) else None
    if not isinstance(rows, dict) or not all(isinstance(row, dict) and "question" in row for row in rows.values()):
        raise _no_results(file)
    return dict(found)


def _no_results(file: Path) -> EvaluationFailed:
    return EvaluationFailed(
        Text(ja=f"{file} は以前の測定結果ではありません。", en=f"{file} is no result of a former run."),
        Text(
            ja="`assistant evaluate SET --json > ファイル` の出力を指定してください。",
            en="Name the output of `assistant evaluate SET --json > FILE`.",
        ),
    )


def changes(former: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """{compared: count, metrics: {name: difference}, better: [...], worse: [...], changed: [...]}; each entry names question
    and scores.

    Only questions that both runs asked in the same words are compared, also in `metrics`: the means of other questions are
    no measure of a change. The others are in `only_former` and `only_now`. A question counts as better or worse by
    nDCG@10, then by the answer's containment, and worse when its answer failed; `changed` holds those whose other scores moved.
    """
    before, after = former["per_question"], now["per_question"]
    both = [key for key in before.keys() & after.keys() if before[key]["question"] == after[key]["question"]]
    sorted_in: dict[str, list[dict[str, Any]]] = {"better": [], "worse": [], "changed": []}
    for key in both:
        moved = _moved(before[key], after[key])
        if moved:
            entry = {"id": key, "question": after[key]["question"], "scores": moved}
            sorted_in[_direction(moved)].append(entry)
    return {
        "compared": len(both),
        "metrics": _differences([(before[key], after[key]) for key in both]),
        **{name: sorted(entries, key=lambda entry: str(entry["id"])) for name, entries in sorted_in.items()},
        "only_former": sorted(before.keys() - set(both)),
        "only_now": sorted(after.keys() - set(both)),
    }


def _differences(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> dict[str, float]:
    """The difference of the means over the questions that have the score in both runs, by score."""
    found = {}
    for name in RETRIEVAL:
        steps = [now[name] - former[name] for former, now in pairs if name in former and name in now]
        if steps:
            found[name] = round(sum(steps) / len(steps), 4)
    return found


DIRECTIONS = {
    "worse": Text(ja="悪化", en="worse"),
    "better": Text(ja="改善", en="better"),
    "changed": Text(ja="変化", en="changed"),
}


def change_lines(changed: Mapping[str, Any], language: Language) -> Iterator[str]:
    """The same for people: the sums first, then a line for each question."""
    if not changed["compared"]:
        yield Text(
            ja="前回と共通の質問がないので、比べられません。", en="No question is in both runs: nothing to compare."
        ).in_language(language)
        return
    sums = "  ".join(f"{name} {value:+.4f}" for name, value in changed["metrics"].items())
    count = changed["compared"]
    yield Text(ja=f"前回と共通の質問 {count} 件: {sums}", en=f"changes of {count} questions: {sums}").in_language(
        language
    )
    for name, words in DIRECTIONS.items():
        for entry in changed[name]:
            scores = "  ".join(f"{score} {old} -> {new}" for score, (old, new) in entry["scores"].items())
            yield f"  {words.in_language(language):7} {entry['id']}: {scores}  {entry['question'][:60]!r}"
    former, now = len(changed["only_former"]), len(changed["only_now"])
    if former or now:
        yield Text(
            ja=f"  比べなかった質問: 前回だけ {former} 件、今回だけ {now} 件",
            en=f"  not compared: {former} questions of the former run alone, {now} of this one alone",
        ).in_language(language)


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    pairs = {name: [before.get(name), after.get(name)] for name in RETRIEVAL}
    old, new = before.get("answer"), after.get("answer")
    if old is not None and new is not None:
        pairs |= {name: [old.get(name), new.get(name)] for name in ANSWER_SCORES}
    moved = {name: pair for name, pair in pairs.items() if pair[0] != pair[1] and None not in pair}
    if (old is None) != (new is None) and ("failed" in before or "failed" in after):
        moved["failed"] = [before.get("failed", "-"), after.get("failed", "-")]
    return moved


def _direction(moved: Mapping[str, list[Any]]) -> str:
    for name in ("nDCG@10", "containment"):
        if name in moved:
            return "better" if moved[name][1] > moved[name][0] else "worse"
    if "failed" in moved:
        return "better" if moved["failed"][1] == "-" else "worse"
    return "changed"
