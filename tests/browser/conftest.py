"""A real Chromium in front of a real Streamlit, which asks the stub API: each in its own process, on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.stubs.api.process import free_port, running, running_stub_api

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SECRET = "a shared secret of the test"


@dataclass(frozen=True)
class Stack:
    """Addresses of one running screen and of the API behind it."""

    ui_url: str
    api_url: str


@contextmanager
def running_screen(api_url: str, *, demo_user: str) -> Iterator[str]:
    """The address of a screen of its own, started as people start it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "ASSISTANT_API_URL": api_url,
        "ASSISTANT_UI_HOST": "127.0.0.1",
        "ASSISTANT_UI_PORT": str(port),
        "ASSISTANT_DEMO_USER": demo_user,
        "ASSISTANT_PROXY_SECRET": SECRET,
    }
    with running(["-m", "ui"], ready_url=f"{url}/_stcore/health", environment=environment):
        yield url


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A screen with the demo user Aiko, and its stub API."""
    with running_stub_api() as api_url, running_screen(api_url, demo_user="愛子") as ui_url:
        yield Stack(ui_url=ui_url, api_url=api_url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a file of tests. Not longer: Playwright keeps an event loop running in the process until it is
    stopped, and other tests run their own."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages as separate people: `open_page(url, locale="ja-JP", width=1280)`; every page starts bare."""
    contexts: list[BrowserContext] = []

    def opened(url: str, *, locale: str = "ja-JP", width: int = 1280, headers: dict[str, str] | None = None) -> Page:
        context = browser.new_context(
            locale=locale, viewport={"width": width, "height": 900}, extra_http_headers=headers or {}
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
