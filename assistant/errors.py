"""Every error that people may see: what happened, and what to do about it, in Japanese and English.

AssistantError(message, hint, permanent)
├── SettingsError            a setting is unknown, missing or out of range
├── DocumentError            one source file could not become a document; carries a FailureReason
│   ├── UnsupportedDocument  permanent: no parser for this type of file
│   └── UnreadableDocument   permanent: the file is damaged, encrypted, empty, too large ...
├── FolderMissing            a folder to ingest is not there
├── UploadRefused            permanent: a file cannot be taken in under this name, or is empty
│   └── UploadExists         another file of this name is there already
├── StoreError
│   ├── StoreUnavailable     retry: Chroma, the lexical index or the ledger does not answer
│   │   └── StoreDamaged     permanent: an index cannot be opened; the next ingestion writes it anew
│   ├── EmbedderMismatch     permanent: the index was built with another embedder
│   └── GenerationError      permanent: no generation to switch to, or to go back to
├── EmbedderUnavailable      retry: the embedder does not answer
├── EmbedderUnfit            permanent: the embedder cannot read the question's language
├── RerankerUnavailable      retry: the server that reranks does not answer, or its answer cannot be used
├── ModelError
│   ├── ModelUnavailable     retry: the model server does not answer
│   ├── ModelTimeout         retry: it answered too slowly
│   ├── ModelMissing         permanent: the server has no such model, or a model file is absent or false
│   ├── AnswerAborted        retry: the stream ended without its end mark
│   └── ContextOverflow      permanent: the prompt cannot be made to fit into num_ctx
├── QuestionError            the question cannot be searched (empty)
│   └── QuestionTooLong
├── Overloaded               retry: the queue is full
│   └── TooManyQuestions     retry: this user or key asks more often than it may
├── NotAuthenticated         nobody said who asks
├── SignInFailed             permanent: the identity provider's answer proves nobody
├── SignInUnavailable        retry: the identity provider does not answer
├── AccessDenied             the principal lacks the right
├── NotFound                 not there, or not to be seen by this principal
├── IdempotencyKeyReused     an Idempotency-Key came again with another body
├── PeopleError              permanent: a name, scope, key or users file is not as it must be
│   └── PeopleConflict       permanent: the name is taken, or a file decides about users
├── BackupError              a backup cannot be made, or not be restored
├── HostError                a certificate, password file, firewall or unit of this machine cannot be made
├── ReleaseError
│   ├── EvaluationFailed     a question set cannot be read, or its texts cannot be ingested
│   ├── ModelfileInvalid     a Modelfile is wrong; names line and column
│   ├── WillNotFit           the release needs more memory, or a larger window, than there is
│   ├── ReleaseRefused       the release did not pass its checks; what answered before goes on answering
│   ├── ReleaseConflict      retry: somebody else changed the standing release meanwhile
│   └── NothingToRollBackTo  no release was published before this one
├── ParserUnavailable        the parser process does not start; stops the run (drawn here, lives in ingest/guard.py)
└── PartFailed               a process of the stack does not start (lives in assistant/stack.py)

This room must not know HTTP statuses (api/errors.py has that table) nor any vendor.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Language = Literal["ja", "en"]


@dataclass(frozen=True)
class Text:
    """One sentence in both languages of the product."""

    ja: str
    en: str

    def in_language(self, language: Language) -> str:
        """The sentence in `language`."""
        return self.ja if language == "ja" else self.en


class FailureReason(StrEnum):
    """Why a source file is not searchable; shown in receipts and counted in status."""

    UNSUPPORTED_TYPE = "unsupported_type"
    UNREADABLE = "unreadable"
    NO_PERMISSION = "no_permission"
    VANISHED = "vanished"
    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    NO_TEXT = "no_text"
    UNKNOWN_ENCODING = "unknown_encoding"
    TOO_LARGE = "too_large"
    ARCHIVE_BOMB = "archive_bomb"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    PARSER_CRASHED = "parser_crashed"
    OCR_UNAVAILABLE = "ocr_unavailable"
    CONVERTER_UNAVAILABLE = "converter_unavailable"
    EMBEDDING_REFUSED = "embedding_refused"


class AssistantError(Exception):
    """Base of all errors shown to people. `permanent` False means that trying again later can help."""

    permanent = False

    def __init__(self, message: Text, hint: Text, *, permanent: bool | None = None) -> None:
        super().__init__(message.en)
        self.message = message
        self.hint = hint
        if permanent is not None:
            self.permanent = permanent

    @property
    def code(self) -> str:
        """Stable snake_case name of the error, e.g. `store_unavailable`."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))

    def describe(self, language: Language) -> str:
        """Message and hint as one line in `language`."""
        return f"{self.message.in_language(language)} {self.hint.in_language(language)}"


class SettingsError(AssistantError):
    """A setting is unknown, missing or out of range; the message names the variable and the value."""

    permanent = True


