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
