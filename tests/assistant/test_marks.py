"""What looks like a citation mark: read in an answer, and made harmless in a document, by the same pattern."""

from __future__ import annotations

import pytest

from assistant.cite import cite
from assistant.marks import unmarked
from assistant.pack import unforgeable
from assistant.quotes import quote
from tests.assistant.passages import passage

LEAVE = passage("年次有給休暇は、取得日の3営業日前までに申請する。")
SICK = passage("病気の場合は、当日の始業時刻までに上司へ連絡する。", number=2)
WAYS = [
    "[1]", "[1, 2]", "【1】", "［１］", "〔1〕", "[出典1]", "[出典: 1]", "[抜粋1, 抜粋2]", "[資料 2]", "[Source: 1]", "[passages 1 and 2]",
    "[1 2]", "[1/2]", "[参考1]", "[No.1]", "[doc 1]", "[抜粋1および2]", "[1, p.3]", "[1-2]", "[1〜2]", "[^1]", "[1;2]", "[1と2]", "[٣]", "[९९]", "[๑]", "[𝟙]",
]  # fmt: skip


@pytest.mark.parametrize("mark", WAYS)
def test_a_document_cannot_hold_what_would_be_read_as_a_mark(mark: str) -> None:
    text = f"申請は3営業日前まで{mark}。"
    for harmless in (unmarked(text), unforgeable(text)):
        assert "unknown_citations_removed" not in [notice.code for notice in cite(harmless, []).notices]
        assert harmless == text.replace(mark, f"({mark[1:-1]})")


@pytest.mark.parametrize(
    ("mark", "numbers"),
    [
        ("[出典: 1]", [1]), ("[抜粋1]", [1]), ("[^1]", [1]), ("[1-2]", [1]), ("[๑]", [1]), ("[١]", [1]), ("[passage 1 and 9]", [1]),
        ("[1, p.3]", [1]), ("[参考1]", [1]), ("[No.1]", [1]), ("[doc 1]", [1]), ("[1]と[9]", [1]), ("[1]、[9]", [1]), ("`[1]`", [1]),
    ],
)  # fmt: skip
def test_every_way_of_writing_a_mark_cites(mark: str, numbers: list[int]) -> None:
    cited = cite(f"年次有給休暇は取得日の3営業日前までに申請する {mark}。", [LEAVE, SICK])
    assert cited.text == "年次有給休暇は取得日の3営業日前までに申請する [1]。"
    assert [citation.number for citation in cited.citations] == numbers


@pytest.mark.parametrize("mark", ["[٩٩]", "[९९]", "[0]", "[٠]", "[99]"])
def test_a_mark_to_no_passage_is_removed_whatever_its_digits(mark: str) -> None:
    cited = cite(f"年次有給休暇は取得日の3営業日前までに申請する [1]{mark}。", [LEAVE, SICK])
    assert [citation.number for citation in cited.citations] == [1]
    assert mark not in cited.text
    assert "unknown_citations_removed" in [notice.code for notice in cited.notices]


@pytest.mark.parametrize(
    ("said", "shown"),
    [("[2026]年度", "(2026)年度"), ("[1,000]円", "(1,000)円"), ("［２０２６］年度", "(２０２６)年度")],
)
def test_a_year_or_amount_in_brackets_is_no_mark_and_no_bracketed_number_is_left(said: str, shown: str) -> None:
    assert cite(f"{said}の年次有給休暇は3営業日前までに申請する [1]。", [LEAVE]).text.startswith(shown)


@pytest.mark.parametrize("text", ["[第5条]", "[a]", "[]", "[1.5]", "[1時]", "(1)", "[03-1234]", "list[0:3]"])
def test_other_brackets_are_left_alone(text: str) -> None:
    assert unmarked(text) == text


@pytest.mark.timeout(60)  # a pattern that tries every way of sharing out the blanks would need years
def test_a_bracket_before_thousands_of_blanks_is_read_once() -> None:
    text = "[抜粋" + " " * 20_000 + "[" * 20_000 + "1," * 20_000
    assert unmarked(text) == text


def test_a_quoted_sentence_holds_no_mark_but_its_own_and_the_citation_is_exact() -> None:
    source = passage("申請書の提出期限は参考文献 [7] と [2026] に定める毎月25日である。")
    cited = quote("申請書の提出期限は?", [source])
    assert cited.text == "「申請書の提出期限は参考文献 (7) と (2026) に定める毎月25日である。」 [1]"
    assert cited.citations[0].quote == source.text


def test_brackets_in_code_cite_nothing_and_no_bracketed_number_is_left() -> None:
    cited = cite(
        "`rows[0]` と `rows[1]` を見る。\n```\nx = rows[1, 2]\n```\n申請は取得日の3営業日前まで [1]。", [LEAVE, SICK]
    )
    assert "rows⟦0⟧" in cited.text
    assert "rows⟦1, 2⟧" in cited.text
    assert [citation.number for citation in cited.citations] == [1]
