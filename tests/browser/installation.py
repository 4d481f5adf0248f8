"""A whole installation for the journeys of the screen: nginx in front, real API, Chroma, ingestion and screen, a stub model.

    Chromium ─▶ nginx (passwords) ─▶ screen ─▶ API ─▶ Chroma, ledger, stub of Ollama
                                                ▲
                                             ledger ◀── ingestion ◀── a small folder, an inbox

The cast: Aiko brings files, Ben asks, Chie administers and is of the board, Dan reads what everyone may.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.pictures import are_wanted
from tests.journeys.deployment import ROOT, Deployment, wait_until
from tests.journeys.front_door import running_front_door
from tests.stubs.ollama.process import StubOllama, start_stub_ollama

READING_SECONDS = 400
"""For ten documents, a scan among them, on two cores that do other work as well."""
PASSWORDS = {"aiko": "aikos-password", "ben": "bens-password", "chie": "chies-password", "dan": "dans-password"}
USERS = """
[users.aiko]
groups = ["総務"]
[users.ben]
[users.chie]
groups = ["board", "administrators"]
[users.dan]
"""
RULES = """
[[rule]]
path = "人事/**"
owner = "人事部 佐藤"
[[rule]]
path = "人事/限定/**"
groups = ["board"]
[[rule]]
path = "経費/**"
owner = "経理部 鈴木"
[[rule]]
path = "安全/**"
owner = "安全衛生課 田中"
"""
FILES = (
    "人事/休暇規程.docx",
    "人事/就業規則_抜粋.pdf",
    "人事/慶弔見舞金規程.txt",
    "人事/在宅勤務規程.md",
    "人事/限定/役員報酬規程.docx",
    "経費/経費精算マニュアル.md",
    "経費/決裁権限表.xlsx",
    "en/Leave_Policy.md",
)
SCAN = "安全/避難訓練のお知らせ_スキャン.pdf"
"""Only for pictures: reading it takes as long as all the others."""
BROKEN = "経費/請求書_2025-04.pdf"
SECRET = "人事/限定/役員報酬規程.docx"
PDF = "人事/就業規則_抜粋.pdf"
MODELS = ("company-assistant", "bge-m3")
QUICK, SLOW = 200.0, 6.0
"""Tokens a second of the stub: as quick as it goes, and slow enough for a person to press Stop."""


@dataclass
class Installation:
    """What runs: `url` is what people type."""

    url: str
    deployment: Deployment
    stub: StubOllama
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)

    def page_of(
        self, user: str, path: str = "/", *, locale: str = "ja-JP", width: int = 1280, height: int = 900
    ) -> Page:
        """A browser of its own in which the person is signed in by name and password, at `path`."""
        context = self.browser.new_context(
            locale=locale,
            timezone_id="Asia/Tokyo",
            viewport={"width": width, "height": height},
            http_credentials={"username": user, "password": PASSWORDS[user]},
        )
        context.set_default_timeout(60_000)
        self.contexts.append(context)
        page = context.new_page()
        page.goto(self.url + path)
        return page

    def get(self, user: str, path: str) -> httpx.Response:
        """What a person's browser gets for an address, through nginx."""
        return httpx.get(self.url + path, auth=(user, PASSWORDS[user]), timeout=60, trust_env=False)

    def post(self, user: str, path: str, body: dict[str, object]) -> httpx.Response:
        """The same for a body that is sent."""
        return httpx.post(self.url + path, json=body, auth=(user, PASSWORDS[user]), timeout=120, trust_env=False)

    def close_pages(self) -> None:
        """Ends every browser that was opened."""
        while self.contexts:
            self.contexts.pop().close()


@contextmanager
def running_installation(browser: Browser) -> Iterator[Installation]:
    """Everything started, and every document read, until the block ends."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="company-")))
        folder.chmod(0o755)
        documents, inbox = folder / "documents", folder / "var" / "inbox"
        for name in files():
            (documents / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / "examples" / name, documents / name)
        (documents / BROKEN).write_bytes(b"%PDF-1.7\nthe rest never arrived")
        inbox.mkdir(parents=True)
        (folder / "ingest.toml").write_text(RULES, encoding="utf-8")
        (folder / "users.toml").write_text(USERS, encoding="utf-8")
        stub = opened.enter_context(start_stub_ollama(models=MODELS, tokens_per_second=QUICK, load_seconds=0.0))
        settings = {
            "ANSWERS": "ollama",
            "EMBEDDER": "ollama",
            "EMBED_MODEL": "bge-m3",
            "OLLAMA_URL": stub.url,
            "UPLOADS__FOLDER": str(inbox),
            "UPLOADS__GROUPS": "総務",
            "DOOR__USERS_FILE": str(folder / "users.toml"),
        }
        deployment = Deployment(folder, documents, settings)
        opened.enter_context(deployment.up("chroma,api,ingest,ui"))
        url = opened.enter_context(running_front_door(folder, deployment, PASSWORDS))
        made = Installation(url, deployment, stub, browser)
        opened.callback(made.close_pages)
        wait_until(lambda: is_read(made), timeout_seconds=READING_SECONDS, pause_seconds=1)
        yield made


def files() -> tuple[str, ...]:
    """What is read of the examples."""
    return (*FILES, SCAN) if are_wanted() else FILES


def is_read(installation: Installation) -> bool:
    """Whether each document can be searched, or has its reason."""
    listed = installation.get("chie", "/api/documents?limit=100")
    if not listed.is_success:
        return False
    states = [one["status"] for one in listed.json()["documents"]]
    return len(states) == len(files()) + 1 and "pending" not in states
