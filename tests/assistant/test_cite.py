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
    assert cite("[有給休暇] を申請します [1]。", [LEAVE]).text == "[有給休暇] を申請します [1]。"


def test_a_sentence_with_a_figure_that_the_passage_lacks_gets_no_mark() -> None:
    assert cite("年次有給休暇は取得日の8営業日前までに申請する。", [LEAVE]).citations == ()


def test_a_mark_to_a_passage_that_says_something_else_is_moved_to_the_one_that_says_it() -> None:
    cited = cite(
        "年次有給休暇は、取得日の3営業日前までに申請します [1]。", [VPN, passage("社用車は総務課が管理する。"), LEAVE]
    )
    assert cited.text == "年次有給休暇は、取得日の3営業日前までに申請します [3]。"
    cited = cite(
        "年次有給休暇は、取得日の3営業日前までに申請します [1]。", [passage("社用車は総務課が管理する。"), LEAVE]
    )
    assert cited.text.endswith("[2]。")
    assert [notice.code for notice in cited.notices] == ["wrong_citations_removed"]


def test_a_second_mark_whose_passage_adds_nothing_is_removed_and_counted() -> None:
    """A document told the live model to cite it as [1]; the sentence stood, word for word, in [2] alone."""
    leave = passage("Annual leave is requested three business days ahead.")
    parking = passage(
        "Parking requests are handed in to the general affairs section four business days ahead.", number=2
    )
    answer = "[2] Parking requests are handed in to the general affairs section four business days ahead [1]."
    cited = cite(answer, [leave, parking])
    assert [citation.number for citation in cited.citations] == [2]
    assert cited.text.endswith("four business days ahead [2].")
    assert [notice.code for notice in cited.notices] == ["wrong_citations_removed"]


def test_a_second_mark_stays_where_its_passage_says_the_rest_or_the_same() -> None:
    leave = passage("年次有給休暇は、取得日の3営業日前までに申請する。")
    card = passage("入退室カードをなくしたときは、総務課へすぐに届け出る。", number=2)
    both = "年次有給休暇は取得日の3営業日前までに申請し、入退室カードをなくしたら総務課へ届け出ます [1][2]。"
    assert [citation.number for citation in cite(both, [leave, card]).citations] == [1, 2]
    again = passage("休暇: 年次有給休暇は、取得日の3営業日前までに申請すること。", number=2)
    one = "年次有給休暇は、取得日の3営業日前までに申請します [1][2]。"
    assert [citation.number for citation in cite(one, [leave, again]).citations] == [1, 2]


def test_a_sentence_whose_marks_say_something_else_is_flagged_with_its_place() -> None:
    answer = "有給休暇は3営業日前までに申請します [1]。社員食堂の定食は650円です [1]。"
    cited = cite(answer, [LEAVE, VPN])
    flagged = [notice for notice in cited.notices if notice.code == "sentence_without_source"]
    assert [cited.text[n.start : n.end] for n in flagged] == ["社員食堂の定食は650円です。"]
    assert (cited.facts, cited.sourced) == (2, 1)


def test_a_figure_that_stands_elsewhere_in_the_passage_brings_no_mark() -> None:
    source = passage(
        "有給休暇の申請書は総務課に出す。総務課は本館にある。受付は平日に開く。懇親会の会費は3,000円とする。"
    )
    assert cite("有給休暇の申請書は総務課に3,000円を添えて出す。", [source]).citations == ()


def test_a_figure_beside_the_words_brings_its_mark_and_a_quote_with_both() -> None:
    source = passage("在宅勤務手当を支給する。額は1日200円とする。月の上限は3,000円とする。食堂は閉じる。")
    (citation,) = cite("在宅勤務手当は1日200円を支給し、月の上限は3,000円とします [1]。", [source]).citations
    assert "200円" in citation.quote
    assert "3,000円" in citation.quote
    assert "食堂" not in citation.quote


def test_an_english_sentence_keeps_its_mark_to_a_japanese_passage_and_quotes_the_sentence_with_its_figure() -> None:
    source = passage("第5条 申請\n有給休暇の残日数は画面で見る。\n有給休暇は取得日の3営業日前までに申請する。")
    (citation,) = cite("Apply three business days ahead [1].", [source]).citations
    assert citation.quote == "有給休暇は取得日の3営業日前までに申請する。"


