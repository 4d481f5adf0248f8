"""Asking at the screen: typing a question and waiting for the end of its answer."""

from __future__ import annotations

from playwright.sync_api import Page, expect

STOP_BUTTON = "stChatInputStopButton"


def ask(page: Page, question: str) -> None:
    """Types the question. What is looked at next is looked for in the newest turn."""
    box = page.get_by_test_id("stChatInputTextArea").last
    box.fill(question)
    box.press("Enter")
    expect(page.locator(".ca-question").first).to_have_text(question)


def ended(page: Page, *, turns: int, timeout_seconds: float | None = None) -> None:
    """Waits until the newest of so many turns has ended well: each ends with a line about its making."""
    patience = None if timeout_seconds is None else timeout_seconds * 1000
    expect(page.locator(".ca-foot")).to_have_count(turns, timeout=patience)
    expect(page.get_by_test_id(STOP_BUTTON)).to_have_count(0)
