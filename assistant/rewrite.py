"""A follow-up question made to stand alone: 「では病気の場合は?」 becomes a question that can be searched.

                   stands alone ─────────────────────────────────────────────────────────────▶ asked as it is
question, talk ─▶ ┤                                           one line made of the talk's words ▶ asked rewritten
                   leans on the talk ─▶ one short call of the model ─┤
                                        no model, away, nonsense ────┴─▶ joined with the question before, with a notice

The call's prompt begins with the passages of the last answer, as that answer's prompt did: the model server has read them
already, and the answer's prompt begins with them again. Must not know indexes or the ledger.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog

from assistant.courtesy import asks
from assistant.domain import ModelToken, Notice, Passage, Question
from assistant.errors import AnswerAborted, ContextOverflow, Language, ModelMissing, ModelTimeout, ModelUnavailable
from assistant.history import Exchange
from assistant.joined import QUESTION_CHARACTERS, join, topic_of
from assistant.leaning import leans_on_talk
from assistant.pack import stable_prefix, unforgeable
from assistant.ports import ChatModel
from assistant.sensible import is_of_other_language, is_sensible

_log = structlog.get_logger(__name__)

TOLD_EXCHANGES = 2
"""How much of the conversation the model is told; a follow-up hardly ever leans on more."""
ANSWER_CHARACTERS = 300
REWRITING_TOKENS = 96
_LABEL = re.compile(
    r"^(?:書き直した質問|質問|次の質問|rewritten question|question|next question)\s*[::]\s*", re.IGNORECASE
)
_TASK: dict[Language, str] = {
    "ja": (
        "\n\n---\n次の会話があります。\n{talk}\n次の質問: {question}\n\n"
        "「次の質問」は前の質問の続きです。前の質問の話題の言葉を補って、それだけで意味が分かる質問に書き直してください。"
        "質問に答えてはいけません。書き直した質問を一行だけ書いてください。\n書き直した質問:"
    ),
    "en": (
        "\n\n---\nThere was this conversation.\n{talk}\nNext question: {question}\n\n"
        "The next question continues the one before. Rewrite it with the words of the topic, so that it can be understood "
        "by itself. Do not answer it. Write only the rewritten question, in one line.\nRewritten question:"
    ),
}
_SAID: dict[Language, tuple[str, str]] = {"ja": ("質問", "回答"), "en": ("Question", "Answer")}


@dataclass(frozen=True)
class Talk:
    """The conversation so far, oldest first, and the passages of the last prompt as they may be read today."""

    exchanges: tuple[Exchange, ...] = ()
    sent: tuple[Passage, ...] = ()


@dataclass(frozen=True)
class Rewriting:
    """The question that stands alone, and what the person must know about how it was made."""

    text: str
    notices: tuple[Notice, ...] = ()


async def stand_alone(
    question: Question, talk: Talk, model: ChatModel | None, *, budget_tokens: int
) -> Rewriting | None:
    """The question made to stand alone, or None when it does already or nothing was asked before."""
    if not needs_rewriting(question, talk):
        return None
    told = _telling(talk)[-TOLD_EXCHANGES:]
    if model is not None:
        line = await _asked_model(question, told, talk.sent, model, budget_tokens=budget_tokens)
        if line is not None and is_sensible(line, question.text, told):
            return Rewriting(line, (_unchecked_notice(line),) if is_of_other_language(question.text, told) else ())
        _log.info("follow_up_not_rewritten", is_answered=line is not None)
    topic = topic_of(told[-1])
    return Rewriting(join(question.text, topic, question.language), (_joined_notice(topic),))


def needs_rewriting(question: Question, talk: Talk) -> bool:
    """Whether something was asked before that the question leans on."""
    return bool(_telling(talk)) and asks(question.text) and leans_on_talk(question.text)


def _telling(talk: Talk) -> list[Exchange]:
    """The exchanges that began with words: nothing leans on an emoji."""
    return [exchange for exchange in talk.exchanges if asks(exchange.question)]


async def _asked_model(
    question: Question, told: Sequence[Exchange], sent: Sequence[Passage], model: ChatModel, *, budget_tokens: int
) -> str | None:
    """The model's first line; None when it is away or silent."""
    task = _task(question, told)
    prompt = stable_prefix(sent, question.language) + task if sent else task.strip()
    if sent and (await model.count_tokens(prompt))[0] > budget_tokens:
        prompt = task.strip()
    text = ""
    try:
        async with aclosing(model.stream(prompt, num_predict=REWRITING_TOKENS)) as pieces:
            async for piece in pieces:
                if isinstance(piece, ModelToken):
                    text += piece.text
                    if "\n" in text.strip():
                        break
    except (ModelUnavailable, ModelTimeout, ModelMissing, AnswerAborted, ContextOverflow) as error:
        _log.info("rewriting_failed", code=error.code)
        return None
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return _LABEL.sub("", first).strip(' 「」『』"“”`*') or None


def _task(question: Question, told: Sequence[Exchange]) -> str:
    asked, answered = _SAID[question.language]
    lines = []
    for exchange in told:
        lines.append(f"{asked}: {unforgeable(exchange.question)[:QUESTION_CHARACTERS]}")
        if exchange.answer:
            answer = re.sub(r"\s*\[\d+\]", "", exchange.answer)[:ANSWER_CHARACTERS]
            lines.append(f"{answered}: {unforgeable(answer)}")
    return _TASK[question.language].format(talk="\n".join(lines), question=unforgeable(question.text))


def _joined_notice(before: str) -> Notice:
    return Notice(
        code="follow_up_joined",
        message_ja=f"前の質問の続きと見て、「{before[:60]}」の言葉を加えて探しました。違うときは、質問を全文で書いてください。",
        message_en=f'Taken as a follow-up and searched with the words of "{before[:60]}". If that is wrong, ask in full.',
    )


def _unchecked_notice(line: str) -> Notice:
    return Notice(
        code="follow_up_unchecked",
        message_ja=f"前の質問の続きと見て、「{line}」と読みました。前の質問と言語が違うため、確かめられません。違うときは、質問を全文で書いてください。",
        message_en=f'Taken as a follow-up that asks "{line}"; the question before is in the other language, so this could not be '
        "checked. If that is wrong, ask in full.",
    )


def with_text(question: Question, rewriting: Rewriting | None) -> Question:
    """The question as it goes through search and prompt."""
    return question if rewriting is None else replace(question, text=rewriting.text)
