"""What was asked and answered before: exchanges of a conversation, and what became of the documents that an answer cited.

Frozen values only, as in domain.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assistant.errors import Language


@dataclass(frozen=True)
class Exchange:
    """An earlier question of a conversation and its answer.

    `asked` is what the person typed, `question` the same made to stand alone. `answer` is empty where something that it
    cites may no longer be read. `offered` are the chunks that its prompt held, in their order.
    """

    asked: str
    question: str
    answer: str
    language: Language
    offered: tuple[str, ...] = ()


class CitationState(StrEnum):
    """What became of a cited document since the answer was given."""

    CURRENT = "current"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True)
class CitationValidity:
    """One citation of a stored answer today. Title, path and `is_quote_there` are None when the document is gone.

    `is_quote_there`: whether the quotation still stands in the document letter by letter.
    """

    number: int
    document_id: str
    state: CitationState
    title: str | None
    path: str | None
    is_quote_there: bool | None
