"""When an answer says nothing: the agreed sentence, a sentence to the same effect, or nothing that has a source. Pure.

A refusal is a state of the answer, not a phrase in it:

A sentence refuses when it is the agreed one, says so of a topic or in near words, or says that the passages are silent and
is itself nothing that its source states (「文書に個人情報を記載しない」 is an answer).

every sentence refuses                        -> refused, not_in_documents
some refuse, the others have no source        -> refused, not_in_documents
some refuse, the others have one              -> an answer, with the notice partly_answered
none refuses, and no fact has a source        -> refused, not_in_documents, with the notice answer_without_source

A document that quotes the agreed sentence does not make an answer about it a refusal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.cite import CitedText
from assistant.domain import Notice
from assistant.marks import MARK
from assistant.pack import REFUSAL
from assistant.support import PLAIN
from assistant.text import normalise, overlap, sentence_spans

_BETWEEN = re.compile(r"[\s\"'“”‘’「」『』。、.,!?:;*_`()（）\[\]#>-]+")
_COURTESY = re.compile(
    r"^(?:申し訳(?:ありません|ございません)が|恐れ入りますが|すみませんが|残念ながら|sorry(?:but)?|iamsorrybut|imsorrybut|unfortunately)+"
)
_SAYS_NOTHING = re.compile(
    r"(?:抜粋|文書|資料|情報|規程|質問)[^。]{0,40}?(?:記載|書かれて|含まれて|記述|言及|情報)[^。]{0,12}?(?:ありません|いません|おりません|見つかりません|ない)"
    r"|\b(?:passages?|documents?|sources?|information|context)\b[^.]{0,60}?\b(?:do|does|did|is|are)(?: not|n't)\s"
    r"(?:\w+\s){0,2}?(?:contain|mention|say|state|provide|include|specify|specified|mentioned|provided|stated|given)"
)
_CANNOT_ANSWER = re.compile(
    r"情報が不足し(?![^。]{0,8}(?:場合|時|とき|と))[^。]{0,12}(?:お?答え|ご?回答)[^。]{0,8}(?:できません|できない|できかね|しかね)[^。と旨場時]{0,6}"
    r"(?!\s*(?:と|旨|場合|時|とき))(?:ので|から|が|ため)?[、,]?"
    r"|\bi(?:'m| am|)\s(?:can ?not|can't|could not|couldn't|unable to|not able to)\s(?:\w+\s){0,2}?answer\b[^.]{0,160}"
    r"|\bi (?:do not|don't) (?:know|have (?:\w+\s){0,2}?information)\b[^.]{0,160}"
)
"""The agreed sentence about a topic or in near words; what is told about it (「…と表示される」) is none."""
_QUOTED = re.compile(r"「[^「」]*」|『[^『』]*』|“[^“”]*”|\"[^\"]*\"")
_LEAST_REST = 8
"""Letters that a sentence must have beside its refusal to answer as well: 「…できませんが、3営業日前までに申請します」."""


@dataclass(frozen=True)
class Verdict:
    """Whether the answer is a refusal, and what has to be said about it."""

    is_refusal: bool
    notices: tuple[Notice, ...] = ()


def refuses(text: str) -> bool:
    """Whether the text is nothing but the agreed sentence, in either language, with courtesies and marks around it."""
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    said = [sentence for sentence in sentences if _bare(sentence)]
    return bool(said) and all(_is_agreed(sentence) for sentence in said)


def verdict(cited: CitedText) -> Verdict:
    """What the checked answer amounts to."""
    if refuses(cited.text):
        return Verdict(is_refusal=True)
    sentences = [cited.text[start:end] for start, end in sentence_spans(cited.text)]
    nothing = [
        sentence
        for sentence in sentences
        if _refuses(sentence) or (_says_nothing(sentence) and not _is_stated(sentence, sentence, cited))
    ]
    others = [sentence for sentence in sentences if sentence not in nothing and _bare(sentence)]
    has_source = any(MARK.search(sentence) for sentence in others) or any(_answers_too(s, cited) for s in nothing)
    if nothing and not has_source:
        return Verdict(is_refusal=True)
    if nothing:
        return Verdict(is_refusal=False, notices=(_PARTLY,))
    if not cited.citations:
        return Verdict(is_refusal=True, notices=(_WITHOUT_SOURCE,))
    return Verdict(is_refusal=False)


def _bare(sentence: str) -> str:
    return _BETWEEN.sub("", normalise(MARK.sub("", sentence)))


def _is_agreed(sentence: str) -> bool:
    bare = _COURTESY.sub("", _bare(sentence))
    return any(bare == _bare(agreed) for agreed in REFUSAL.values())


def _refuses(sentence: str) -> bool:
    return _is_agreed(sentence) or bool(_CANNOT_ANSWER.search(_own_words(sentence)))


def _own_words(sentence: str) -> str:
    """Without marks and without what it quotes."""
    return normalise(_QUOTED.sub("", MARK.sub("", sentence))).replace("’", "'")


def _answers_too(sentence: str, cited: CitedText) -> bool:
    """Whether a source states what a sentence says beside its refusal."""
    rest = _CANNOT_ANSWER.sub("", _own_words(sentence))
    return len(_bare(rest)) >= _LEAST_REST and not _says_nothing(rest) and _is_stated(rest, sentence, cited)


def _is_stated(said: str, sentence: str, cited: CitedText) -> bool:
    """Whether the quotation of a mark in the sentence plainly says it."""
    numbers = set(map(int, MARK.findall(sentence)))
    return any(
        overlap(MARK.sub("", said), citation.quote) >= PLAIN
        for citation in cited.citations
        if citation.number in numbers
    )


def _says_nothing(sentence: str) -> bool:
    return bool(_SAYS_NOTHING.search(normalise(sentence)))


_PARTLY = Notice(
    code="partly_answered",
    message_ja="質問の一部は、見つかった文書に書かれていません。",
    message_en="The documents found do not say everything that was asked.",
)
_WITHOUT_SOURCE = Notice(
    code="answer_without_source",
    message_ja="モデルの書いた文を裏づける箇所が文書に見つからないため、回答を示していません。",
    message_en="The model's sentences are not confirmed by any passage, so they are not shown.",
)