class DocumentError(AssistantError):
    """One source file could not become a document. `reason` goes into its receipt."""

    permanent = True

    def __init__(self, message: Text, hint: Text, *, reason: FailureReason, permanent: bool | None = None) -> None:
        super().__init__(message, hint, permanent=permanent)
        self.reason = reason


class UnsupportedDocument(DocumentError):
    """No parser for this type of file."""


class UnreadableDocument(DocumentError):
    """The file is damaged, encrypted, empty or otherwise without readable text."""


class FolderMissing(AssistantError):
    """A folder to ingest does not exist or cannot be listed."""

    permanent = True


class UploadRefused(AssistantError):
    """A file cannot be taken in under this name, or holds nothing."""

    permanent = True


class UploadExists(UploadRefused):
    """The person has another file of this name there already; nothing was changed."""


class StoreError(AssistantError):
    """A store (ledger, vector index, lexical index) failed."""


class StoreUnavailable(StoreError):
    """A store does not answer; retry later."""


class StoreDamaged(StoreUnavailable):
    """An index cannot be opened any more, or another release made it; `index` is `vectors` or `lexical`. The ledger has all that it held."""

    permanent = True

    def __init__(self, message: Text, hint: Text, *, index: Literal["vectors", "lexical"]) -> None:
        super().__init__(message, hint)
        self.index = index


class EmbedderMismatch(StoreError):
    """The active generation was built with another embedder than the configured one."""

    permanent = True


class GenerationError(StoreError):
    """There is no such generation to switch to or to go back to, or it is not ready."""

    permanent = True


class EmbedderUnavailable(AssistantError):
    """The embedder does not answer."""


class EmbedderUnfit(AssistantError):
    """The configured embedder cannot read the language of the question."""

    permanent = True


class RerankerUnavailable(AssistantError):
    """The reranking server does not answer, or its answer cannot be used."""


class ModelError(AssistantError):
    """The chat model failed."""


class ModelUnavailable(ModelError):
    """The model server does not answer."""


class ModelTimeout(ModelError):
    """The model server answered too slowly."""


class ModelMissing(ModelError):
    """The server has no such model, or a model file is absent or not the expected one."""

    permanent = True


class AnswerAborted(ModelError):
    """The model's stream ended without its end mark."""


class ContextOverflow(ModelError):
    """The prompt cannot be made to fit into num_ctx."""

    permanent = True


class QuestionError(AssistantError):
    """The question cannot be searched."""

    permanent = True


class QuestionTooLong(QuestionError):
    """The question has more characters than allowed."""


class Overloaded(AssistantError):
    """The queue in front of the model is full, or (`is_own`) the user's own part of it."""

    def __init__(self, message: Text, hint: Text, *, retry_after_seconds: float, is_own: bool = False) -> None:
        super().__init__(message, hint)
        self.retry_after_seconds = retry_after_seconds
        self.is_own = is_own


class TooManyQuestions(Overloaded):
    """This user or key asks more often than it may."""


class NotAuthenticated(AssistantError):
    """Nobody said who asks."""

    permanent = True


class SignInFailed(AssistantError):
    """What came back from the identity provider proves nobody."""

    permanent = True


class SignInUnavailable(AssistantError):
    """The identity provider does not answer."""


class AccessDenied(AssistantError):
    """The principal is known but lacks the right."""

    permanent = True


class NotFound(AssistantError):
    """Not there, or not to be seen by this principal: both look the same."""

    permanent = True


class IdempotencyKeyReused(AssistantError):
    """The Idempotency-Key was sent before with another body; nothing was done."""

    permanent = True


class PeopleError(AssistantError):
    """A user's or key's name, scope, expiry or file is not as it must be."""

    permanent = True


class PeopleConflict(PeopleError):
    """What is asked for a user or a key does not go with what is kept: a name that is taken, a file that decides."""


class HostError(AssistantError):
    """Something of the machine around the product cannot be made or changed as asked."""

    permanent = True


class BackupError(AssistantError):
    """A backup cannot be made or restored; nothing half done is left."""

    permanent = True


class ReleaseError(AssistantError):
    """A release could not be made."""

    permanent = True


class EvaluationFailed(ReleaseError):
    """A question set cannot be read, or its texts cannot be ingested."""


class ModelfileInvalid(ReleaseError):
    """A Modelfile is wrong at `line`, `column`; both count from 1."""

    def __init__(self, message: Text, hint: Text, *, line: int, column: int = 1) -> None:
        super().__init__(message, hint)
        self.line = line
        self.column = column


class WillNotFit(ReleaseError):
    """More memory, or a larger window, is asked for than the model or its machine has."""


class ReleaseRefused(ReleaseError):
    """A check, a probe or a bar failed; what answered before goes on answering."""


class ReleaseConflict(ReleaseError):
    """Another administrator changed the standing release meanwhile."""

    permanent = False


class NothingToRollBackTo(ReleaseError):
    """No release was published before this one."""
