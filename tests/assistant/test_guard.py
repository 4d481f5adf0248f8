from __future__ import annotations

import pytest

from assistant.domain import Notice, Passage
from assistant.guard import asks_whether, unsourced
from tests.assistant.passages import passage

SOURCE = passage(
    "宿泊費は1泊12,000円まで、申請は三日前まで。令和8年4月1日から。割合は3.5%。受付は午後3時まで。連絡先は help@example.co.jp、"
    "品番は DK-2040-01。東棟は改装中とし、立ち入る者は事前に総務課の許可を得る。"
)
OTHER = passage("出張の日当は2,500円とする。", number=2, title="旅費規程")


def found(answer: str, *passages: Passage, question: str = "", before: tuple[str, ...] = ()) -> list[Notice]:
    return unsourced(answer, passages or (SOURCE,), asked=[question, *before])


@pytest.mark.parametrize(
    "answer",
    ["12,000円 [1]", "１２０００円", "1万2千円", "3日前まで", "2026年から", "令和8年4月1日", "April 1, 2026", "3.5%", "04月1日", "15時まで",
     "3 p.m.", "help@example.co.jp", "DK-2040-01"],
)  # fmt: skip
def test_a_figure_that_the_source_says_in_any_spelling_is_accepted(answer: str) -> None:
    assert found(answer) == []


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [("13,000円です", "13,000円"), ("5日前まで", "5日"), ("2027年から", "2027年"), ("4.5%", "4.5%"), ("3か月前まで", "3か月"),
     ("3営業日前まで", "3営業日"), ("2025年4月1日から", "2025年4月1日"), ("午前3時まで", "午前3時"), ("helpdesk@example.co.jp へ", "helpdesk@example.co.jp"),
     ("DK-2040-02 です", "DK-2040-02"), ("１３，０００円です", "１３，０００円")],
)  # fmt: skip
def test_a_figure_that_no_source_says_is_reported_with_its_place(answer: str, wrong: str) -> None:
    (notice,) = found(answer)
    assert notice.code == "number_not_in_sources"
    assert answer[notice.start : notice.end] == wrong
    assert wrong in notice.message_ja
    assert wrong in notice.message_en


def test_a_figure_of_a_passage_that_the_sentence_does_not_cite_is_reported() -> None:
    assert found("日当は2,500円です [2]。宿泊費は12,000円です [1]。", SOURCE, OTHER) == []
    (notice,) = found("宿泊費は2,500円です [1]。", SOURCE, OTHER)
    assert notice.code == "number_not_in_sources"


def test_another_figure_of_the_source_in_the_place_of_the_right_one_is_reported() -> None:
    source = passage("有給休暇は取得日の3営業日前までに申請する。慶弔休暇の書類は休暇後4営業日以内に出す。")
    assert found("有給休暇は取得日の3営業日前までに申請します [1]。", source) == []
    (notice,) = found("有給休暇は取得日の4営業日前までに申請します [1]。", source)
    assert "4営業日" in notice.message_ja


def test_citation_marks_and_list_numbers_are_not_figures() -> None:
    assert found("申請します [1]。") == []
    assert found("1. 申請します\n2. 承認を受けます\n①届け出ます") == []


def test_a_figure_that_the_person_said_may_be_repeated() -> None:
    assert found("30泊の場合も同じです", question="30泊ならいくらですか?") == []
    assert found("30泊の場合も同じです", question="その場合は?", before=("30泊ならいくらですか?",)) == []


def test_a_figure_that_the_person_asks_to_confirm_needs_a_source() -> None:
    question = "宿泊費は15,000円ですか?"
    assert asks_whether(question)
    assert not asks_whether("宿泊費はいくらですか?")
    (notice,) = found("はい、宿泊費は15,000円です [1]。", question=question)
    assert notice.code == "number_not_in_sources"
    assert found("いいえ、15,000円ではなく12,000円です [1]。", question=question) == []


def test_a_quotation_must_be_word_for_word_in_the_sources() -> None:
    assert found("「立ち入る者は事前に総務課の許可を得る」とあります [1]。") == []
    answer = "「立ち入る者は事前に人事課の許可を得る」とあります [1]。"
    (notice,) = found(answer)
    assert notice.code == "quote_changed"
    assert answer[notice.start : notice.end] == "「立ち入る者は事前に人事課の許可を得る」"
    assert found("「届出書」を出します [1]。") == []
