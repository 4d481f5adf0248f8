from __future__ import annotations

import pytest

from assistant.cite import cite
from tests.assistant.passages import passage

LEAVE = passage("第5条 年次有給休暇は、取得日の3営業日前までに申請する。代休は当月中に取る。")
VPN = passage("VPN requires a token. Ask the help desk.", number=2, title="VPN")


def test_a_citation_quotes_the_source_sentence_with_its_offsets() -> None:
    cited = cite("3営業日前までに申請します [1]。", [LEAVE, VPN])
    (citation,) = cited.citations
    assert citation.quote == "第5条 年次有給休暇は、取得日の3営業日前までに申請する。"
    assert LEAVE.text[citation.start - LEAVE.start : citation.end - LEAVE.start] == citation.quote


@pytest.mark.parametrize("mark", ["[1, 2]", "【1】【2】", "［1］［2］", "[抜粋1][Passage 2]", "[１、２]"])
def test_every_way_of_writing_marks_becomes_single_ones(mark: str) -> None:
    cited = cite(f"申請します{mark}。", [LEAVE, VPN])
    assert cited.text == "申請します[1][2]。"
    assert [citation.number for citation in cited.citations] == [1, 2]


def test_unknown_citation_marks_are_removed_and_counted() -> None:
    cited = cite("申請します [1][7]。", [LEAVE])
    assert cited.text == "申請します [1]。"
    assert cited.notices[0].code == "unknown_citations_removed"
    assert "1" in cited.notices[0].message_en


def test_a_mark_after_the_full_stop_moves_before_it() -> None:
    assert cite("申請します。[1]", [LEAVE]).text == "申請します [1]。"


def test_a_sentence_that_a_passage_plainly_says_gets_its_mark() -> None:
    cited = cite("年次有給休暇は取得日の3営業日前までに申請する。", [VPN, LEAVE])
    assert cited.text.endswith("申請する [2]。")


def test_a_sentence_that_no_passage_says_stays_without_a_mark() -> None:
    cited = cite("今日は晴れです。", [LEAVE])
    assert cited.text == "今日は晴れです。"
    assert cited.citations == ()


def test_brackets_without_numbers_are_left_alone() -> None:
    assert cite("[申請書] を出します [1]。", [LEAVE]).text == "[申請書] を出します [1]。"


def test_a_sentence_with_a_figure_that_the_passage_lacks_gets_no_mark() -> None:
    assert cite("年次有給休暇は取得日の8営業日前までに申請する。", [LEAVE]).citations == ()
