"""An administrator's way through the real product in a real browser: state, keys, memory, releases; and who gets none of it.

Real API, real ledger, the real doctor on this machine. Chroma is not started, so that the doctor has something to find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Page, expect

from assistant.adapters.ledger import Ledger
from assistant.release.examining.matters import matter_of
from tests.journeys.deployment import PROXY_SECRET, Deployment, wait_until
from tests.stubs.ollama.process import start_stub_ollama
from ui.words import capacity, frame, people, releases, say, system

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

OpenPage = Callable[..., Page]
PATIENCE_MS: Final = 90_000
PATIENCE_SECONDS: Final = 120
HIDDEN: Final = (frame.NAV_SYSTEM, frame.NAV_CAPACITY, frame.NAV_PEOPLE, frame.NAV_RELEASES)


@dataclass(frozen=True)
class Installation:
    """What runs, and the release that answers."""

    deployment: Deployment
    release_id: str

    def client(self, user: str) -> httpx.Client:
        """The API as the proxy would let that person in."""
        return httpx.Client(base_url=self.deployment.api_url, headers=identity(user), trust_env=False, timeout=60)

    def open(self, open_page: OpenPage, screen: str, user: str, locale: str = "ja-JP") -> Page:
        """The screen as that person's browser opens it."""
        return open_page(f"{self.deployment.ui_url}/{screen}", locale=locale, headers=identity(user))


def identity(user: str) -> dict[str, str]:
    """What nginx says of somebody."""
    return {"X-Forwarded-User": user, "X-Proxy-Secret": PROXY_SECRET}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """API and screen with a stub Ollama; Chie administers, Ben asks; one release is published."""
    folder = tmp_path_factory.mktemp("administered")
    (folder / "documents").mkdir()
    with start_stub_ollama(tokens_per_second=0) as stub:
        deployment = Deployment(folder, folder / "documents", {"ANSWERS": "ollama", "OLLAMA_URL": stub.url})
        (folder / "var").mkdir()
        ledger = Ledger.open(f"sqlite:///{folder / 'var' / 'ledger.db'}")
        ledger.set_groups("chie", ["administrators", "board"])
        ledger.set_groups("ben", [])
        ledger.close()
        with deployment.up("api,ui"):
            wait_until(lambda: answers(f"{deployment.api_url}/healthz"), timeout_seconds=PATIENCE_SECONDS)
            wait_until(lambda: answers(f"{deployment.ui_url}/_stcore/health"), timeout_seconds=PATIENCE_SECONDS)
            running = Installation(deployment, "")
            with running.client("chie") as chie:
                yield Installation(deployment, published(chie))


def answers(url: str) -> bool:
    """Whether somebody answers there."""
    with suppress(httpx.HTTPError):
        return httpx.get(url, trust_env=False, timeout=5).is_success
    return False


def published(chie: httpx.Client) -> str:
    """A release that was drafted and published: its id."""
    made = chie.post("/admin/releases", json={"temperature": 0.3, "why": "first"}).raise_for_status().json()
    release_id = str(made["release_id"])
    chie.post(f"/admin/releases/{release_id}/publish", json={}).raise_for_status()

    def work() -> dict[str, Any]:
        return dict(chie.get("/admin/releases").raise_for_status().json()["work"])

    wait_until(lambda: work()["state"] != "running", timeout_seconds=PATIENCE_SECONDS)
    assert work()["state"] == "done", work()
    return release_id


def test_an_administrator_sees_the_state_makes_and_ends_a_key_plans_memory_and_drafts_a_release(
    installation: Installation, open_page: OpenPage
) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    page = installation.open(open_page, "system", "chie")
    expect(page.locator(".ca-facts").last).to_contain_text(installation.release_id)
    page.get_by_role("button", name=system.EXAMINE.ja).click()
    failing = f"{system.STATES['fail'].ja}: {matter_of('vectors').title.ja}"
    expect(page.locator(".ca-problem .ca-box-title", has_text=failing).last).to_be_visible()
    expect(page.get_by_text("assistant up --only chroma", exact=True).last).to_be_visible()
    expect(page.get_by_text(unchecked_title("ja")).last).to_be_visible()

    make_use_and_revoke(installation, installation.open(open_page, "people", "chie"))

    page = installation.open(open_page, "capacity", "chie")
    plan(page, "1", capacity.NAMES["too_large"].ja)
    plan(page, "24", capacity.NAMES["fits"].ja)

    draft(installation, installation.open(open_page, "releases", "chie"))

    page = installation.open(
        open_page, "system", "chie", locale="en-US"
    )  # what was found is told in the reader's language
    failing = f"{system.STATES['fail'].en}: {matter_of('vectors').title.en}"
    expect(page.locator(".ca-problem .ca-box-title", has_text=failing).last).to_be_visible()
    page = installation.open(open_page, "capacity", "chie", locale="en-US")
    plan(page, "1", capacity.NAMES["too_large"].en, label=capacity.GPU_GIB.en)


