"""The ledger: the database of record. Chroma and the lexical index are derived from it and can be rebuilt.

schema (tables) <- engine (dialects, migrations) <- one file per use (the bases of Ledger below) <- Ledger, which joins them.
Every public method is one transaction.
"""

from __future__ import annotations

from assistant.adapters.ledger.asking import Asking
from assistant.adapters.ledger.auditing import Auditing
from assistant.adapters.ledger.consumption import Consuming
from assistant.adapters.ledger.conversations import Conversations
from assistant.adapters.ledger.copying import Copying
from assistant.adapters.ledger.engine import BUSY_TIMEOUT_SECONDS, open_engine
from assistant.adapters.ledger.examining import Examining
from assistant.adapters.ledger.folders import Folders
from assistant.adapters.ledger.generations import Generations
from assistant.adapters.ledger.indexes import Indexes
from assistant.adapters.ledger.ingesting import Ingesting
from assistant.adapters.ledger.jobs import Jobs
from assistant.adapters.ledger.keys import Keys
from assistant.adapters.ledger.library import Library
from assistant.adapters.ledger.outcomes import Outcome
from assistant.adapters.ledger.pace import Paces
from assistant.adapters.ledger.people import People
from assistant.adapters.ledger.proving import Proving
from assistant.adapters.ledger.reach import Reaching
from assistant.adapters.ledger.receipts import Receipts
from assistant.adapters.ledger.releases import Releases
from assistant.adapters.ledger.remembering import Remembering
from assistant.adapters.ledger.sign_ins import SignIns
from assistant.adapters.ledger.texts import Texts
from assistant.adapters.ledger.unanswered import Unanswered
from assistant.adapters.ledger.unfinished import UnfinishedAnswers
from assistant.adapters.ledger.usage import Usage
from assistant.adapters.ledger.wanting import Wanting
from assistant.domain import Answer, Principal
from assistant.history import Unfinished


class Ledger(
    Asking,
    Reaching,
    Remembering,
    Conversations,
    UnfinishedAnswers,
    Wanting,
    Usage,
    Unanswered,
    Consuming,
    Folders,
    Ingesting,
    Indexes,
    Texts,
    Generations,
    Proving,
    Receipts,
    Outcome,
    Library,
    Jobs,
    Paces,
    People,
    Keys,
    SignIns,
    Auditing,
    Releases,
    Examining,
    Copying,
):
    """Everything the rooms may ask of the database; thread-safe, one per process."""

    @classmethod
    def open(cls, database_url: str, *, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> Ledger:
        """A ledger on the migrated database. Raises SettingsError or StoreUnavailable."""
        return cls(open_engine(database_url, busy_timeout_seconds=busy_timeout_seconds))

    def without_saving(self) -> Ledger:
        """The same ledger for asking without leaving an answer behind: comparisons of releases."""
        return _Unsaved(self._engine)

    def close(self) -> None:
        """Gives all connections back."""
        self._engine.dispose()


class _Unsaved(Ledger):
    """Reads as the ledger does."""

    def save_answer(self, answer: Answer, *, question: str, principal: Principal) -> None:
        """Nothing is kept."""

    def note_unfinished(self, unfinished: Unfinished, *, principal: Principal) -> None:
        """Nothing is kept."""
