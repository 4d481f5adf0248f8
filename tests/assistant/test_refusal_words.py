"""Refusals in other words, right answers that deny something, and answers to a part, held to sources that are near the question."""

from __future__ import annotations

import time

import pytest

from assistant.cite import cite
from assistant.refusal import verdict
from assistant.silence import clauses, denials, silence
from tests.assistant.passages import passage

LEAVE = "第5条 年次有給休暇は、取得日の3営業日前までに申請する。半日単位の有給休暇の取得は、午前または午後とする。"
LEAVE_EN = "Leave must be requested three business days in advance. Half-day leave is taken in the morning or in the afternoon."
CANTEEN = "社員食堂は本社2階にあり、営業日は平日である。社員食堂の営業時間中の飲食物の持ち込みは禁止する。"
VISITS = "Guests may not enter the laboratory without an escort. Escorts sign the guest log at reception."
BONUS = "Employees do not receive a bonus in their probation period. Bonuses are paid in June and December."
WARRANTY = "保証期間は、お買い上げの日から1年間です。消耗品は保証の対象になりません。"
HOTEL = (
    "Hotel costs are paid up to 120 dollars a night. Book through the travel portal at least one week before departure."
)


def outcome(answer: str, source: str) -> str:
    """What becomes of an answer that cites its only passage: "refused", "partly" or "answered"."""
    judged = verdict(cite(answer, [passage(source)]))
    if judged.is_refusal:
        return "refused"
    return "partly" if any(notice.code == "partly_answered" for notice in judged.notices) else "answered"


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("半日単位の有給休暇の申請期限は不明です [1]。", LEAVE),
        ("半日単位の有給休暇の申請期限は明記されていません [1]。", LEAVE),
        ("半日単位の有給休暇の申請期限は記載されておりません [1]。", LEAVE),
        ("半日単位の有給休暇の申請期限については触れられていないため、不明です [1]。", LEAVE),
        ("抜粋からは半日単位の有給休暇の申請期限を確認できません [1]。", LEAVE),
        ("半日単位の有給休暇の申請期限は、文書から読み取ることができませんでした [1]。", LEAVE),
        ("半日単位の有給休暇の申請期限については回答できません [1]。", LEAVE),
        ("情報が不足しているため、半日単位の有給休暇の申請期限は分かりません [1]。", LEAVE),
        ("情報不足のため、半日単位の有給休暇の申請期限を特定できません [1]。", LEAVE),
        ("申し訳ありませんが、半日単位の有給休暇の申請期限に関する情報は見つかりませんでした [1]。", LEAVE),
        ("半日単位の有給休暇の申請期限：記載なし [1]", LEAVE),
        ("不明 [1]", LEAVE),
        ("The deadline for half-day leave is not mentioned in the passages [1].", LEAVE_EN),
        ("There is no information about the deadline for half-day leave in the passages [1].", LEAVE_EN),
        ("None of the passages say when half-day leave must be requested [1].", LEAVE_EN),
        ("I cannot determine when half-day leave must be requested [1].", LEAVE_EN),
        ("It is unclear when half-day leave must be requested in advance [1].", LEAVE_EN),
        ("The policy doesn’t say when half-day leave must be requested [1].", LEAVE_EN),
        ("The text fails to mention when half-day leave must be requested [1].", LEAVE_EN),
        ("N/A [1]", LEAVE_EN),
        ("Unknown [1].", LEAVE_EN),
    ],
)
def test_a_refusal_that_repeats_the_words_of_its_passage_is_a_refusal(answer: str, source: str) -> None:
    assert outcome(answer, source) == "refused"


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("社員食堂の営業時間は不明です [1]。", CANTEEN),
        ("社員食堂の営業時間に関する情報がありません [1]。", CANTEEN),
        ("社員食堂の営業時間の規定はありません [1]。", CANTEEN),
        ("There is no information on how long guests may stay in the laboratory [1].", VISITS),
        ("The amount of the bonus is not provided [1].", BONUS),
        ("保証期間の延長の可否は、抜粋からは読み取れません [1]。", WARRANTY),
        ("There is no information about extending the warranty [1].", WARRANTY),
        ("半日単位の有給休暇の申請期限は明記されていません [1]。", "有給休暇は、半日単位でも申請しなければならない。"),
    ],
)
def test_a_source_that_denies_something_else_near_it_excuses_no_refusal(answer: str, source: str) -> None:
    assert outcome(answer, source) == "refused"


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("電話では、個人の給与に関する質問にはお答えできません [1]。", "電話では個人の給与に関する問い合わせに答えない。"),
        ("ログには利用者の個人情報や質問の内容は記録されていません [1]。", "ログには利用者の氏名と質問の本文を残さない。"),
        ("交通費の上限は定められていません [1]。", "交通費の上限は定めない。"),
        ("弔慰金の額についての定めはありません [1]。", "弔慰金の額は、規程に定めがない。"),
        ("社員名簿に住所と電話番号は載っていません [1]。", "社員名簿に住所と電話番号は載せない。"),
        ("この障害の原因は分かっていませんが、再起動で復旧します [1]。", "この障害の原因は分かっていない。再起動で復旧する。"),
        ("The cause of error E-30 is unknown, so restart it [1].", "The cause of error E-30 is unknown; restart it."),
        ("The source of the leak is not known [1].", "The source of the leak is not known."),
        ("The public report does not contain information about salaries [1].", "The public report contains no salary information."),
        ("監査文書に個人情報は含まれていません [1]。", "The audit documents do not contain personal data. They are kept."),
        ("Audit documents do not contain personal data [1].", "監査文書には個人データを含めない。"),
    ],
)  # fmt: skip
def test_what_a_source_denies_itself_is_an_answer(answer: str, source: str) -> None:
    assert outcome(answer, source) == "answered"


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("規程に記載のない手当は支給されません [1]。", "賃金規程に定めのない手当は、会社は支給しない。"),
        ("文書に保存期間の記載がない場合は、翌年度から5年間保存します [1]。", "保存年限を定めていない文書は、作成の翌年度から5年間保存する。"),
        ("E-22は、送信先の情報が記載されていないときに表示されます [1]。", "エラーE-22は、送信先アドレスが空欄のときに出る。"),
        ("資料に個人情報が含まれていないことを、二人で確認します [1]。", "資料を渡す前に、個人の氏名を消したことを二人で確かめる。"),
        ("申請書に個人情報を記載する必要はありません [1]。", "申請書には、個人番号の記入を要しない。個人情報は人事システムから取得する。"),
        ("議事録に質問者の氏名が記載されることはありません [1]。", "議事録に質問者の氏名は記載しない。"),
        ("Customer information is not provided to third parties without consent [1].", "顧客の情報は、本人の同意なしに第三者へ提供しない。"),
        ("Documents that do not include a VAT number are sent back [1].", "Invoices lacking the VAT number go back."),
        ("If the policy does not specify a limit, it is 500 dollars [1].", "If the policy does not specify a limit, it is 500 dollars."),
        ("The limit is 500 dollars when the policy does not specify one [1].", "Where the policy has none, the limit is 500 dollars."),
    ],
)  # fmt: skip
def test_what_is_told_of_something_unwritten_is_an_answer(answer: str, source: str) -> None:
    assert outcome(answer, source) == "answered"


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("年次有給休暇は取得日の3営業日前までに申請しますが、半日休暇については抜粋に記載がありません [1]。", LEAVE),
        ("半日休暇の期限は不明ですが、年次有給休暇は取得日の3営業日前までに申請します [1]。", LEAVE),
        ("年次有給休暇は取得日の3営業日前までに申請します [1]。半日休暇の期限は記載されていません [1]。", LEAVE),
        ("Leave must be requested three business days in advance [1], but the passages do not say what applies to half days.", LEAVE_EN),
        ("Bonuses are paid in June and December [1], but the amount is not given.", BONUS),
        ("Although the documents do not mention breakfast, hotel costs are paid up to 120 dollars a night [1].", HOTEL),
        ("Hotel costs are paid up to 120 dollars a night; breakfast is not mentioned [1].", HOTEL),
        ("ホテル代は1泊120ドルまで支払われますが、朝食については記載がありません [1]。", HOTEL),
    ],
)  # fmt: skip
def test_the_part_that_a_source_states_is_given_although_the_same_sentence_refuses_the_rest(
    answer: str, source: str
) -> None:
    assert outcome(answer, source) == "partly"


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("半日単位の有給休暇の申請期限は記載されていませんが、人事部に確認してください [1]。", LEAVE),
        ("The passages do not say it, but you may want to ask your manager about it [1].", LEAVE_EN),
        ("抜粋には記載がありませんが、人事部の窓口に確認してください [1]。", LEAVE_EN),
    ],
)
def test_advice_beside_a_refusal_is_no_part_of_an_answer(answer: str, source: str) -> None:
    assert outcome(answer, source) == "refused"


