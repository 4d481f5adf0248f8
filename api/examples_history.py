"""Examples of conversations, feedback and what administrators see, for openapi.json. Values only."""

from __future__ import annotations

from typing import Any

from api import examples

Json = dict[str, Any]

_ANSWER_ID = "a_0d9c8b7a6f5e4d3c2b1a0f9e8d7c6b5a"
_CONVERSATION_ID = "c_1a2b3c4d5e6f708192a3b4c5d6e7f809"
_ASKED_AT = "2026-04-01T00:00:00.000+00:00"
_QUESTION = "有給休暇はいつまでに申請しますか?"

FEEDBACK_GIVEN: Json = {"rating": "down", "reason": "outdated", "text": "4月から5営業日前です。"}
FEEDBACK: Json = {"answer_id": _ANSWER_ID, **FEEDBACK_GIVEN, "created_at": _ASKED_AT}
WANTED: Json = {
    "wanted_id": "w_5b8e2f7a1c9d4e3f8a6b0c2d4e6f8a1b",
    "question": _QUESTION,
    "language": "ja",
    "asked_at": _ASKED_AT,
    "answer_id": _ANSWER_ID,
    "closed_at": None,
    "closed_answer_id": None,
}
WANTED_LIST: Json = {"wanted": [WANTED]}
_SUMMARY: Json = {
    "conversation_id": _CONVERSATION_ID,
    "title": _QUESTION,
    "created_at": _ASKED_AT,
    "updated_at": _ASKED_AT,
    "answers": 1,
}
CONVERSATION_TITLE: Json = {"title": "有給休暇の申請"}
CONVERSATION_RENAMED: Json = _SUMMARY | CONVERSATION_TITLE
CONVERSATIONS: Json = {"conversations": [_SUMMARY], "next": None}
CONVERSATION: Json = {
    **_SUMMARY,
    "exchanges": [
        {
            "answer_id": _ANSWER_ID,
            "question": _QUESTION,
            "rewritten": None,
            "answer": "取得日の3営業日前までに申請します [1]。",
            "withheld": False,
            "refused": False,
            "reason": None,
            "mode": "generated",
            "language": "ja",
            "warnings": [],
            "citations": [{**examples.CITATION, "state": "current"}],
            "feedback": FEEDBACK,
            "release_id": "r_3f2a9c1d5e7b8046",
            "model": "company-assistant",
            "total_seconds": 2.1,
            "created_at": _ASKED_AT,
        }
    ],
    "unfinished": [
        {
            "question": "病気のときは?",
            "language": "ja",
            "text": "当日の始業時刻までに",
            "created_at": _ASKED_AT,
        }
    ],
    "next": None,
}
_NUMBERS: Json = {"questions": 120, "refused": 9, "quotes": 2, "up": 14, "down": 3}
USAGE: Json = {
    "since": "2026-04-01",
    **_NUMBERS,
    "days": [{"day": "2026-04-01", **_NUMBERS, "askers": 31, "mean_seconds": 2.4}],
}
FOLDERS: Json = {
    "folders": [
        {"folder": "documents", "root": "/srv/documents", "documents": {"indexed": 812, "failed": 3}, "last_job": None}
    ]
}
UNANSWERED: Json = {
    "since": "2026-04-01",
    "questions": [
        {"question": "社宅の申し込み方は?", "reason": "not_in_documents", "times": 4, "last_asked_at": _ASKED_AT}
    ],
}
RATINGS: Json = {"feedback": [{**FEEDBACK, "question": _QUESTION}], "next": None}
