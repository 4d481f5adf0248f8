"""A follow-up joined with the question that it leans on, as it is searched where no model made it stand alone. Pure.

「理由は?」 after 「パートは? (前の質問: 有給休暇はいつまでに…)」 ─▶ 「理由は? (前の質問: 有給休暇はいつまでに…)」

Joined with joined text, the fifteenth follow-up of a conversation would have lost the topic at its far end.
"""

from __future__ import annotations

import re

from assistant.errors import Language
from assistant.history import Exchange

QUESTION_CHARACTERS = 300
_LABEL: dict[Language, str] = {"ja": "前の質問", "en": "the question before"}
_JOINT = re.compile(rf" \((?:{'|'.join(_LABEL.values())}): ")


def join(question: str, topic: str, language: Language) -> str:
    """The question with the one that named its topic behind it."""
    return f"{question} ({_LABEL[language]}: {topic[:QUESTION_CHARACTERS]})"


def topic_of(exchange: Exchange) -> str:
    """The question that names the topic of an earlier exchange: its question, or the innermost one that this was joined with."""
    if _JOINT.match(exchange.question, len(exchange.asked)) is None:
        return exchange.question
    *joints, topic = _JOINT.split(exchange.question)
    return topic.removesuffix(")" * len(joints))
