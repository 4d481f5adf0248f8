"""Pydantic shapes of what is told about answers given earlier. Names are the contract's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from assistant import history

State = Literal["current", "changed", "gone"]
_WORST_FIRST: tuple[State, ...] = ("gone", "changed", "current")


class CitationValidityOut(BaseModel):
    """One citation today: `current` (the cited file is unchanged), `changed`, or `gone` (deleted, or not to be seen).

    `quote_is_there`: the quotation still stands in the document letter by letter. Null for a document that is gone.
    """

    model_config = ConfigDict(extra="forbid")

    number: int
    document_id: str
    state: State
    title: str | None
    path: str | None
    quote_is_there: bool | None


class ValidityOut(BaseModel):
    """Whether what an answer cited still stands; `state` is the worst of its citations, `current` without any."""

    model_config = ConfigDict(extra="forbid")

    answer_id: str
    state: State
    citations: list[CitationValidityOut]

    @classmethod
    def from_domain(cls, answer_id: str, citations: Sequence[history.CitationValidity]) -> ValidityOut:
        """The answer's state as sent to clients."""
        states = {citation.state.value for citation in citations}
        return cls(
            answer_id=answer_id,
            state=next((state for state in _WORST_FIRST if state in states), "current"),
            citations=[
                CitationValidityOut(
                    number=citation.number,
                    document_id=citation.document_id,
                    state=citation.state.value,
                    title=citation.title,
                    path=citation.path,
                    quote_is_there=citation.is_quote_there,
                )
                for citation in citations
            ],
        )
