from __future__ import annotations

from assistant.quotes import quote
from tests.assistant.passages import passage

LEAVE = passage("第4条 休暇の種類を定める。\n第5条 有給休暇は、取得日の3営業日前までに申請する。")
EXPENSES = passage("経費は翌月5日までに精算する。", number=2)


def test_the_sentence_that_answers_is_quoted_literally_with_its_mark() -> None:
    quoted = quote("有給休暇はいつまでに申請しますか?", [LEAVE, EXPENSES])
    assert quoted.text == "「第5条 有給休暇は、取得日の3営業日前までに申請する。」 [1]"
    (citation,) = quoted.citations
    assert LEAVE.text[citation.start - LEAVE.start : citation.end - LEAVE.start] == citation.quote


def test_the_same_sentence_of_two_documents_is_quoted_once() -> None:
    quoted = quote("経費の精算", [EXPENSES, passage("経費は翌月5日までに精算する。", number=3)])
    assert quoted.text.count("翌月5日") == 1


def test_a_passage_without_sentences_is_still_quoted() -> None:
    assert quote("VPN", [passage("VPN")]).text == "「VPN」 [1]"


def test_an_english_question_on_japanese_text_quotes_the_best_ranked_passage() -> None:
    assert quote("When must I apply for leave?", [LEAVE, EXPENSES]).citations[0].number == 1


def test_a_passage_in_another_language_is_quoted_before_what_was_found_behind_it() -> None:
    telework = "在宅勤務は週2日までとする。上長の承認を得て、前日までに申請する。"
    leave = "Apply for five or more days of leave at least two weeks before the first day."
    cited = quote("How many days a week may I work from home?", [passage(telework), passage(leave, number=2)])
    assert cited.text.splitlines() == [f"「{telework}」 [1]", f"「{leave}」 [2]"]
    assert cited.citations[0].quote == telework


def test_a_passage_in_another_language_that_was_found_behind_does_not_come_first() -> None:
    leave = "Apply for leave at least three business days before the day of leave."
    cited = quote("When must I apply for leave?", [passage(leave), passage("在宅勤務は週2日までとする。", number=2)])
    assert cited.text.splitlines()[0] == f"「{leave}」 [1]"
    assert [citation.number for citation in cited.citations] == [1]
