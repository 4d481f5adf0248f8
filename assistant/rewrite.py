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

from assistant.domain import ModelToken, Notice, Passage, Question
from assistant.errors import AnswerAborted, ContextOverflow, Language, ModelMissing, ModelTimeout, ModelUnavailable
from assistant.figures import figures_of, source_keys
from assistant.grammar import language_of
from assistant.guard import asks_whether
from assistant.history import Exchange
from assistant.pack import REFUSAL, stable_prefix, unforgeable
from assistant.ports import ChatModel
from assistant.text import is_readable, normalise

_log = structlog.get_logger(__name__)

TOLD_EXCHANGES = 2
"""How much of the conversation the model is told; a follow-up hardly ever leans on more."""
ANSWER_CHARACTERS = 300
REWRITING_TOKENS = 96
QUESTION_CHARACTERS = 300
_SHORT_WORDS = 2
"""Telling words up to which a question of a conversation says too little by itself."""

_OPENING_JA = re.compile(
    r"^(?:では|じゃあ|じゃ|それでは|それなら|だったら|なら|ちなみに|逆に|あと|また|そして)[、,\s]*"
)
_OPENING_EN = re.compile(r"^(?:and|but|so|then|ok|okay|also)\b[,\s]*")
_POINTING_JA = re.compile(
    r"それ|これ(?!まで|から)|あれ|そこ|そちら|こちら|そう(?=[なでい])|(?:^|[、\s])(?:その|この|あの)|同じ|同様|上記|前述|先ほど|さっき|ほかに[はも]|他に[はも]"
)
_POINTING_EN = re.compile(
    r"\b(?:they|them|their|theirs|those|these|he|she|him|her|his|former|latter|same|above|otherwise)\b"
    r"|\b(?:it|its)\b(?! (?:take|takes|possible|necessary|allowed|ok|okay|true|required|permitted)\b)"
    r"|\b(?:that|this)(?=\s*(?:[?.,]|$)| (?:is|was|one|case|mean|means|apply|work|happens?|situation|rule|limit|form)\b)"
    r"|\bones?\b|\b(?:what|how) about\b|\bwhat if\b|\belse\b"
)
_CONDITION_JA = re.compile(r"(?:場合|とき|時|なら|だと|だったら|たら|れば|ても|でも)[はもで、]*[?。\s]*$")
_ASKING_WORDS = frozenset(
    "いつ 何 何日 何日前 何時 何人 何回 いくら どこ 誰 だれ なぜ 理由 どう 場合 時 方法 具体的 詳 教 下 また 他 前".split()  # noqa: SIM905
)
_CONTENT_JA = re.compile(r"[ァ-ヶー]{2,}|[一-龠々]+|[a-z0-9][a-z0-9._-]*")
_SMALL_EN = frozenset(
    """what when where which who whom how why is are was were do does did can could may must should will would i we you
    a an the of in on at to for from by with and or but so then there have has had my our your if not no yes about any
    much many long often early far need get it am same case please tell me more explain details detail further show give
    example examples summarize summary thanks thank ok okay yes""".split()  # noqa: SIM905
)
_LABEL = re.compile(
    r"^(?:書き直した質問|質問|次の質問|rewritten question|question|next question)\s*[::]\s*", re.IGNORECASE
)
_INVENTED_SHARE = 0.25
"""Share of a rewritten question's words that may be new: it needs few beyond those of the conversation."""

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
            return Rewriting(line)
        _log.info("follow_up_not_rewritten", is_answered=line is not None)
    before = told[-1].question
    return Rewriting(_joined(question.text, before, question.language), (_joined_notice(before),))


def needs_rewriting(question: Question, talk: Talk) -> bool:
    """Whether something was asked before that the question leans on."""
    return bool(_telling(talk)) and is_readable(question.text) and leans_on_talk(question.text)


