"""Which questions of a conversation stand alone, and which lean on the one before."""

from __future__ import annotations

import pytest

from assistant.leaning import leans_on_talk
from assistant.telling import stem


@pytest.mark.parametrize(
    "text",
    [
        "領収書があれば精算できますか?", "社員であれば誰でも社宅を利用できますか?", "おそれいりますが、有給休暇の申請期限を教えてください",
        "遅刻しそうな場合の連絡先はどこですか?", "それぞれの部署の役割を教えてください", "情報漏えいのおそれがあるときの報告先はどこですか?",
        "この会社の就業時間は何時からですか", "この規程集の最終更新日はいつですか", "同じ部署への異動は可能ですか?", "「その他」の欄には何を書きますか?",
        "あの、有給休暇の残日数はどこで見られますか?", "Where is the IT department?", "How do I contact IT?", "What are IT's opening hours?",
        "Is it safe to open email attachments?", "How much does it cost to park at the office?", "Does this company offer stock options?",
        "Can an employee take their laptop home?", "What are the rules for those working abroad?", "Is the same-day expense rule still valid?",
        "What is the VPN and how do I get it?",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_pointer_points_at_nothing_said_before(text: str) -> None:
    assert not leans_on_talk(text)


@pytest.mark.parametrize(
    "text",
    [
        "それってお金がかかりますか?", "そうすると翌年は何日になりますか?", "同じ手続きでいいですか?", "この場合の申請先は?", "いや、パートの話です",
        "Is that correct?", "How long does that take?", "Where is that written?", "When does this take effect?", "Can I do this online?",
        "Does it apply to contractors?", "Is it possible?", "Under this policy, can I work abroad?", "I meant sick leave", "IS IT PAID?",
        "Who approves their request?", "Do contractors and interns get it?",
    ],
)  # fmt: skip
def test_a_pointer_points_back_wherever_nothing_before_it_names_a_topic(text: str) -> None:
    assert leans_on_talk(text)


@pytest.mark.parametrize(
    "text",
    [
        "健康診断の日時は?", "社員食堂の開店は何時?", "VPNに接続できないときはどうすれば?", "名刺の注文はどこにすれば",
        "経費精算システムにログインできません。どうしたら?", "退職金は勤続何年なら?", "有給休暇の申請はいつでも?",
    ],
)  # fmt: skip
def test_a_question_that_breaks_off_after_asking_stands_alone(text: str) -> None:
    assert not leans_on_talk(text)


@pytest.mark.parametrize(
    "text",
    [
        "病気で休めば?", "何かあったら?", "もし期限を過ぎたら?", "部長の場合だとどうですか?", "If I am ill?", "And on public holidays?",
        "In other countries?", "And if my boss is away?",
    ],
)  # fmt: skip
def test_a_condition_without_a_question_leans_on_the_talk(text: str) -> None:
    assert leans_on_talk(text)


def test_a_condition_with_its_question_stands_alone() -> None:
    assert not leans_on_talk("If I lose my badge, what should I do?")
    assert not leans_on_talk("For business trips abroad, which insurance covers employees?")


@pytest.mark.parametrize(
    "text",
    [
        "例外はありますか?", "上限はありますか?", "キャンセルはできますか?", "取り消しはできますか?", "上司の承認は必要ですか?", "契約社員は対象ですか?",
        "土日も含まれますか?",
        "英語で説明してください", "表にまとめてください", "根拠はどこに書いてありますか?", "Are there exceptions?", "Is approval required?",
        "Is there a limit?", "What documents are required?", "Are contractors included?", "Do I need a form?", "interns too?", "Translate to Japanese",
    ],
)  # fmt: skip
def test_a_question_of_words_that_tell_of_another_thing_leans_on_the_talk(text: str) -> None:
    assert leans_on_talk(text)


@pytest.mark.parametrize(
    "text",
    [
        "副業の申請に必要な書類は?", "コンプライアンス研修の期限は?", "派遣社員の契約期間は?", "Are there exceptions to the dress code?",
        "Is approval required for overtime?", "Which form do I use for a relocation claim?", "Can contractors use the VPN?",
    ],
)  # fmt: skip
def test_the_same_words_of_a_topic_stand_alone(text: str) -> None:
    assert not leans_on_talk(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026年度は?", "第20条は?", "3年目は?", "5日以上は?", "65歳以上は?", "勤続3年は?", "夜10時以降は?", "B社は?", "Aランクは?", "5日でも取れますか?",
        "What's step 2?", "And after 5 years?", "In 2027?",
    ],
)  # fmt: skip
def test_a_figure_with_what_it_counts_names_no_topic(text: str) -> None:
    assert leans_on_talk(text)


@pytest.mark.parametrize(
    "text",
    ["E-17エラーの対処", "MX-5000Cの保証期間は?", "36協定の上限時間は?", "2026年度の年間休日", "What does error E-17 mean?", "401k match"],
)  # fmt: skip
def test_an_identifier_is_no_figure(text: str) -> None:
    assert not leans_on_talk(text)


@pytest.mark.parametrize(
    "text",
    [
        "What's the deadline?", "What’s the deadline?", "Who's responsible?",
        "Where's the form?", "Isn't there an exception?", "whats the limit",
    ],
)  # fmt: skip
def test_a_contraction_says_no_more_than_the_words_that_it_stands_for(text: str) -> None:
    assert leans_on_talk(text)


def test_a_contraction_does_not_hide_a_topic() -> None:
    assert not leans_on_talk("What's the dress code?")
    assert not leans_on_talk("I don't understand the travel policy")


@pytest.mark.parametrize(
    "text",
    [
        "ところで駐車場は?", "そういえばクールビズは?",
        "それとは別に、通勤手当の上限を教えてください", "別件ですが、備品の返却先は?", "By the way, parking?",
    ],
)  # fmt: skip
def test_whoever_turns_to_another_topic_does_not_lean_on_the_last(text: str) -> None:
    assert not leans_on_talk(text)


def test_whoever_turns_to_another_topic_and_names_none_leans_all_the_same() -> None:
    assert leans_on_talk("ところで、それは誰が決めましたか?")
    assert leans_on_talk("ところで例外は?")
    assert leans_on_talk("By the way, is there a limit?")


@pytest.mark.parametrize(
    "text",
    [
        "就業規則", "出張旅費", "VPN", "MX-5000", "holidays",
        "健康診断はいつ?", "社長は誰ですか?", "Where is the printer?", "What is probation?", "食堂はある?",
    ],
)  # fmt: skip
def test_one_word_that_names_a_topic_is_enough_as_a_keyword_and_for_who_what_where_and_when(text: str) -> None:
    assert not leans_on_talk(text)


@pytest.mark.parametrize("text", ["要約", "続けて", "elaborate", "shorter please", "お願いします", "contractors"])
def test_a_keyword_that_names_no_topic_leans_on_the_talk(text: str) -> None:
    assert leans_on_talk(text)


def test_words_of_one_stem_are_equal_and_those_of_another_meaning_are_not() -> None:
    assert len({stem(word) for word in ("cancel", "cancels", "cancelled", "cancelling", "cancellation")}) == 1
    assert stem("part-timers") == stem("part-time")
    assert stem("policies") == stem("policy")
    assert len({stem(word) for word in ("contract", "contractor", "intern", "internal", "train", "trainee")}) == 6
