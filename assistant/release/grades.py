"""One answer against what its question asks for, and the sums of a whole set. Pure.

validity   a citation is valid when its mark stands in the answer and its quote is literally in the passage it names
precision  share of the citations that name a relevant document    recall  share of the answers that cite one at all
           (both of the answers given to questions that the documents answer)
contained  of the questions that say what a right answer holds; a score that nothing was asked for is None, not 0
refusal    claimed = refused answers, wanted = questions that nothing in the documents answers
doubt      where the model was asked first: the limit that the set speaks for, and what it would cost
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.domain import Answer, Passage
from assistant.release.question_sets import Asked
from assistant.release.scores import character_f1, containment, mean_with_interval, precision_recall_f1

MOST_LOST = 0.05
"""Of the questions that the documents answer, so many may be refused for the sake of those that they do not."""


@dataclass(frozen=True)
class Grade:
    """How good one answer was; citations are counted by document."""

    text: str
    mode: str
    refused: bool
    containment: float
    character_f1: float
    citations: int
    valid: int
    right: int
    notices: tuple[str, ...]
    total_seconds: float
    doubt: float | None = None

    def as_row(self) -> dict[str, Any]:
        """For the JSON of a run."""
        row = {**vars(self), "notices": list(self.notices), "total_seconds": round(self.total_seconds, 2)}
        return row | {
            "character_f1": round(self.character_f1, 4),
            "doubt": None if self.doubt is None else round(self.doubt, 4),
        }


def grade(one: Asked, answer: Answer, *, key_of: Callable[[Passage], str]) -> Grade:
    """The answer's grade; a refusal says nothing and therefore holds nothing of what was asked for."""
    passages = {passage.chunk_id: passage for passage in answer.passages}
    valid = right = 0
    for citation in answer.citations:
        passage = passages.get(citation.chunk_id)
        if passage is None:
            continue
        literal = passage.text[citation.start - passage.start : citation.end - passage.start]
        valid += f"[{citation.number}]" in answer.text and bool(citation.quote) and literal == citation.quote
        right += key_of(passage) in one.relevant
    return Grade(
        text=answer.text,
        mode=answer.mode.value,
        refused=answer.refused,
        containment=0.0
        if answer.refused
        else containment(answer.text, must_say=one.must_say, references=one.references),
        character_f1=0.0 if answer.refused else character_f1(answer.text, one.references or one.must_say),
        citations=len(answer.citations),
        valid=valid,
        right=right,
        notices=tuple(notice.code for notice in answer.notices),
        total_seconds=answer.timings.total_seconds,
        doubt=answer.doubt,
    )


def sum_up(asked: Mapping[str, Asked], grades: Mapping[str, Grade | None]) -> dict[str, Any]:
    """Sums over the whole set; a question without a grade failed and counts as a wrong answer."""
    answerable = [key for key, one in asked.items() if not one.must_refuse]
    given = {key: made for key, made in grades.items() if made is not None}
    answered = [given[key] for key in answerable if key in given and not given[key].refused]
    worded = [key for key in answerable if asked[key].says_what_to_say]
    contained = [given[key].containment if key in given else 0.0 for key in worded]
    shared = [given[key].character_f1 if key in given else 0.0 for key in worded]
    citations = sum(made.citations for made in given.values())
    on_answerable = sum(made.citations for made in answered)
    refused = [key for key, made in given.items() if made.refused]
    wanted = [key for key, one in asked.items() if one.must_refuse]
    mean, interval = mean_with_interval(contained)
    return {
        "questions": len(asked),
        "containment": mean if worded else None,
        "containment_interval": list(interval) if worded else None,
        "character_f1": mean_with_interval(shared)[0] if worded else None,
        "refusal": precision_recall_f1(
            hits=sum(asked[key].must_refuse for key in refused), claimed=len(refused), wanted=len(wanted)
        ),
        "citation": {
            "validity": _share(sum(made.valid for made in given.values()), citations),
            "precision": _share(sum(made.right for made in answered), on_answerable),
            "recall": _share(sum(made.right > 0 for made in answered), len(answered)),
        },
        "modes": {mode: sum(made.mode == mode for made in given.values()) for mode in ("generated", "quotes")},
        **_doubts(asked, given),
    }


def _doubts(asked: Mapping[str, Asked], given: Mapping[str, Grade]) -> dict[str, Any]:
    """By the question's language: what `_doubt` says."""
    doubts = [(one, doubt) for key, one in asked.items() if key in given and (doubt := given[key].doubt) is not None]
    found = {
        language: _doubt(
            [doubt for one, doubt in doubts if one.language == language and not one.must_refuse],
            [doubt for one, doubt in doubts if one.language == language and one.must_refuse],
        )
        for language in dict.fromkeys(one.language for one, _ in doubts)
    }
    return {"doubt": found} if found else {}


def _doubt(answerable: Sequence[float], unanswerable: Sequence[float]) -> dict[str, Any]:
    """The lowest limit, in hundredths, at which at most MOST_LOST of the answerable questions would be refused (None: there
    is no such limit, or no such question that could speak for one), and how many of either kind that are."""

    def refused(doubts: Sequence[float], limit: float | None) -> int:
        return 0 if limit is None else sum(doubt >= limit for doubt in doubts)

    limits = (step / 100 for step in range(1, 101) if answerable)
    limit = next((each for each in limits if refused(answerable, each) <= MOST_LOST * len(answerable)), None)
    return {
        "refuses_from": limit,
        "answerable": len(answerable),
        "lost": refused(answerable, limit),
        "unanswerable": len(unanswerable),
        "caught": refused(unanswerable, limit),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