def unchecked_title(language: str) -> str:
    """How the list of what was not looked at begins, up to the number."""
    return system.UNCHECKED_TITLE.in_language("ja" if language == "ja" else "en").partition("{")[0].strip()


def make_use_and_revoke(installation: Installation, page: Page) -> None:
    """A key is made on the screen, lets an app in, and after it was revoked on the screen no more."""
    page.get_by_label(people.NAME.ja, exact=True).fill("社内wiki")
    page.get_by_role("button", name=people.MAKE.ja).click()
    expect(page.get_by_text(say(people.MADE, "ja", name="社内wiki")).last).to_be_visible()
    key = page.locator(".stCode code", has_text="ca_").last.inner_text().strip()
    authorization = {"Authorization": f"Bearer {key}"}

    def status() -> int:
        me = f"{installation.deployment.api_url}/me"
        return httpx.get(me, headers=authorization, trust_env=False, timeout=30).status_code

    assert status() == 200
    page.get_by_role("button", name=people.HIDE.ja).click()
    expect(page.locator(".stCode code", has_text="ca_")).to_have_count(0)
    page.locator(".st-key-people_revoke button").click()
    expect(page.get_by_text(say(people.REVOKE_SURE, "ja", name="社内wiki")).last).to_be_visible()
    page.locator(".st-key-people_revoke_sure button").click()
    expect(page.get_by_text(say(people.REVOKED, "ja", name="社内wiki")).last).to_be_visible()
    assert status() == 401


def plan(page: Page, gib: str, verdict: str, *, label: str = capacity.GPU_GIB.ja) -> None:
    """Enters the GPU's memory and waits for the verdict."""
    box = page.get_by_role("spinbutton", name=label)
    box.fill(gib)
    box.press("Enter")
    expect(page.locator(".ca-box-title", has_text=verdict).last).to_be_visible()
    expect(page.locator(".ca-box", has_text=f"{gib}.00 GiB").last).to_be_visible()


def draft(installation: Installation, page: Page) -> None:
    """The published release is shown; another temperature is kept as a draft, and what is another in it is shown."""
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(installation.release_id)
    temperature = page.get_by_role("spinbutton", name=releases.TEMPERATURE.ja)
    temperature.fill("0.9")
    temperature.press("Tab")
    page.get_by_role("button", name=releases.KEEP.ja).click()
    drafts: list[str] = []

    def is_kept() -> bool:
        with installation.client("chie") as chie:
            found = chie.get("/admin/releases").json()["releases"]
        drafts[:] = [each["release_id"] for each in found if each["temperature"] == 0.9]
        return bool(drafts)

    wait_until(is_kept, timeout_seconds=PATIENCE_SECONDS)
    page.reload()  # the newest is the one that is looked at
    expect(page.get_by_text(releases.DIFFERENCES.ja).last).to_be_visible()
    expect(page.get_by_role("combobox", name=releases.CHOOSE.ja)).to_have_value(drafts[0])
    page.locator("summary", has_text=releases.TEXT.ja).click()
    expect(page.locator(".stCode", has_text="PARAMETER temperature 0.9").last).to_be_visible()
    expect(page.get_by_text(releases.SAME.ja)).to_have_count(0)
    with installation.client("chie") as chie:
        told = chie.get(f"/admin/releases/{drafts[0]}").json()
    assert told["differences"] == {"temperature": [0.3, 0.9]}


def test_a_person_without_the_scope_gets_neither_the_menu_nor_the_data(
    installation: Installation, open_page: OpenPage
) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    for locale, language in (("ja-JP", "ja"), ("en-US", "en")):
        page = installation.open(open_page, "documents", "ben", locale=locale)
        expect(
            page.get_by_role("link", name=frame.NAV_DOCUMENTS.ja if language == "ja" else frame.NAV_DOCUMENTS.en).first
        ).to_be_visible()
        for title in HIDDEN:
            name = title.ja if language == "ja" else title.en
            expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    with installation.client("ben") as ben:
        for path in ("system", "doctor", "keys", "users", "audit", "capacity", "capacity/plan", "releases"):
            refused = ben.get(f"/admin/{path}")
            assert (refused.status_code, refused.json()["code"]) == (403, "access_denied"), path
        made = ben.post("/admin/keys", json={"name": "mine", "scopes": ["ask"]})
        assert made.status_code == 403
    page = installation.open(open_page, "system", "ben")  # an address typed by hand leads to what they may see
    expect(page.locator('.stApp[data-test-script-state="notRunning"]')).to_be_attached()
    expect(page.get_by_role("link", name=frame.NAV_DOCUMENTS.ja).first).to_be_visible()
    assert installation.release_id not in page.content()
