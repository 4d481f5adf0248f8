"""A receipt in sentences: what a lay person must know, in both languages, and no code word."""

from __future__ import annotations

from typing import Any

import pytest

from assistant.errors import Language
from ui.receipt_parts import sentences

GOOD: dict[str, Any] = {
    "status": "warn",
    "reason": "unread_pages",
    "pages": 6,
    "characters": 12034,
    "chunks": 12,
    "language": "ja",
    "ocr_confidence_by_page": [{"page": 2, "confidence": 54.4}, {"page": 5, "confidence": 91.0}],
    "hidden_parts": 3,
    "hidden_parts_read": False,
    "rejected": {"pieces": 2, "listed": []},
    "notes": {"unread_pages": 1},
    "warnings": ["unread_pages", "of_a_later_release"],
    "probes": [{"question": "a", "rank": 1}, {"question": "b", "rank": None, "instead": ["写し/休暇.pdf"]}],
}


def test_everything_that_matters_is_said_the_most_important_first() -> None:
    said = sentences(GOOD, "ja")
    assert said[0] == "この文書は検索でき、回答の根拠になります。"
    whole = "\n".join(said)
    for expected in (
        "6 ページ、12,034 文字",
        "12 個の抜粋",
        "日本語の文書",
        "2 ページは文字認識",
        "2 ページ目(54 点)",
        "1 ページは読み取れません",
        "3 個あり、読みませんでした",
        "2 か所あり",
        "1 個では見つかりません",
        "写し/休暇.pdf",
        "より鮮明に",
        "of_a_later_release",
    ):
        assert expected in whole


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_file_that_cannot_be_read_says_why_in_the_readers_language(language: Language) -> None:
    receipt = {"status": "failed", "reason": "encrypted", "detail": "鍵付きです。外してください。\nLocked. Unlock it."}
    assert sentences(receipt, language)[1:] == [
        "鍵付きです。外してください。" if language == "ja" else "Locked. Unlock it."
    ]
    assert len(sentences(receipt | {"detail": None}, language)) == 2
    assert len(sentences({"status": "pending", "probes": [], "warnings": []}, language)) == 1


def test_hidden_parts_that_were_read_are_said_to_be_read() -> None:
    said = "\n".join(sentences(GOOD | {"hidden_parts_read": True, "status": "indexed"}, "en"))
    assert "3 hidden parts (hidden sheets, comments and the like) were read, too." in said
