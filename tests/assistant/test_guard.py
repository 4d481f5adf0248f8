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


TABLE = passage(
    "| 項目 | MX-100 | MX-200 |\n|---|---|---|\n| 印刷速度 | 30枚/分 | 45枚/分 |\n| 給紙容量 | 550枚 | 1,100枚 |"
)


def test_the_value_of_a_later_column_of_the_same_row_is_accepted() -> None:
    assert found("MX-200は次のとおりです。\n- 印刷速度: 45枚/分 [1]\n- 給紙容量: 1,100枚 [1]", TABLE) == []


def test_a_value_of_another_row_is_reported() -> None:
    (notice,) = found("- 印刷速度: 550枚 [1]", TABLE)
    assert "550枚" in notice.message_ja


def test_the_other_figure_of_a_sentence_without_cells_is_reported() -> None:
    source = passage("有給休暇は10日を付与する。上限は20日とする。")
    (notice,) = found("有給休暇は20日を付与します [1]。", source)
    assert "20日" in notice.message_ja


def test_a_number_that_is_a_name_in_the_source_contradicts_no_other_name() -> None:
    source = passage("Tier 1: response within 1 hour. Tier 2: within 4 hours.")
    assert found("Tier 2は4時間以内に対応します [1]。", source) == []
    assert found("Tier 3は4時間以内に対応します [1]。", source) != []


@pytest.mark.parametrize(
    "answer",
    ["1. Open the portal [1].\n2. Swipe the card [1].\n3. Pull the door [1].", "1. VPNを起動します [1]。\n2. IDを入れます [1]。",
     "Step 1: open the portal [1].\nStep 2: pull the door [1].", "**手順1**: 起動 [1]\n**手順2**: 登録 [1]",
     "(1)開き、(2)かざし、(3)引きます [1]。", "①開く、②かざす、③引く [1]。", "First, open it; second, swipe; third, pull [1]."],
)  # fmt: skip
def test_labels_that_the_answer_counts_up_itself_are_not_figures(answer: str) -> None:
    assert found(answer, passage("ポータルを開き、カードをかざし、扉を引く。")) == []


@pytest.mark.parametrize(
    "answer", ["Step 1: wait 20 seconds [1].\nStep 2: go.", "手順3で登録します [1]。", "(2)と(5)です [1]。"]
)
def test_numbers_beside_labels_and_labels_that_count_from_elsewhere_are_held_to_the_sources(answer: str) -> None:
    assert found(answer, passage("10秒待ち、手順1の後に手順2で登録する。")) != []


LIMIT = passage("宿泊費は1泊12,000円までとする。")


@pytest.mark.parametrize(
    ("question", "answer"),
    [("宿泊費15,000円は精算できますか?", "いいえ、15,000円は上限の12,000円を超えるため精算できません [1]。"),
     ("Can I claim 15,000 yen?", "No, 15,000 yen exceeds the limit of 12,000 yen [1]."),
     ("10,000円のホテルは精算できますか?", "はい、10,000円なら精算できます [1]。"),
     ("Can I claim 10,000 yen?", "Yes, if it costs 10,000 yen you can claim it [1].")],
)  # fmt: skip
def test_a_figure_that_the_person_asks_about_may_be_compared_with_what_the_sources_say(
    question: str, answer: str
) -> None:
    assert asks_whether(question)
    assert found(answer, LIMIT, question=question) == []


@pytest.mark.parametrize("answer", ["はい、15,000円まで精算できます [1]。", "はい、上限は15,000円です [1]。"])
def test_a_figure_that_the_person_asks_about_is_not_said_of_the_sources(answer: str) -> None:
    (notice,) = found(answer, LIMIT, question="15,000円まで精算できますか?")
    assert "15,000円" in notice.message_ja


def test_a_quotation_that_leaves_something_out_is_held_to_the_order_of_its_parts() -> None:
    assert found("「品番は…東棟は改装中とし…事前に総務課の許可を得る」とあります [1]。") == []
    (notice,) = found("「事前に総務課の許可を得る…東棟は改装中とし」とあります [1]。")
    assert notice.code == "quote_changed"


def test_the_sign_for_inches_begins_no_quotation() -> None:
    source = passage('24" displays are for desks, 27" displays for meeting rooms.')
    assert found('Choose a 24" display for the desk or a 27" display for the meeting room [1].', source) == []
