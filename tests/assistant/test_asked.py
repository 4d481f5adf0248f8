"""A question about MX-5000 is not answered from the page of MX-5000C, and a name that no source has is announced."""

from __future__ import annotations

import pytest

from assistant.asked import unnamed
from assistant.domain import Passage
from tests.assistant.passages import passage

COLOUR = passage("MX-5000C の保証期間は24か月です。")
PAIR = passage("対象機種はMX-2040B/2080Bです。保証期間は12か月です。", number=2)
WIKI = passage("社内Wikiの編集は誰でもできます。", number=3)


def codes(
    question: str, answer: str, cited: list[Passage], offered: list[Passage] | None = None, *, own: str = ""
) -> list[str]:
    found = unnamed(question, answer, own=own, cited=cited, offered=offered or cited)
    return [notice.code for notice in found.notices] + ["refused"] * found.is_other


@pytest.mark.parametrize(
    ("question", "cited"),
    [
        ("MX-5000の保証期間は?", COLOUR),
        ("How long is the warranty of the MX 5000?".replace(" 5000", "-5000"), COLOUR),
        ("MX-5000Dの保証期間は?", COLOUR),
        ("ＭＸ－５０００の保証期間は?", COLOUR),
        ("MX-2060Bの保証期間は?", PAIR),
        ("FE-102が出たら?", passage("FE-101は用紙切れです。")),
        ("A4の料金は?", passage("A3の料金は20円です。")),
    ],
)
def test_an_answer_from_the_page_of_a_similar_identifier_is_a_refusal_that_names_both(
    question: str, cited: Passage
) -> None:
    assert codes(question, "24か月です [1]。", [cited]) == ["other_identifier", "refused"]


@pytest.mark.parametrize(
    ("question", "cited"),
    [
        ("MX-5000Cの保証期間は?", COLOUR),
        ("mx5000cの保証期間は?", COLOUR),
        ("ＭＸ５０００Ｃの保証期間は?", COLOUR),
        ("MX-2040Bの保証期間は?", PAIR),
        ("MX-2080Bの保証期間は?", PAIR),
        ("ISO9001の窓口は?", passage("ISO 9001 の窓口は品質管理部です。")),
        ("FE-101が出たら?", passage("対応: 用紙を入れる", title="エラー FE-101")),
        ("勤続3年で10人の部署なら何日?", WIKI),
        ("Wikiは誰が編集できますか", WIKI),
    ],
)
def test_names_that_the_sources_have_in_any_spelling_are_not_announced(question: str, cited: Passage) -> None:
    assert codes(question, "はい [1]。", [cited]) == []


@pytest.mark.parametrize(
    ("question", "cited"),
    [
        ("Windows11でWikiを編集するには?", WIKI),
        ("2027年度の休日は?", passage("令和8年度の休日は120日です。")),
        ("就業規則第15条は何を定めていますか", passage("第14条 休日は土日とする。")),
        ("B2Bの料金は?", passage("B-52号室の料金は20円です。")),
    ],
)
def test_another_missing_name_leaves_the_answer_and_is_announced(question: str, cited: Passage) -> None:
    assert codes(question, "こうです [1]。", [cited]) == ["asked_name_missing"]


def test_the_year_in_another_calendar_is_the_same_year() -> None:
    assert codes("2026年度の休日は?", "120日です [1]。", [passage("令和8年度の休日は120日です。")]) == []


def test_an_answer_that_names_the_other_identifier_itself_stays() -> None:
    assert codes("MX-5000の保証は?", "MX-5000Cなら24か月です [1]。", [COLOUR]) == ["asked_name_missing"]


def test_a_comparison_of_which_one_side_is_found_stays() -> None:
    assert codes("MX-5000とMX-5000Cの違いは?", "24か月です [1]。", [COLOUR]) == ["asked_name_missing"]


def test_an_identifier_that_stands_in_a_passage_not_cited_is_announced_but_not_refused() -> None:
    plain = passage("MX-5000 の保証期間は12か月です。", number=4)
    assert codes("MX-5000の保証は?", "24か月です [1]。", [COLOUR], [COLOUR, plain]) == ["asked_name_missing"]


def test_a_follow_up_about_another_identifier_leaves_the_one_before_behind() -> None:
    joined = "では MX-5000D は? (前の質問: MX-5000Cの保証期間は何か月ですか?)"
    assert codes(joined, "24か月です [1]。", [COLOUR]) == ["asked_name_missing"]
    assert codes(joined, "24か月です [1]。", [COLOUR], own="では MX-5000D は?") == ["other_identifier", "refused"]


def test_a_follow_up_about_another_year_is_not_asked_for_the_one_before() -> None:
    budget = passage("2027年度の予算は3億円です。")
    joined = "では2027年度の場合は? (前の質問: 2026年度の予算はいくらですか?)"
    assert codes(joined, "3億円です [1]。", [budget], own="では2027年度の場合は?") == []


def test_a_follow_up_without_a_name_of_its_own_still_means_the_one_before() -> None:
    asked = "MX-5000Dの保証期間は有償で延長できますか?"
    assert codes(asked, "24か月です [1]。", [COLOUR], own="有償で延長できますか?") == ["other_identifier", "refused"]
