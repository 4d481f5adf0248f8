"""Whether the line that a model wrote for a follow-up is that question made to stand alone. Pure; knows no model.

It is in the question's language, asks the same (who, why, when …), keeps the question's figures and telling words, brings in
something that was said, and hardly anything that nobody said. A question that was asked before is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.errors import Language
from assistant.figures import figures_of, source_keys
from assistant.grammar import language_of
from assistant.history import Exchange
from assistant.joined import QUESTION_CHARACTERS, topic_of
from assistant.pack import REFUSAL
from assistant.telling import missing, plain_form, telling_words, topics
from assistant.text import letters_of, normalise

_LEAST_CHARACTERS = 4
_INVENTED_SHARE = 0.25
"""Share of a rewritten question's words that may be new: it needs few beyond those of the conversation."""
_ECHO = re.compile(r"\[\d+\]|」[^「]{0,6}「")

_ASKS: dict[Language, tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]] = {
    "ja": tuple(
        (re.compile(rf"(?:{asked})(?!か(?!ら)|でも(?!ら)|も)"), re.compile(rf"{asked}|{kept}"))
        for asked, kept in (
            ("なぜ|何故|どうして|なんで", "理由|目的|何のため|根拠|原因"),
            ("誰|だれ|どなた", "担当|責任者|承認者|申請者|対象者|何者|上司|上長|部署|宛|先は"),
            ("どこ|どちら", "場所|窓口|[出請付絡]先|宛|どの"),
            ("いつ", "何時|何日|何月|何年|何営業日|期限|期日|締切|時期|日程|期間"),
            ("いくら", "何円|金額|費用|料金|単価|値段|額は"),
        )
    ),
    "en": tuple(
        (re.compile(rf"^(?:\w+ ){{0,2}}?(?:{asked})"), re.compile(rf"\b(?:{asked}|{kept})"))
        for asked, kept in (
            (r"why\b|how come\b", r"reasons?\b|purpose\b"),
            (r"who(?:m|se)?\b", r"(?:which|what) (?:person|people|manager|department|team)\b|contact\b"),
            (r"where\b", r"places?\b|location\b|address\b|(?:which|what) (?:\w+ )?(?:office|page|document|form|system|portal)\b"),
            (
                r"when(?= (?:is|are|was|were|do|does|did|can|could|must|should|will|would|exactly)\b|\W*$)",
                r"what time\b|deadline\b|dates?\b|how (?:far|long|soon|early|late)\b|(?:which|what) (?:day|month|year)\b|by when\b|until when\b",
            ),
            (r"how much\b", r"costs?\b|prices?\b|fees?\b|amounts?\b|what (?:amount|sum)\b"),
        )
    ),
}  # fmt: skip
"""What a follow-up may ask, and the words of which the rewritten question must have one to ask the same."""


def is_sensible(line: str, question: str, told: Sequence[Exchange]) -> bool:
    """Whether a rewritten question is one: of the question's language, with what it asks, all its figures and telling words, with a
    word of the conversation, and hardly anything that neither has. Across languages, any new word is one."""
    language = language_of(question)
    if not _LEAST_CHARACTERS <= len(line) <= QUESTION_CHARACTERS or language_of(line) != language:
        return False
    if _ECHO.search(line) or any(normalise(said).rstrip(".") in normalise(line) for said in REFUSAL.values()):
        return False
    questions = [said for exchange in told for said in (exchange.asked, exchange.question)]
    if _is_copy(line, questions) or not _has_figures(line, question, questions):
        return False
    spoken = " ".join([*questions, *(exchange.answer for exchange in told)])
    asked, written, talked = (plain_form(text, language) for text in (question, line, spoken))
    kept = [words for asks, words in _ASKS[language] if asks.search(asked)]
    own, words = telling_words(asked, language), telling_words(written, language)
    if missing(own, written, language) or not all(pattern.search(written) for pattern in kept):
        return False
    added = [word for word in missing(words, asked, language) if language == "en" or not _goes_on(word, own)]
    if is_of_other_language(question, told):
        return bool(added)
    invented = missing(added, talked, language)
    if kept:  # 「誰に?」 needs a word for what is done, 「パートは?」 none
        invented = topics(invented, language)
    return len(added) > len(invented) <= _INVENTED_SHARE * len(words)


def _goes_on(word: str, own: Sequence[str]) -> bool:
    """Whether a Japanese word begins with one of the question's own: パートタイマー with パート, 海外出張 with 海外."""
    return any(len(one) > 1 and word.startswith(one) for one in own)


def is_of_other_language(question: str, told: Sequence[Exchange]) -> bool:
    """Whether the question before was asked in the other language, so that the words of a rewritten one cannot be held to it."""
    return language_of(topic_of(told[-1])) != language_of(question)


def _is_copy(line: str, questions: Sequence[str]) -> bool:
    """Whether the line is a question that was asked before, or its end, as a model writes that has nothing to add."""
    letters = letters_of(line)
    return any(letters_of(asked).endswith(letters) for asked in questions)


def _has_figures(line: str, question: str, questions: Sequence[str]) -> bool:
    """Whether a rewritten question has the question's figures, and else those of the questions before alone: a figure of an answer is
    the answer crept in: 「3営業日前から5営業日以上続けて休むとき」."""
    allowed, written = source_keys([question, " ".join(questions)]), source_keys([line])
    is_asked = all(figure.keys & allowed for figure in figures_of(line))
    return is_asked and all(figure.keys & written for figure in figures_of(question))
