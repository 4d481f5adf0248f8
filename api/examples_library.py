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
