"""Who may call what: one table of every address, which `docs/reference/access.md` prints and tests/api/test_access.py tries.

The routes hold the rules themselves (deps.py, and the ledger's conditions); this table says what they must come to, so that a
route that forgets one is found. A new route needs its row here, else `make docs` and the tests fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from api.deps import SIGN_IN_PATHS


class Seen(StrEnum):
    """Whose rows an address shows to somebody who may call it."""

    SAME = "the same for all"
    OWN = "only the caller's own"
    READABLE = "only what the caller's groups may read"


class Caller(StrEnum):
    """Kinds of callers."""

    ANONYMOUS = "no identity"
    WRONG_KEY = "wrong key"
    EXPIRED_KEY = "expired key"
    DISABLED_USER = "disabled user"
    WRONG_SCOPE = "wrong scope"
    OTHER = "another user"
    RIGHT = "right caller"


@dataclass(frozen=True)
class Access:
    """`scopes`: one of them is needed; empty: any identity; None: no identity either. `status`: of the right caller."""

    scopes: tuple[str, ...] | None
    seen: Seen = Seen.SAME
    status: int = 200


_OPEN = Access(None)
_SIGN_IN = Access(None, status=404)  # there when ASSISTANT_SIGN_IN__ISSUER is set
_ASK = Access(("ask",))
_OWN = Access(("ask",), Seen.OWN)
_READ = Access(("documents",), Seen.READABLE)
_RUN = Access(("ingest", "admin"))
_ADMIN = Access(("admin",))

TABLE: dict[tuple[str, str], Access] = {
    ("POST", "/ask"): Access(("ask",), Seen.READABLE),
    ("POST", "/search"): Access(("ask",), Seen.READABLE),
    ("GET", "/answers/{answer_id}/validity"): _OWN,
    ("POST", "/answers/{answer_id}/feedback"): _OWN,
    ("POST", "/answers/{answer_id}/wanted"): _OWN,
    ("GET", "/wanted"): _OWN,
    ("DELETE", "/wanted/{wanted_id}"): Access(("ask",), Seen.OWN, 204),
    ("GET", "/conversations"): _OWN,
    ("GET", "/conversations/{conversation_id}"): _OWN,
    ("PATCH", "/conversations/{conversation_id}"): _OWN,
    ("DELETE", "/conversations/{conversation_id}"): Access(("ask",), Seen.OWN, 204),
    ("GET", "/conversations/{conversation_id}/export"): _OWN,
    ("GET", "/documents"): _READ,
    ("GET", "/documents/{document_id}"): _READ,
    ("GET", "/documents/{document_id}/file"): _READ,
    ("GET", "/documents/{document_id}/pages/{page}"): Access(("documents",), Seen.READABLE),
    ("GET", "/documents/{document_id}/receipt"): _READ,
    ("GET", "/documents/{document_id}/text"): _READ,
    ("GET", "/folders"): _READ,
    ("GET", "/uploads"): Access(("ingest",), Seen.OWN),  # and people of ASSISTANT_UPLOADS__GROUPS
    ("POST", "/uploads"): Access(("ingest",), Seen.OWN, 202),
    ("DELETE", "/uploads/{place}/{name}"): Access(("ingest", "admin"), status=204),  # one's own; administrators any
    ("GET", "/jobs"): _RUN,
    ("POST", "/jobs"): Access(("ingest", "admin"), status=202),
    ("GET", "/jobs/{job_id}"): _RUN,
    ("GET", "/admin/usage"): _ADMIN,
    ("GET", "/admin/folders"): _ADMIN,
    ("GET", "/admin/ingestion"): Access(("admin",), Seen.READABLE),
    ("GET", "/admin/questions"): _ADMIN,
    ("PUT", "/admin/questions/owner"): Access(("admin",), status=204),
    ("GET", "/admin/use"): _ADMIN,
    ("PUT", "/admin/prices"): _ADMIN,
    ("GET", "/admin/unanswered"): _ADMIN,
    ("GET", "/admin/feedback"): _ADMIN,
    ("GET", "/admin/releases"): _ADMIN,
    ("POST", "/admin/releases"): Access(("admin",), status=201),
    ("GET", "/admin/releases/canary"): _ADMIN,
    ("PUT", "/admin/releases/canary"): _ADMIN,
    ("POST", "/admin/releases/rollback"): _ADMIN,
    ("GET", "/admin/releases/{release_id}"): _ADMIN,
    ("POST", "/admin/releases/{release_id}/publish"): Access(("admin",), status=202),
    ("GET", "/admin/system"): _ADMIN,
    ("GET", "/admin/doctor"): _ADMIN,
    ("POST", "/admin/doctor"): Access(("admin",), status=202),
    ("GET", "/admin/keys"): _ADMIN,
    ("POST", "/admin/keys"): Access(("admin",), status=201),
    ("POST", "/admin/keys/revoke"): Access(("admin",), status=204),
    ("GET", "/admin/users"): _ADMIN,
    ("PUT", "/admin/users/state"): _ADMIN,
    ("GET", "/admin/audit"): _ADMIN,
    ("GET", "/admin/capacity"): _ADMIN,
    ("GET", "/admin/capacity/plan"): _ADMIN,
    ("GET", "/admin/capacity/advice"): _ADMIN,
    ("GET", "/me"): Access((), Seen.OWN),
    ("GET", "/v1/models"): _ASK,
    ("POST", "/v1/chat/completions"): Access(("ask",), Seen.READABLE),
    ("POST", "/mcp"): Access((), Seen.READABLE),
    **{("GET", path): _SIGN_IN for path in sorted(SIGN_IN_PATHS)},
    ("GET", "/healthz"): _OPEN,
    ("GET", "/readyz"): _OPEN,
    ("GET", "/metrics"): _OPEN,
    ("GET", "/openapi.json"): _OPEN,
}


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """(method, path) of everything that the app answers; `*` where a mounted program decides about methods itself."""
    found = set()
    for context in iter_route_contexts(app.routes):
        methods = set(getattr(context, "methods", None) or {"*"}) - {"HEAD"}
        found |= {(method, str(getattr(context, "path", "")) or "/") for method in methods}
    return found


def expected(path: str, access: Access, caller: Caller) -> int:
    """The status that this caller must get."""
    if access.scopes is None:
        return access.status
    if caller in {Caller.ANONYMOUS, Caller.WRONG_KEY, Caller.EXPIRED_KEY}:
        return 401
    if caller is Caller.DISABLED_USER or (caller is Caller.WRONG_SCOPE and access.scopes):
        return 403
    # What is another's looks as if it did not exist. In a list it is simply missing.
    is_anothers = caller is Caller.OTHER and access.seen is not Seen.SAME and "{" in path
    return 404 if is_anothers else access.status


def access_page(app: FastAPI) -> str:
    """The table as Markdown. Raises LookupError for an address that only the app or only the table knows."""
    odd = routes_of(app) ^ set(TABLE)
    if odd:
        raise LookupError(f"api/access.py and the app's routes differ: {sorted(odd)}")
    callers = list(Caller)
    rows = [
        "# Who may call what",
        "",
        "Status of each kind of caller. *Another user* holds the scope and asks for what they may not see: an address with an",
        "id answers 404 as if there were none, a list or a search answers without it. 401 and 403 tell nothing of what is",
        "there. `/sign-in` is there when OpenID Connect is set up.",
        "People in a group of `ASSISTANT_UPLOADS__GROUPS` may upload without the scope ingest. Whoever may upload takes back their",
        "own (another's is 404), administrators any.",
        "With the scopes ingest and admin a caller sees numbers by folder and by day, and with admin the words of questions",
        "without a good answer and of rated ones, never who asked, whatever their groups: they administer the whole (0025).",
        "`/admin/audit` alone says who did what; each look into it is an entry of it. A key made by `/admin/keys` has at most the",
        "scopes and groups of who makes it (0027).",
        "",
        "| address | one of these scopes | shows | " + " | ".join(callers) + " |",
        "|---|---|---|" + "---|" * len(callers),
    ]
    for (method, path), access in TABLE.items():
        scopes = "open" if access.scopes is None else ", ".join(access.scopes) or "any identity"
        statuses = " | ".join(str(expected(path, access, caller)) for caller in callers)
        rows.append(f"| {method} `{path}` | {scopes} | {access.seen} | {statuses} |")
    return "\n".join(rows) + "\n"
