"""Asks every question of a set on the path that people use, and scores what comes back.

questions -> search -> ranked documents -> scores.py            (retrieval)
          -> ask    -> answer, citations, refusal -> grades.py  (with answers)

A document's rank is that of its best passage. Must not know settings or how the deployment came to be.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from assistant.domain import Answer, Event, Failed, Finished, Passage, Principal, Question, SearchResult
from assistant.errors import AssistantError, StoreUnavailable
from assistant.release.grades import Grade, grade, sum_up
from assistant.release.question_sets import Asked, QuestionSet
from assistant.release.scores import RETRIEVAL, mean_with_interval, retrieval_scores

DEPTH = 50
"""Passages asked for, so that ten documents are among them where each has several passages."""
SHOWN_DOCUMENTS = 10
WARM_UP = 3
"""Questions asked before the clock runs: the first ones load the embedder and open the indexes."""

EVALUATOR = Principal("evaluation", via="cli")

Search = Callable[[Question, int], Awaitable[SearchResult]]
Ask = Callable[[Question], AsyncGenerator[Event, None]]
KeyOf = Callable[[Passage], str]
Progress = Callable[[int, int], None]


@dataclass
class Course:
    """What came back for each question, by its id."""

    ranked: dict[str, list[str]] = field(default_factory=dict)
    milliseconds: dict[str, float] = field(default_factory=dict)
    grades: dict[str, Grade] = field(default_factory=dict)
    notices: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)


async def search_all(chosen: QuestionSet, search: Search, *, key_of: KeyOf, told: Progress) -> Course:
    """Retrieval of every question that a document answers. Raises StoreUnavailable when no index answers."""
    course = Course()
    asked = [one for one in chosen.questions if one.relevant]
    for one in asked[:WARM_UP]:
        await search(_question(one), DEPTH)
    for number, one in enumerate(asked, start=1):
        started = time.perf_counter()
        result = await search(_question(one), DEPTH)
        course.milliseconds[one.question_id] = 1000 * (time.perf_counter() - started)
        course.ranked[one.question_id] = list(dict.fromkeys(key_of(passage) for passage in result.passages))
        course.notices.update(notice.code for notice in result.notices)
        told(number, len(asked))
    return course


async def ask_all(chosen: QuestionSet, ask: Ask, course: Course, *, key_of: KeyOf, told: Progress) -> None:
    """Answers of every question, graded into the course; a follow-up is asked in the conversation of its forerunner.

    A question whose answer failed is counted as wrong, with the error's code. Raises StoreUnavailable, and the error of
    the first question when no question at all could be answered.
    """
    conversations: dict[str, str] = {}
    first_error: AssistantError | None = None
    for number, one in enumerate(chosen.questions, start=1):
        try:
            answer = await whole_answer(ask, _question(one, conversations.get(one.after or "")))
        except StoreUnavailable:
            raise
        except AssistantError as error:
            first_error = first_error or error
            course.failures[one.question_id] = error.code
        else:
            conversations[one.question_id] = answer.conversation_id
            course.grades[one.question_id] = grade(one, answer, key_of=key_of)
            course.notices.update(notice.code for notice in answer.notices)
        told(number, len(chosen.questions))
    if first_error is not None and not course.grades:
        raise first_error


async def whole_answer(ask: Ask, question: Question) -> Answer:
    """The answer that the events end with. Raises the error that they end with instead."""
    async with aclosing(ask(question)) as events:
        async for event in events:
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Finished):
                return event.answer
    raise AssertionError("ask() ended without Finished or Failed")


def _question(one: Asked, conversation_id: str | None = None) -> Question:
    return Question(text=one.text, language=one.language, principal=EVALUATOR, conversation_id=conversation_id)


def results(chosen: QuestionSet, course: Course) -> dict[str, Any]:
    """Everything as one JSON object: scores of the set, of its halves, language pairs and kinds, and each question.

    Without a question that a document answers there are no metrics: nothing was searched for.
    """
    asked = {one.question_id: one for one in chosen.questions}
    relevant = {key: one.relevant for key, one in asked.items() if one.relevant}
    scores = retrieval_scores(course.ranked, relevant)
    whole = _retrieval(scores, list(relevant))
    found: dict[str, Any] = {
        "set": chosen.name,
        "questions": len(relevant),
        **whole,
        **_latency(course.milliseconds.values()),
        "by_half": _grouped(scores, relevant, lambda key: asked[key].half),
        "by_language_pair": _grouped(scores, relevant, lambda key: asked[key].language_pair),
        "by_kind": _grouped(scores, relevant, lambda key: asked[key].kind),
        "notices": dict(sorted(course.notices.items())),
    }
    if course.grades or course.failures:
        grades = {key: course.grades.get(key) for key in asked}
        found["answers"] = sum_up(asked, grades) | {"failed": dict(sorted(course.failures.items()))}
    found["per_question"] = {
        key: {
            "question": one.text,
            **{name: round(score, 4) for name, score in scores.get(key, {}).items()},
            "found": course.ranked.get(key, [])[:SHOWN_DOCUMENTS],
            "relevant": sorted(one.relevant),
            "must_refuse": one.must_refuse,
            "has_words": one.says_what_to_say,
            **({"answer": course.grades[key].as_row()} if key in course.grades else {}),
            **({"failed": course.failures[key]} if key in course.failures else {}),
        }
        for key, one in asked.items()
    }
    return found


def _retrieval(scores: Mapping[str, Mapping[str, float]], keys: Sequence[str]) -> dict[str, Any]:
    measured = {name: mean_with_interval([scores[key][name] for key in keys]) for name in RETRIEVAL if keys}
    return {
        "metrics": {name: mean for name, (mean, _) in measured.items()},
        "intervals": {name: list(interval) for name, (_, interval) in measured.items()},
    }


def _grouped(
    scores: Mapping[str, Mapping[str, float]], keys: Mapping[str, object], group_of: Callable[[str], str]
) -> dict[str, Any]:
    groups: dict[str, list[str]] = {}
    for key in keys:
        groups.setdefault(group_of(key), []).append(key)
    return {name: {"questions": len(some), **_retrieval(scores, some)} for name, some in sorted(groups.items())}


def _latency(milliseconds: Iterable[float]) -> dict[str, float]:
    """Nothing where nothing was searched for."""
    ordered = sorted(milliseconds)
    if not ordered:
        return {}
    return {f"p{part}_ms": round(ordered[min(len(ordered) - 1, len(ordered) * part // 100)], 1) for part in (50, 95)}
