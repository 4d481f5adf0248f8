"""Thanks and greetings are no questions: nothing is searched or answered for them."""

from __future__ import annotations

import pytest

from assistant.courtesy import INVITATION, asks, is_courtesy
from tests.assistant.test_ask import ScriptedModel, answer_of, pipeline


@pytest.mark.parametrize(
    "text",
    [
        "ありがとう", "ありがとうございました!", "了解です。", "ＯＫです", "はい、ありがとうございます。", "なるほど、わかりました",
        "お疲れ様です。よろしくお願いします。", "ありがとうございます😊", "thanks", "Thank you very much!", "Got it, thanks!", "You’re welcome", "hello", "OK",
    ],
)  # fmt: skip
def test_thanks_greetings_and_agreement_ask_nothing(text: str) -> None:
    assert is_courtesy(text)
    assert not asks(text)


@pytest.mark.parametrize(
    "text",
    [
        "ありがとう。では病気の場合は?", "OKですか?", "了解印は誰が押しますか", "わかりましたか", "感謝状", "なぜ?", "VPN", "No smoking rule", "nice level",
        "Good morning meeting time", "thanks to whom is the report sent?", "はい、いいえの欄とは", "Great East Japan Earthquake leave",
    ],
)  # fmt: skip
def test_a_question_with_such_a_word_stays_a_question(text: str) -> None:
    assert asks(text)


@pytest.mark.parametrize(("text", "language"), [("ありがとうございます。", "ja"), ("Thanks a lot!", "en")])
def test_the_answer_to_thanks_is_an_invitation_without_a_model(text: str, language: str) -> None:
    model = ScriptedModel("有給休暇は3営業日前まで [1]。")
    answer = answer_of(text, pipeline(model), language=language)  # type: ignore[arg-type]
    assert (answer.refused, answer.reason) == (True, "unreadable_question")
    assert answer.text == INVITATION[language]  # type: ignore[index]
    assert answer.passages == ()
    assert model.prompts == []
