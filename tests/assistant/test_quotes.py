from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.domain import Passage
from assistant.quotes import QUOTE_CHARACTERS, quote
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


EXTENSIONS = "内線番号一覧\n総務部：1001\n人事部：1002\n経理部：1003\n情報システム部：1004\n営業部：1005"
OFFICES = "大阪営業所\n住所：大阪市北区1-1\n電話：06-1234-5678\n名古屋営業所\n住所：名古屋市中区2-2\n電話：052-123-4567"
ALLOWANCE = "国内出張の日当は、1日につき次の表のとおりとする。日帰り出張の日当は半額とする。\n\n区分 | 日当（1日）\n一般社員 | 2,500円\n部長 | 3,500円"
PARTS = "\n".join(
    ["部品の単価は、次の表のとおりとする。", "| 品番 | 名称 | 単価 | 納期 |", "|---|---|---|---|"]
    + [
        f"| FL-{n:03d} | 部品{name} | {n * 120}円 | {n}営業日 |"
        for n, name in enumerate("甲乙丙丁戊己庚辛壬癸", start=1)
    ]
)
SCAN = "スキャンの方法は次のとおり。\n① 原稿を置く\n② 「スキャン」を押す\n③ 宛先を選ぶ\n④ スタートを押す"


def quoted_from(question: str, source: Passage) -> str:
    (citation,) = quote(question, [source]).citations
    assert source.text[citation.start - source.start : citation.end - source.start] == citation.quote
    return citation.quote


@pytest.mark.parametrize(
    ("question", "source", "entry"),
    [
        ("情報システム部の内線は?", EXTENSIONS, "情報システム部：1004"),
        ("情報システム部の内線は?", EXTENSIONS.replace("：", " | "), "情報システム部 | 1004"),
        ("情報システム部の内線は?", EXTENSIONS.replace("：", "\t"), "情報システム部\t1004"),
        ("情報システム部の内線は?", EXTENSIONS.replace("：", " "), "情報システム部 1004"),
        ("WiFiのパスワードは?", "会議室\nSSID：guest-net\nWiFiパスワード：nagi2026", "WiFiパスワード：nagi2026"),
        ("What is the extension of the IT desk?", "Extensions\nReception: 100\nPayroll: 300\nIT desk: 400", "IT desk: 400"),
        ("What is the proxy port?", "proxy.host = proxy.nagi.example\nproxy.port = 3128\nproxy.user = none", "proxy.port = 3128"),
        ("名刺は何日で届きますか", "総務への依頼\n- 封筒：当日\n- 名刺：5営業日\n- 社章：2週間", "- 名刺：5営業日"),
        ("7120の勘定科目は?", "コード,勘定科目,税\n7110,旅費交通費,10%\n7120,通勤費,10%", "7120,通勤費,10%"),
        ("領収書はいつ添付しますか", "1. 申請を開く\n2. 金額を入力する\n3. 領収書を添付する\n4. 上長に送る", "領収書を添付する"),
        ("名古屋営業所の電話番号は?", OFFICES, "名古屋営業所\n住所：名古屋市中区2-2\n電話：052-123-4567"),
        ("Where is the first aid box?", "Q: Where are the keys?\nA: Reception\nQ: Where is the first aid box?\nA: Kitchen", "A: Kitchen"),
    ],
)  # fmt: skip
def test_an_entry_of_a_list_or_table_is_quoted_however_short_it_is(question: str, source: str, entry: str) -> None:
    assert entry in quoted_from(question, passage(source))


@pytest.mark.parametrize(
    ("question", "source", "last"),
    [
        ("国内出張の一般社員の日当は、現在いくらですか?", ALLOWANCE, "部長 | 3,500円"),
        ("スキャンの方法は?", SCAN, "④ スタートを押す"),
        ("How do I book a room?", "How to book a room:\n1. Open the calendar\n2. Choose a room\n3. Press Save", "3. Press Save"),
        ("What are the rules for guests?", "The rules for guests are as follows.\n- Wear the badge\n- No photos", "- No photos"),
        ("必要な書類は?", "入社時に必要な書類は以下の2点です。\n年金手帳\n源泉徴収票", "源泉徴収票"),
        ("A評価の係数は?", "| 評価 | 係数 |\n|---|---|\n| S | 1.3 |\n| A | 1.15 |", "| A | 1.15 |"),
    ],
)  # fmt: skip
def test_a_sentence_or_row_that_leads_on_is_quoted_with_what_it_leads_on_to(
    question: str, source: str, last: str
) -> None:
    assert quoted_from(question, passage(source)).endswith(last)


def test_of_a_long_table_the_row_that_is_asked_for_is_quoted() -> None:
    assert len(PARTS) > QUOTE_CHARACTERS
    row = "| FL-009 | 部品壬 | 1080円 | 9営業日 |"
    told = quoted_from("部品壬の単価は?", passage(PARTS))
    assert row in told
    assert len(told) <= QUOTE_CHARACTERS


def test_a_row_near_the_first_one_is_quoted_with_the_names_of_its_columns() -> None:
    told = quoted_from("部品乙の納期は?", passage(PARTS))
    assert "| 品番 | 名称 | 単価 | 納期 |" in told
    assert "| FL-002 | 部品乙 | 240円 | 2営業日 |" in told


@pytest.mark.parametrize(
    ("question", "source", "answer"),
    [
        (
            "10万円以下の備品は誰が決裁しますか",
            "備品は稟議による。10万円以下の備品は課長が決裁する。超えるものは部長が決裁する。急ぐときは報告でよい。印は要らない。",
            "10万円以下の備品は課長が決裁する。",
        ),
        (
            "When are invoices paid?",
            "Invoices are paid at the end of the following month. Disputed ones wait. Ask Payroll. Keep a copy.",
            "Invoices are paid at the end of the following month.",
        ),
    ],
)
def test_what_only_sounds_like_leading_on_is_quoted_as_any_sentence(question: str, source: str, answer: str) -> None:
    told = quoted_from(question, passage(source))
    assert answer in told
    assert not told.endswith(source[-5:])


def test_a_heading_with_a_colon_is_no_entry() -> None:
    source = replace(passage("受付時間：窓口\n平日：9:00-17:00"), heading_path=("受付時間：窓口",))
    assert "平日：9:00-17:00" in quoted_from("受付時間は?", source)


def test_the_number_of_a_step_is_never_quoted_by_itself() -> None:
    steps = "1.\nPCを起動する\n2.\nVPNクライアントを開く\n3.\nIDとパスワードを入力する\n4.\n接続を押す"
    assert quoted_from("VPNの接続手順は?", passage(steps)) == "2.\nVPNクライアントを開く"
    assert quoted_from("IDはいつ入力しますか", passage(steps)) == "3.\nIDとパスワードを入力する"


def test_numbers_of_steps_in_another_language_than_the_question_end_no_quote() -> None:
    steps = "接続の手順\n1. 起動する\n2. 入力する\n3."
    ahead = passage("\n".join([steps, "あ" * QUOTE_CHARACTERS]))
    cited = quote("How do I connect to the VPN?", [ahead, passage("Connect to the VPN with the client.", number=2)])
    assert cited.citations[0].quote == "1. 起動する\n2. 入力する"