def test_a_person_who_says_in_a_document_that_he_cannot_find_something_is_cited() -> None:
    report = "It takes forever to load, and I can't find the export button."
    assert outcome("It takes forever to load, and I can't find the export button [1].", report) == "answered"


def test_what_a_sentence_quotes_is_not_its_own_word() -> None:
    assert clauses("画面には「記載がありません」と表示されますが、問題ではありません。") == [
        "画面にはと表示されます",
        "問題ではありません。",
    ]


def test_an_obligation_or_a_limit_denies_nothing() -> None:
    said = "申請しなければならない。取得は必ず午前とする。手当を支給しない。Apply no later than May."
    assert denials(said) == ["手当を支給しない。"]


@pytest.mark.parametrize(
    "run",
    [
        "情報が不足し", "情報が", "抜粋は", "記載が、", "確認することが", "ない、", "のようなもの", "なし!", "the documents ", "no information and ",
        "the text does not really ", "is not ", "if not given ", "i cannot ", "none of the ", "but ", "although a", "不明の", "です",
    ],
)  # fmt: skip
def test_a_long_run_of_words_of_silence_is_read_in_a_moment(run: str) -> None:
    text = run * (10_000 // len(run)) + "x"
    started = time.process_time()
    for clause in [text, *clauses(text)]:
        silence(clause)
    outcome(f"{text} [1]", text)
    assert time.process_time() - started < 4.0
