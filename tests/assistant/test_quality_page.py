"""What is kept of runs with a chat model, and what the page says of it."""

from __future__ import annotations

from typing import Any

from assistant.release.quality_page import quality_page
from scripts.write_quality import no_parts, together


def row(question: str, *, relevant: bool, refused: bool, doubt: float | None = None) -> dict[str, Any]:
    return {
        "question": question,
        "relevant": ["a"] if relevant else [],
        "answer": {
            "text": "3日前 [1]", "mode": "generated", "refused": refused, "containment": 0.0, "character_f1": 0.0, "notices": [],
            "citations": 0 if refused else 1, "valid": 0 if refused else 1, "right": 0 if refused else 1, "total_seconds": 1.0,
            "doubt": doubt,
        },
    }  # fmt: skip


ONE_RUN = {"per_question": {"q1": row("期限は?", relevant=True, refused=False, doubt=0.2)}}
ANOTHER = {
    "per_question": {
        "q2": row("社長の給与は?", relevant=False, refused=True, doubt=0.7),
        "q3": row("When?", relevant=False, refused=False),
        "q4": {"question": "Who?", "relevant": ["b"]},
    }
}
FOUND = {
    "questions": 2, "metrics": {"Hit@5": 1.0}, "intervals": {"Hit@5": [1.0, 1.0]}, "by_half": {}, "by_language_pair": {}, "by_kind": {},
    "embedder": "e",
}  # fmt: skip


def test_runs_of_parts_of_a_set_are_summed_as_one_and_a_failed_question_counts() -> None:
    sums = together([ONE_RUN, ANOTHER])
    assert sums["questions"] == 4
    assert sums["refusal"] == {"precision": 1.0, "recall": 0.5, "f1": 0.6667}
    assert sums["citation"]["validity"] == 1.0
    assert sums["doubt"] == {"ja": {"refuses_from": 0.21, "answerable": 1, "lost": 0, "unanswerable": 1, "caught": 1}}


def test_the_page_says_what_was_answered_with_which_model_and_what_a_limit_of_doubt_refuses() -> None:
    page = quality_page({"golden": FOUND | {"answers": {"model": "a small one", **together([ONE_RUN, ANOTHER])}}})
    assert "| golden | a small one | 4 | 1.000 / 0.500 / 0.667 | 1.000 / 1.000 / 1.000 |" in page
    assert "| golden | ja | 0.21 | 1 of 1 | 0 of 1 |" in page
    assert "refused" not in quality_page({"golden": FOUND})


def test_answers_without_doubts_have_no_table_of_limits() -> None:
    run = {"per_question": {"q1": row("期限は?", relevant=True, refused=False)}}
    page = quality_page({"golden": FOUND | {"answers": {"model": "a small one", **together([run])}}})
    assert "| golden | a small one | 1 | - / - / - |" in page
    assert "limit" not in page


def test_what_a_question_says_of_itself_counts_when_runs_are_summed() -> None:
    asked = row("期限は?", relevant=False, refused=False) | {"must_refuse": False, "has_words": False}
    sums = together([{"per_question": {"q1": asked}}])
    assert sums["containment"] is None
    assert sums["refusal"] == {"precision": None, "recall": None, "f1": None}


def test_runs_that_are_no_parts_of_one_set_are_not_summed() -> None:
    answered = ONE_RUN | {"answers": {}}
    assert no_parts("golden", [answered]) == ""
    assert "same question" in no_parts("golden", [answered, answered])
    assert "asked no model" in no_parts("golden", [ONE_RUN])
    assert "was not searched" in no_parts("nowhere", [answered])
