"""What the audit holds of an act, and how much of a question. Knows no database; adapters/ledger/auditing.py stores it."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from assistant.domain import Question
from assistant.errors import StoreUnavailable, Text

QuestionsKept = Literal["text", "hashed", "none"]
KEY_FILE = "audit.key"
KEY_BYTES = 32


class Act(StrEnum):
    """What was done."""

    ASKED = "asked"
    SEARCHED = "searched"
    OPENED = "opened"
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    USERS_SYNCED = "users_synced"
    GROUPS_SET = "groups_set"
    USER_ERASED = "user_erased"
    VIEWED = "viewed"
    JOB_REQUESTED = "job_requested"
    UPLOADED = "uploaded"
    UPLOAD_TAKEN_BACK = "upload_taken_back"
    QUESTION_ASSIGNED = "question_assigned"
    VALUE_KEPT = "value_kept"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    EXPORTED = "exported"
    PRUNED = "pruned"
    CANARY_CHECKED = "canary_checked"
    RELEASE_CHANGED = "release_changed"
    BACKED_UP = "backed_up"
    RESTORED = "restored"


@dataclass(frozen=True)
class AuditEntry:
    """One act: who (`actor`, `via`), what, on what (`subject`), which documents were shown. `at` is ISO 8601 in UTC."""

    act: Act
    actor: str
    via: str = "cli"
    subject: str = ""
    request_id: str = ""
    question: str | None = None
    question_hash: str | None = None
    documents: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    at: str = ""
    entry_id: int = 0


@dataclass(frozen=True)
class Auditor:
    """Makes entries of questions, holding as much of them as was chosen. `key` keeps hashes from being guessed."""

    questions: QuestionsKept
    key: bytes

    def entry_of(self, act: Act, question: Question, document_ids: Iterable[str]) -> AuditEntry:
        """The entry that says who asked and which documents were shown for it."""
        text = question.text
        return AuditEntry(
            act=act,
            actor=question.principal.name,
            via=question.principal.via,
            request_id=question.request_id,
            question=text if self.questions == "text" else None,
            question_hash=hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
            if self.questions == "hashed"
            else None,
            documents=tuple(dict.fromkeys(document_ids)),
        )


def auditor_of(questions: QuestionsKept, *, data_folder: Path) -> Auditor:
    """An auditor with the deployment's own key, which is made at first use. Raises StoreUnavailable."""
    return Auditor(questions, _key(data_folder / KEY_FILE) if questions == "hashed" else b"")


def _key(file: Path) -> bytes:
    try:
        if not file.exists():
            _write_once(file)
        key = file.read_bytes()
    except OSError as error:
        raise _no_key(file) from error
    if len(key) != KEY_BYTES:
        raise _no_key(file)
    return key


def _write_once(file: Path) -> None:
    """Written whole under another name and then linked, so that of two processes one wins and none reads a half."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as opened:
        opened.write(os.urandom(KEY_BYTES))
    try:
        os.link(draft, file)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _no_key(file: Path) -> StoreUnavailable:
    return StoreUnavailable(
        Text(ja=f"監査の鍵 {file} を読み書きできません。", en=f"The audit's key {file} cannot be read or made."),
        Text(
            ja="データフォルダーの権限を確かめるか、ASSISTANT_AUDIT__QUESTIONS を none か text にしてください。",
            en="Check the data folder's permissions, or set ASSISTANT_AUDIT__QUESTIONS to none or text.",
        ),
    )
