"""A draft beside the published release, question by question: what each says, cites and refuses, and how fast. Pure but for asking.

All questions go to the one and then all to the other: in turns, a server would load its model anew for each where the
windows differ. Answers are compared, not kept. Must not know settings or where questions come from.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assistant.domain import Question
from assistant.errors import AssistantError, Language
from assistant.release.evaluate import EVALUATOR, Ask, whole_answer
from assistant.release.question_sets import Asked
from assistant.release.scores import containment

Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Compared:
    """A question, where it is from, and what a right answer holds if that is known."""

    text: str
    language: Language
    source: Literal["golden", "asked"] = "asked"
    must_say: tuple[str, ...] = ()
    must_refuse: bool = False


def golden(asked: Sequence[Asked]) -> list[Compared]:
    """The questions of a set that stand alone."""
    return [
        Compared(one.text, one.language, "golden", one.must_say, one.must_refuse) for one in asked if one.after is None
    ]


async def compare(
    questions: Sequence[Compared], *, published: Ask | None, draft: Ask, told: Told = lambda done, total: None
) -> dict[str, Any]:
    """{sums, questions}. Without a published release only the draft's answers are there."""
    total = len(questions) * (1 if published is None else 2)
    before: list[dict[str, Any] | None] = []
    for number, one in enumerate(questions, start=1):
        before.append(None if published is None else await _asked(published, one))
        told(0 if published is None else number, total)
    rows = []
    for number, (one, old) in enumerate(zip(questions, before, strict=True), start=1):
        rows.append(_row(one, old, await _asked(draft, one)))
        told(total - len(questions) + number, total)
    return {"sums": _sums(rows), "questions": rows}


async def _asked(ask: Ask, one: Compared) -> dict[str, Any]:
    question = Question(text=one.text, language=one.language, principal=EVALUATOR)
    try:
        answer = await whole_answer(ask, question)
    except AssistantError as error:
        return {"failed": error.code, "answer": "", "refused": False, "citations": []}
    first, total = answer.timings.first_token_seconds, answer.timings.total_seconds
    writing = None if first is None else total - first
    speed = answer.context.answer_tokens / writing if writing and answer.context.answer_tokens > 1 else None
    says_it = not one.must_say or containment(answer.text, must_say=one.must_say, references=()) == 1.0
    is_right = answer.refused if one.must_refuse else says_it and not answer.refused
    return {
        "failed": answer.reason if answer.reason == "model_unavailable" else None,
        "answer": answer.text,
        "refused": answer.refused,
        "citations": sorted({_place(citation.path, citation.page) for citation in answer.citations}),
        "first_token_seconds": None if first is None else round(first, 3),
        "total_seconds": round(total, 3),
        "tokens_per_second": None if speed is None else round(speed, 1),
        **({"is_right": is_right} if one.source == "golden" else {}),
    }


def _row(one: Compared, old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"question": one.text, "source": one.source, "published": old, "draft": new}
    if old is not None:
        had, has = set(old["citations"]), set(new["citations"])
        flip = None if old["refused"] == new["refused"] else ("now_refuses" if new["refused"] else "now_answers")
        row |= {"gained": sorted(has - had), "lost": sorted(had - has), "flipped": flip}
    return row


def _sums(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    flips = Counter(row.get("flipped") for row in rows)
    sums: dict[str, Any] = {
        "questions": len(rows),
        "citations_gained": sum(len(row.get("gained", ())) for row in rows),
        "citations_lost": sum(len(row.get("lost", ())) for row in rows),
        "now_refuses": flips["now_refuses"],
        "now_answers": flips["now_answers"],
    }
    for name in ("published", "draft"):
        some = [row[name] for row in rows if row[name] is not None]
        sums[name] = {
            "failed": sum(each["failed"] is not None for each in some),
            "refused": sum(each["refused"] for each in some),
            "right": sum(each.get("is_right", False) for each in some),
            "golden": sum("is_right" in each for each in some),
            "first_token_seconds": _median(some, "first_token_seconds"),
            "tokens_per_second": _median(some, "tokens_per_second"),
        }
    return sums


def _median(some: Sequence[Mapping[str, Any]], name: str) -> float | None:
    known = [each[name] for each in some if each.get(name) is not None]
    return round(statistics.median(known), 3) if known else None


def _place(path: str, page: int | None) -> str:
    return path if page is None else f"{path} p.{page}"


def lines_of(found: Mapping[str, Any]) -> Iterator[str]:
    """The comparison as a person reads it: sums, then each question that is another."""
    sums = found["sums"]
    yield f"{sums['questions']} questions: citations +{sums['citations_gained']} -{sums['citations_lost']}, " + (
        f"now refuses {sums['now_refuses']}, now answers {sums['now_answers']}"
    )
    for name in ("published", "draft"):
        one = sums[name]
        yield f"  {name:9} right {one['right']}/{one['golden']}  refused {one['refused']}  failed {one['failed']}  " + (
            f"first token {one['first_token_seconds']} s  {one['tokens_per_second']} tokens/s"
        )
    for row in found["questions"]:
        old, new = row["published"], row["draft"]
        if old is not None and old["answer"] == new["answer"] and not (row["gained"] or row["lost"]):
            continue
        yield f"\n{row['question']}" + (f"  [{row['flipped']}]" if row.get("flipped") else "")
        for name, one in (("published", old), ("draft", new)):
            if one is not None:
                yield f"  {name:9} {one['failed'] or one['answer']}  {', '.join(one['citations'])}"
