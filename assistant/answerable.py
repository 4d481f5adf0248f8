"""Whether the passages say it at all: the model is asked before it answers, with the prompt's own beginning. Knows no settings.

    instructions | passages | question: do they say it? ─▶ chance of "no" ─▶ the doubt: from a release's limit on, refused
    └── read once by the model server ──┘                                └─▶ below it: instructions | passages | question

A small model that is told to refuse writes an answer all the same; asked for yes or no, it tells more often. Not its word
is taken but how likely it found "no": where that begins to mean something differs between models, and `assistant evaluate`
says where (docs/lab-notes.md, 2026-11-27). A server that tells no chances is taken by its word. What it costs is the few
tokens of the question, for the rest of the prompt is what the answer begins with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import aclosing

from assistant.domain import ModelToken, Notice, Passage
from assistant.errors import AnswerAborted, ContextOverflow, Language
from assistant.pack import question_part, stable_prefix
from assistant.ports import ChatModel

_TASK = "\n\nDo the passages state the answer to exactly this question? Write only yes or no."
"""Also after Japanese passages: the same words in Japanese told nothing with a model of 1.5B (docs/lab-notes.md)."""
SAID_TOKENS = 4
ALTERNATIVES = 20
"""The most that Ollama tells (0.17.7, server/routes.go), and OpenAI's protocol: "no" is seldom the likeliest, but its chance counts."""
_BETWEEN = "\"'「『*:：.。 \n"
_YES, _NO = ("yes", "はい"), ("no", "いいえ")
_SAYS = {
    True: re.compile(r"^\W*(?:no\b|いいえ)", re.IGNORECASE),
    False: re.compile(r"^\W*(?:yes\b|はい)", re.IGNORECASE),
}

SAID_NOT = Notice(
    code="model_found_nothing",
    message_ja="見つかった文書に答えは書かれていないと、モデルが判断しました。",
    message_en="The model judged that the documents found do not say it.",
)


async def doubt_of(
    question: str, passages: tuple[Passage, ...], model: ChatModel, *, language: Language
) -> float | None:
    """The model's chance, 0 to 1, that no passage answers the question; 1 or 0 by its word where the server tells no chances,
    None when it says neither.

    Raises ModelUnavailable, ModelTimeout, ModelMissing.
    """
    prompt = stable_prefix(passages, language) + question_part(question, language) + _TASK
    tokens: list[ModelToken] = []
    try:
        async with aclosing(model.stream(prompt, num_predict=SAID_TOKENS, alternatives=ALTERNATIVES)) as pieces:
            async for piece in pieces:
                if isinstance(piece, ModelToken):
                    tokens.append(piece)
    except (AnswerAborted, ContextOverflow):
        return None  # neither yes nor no; the answer's own prompt is shorter and is tried
    told = next((token.alternatives for token in tokens if token.text.strip(_BETWEEN)), {})
    return chance_of_no(told) if told else _by_word("".join(token.text for token in tokens))


def chance_of_no(alternatives: Mapping[str, float]) -> float | None:
    """no / (yes + no) over the tokens that begin one of the two words; None where neither is among them."""
    no, yes = (sum(chance for token, chance in alternatives.items() if _begins(token, words)) for words in (_NO, _YES))
    return no / (no + yes) if no + yes > 0 else None


def _begins(token: str, words: tuple[str, ...]) -> bool:
    bare = token.strip(_BETWEEN).lower()
    return bool(bare) and any(word.startswith(bare) for word in words)


def _by_word(text: str) -> float | None:
    said = [is_no for is_no, words in _SAYS.items() if words.match(text.strip())]
    return float(said[0]) if said else None
