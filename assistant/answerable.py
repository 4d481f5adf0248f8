"""Whether the passages say it at all: the model is asked before it answers, with the prompt's own beginning. Knows no settings.

    instructions | passages | question: do they say it? ─▶ no ─▶ refused, no answer is written
    └── read once by the model server ──┘               └─▶ yes, or anything else ─▶ instructions | passages | question

A small model that is told to refuse writes an answer all the same; asked for yes or no, it tells more often. What it costs is
the few tokens of the question, for the rest of the prompt is what the answer begins with. A release says whether it is done
(`asks_first`), because models differ: docs/lab-notes.md, 2026-11-27.
"""

from __future__ import annotations

import re
from contextlib import aclosing

from assistant.domain import ModelToken, Notice, Passage
from assistant.errors import AnswerAborted, ContextOverflow, Language
from assistant.pack import stable_prefix, unforgeable
from assistant.ports import ChatModel

_TASK: dict[Language, str] = {
    "ja": "\n\n質問: {question}\n\nこの質問への答えが上の抜粋に書かれていますか。「はい」か「いいえ」だけを書いてください。",
    "en": "\n\nQuestion: {question}\n\nDo the passages state the answer to exactly this question? Write only yes or no.",
}
SAID_TOKENS = 4
_NO = re.compile(r"^\W*(?:no\b|いいえ)", re.IGNORECASE)

SAID_NOT = Notice(
    code="model_found_nothing",
    message_ja="見つかった文書に答えは書かれていないと、モデルが判断しました。",
    message_en="The model judged that the documents found do not say it.",
)


async def says_nothing(question: str, passages: tuple[Passage, ...], model: ChatModel, *, language: Language) -> bool:
    """Whether the model says that no passage answers the question; False also when it says neither.

    Raises ModelUnavailable, ModelTimeout, ModelMissing.
    """
    prompt = stable_prefix(passages, language) + _TASK[language].format(question=unforgeable(question))
    text = ""
    try:
        async with aclosing(model.stream(prompt, num_predict=SAID_TOKENS)) as pieces:
            async for piece in pieces:
                if isinstance(piece, ModelToken):
                    text += piece.text
    except (AnswerAborted, ContextOverflow):
        return False  # neither yes nor no; the answer's own prompt is shorter and is tried
    return bool(_NO.match(text.strip()))
