"""Examples of the library, of uploads and of plans, for openapi.json. Values only."""

from __future__ import annotations

from typing import Any

from api import examples

Json = dict[str, Any]

FOLDERS_OF_LIBRARY: Json = {"folders": [{"folder": "documents", "path": "人事/", "documents": 12}]}
_UPLOAD: Json = {
    "name": "出張規程.docx",
    "path": "aiko/出張規程.docx",
    "size_bytes": 48213,
    "uploaded_at": "2026-04-01T00:00:00+00:00",
    "state": "waiting",
    "reason": None,
    "detail": None,
    "document_id": None,
}
UPLOADED: Json = {"upload": _UPLOAD, "outcome": "new", "sha256": "0" * 64, "job_id": examples.JOB["job_id"]}
UPLOADS: Json = {"uploads": [_UPLOAD], "limit_bytes": 200 << 20, "job": None}
JOB_DETAIL: Json = {
    **examples.JOB,
    "kind": "plan",
    "result": {
        "counts": {"add": 1, "unchanged": 40},
        "files": {"add": [{"path": "人事/休暇規程.pdf", "bytes": 48213, "note": None}]},
        "read_files": 1,
        "read_bytes": 48213,
        "seconds": 4.0,
        "runs": 3,
    },
}
INGESTION: Json = {
    "failures": [
        {
            "code": "encrypted",
            "count": 2,
            "files": [
                {
                    "document_id": examples.DOCUMENT["document_id"],
                    "folder": "documents",
                    "path": "人事/名簿.pdf",
                    "detail": "パスワードで保護されています。外してから置き直してください。",
                    "attempts": 1,
                }
            ],
        }
    ],
    "warnings": [{"code": "unread_pages", "count": 1, "files": []}],
    "pages_by_tenth": [0, 0, 0, 0, 0, 1, 2, 4, 11, 30],
    "worst_pages": [
        {"document_id": examples.DOCUMENT["document_id"], "path": "安全/掲示.pdf", "page": 2, "confidence": 54.5}
    ],
    "embedder": "bge-m3@7907646426070047",
    "fitness": [{"language": "ja", "share": 0.96}],
}
_KEY = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
QUESTION_GROUPS: Json = {
    "since": "2026-03-03",
    "is_grouped": True,
    "groups": [
        {
            "question": "社宅はありますか?",
            "times": 4,
            "last_asked_at": "2026-04-01T00:00:00.000+00:00",
            "state": "owned",
            "owner": "総務部",
            "questions": [
                {
                    "key": _KEY,
                    "question": "社宅はありますか?",
                    "reason": "not_in_documents",
                    "times": 4,
                    "last_asked_at": "2026-04-01T00:00:00.000+00:00",
                    "closed_at": None,
                }
            ],
        }
    ],
}
QUESTIONS_OWNER: Json = {"keys": [_KEY], "owner": "総務部"}
PRICES: Json = {
    "currency": "JPY",
    "cloud_prompt_per_million": 450.0,
    "cloud_answer_per_million": 1800.0,
    "busy_watts": 350.0,
    "idle_watts": 60.0,
    "electricity_per_kwh": 31.0,
    "hardware_price": 600000.0,
    "hardware_years": 4.0,
}
USE: Json = {
    "since": "2026-03-03",
    "askers": 42,
    "prompt_tokens": 3100000,
    "answer_tokens": 210000,
    "busy_seconds": 8200.0,
    "times": [
        {
            "day": "2026-04-01",
            "questions": 61,
            "first_token_p50": 0.6,
            "first_token_p95": 2.4,
            "wait_p50": 0.0,
            "wait_p95": 1.2,
        }
    ],
    "folders": [{"name": "documents/人事/", "count": 120}],
    "people": [],
    "prices": PRICES,
    "cost": {
        "cloud": 1773.0,
        "electricity": 1359.5,
        "hardware": 12320.3,
        "own": 13679.8,
        "saving": -6.7,
        "even_tokens_per_day": 879000.0,
    },
}
