"""The answer comes in the language of the question's grammar, whatever names stand in it."""

from __future__ import annotations

import pytest

from assistant.grammar import is_name_alone, language_of


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("有給休暇はいつまで?", "ja"), ("How do I use VPN?", "en"), ("VPN接続の手順", "ja"), ("12345", "en"),
        ("有給休暇申請期限", "ja"), ("VPNのsetup方法は?", "ja"), ("Microsoft Teams Premium Enterpriseのsetup方法は?", "ja"),
        ("Windows Update errorが出ます", "ja"), ("GitHub ActionsでCI/CD pipelineをsetupするには?", "ja"),
        ("MX-5000C ABCDEFG error E-17 対処", "ja"), ("Out of Officeの設定方法は?", "ja"), ("The Beatlesのメンバーは?", "ja"),
        ("IT 部門の連絡先は?", "ja"), ("「How to use VPN」はどこにありますか?", "ja"), ("Zoom Rooms Controller for iPadの使い方", "ja"),
        ("What is 有給休暇?", "en"), ("How do I apply for 有給休暇?", "en"), ("Who approves 出張申請書 and 経費精算書?", "en"),
        ("Where is お盆休み stated?", "en"), ("What does 「情報が不足しています」 mean?", "en"), ("Is there 在宅勤務の手当?", "en"),
        ("Ｗｈａｔ ｉｓ 有給休暇？", "en"),
        ("To Doの共有", "ja"), ("Do Not Disturb の設定", "ja"), ("BYOD (Bring Your Own Device) の申請書", "ja"),
        ("Explain Planの取り方", "ja"), ("On Call 当番", "ja"), ("PDF to Word 変換", "ja"), ("Terms of Service の改定日", "ja"),
        ("Translate 就業規則第15条 into English", "en"), ("I need 在職証明書", "en"), ("Contact 人事部", "en"),
        ("Do we get 住宅手当?", "en"), ("do part-timers get 有給?", "en"), ("what’s 有給休暇?", "en"), ("meaning of 稟議", "en"),
    ],
)  # fmt: skip
def test_the_answer_language_is_that_of_the_questions_grammar(question: str, language: str) -> None:
    assert language_of(question) == language


@pytest.mark.parametrize("name", ["VPN", "MX-5000C", "E-17", "ISO9001", "ＶＰＮ", "VPN?", "12345"])
def test_a_name_or_number_alone_is_in_no_language(name: str) -> None:
    assert is_name_alone(name)


@pytest.mark.parametrize("words", ["VPN setup", "payroll", "有給休暇", "VPNの設定", "HOW DO I USE THE VPN", "Teams"])
def test_words_are_in_a_language(words: str) -> None:
    assert not is_name_alone(words)
