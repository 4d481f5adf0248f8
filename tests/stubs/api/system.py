"""What the stub API tells administrators of the system, keys, users and the audit: one of each kind."""

from __future__ import annotations

from assistant import wire_people, wire_system

AT = "2026-04-01T00:00:00.000+00:00"


def finding(
    name: str, title: str, state: str, seen: str, *, why: str = "", hint: str = "", command: str = ""
) -> wire_system.FindingOut:
    """One check."""
    return wire_system.FindingOut.model_validate(
        {"name": name, "title": title, "state": state, "seen": seen, "why": why, "hint": hint, "command": command}
    )


SYSTEM = wire_system.SystemOut(
    version="0.1.0",
    answers="ollama",
    chat_model="company-assistant",
    embedder="ollama bge-m3",
    lines=[
        wire_system.LineOut(
            model="company-assistant",
            parallel=4,
            answering=4,
            people=2,
            apps=1,
            background=0,
            pace_seconds=8.5,
            breaker="closed",
        )
    ],
    present=7,
    most_present=68,
    models=[
        wire_system.RunningModelOut(
            name="company-assistant:latest",
            num_ctx=8192,
            size_bytes=6_200_000_000,
            vram_bytes=5_100_000_000,
            until=None,
        ),
        wire_system.RunningModelOut(
            name="bge-m3:latest", num_ctx=8192, size_bytes=1_200_000_000, vram_bytes=1_200_000_000, until=AT
        ),
    ],
    models_problem=None,
    release_id="release-2",
    release_model="company-assistant:release-2",
    published_at=AT,
)
CHECKUP = wire_system.CheckupOut(
    state="done",
    by="千恵",
    started_at=AT,
    ended_at=AT,
    problem=None,
    findings=[
        finding(
            "vectors",
            "ベクトル索引",
            "fail",
            "Chroma does not answer.",
            why="意味による検索が使えません。",
            hint="`assistant up --only chroma` で起動してください。",
            command="assistant up --only chroma",
        ),
        finding(
            "backup",
            "バックアップ",
            "warn",
            "まだ一度もありません。",
            why="機械が壊れると、台帳は戻りません。",
            hint="毎日取ってください。",
            command="assistant backup /srv/backups",
        ),
        finding("gpu_driver", "GPU のドライバー", "unchecked", "nvidia-smi がありません。"),
        finding("ledger", "台帳", "ok", "answers"),
    ],
)
KEYS = wire_people.KeysOut(
    keys=[
        wire_people.KeyOut(
            name=name,
            prefix="ca_Xk29dQw",
            state=state,
            scopes=["ask", "documents"],
            groups=["board"],
            owner=None,
            questions_per_minute=60,
            created_at=AT,
            expires_at=AT,
            last_used_at=None,
        )
        for name, state in (("intranet", "active"), ("old-wiki", "revoked"))
    ],
    scopes=["ask", "documents", "ingest", "admin"],
    groups=["administrators", "board"],
)
USERS = wire_people.UsersOut(
    users=[
        wire_people.UserOut(name="ben", display_name="田中 勉", groups=["人事部"], is_disabled=False),
        wire_people.UserOut(name="dan", display_name="", groups=[], is_disabled=True),
    ],
    file="var/users.toml",
    is_in_file=False,
    known_users_only=False,
)
AUDIT = wire_people.AuditOut(
    entries=[
        wire_people.AuditEntryOut(
            entry_id=41,
            at=AT,
            act="asked",
            actor="ben",
            via="proxy",
            subject="",
            request_id="7c9e6679f3b94a0e",
            question=None,
            documents=["doc-1"],
            details={},
        )
    ],
    next=None,
    questions="hashed",
    keep_days=365,
)
ANSWERS = {
    "/admin/system": SYSTEM,
    "/admin/doctor": CHECKUP,
    "/admin/keys": KEYS,
    "/admin/users": USERS,
    "/admin/audit": AUDIT,
}