def _telling(talk: Talk) -> list[Exchange]:
    """The exchanges that began with words: nothing leans on an emoji."""
    return [exchange for exchange in talk.exchanges if is_readable(exchange.question)]


def leans_on_talk(question: str) -> bool:
    """Whether a question can be understood only with the one before: it points back, breaks off after a condition, or
    hardly says anything by itself."""
    plain = normalise(question).strip()
    is_japanese = language_of(question) == "ja"
    rest = (_OPENING_JA if is_japanese else _OPENING_EN).sub("", plain)
    if is_japanese and _CONDITION_JA.search(rest):
        return True
    pointing = (_POINTING_JA if is_japanese else _POINTING_EN).search(rest)
    if pointing is not None and len(_content_words(rest[: pointing.start()], is_japanese=is_japanese)) < _SHORT_WORDS:
        return (
            True  # after two words of its own, a question points at itself: "The pump shows E-17. What does it mean?"
        )
    words = _content_words(rest, is_japanese=is_japanese)
    return not words or (len(words) < _SHORT_WORDS and not asks_whether(question))


def _content_words(text: str, *, is_japanese: bool) -> list[str]:
    if is_japanese:
        found = _CONTENT_JA.findall(text)
        return [word for word in found if word not in _ASKING_WORDS and not word.startswith("何")]
    return [word for word in re.findall(r"[^\W_][\w'-]*(?:\.\w+)*", text) if word not in _SMALL_EN]


def is_sensible(line: str, question: str, told: Sequence[Exchange]) -> bool:
    """Whether a rewritten question is one: of the question's language, with all its figures and telling words, with a
    word of the conversation, and hardly anything that neither has."""
    if not 4 <= len(line) <= QUESTION_CHARACTERS or language_of(line) != language_of(question):
        return False
    if re.search(r"\[\d+\]|」[^「]{0,6}「", line) or any(
        normalise(said).rstrip(".") in normalise(line) for said in REFUSAL.values()
    ):
        return False
    questions = " ".join(f"{e.asked} {e.question}" for e in told)
    spoken = " ".join([questions, *(e.answer for e in told)])
    # A figure of an answer in a question is the answer crept in: 「3営業日前から5営業日以上続けて休むとき」.
    figures, allowed = figures_of(line), source_keys([question, questions])
    if any(not figure.keys & allowed for figure in figures):
        return False
    if any(not figure.keys & source_keys([line]) for figure in figures_of(question)):
        return False
    is_japanese = language_of(question) == "ja"
    asked, talked = normalise(question), normalise(spoken)
    own, written = (_content_words(normalise(text), is_japanese=is_japanese) for text in (question, line))
    kept = [word for word in own if _is_in(word, normalise(line))]
    added = [word for word in written if not _is_in(word, asked)]
    invented = [word for word in added if not _is_in(word, talked)]
    return len(added) > len(invented) <= _INVENTED_SHARE * len(written) and len(kept) == len(own)


def _is_in(word: str, text: str) -> bool:
    """Whether the text has the word, or every pair of letters of a longer one: 有給休暇申請 in 有給休暇を申請."""
    return word in text or (len(word) > 2 and all(word[i : i + 2] in text for i in range(len(word) - 1)))


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


def _joined(question: str, before: str, language: Language) -> str:
    label = "前の質問" if language == "ja" else "the question before"
    return f"{question} ({label}: {before[:QUESTION_CHARACTERS]})"


def _joined_notice(before: str) -> Notice:
    return Notice(
        code="follow_up_joined",
        message_ja=f"前の質問の続きと見て、「{before[:60]}」の言葉を加えて探しました。違うときは、質問を全文で書いてください。",
        message_en=f'Taken as a follow-up and searched with the words of "{before[:60]}". If that is wrong, ask in full.',
    )


def with_text(question: Question, rewriting: Rewriting | None) -> Question:
    """The question as it goes through search and prompt."""
    return question if rewriting is None else replace(question, text=rewriting.text)