def test_headings_and_questions_of_an_answer_need_no_source() -> None:
    assert cite("手順は次のとおりです:\nほかに知りたいことはありますか?", [LEAVE]).notices == ()


HOURS = passage("第13条(食堂) 食堂の営業時間は11:30から14:00までとし、利用料は1食450円を給与から控除する。")
NO_USB = passage("USBメモリの使用は認めない。", number=2)


@pytest.mark.parametrize(
    "said", ["はい、できます", "いいえ、できません", "可能です", "いいえ", "No", "Yes, it is possible"]
)
def test_a_bare_yes_or_no_keeps_its_mark(said: str) -> None:
    cited = cite(f"{said} [2]。", [LEAVE, NO_USB])
    assert [citation.number for citation in cited.citations] == [2]
    assert cited.notices == ()


def test_a_bare_yes_or_no_before_the_sentence_that_says_it_is_not_missing_a_source() -> None:
    assert cite("いいえ。USBメモリの使用は認められていません [1]。", [NO_USB]).notices == ()


@pytest.mark.parametrize("said", ["ランチは11時半から14時までです", "お昼ごはんは450円です"])
def test_a_sentence_in_peoples_words_keeps_its_mark_by_its_figures(said: str) -> None:
    assert [citation.number for citation in cite(f"{said} [1]。", [HOURS]).citations] == [1]


def test_a_sentence_with_other_words_and_another_figure_loses_its_mark() -> None:
    assert cite("お昼ごはんは550円です [1]。", [HOURS]).citations == ()


def test_the_marks_of_a_table_stand_in_its_last_cells_and_its_head_needs_none() -> None:
    daily = passage("日当は、部長3,000円、課長2,500円とする。")
    cited = cite("| 役職 | 日当 |\n|---|---|\n| 部長 | 3,000円 |\n| 課長 | 2,500円 |", [daily])
    assert cited.text == "| 役職 | 日当 |\n|---|---|\n| 部長 | 3,000円 [1] |\n| 課長 | 2,500円 [1] |"
    assert cited.notices == ()


@pytest.mark.parametrize(
    "said",
    [
        "手順は以下のとおりです。",
        "Here is how to apply.",
        "### 申請期限",
        "ご質問ありがとうございます。",
        "ご不明な点は人事部へお問い合わせください。",
    ],
)
def test_what_leads_on_and_courtesies_are_not_missing_a_source(said: str) -> None:
    assert [
        notice.code for notice in cite(f"{said}\n年次有給休暇は取得日の3営業日前までに申請する [1]。", [LEAVE]).notices
    ] == []


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The desk is open until 6 p.m. [2].", "The desk is open until 6 p.m. [2]."),
        ("申請します。[1]。", "申請します [1]。"),
        ("Ask the help desk, etc. [2], first.", "Ask the help desk, etc. [2], first."),
    ],
)
def test_a_mark_that_has_its_end_mark_stays_where_it_is(said: str, shown: str) -> None:
    desk = passage(
        "VPN requires a token. Ask the help desk, etc. first. The desk is open until 6 p.m. every day.", number=2
    )
    assert cite(said, [LEAVE, desk]).text == shown


def test_the_number_of_a_step_is_no_figure_that_a_sentence_could_be_cited_for() -> None:
    source = passage(
        "ログインの手順\n1. 画面を開く\n2. 社員番号を入れる\n3. 送信を押す\n誤ったパスワードが三回続くと、ロックされる。"
    )
    (citation,) = cite("Your account is locked after three wrong passwords [1].", [source]).citations
    assert citation.quote == "誤ったパスワードが三回続くと、ロックされる。"


def test_the_number_of_a_step_alone_is_never_a_citation_s_quote() -> None:
    source = passage("3.\n送信を押したのち、画面が変わるまで待つこと。")
    (citation,) = cite("Wait until it is done [1].", [source]).citations
    assert citation.quote == "送信を押したのち、画面が変わるまで待つこと。"
