"""Examples of the system's state, keys, users and audit, for openapi.json. Values only."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_AT = "2026-04-01T00:00:00.000+00:00"
SYSTEM: Json = {
    "version": "0.1.0",
    "answers": "ollama",
    "chat_model": "company-assistant",
    "embedder": "ollama:bge-m3",
    "lines": [
        {
            "model": "company-assistant",
            "parallel": 4,
            "answering": 4,
            "people": 2,
            "apps": 1,
            "background": 0,
            "pace_seconds": 8.5,
            "breaker": "closed",
        }
    ],
    "present": 7,
    "most_present": 68,
    "models": [
        {
            "name": "company-assistant:latest",
            "num_ctx": 8192,
            "size_bytes": 6_200_000_000,
            "vram_bytes": 6_200_000_000,
            "until": None,
        }
    ],
    "models_problem": None,
    "release_id": "r_0c1d2e3f4a5b6c7d",
    "release_model": "company-assistant:r_0c1d2e3f4a5b6c7d",
    "published_at": _AT,
}
_FINDING: Json = {
    "name": "vectors",
    "title": "ベクトル索引",
    "state": "fail",
    "seen": "Chroma does not answer.",
    "why": "意味による検索が使えません。",
    "hint": "`assistant up --only chroma` で起動してください。",
    "command": "assistant up --only chroma",
}
CHECKUP: Json = {
    "state": "done",
    "by": "chie",
    "started_at": _AT,
    "ended_at": "2026-04-01T00:00:04.500+00:00",
    "problem": None,
    "findings": [_FINDING],
}
CHECKUP_RUNNING: Json = CHECKUP | {"state": "running", "ended_at": None, "findings": []}
_KEY: Json = {
    "name": "intranet",
    "prefix": "ca_Xk29dQw",
    "state": "active",
    "scopes": ["ask", "documents"],
    "groups": [],
    "owner": None,
    "questions_per_minute": 60,
    "created_at": _AT,
    "expires_at": "2026-06-30T00:00:00.000+00:00",
    "last_used_at": None,
}
CAPACITY: Json = {
    "models": [
        {
            "name": "llama3.1:8b-instruct-q4_K_M",
            "is_installed": False,
            "is_embedder": False,
            "weights_bytes": 4_912_898_048,
            "context_length": 131_072,
        }
    ],
    "models_problem": None,
    "gpus": [{"name": "NVIDIA RTX 4000 Ada", "total_bytes": 20 << 30}],
    "gpu_problem": None,
    "machine_bytes": 64 << 30,
    "model": "company-assistant",
    "num_ctx": 8192,
    "parallel": 4,
    "embedder": "bge-m3",
}
_PARTS: list[Json] = [
    {"name": "weights", "title": "重み", "size_bytes": 4_617_348_096},
    {"name": "kv", "title": "KV キャッシュ", "size_bytes": 2_281_701_376},
]
PLAN_OF_MEMORY: Json = {
    "model": "llama3.1:8b-instruct-q4_K_M",
    "source": "config.json of meta-llama/Llama-3.1-8B-Instruct; Q4_K_M as llama.cpp makes it",
    "embedder": None,
    "num_ctx": 8192,
    "parallel": 4,
    "kv_type": "q8_0",
    "used_kv_type": "q8_0",
    "flash_attention": True,
    "is_gpu": True,
    "room_name": "NVIDIA RTX 4000 Ada",
    "room_bytes": 20 << 30,
    "parts": _PARTS,
    "total_bytes": 6_899_049_472,
    "free_bytes": (20 << 30) - 6_899_049_472,
    "spread_bytes": 8_388_608,
    "planned_bytes": 8_000_000_000,
    "verdict": "fits",
    "verdict_words": "収まります",
    "largest_num_ctx": 40_960,
    "largest_parallel": 20,
    "notices": [],
    "table": [
        {
            "num_ctx": 8192,
            "cells": [
                {
                    "kv_type": "q8_0",
                    "used_kv_type": "q8_0",
                    "total_bytes": 6_899_049_472,
                    "kv_bytes": 2_281_701_376,
                    "parts": _PARTS,
                    "verdict": "fits",
                }
            ],
        }
    ],
}
CONTEXT_ADVICE: Json = {
    "advice": "shorten",
    "questions": 1200,
    "median_tokens": 3900,
    "needed_tokens": 5900,
    "num_ctx": 8192,
    "proposed_num_ctx": 6144,
    "saved_bytes": 142_606_336,
    "lines": ["1,200 件の質問の 95 % は 5,900 トークンで足ります(回答の分を含む。プロンプトの中央値 3,900)。"],
}
KEYS: Json = {"keys": [_KEY], "scopes": ["ask", "documents", "ingest", "admin"], "groups": ["administrators"]}
KEY_WANTED: Json = {"name": "intranet", "scopes": ["ask", "documents"], "days": 90, "questions_per_minute": 60}
KEY_MADE: Json = {"key": "ca_" + "…" * 8, "made": _KEY}
KEY_NAME: Json = {"name": "intranet"}
USER: Json = {"name": "aiko", "display_name": "鈴木 愛子", "groups": ["人事部"], "is_disabled": True}
USERS: Json = {"users": [USER], "file": "var/users.toml", "is_in_file": False, "known_users_only": False}
USER_STATE: Json = {"name": "aiko", "is_disabled": True}
AUDIT: Json = {
    "entries": [
        {
            "entry_id": 41,
            "at": _AT,
            "act": "asked",
            "actor": "ben",
            "via": "proxy",
            "subject": "",
            "request_id": "7c9e6679f3b94a0e8d1c5b2a4f6e8d90",
            "question": None,
            "documents": ["d_4f0c2a7be51d4c0f9a3e6b8d2c7f1a90"],
            "details": {},
        }
    ],
    "next": None,
    "questions": "hashed",
    "keep_days": 365,
}
