from __future__ import annotations

import pytest

from assistant.guard import numbers_without_source
from tests.assistant.passages import passage

SOURCE = passage("宿泊費は1泊12,000円まで、申請は三日前まで。令和8年4月1日から。割合は3.5%。")


@pytest.mark.parametrize(
    "answer", ["12,000円 [1]", "１２０００円", "3日前まで", "2026年から", "令和8年4月1日", "3.5%", "04月"]
)
def test_a_number_that_the_source_says_in_any_spelling_is_accepted(answer: str) -> None:
    assert numbers_without_source(answer, [SOURCE], question="") == []


@pytest.mark.parametrize("answer", ["13,000円です", "5日前まで", "2027年から", "4.5%"])
def test_a_number_that_no_source_says_is_reported_with_its_place(answer: str) -> None:
    (notice, *_) = numbers_without_source(answer, [SOURCE], question="")
    assert notice.code == "number_not_in_sources"
    assert answer[notice.start : notice.end] in notice.message_ja


def test_citation_marks_are_not_figures() -> None:
    assert numbers_without_source("申請します [7]。", [SOURCE], question="") == []


def test_a_number_of_the_question_may_be_repeated() -> None:
    assert numbers_without_source("30泊の場合も同じです", [SOURCE], question="30泊なら?") == []


def test_full_width_figures_of_an_answer_are_checked() -> None:
    (notice,) = numbers_without_source("１３，０００円です", [SOURCE], question="")
    assert "１３，０００" in notice.message_ja
