"""Examples of releases, for openapi.json. Values only; a test publishes CONTENT and sends the requests."""

from __future__ import annotations

from typing import Any

from assistant.releases import Content

Json = dict[str, Any]

_AT = "2026-04-01T00:00:00.000+00:00"
CONTENT = Content('FROM llama3.1:8b\nPARAMETER num_ctx 8192\nSYSTEM """抜粋だけを根拠に、短く答えます。"""\n')
_ID = CONTENT.release_id
_FORMER = "r_0c1d2e3f4a5b6c7d"

DRAFT: Json = {"system": "抜粋だけを根拠に、短く答えます。", "num_ctx": 8192, "temperature": 0.1, "why": "短く答える"}
REASON: Json = {"why": "短く答える"}
CANARY_SET: Json = {"release_id": _ID, "percent": 10}
STANDING: Json = {
    "revision": 3,
    "release_id": _FORMER,
    "former_id": None,
    "canary_id": None,
    "canary_percent": 0,
    "canary_since": "",
}
_RELEASE: Json = {
    "release_id": _ID,
    "state": "draft",
    "why": "短く答える",
    "based_on": _FORMER,
    "created_at": _AT,
    "created_by": "chie",
    "model": None,
    "base_model": "llama3.1:8b",
    "num_ctx": 8192,
    "temperature": 0.1,
    "top_k": None,
    "passages": None,
    "meaning": 1.0,
    "words": 1.0,
    "asks_first": False,
    "refuses_from_ja": 0.5,
    "refuses_from_en": 0.5,
    "system": "抜粋だけを根拠に、短く答えます。",
    "is_evaluated": False,
}
_EVENT: Json = {
    "at": _AT,
    "actor": "chie",
    "act": "drafted",
    "release_id": _ID,
    "former_id": _FORMER,
    "why": "短く答える",
    "details": {"differences": {"temperature": [0.2, 0.1]}},
}
RELEASE_WORK: Json = {
    "what": "publish",
    "release_id": _ID,
    "by": "chie",
    "state": "running",
    "step": "load",
    "message": None,
    "hint": None,
}
RELEASES: Json = {"standing": STANDING, "releases": [_RELEASE], "events": [_EVENT], "work": RELEASE_WORK}
RELEASE_DETAIL: Json = {
    **_RELEASE,
    "modelfile": CONTENT.modelfile,
    "differences": {"temperature": [0.2, 0.1]},
    "evaluation": None,
    "events": [_EVENT],
}
CANARY: Json = {
    "standing": {**STANDING, "canary_id": _ID, "canary_percent": 10, "canary_since": _AT},
    "uses": [
        {
            "release_id": name,
            "answers": answers,
            "refused": 2,
            "quotes": 0,
            "citations": 2 * answers,
            "up": 3,
            "down": 0,
            "mean_seconds": 4.2,
        }
        for name, answers in ((_FORMER, 90), (_ID, 10))
    ],
    "work": None,
}
