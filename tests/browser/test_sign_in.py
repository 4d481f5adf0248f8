"""Signing in by OpenID Connect in a real browser: Chromium, nginx with TLS, API, screen, and a real identity provider."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import update

from assistant.adapters.ledger import Ledger, schema
from assistant.host.certificate import make_certificate
from assistant.people import User
from assistant.settings import Settings, SignIn
from assistant.users_file import sync_users
from tests.api.canned import CannedAssistant, RunningServer
from tests.compose.compose_file import PROJECT, SECRET, load_config
from tests.compose.door import Door, write_passwords
from tests.compose.native_stack import NOBODY, NativeStack
from tests.stubs.api.process import free_port, running
from tests.stubs.oidc_provider import running_oidc_provider
from ui.words import frame

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
PATIENCE_MS = 60_000
CLIENT = {"client_id": "company-assistant", "client_secret": "the-providers-own-secret-0123456789"}
AIKO = "aiko@example.com"


@dataclass(frozen=True)
class Installation:
    """What runs: `url` is what people type."""

    url: str
    ledger: Ledger
    door: Door


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """nginx, API, screen and provider, signing people in."""
    with tempfile.TemporaryDirectory(prefix="sign-in-") as name, ExitStack() as opened:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copytree(PROJECT / "nginx", folder / "nginx")
        write_passwords(folder / "var" / "htpasswd")
        made = make_certificate(folder / "var" / "tls", ["127.0.0.1"], days=2)
        if os.geteuid() == 0:
            os.chown(made.key, NOBODY, NOBODY)
        stack = NativeStack(load_config(folder, PUBLISH_SIGN_IN="oidc"), folder)
        opened.callback(stack.stop_all)
        url = f"https://{stack.addresses['nginx']}:8080"
        provider = folder / "provider"
        provider.mkdir()
        issuer = opened.enter_context(running_oidc_provider(provider, **CLIENT, public_url=url))
        ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
        opened.callback(ledger.close)
        sign_in = SignIn(issuer=issuer, **CLIENT, public_url=url, scopes="openid email groups", groups_claim="groups")
        settings = Settings(_env_file=None, proxy_secret=SECRET, sign_in=sign_in)  # type: ignore[call-arg]
        api = opened.enter_context(RunningServer(settings, CannedAssistant(ledger)))
        screen = f"127.0.0.1:{free_port()}"
        environment = {
            "ASSISTANT_API_URL": api.url,
            "ASSISTANT_UI_HOST": "127.0.0.1",
            "ASSISTANT_UI_PORT": screen.split(":")[1],
            "ASSISTANT_PROXY_SECRET": SECRET,
        }
        opened.enter_context(
            running(["-m", "ui"], ready_url=f"http://{screen}/_stcore/health", environment=environment)
        )
        stack.added["nginx"] = {"NGINX_API": api.url.removeprefix("http://"), "NGINX_UI": screen}
        stack.start("nginx")
        stack.wait_until_healthy("nginx", seconds=30)
        yield Installation(url, ledger, Door(stack, url, made.certificate))


@pytest.fixture
def person(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that trusts the certificate."""
    expect.set_options(timeout=PATIENCE_MS)
    context = browser.new_context(locale="ja-JP", ignore_https_errors=True)
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


def type_password(page: Page, user: str) -> None:
    """At the provider: name, any password, and what the application may know."""
    page.fill("input[name=login]", user)
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    page.click("button[type=submit]")


def signed_in(person: BrowserContext, installation: Installation, path: str = "/") -> Page:
    """A tab in which Aiko has signed in."""
    page = person.new_page()
    page.goto(installation.url + path)
    type_password(page, "aiko")
    expect(page.get_by_text(frame.SIGNED_IN_AS.ja.format(user=AIKO))).to_be_visible()
    return page


def cookie_of(person: BrowserContext) -> dict[str, object]:
    """The cookie that signs in."""
    (found,) = [cookie for cookie in person.cookies() if cookie["name"] == "__Host-assistant"]
    return dict(found)


def test_a_person_signs_in_at_the_provider_asks_and_signs_out_everywhere(
    person: BrowserContext, installation: Installation
) -> None:
    page = signed_in(person, installation, "/documents")
    assert page.url == f"{installation.url}/documents"
    expect(page.locator("html")).to_have_attribute("lang", "ja")  # a script, which nginx's policy must let run
    cookie = cookie_of(person)
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"], cookie["path"]) == (True, True, "Lax", "/")
    assert installation.ledger.groups_of(AIKO) == {"人事部", "board", "everyone"}
    other = person.new_page()
    other.goto(installation.url)
    ask(other)
    expect(other.locator(".ca-answer")).to_contain_text("3営業日前")
    page.get_by_text(frame.SIGN_OUT.ja).click()
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page.get_by_text("サインアウトしました")).to_be_visible()
    assert not [found for found in person.cookies() if found["name"] == "__Host-assistant"]
    ask(other)  # a tab that was open, with its WebSocket
    expect(other.get_by_role("alert")).to_contain_text("サインインは終わっています")
    other.reload()
    expect(other.locator("input[name=login]")).to_be_visible()


def ask(page: Page) -> None:
    """A question at the screen."""
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill("有給休暇はいつまでに申請しますか?")
    box.press("Enter")


def test_a_sign_in_that_is_over_is_renewed_at_the_provider_and_a_disabled_user_stays_out(
    person: BrowserContext, installation: Installation
) -> None:
    page = signed_in(person, installation)
    before = cookie_of(person)["value"]
    over(installation.ledger)
    page.reload()
    expect(page.get_by_text(frame.SIGNED_IN_AS.ja.format(user=AIKO))).to_be_visible()
    assert cookie_of(person)["value"] != before
    sync_users(installation.ledger, [User(AIKO, is_disabled=True)], by="cli")
    page.reload()
    expect(page.get_by_text("今は使えません")).to_be_visible()
    sync_users(installation.ledger, [User(AIKO)], by="cli")


def over(ledger: Ledger) -> None:
    """As if hours had gone by."""
    with ledger._writing() as connection:  # the ledger itself never shortens a sign-in
        connection.execute(update(schema.sign_ins).values(ends_at="2026-01-01T00:00:00.000+00:00"))


def test_without_a_sign_in_apps_and_websockets_get_401_and_never_a_page(installation: Installation) -> None:
    def get(address: str, **headers: str) -> httpx.Response:
        return httpx.get(address, headers=headers, verify=False, trust_env=False, timeout=20)  # noqa: S501

    for path in ("/", "/api/me", "/documents/d_1/file"):
        refused = get(installation.url + path)
        assert refused.status_code == 401
        assert refused.headers["Content-Type"] == "application/problem+json"
    page = get(installation.url + "/documents/d_1/file?x=1", Accept="text/html")
    assert (page.status_code, page.headers["Location"]) == (303, "/sign-in?next=/documents/d_1/file?x=1")
    upgrade = {"Accept": "text/html", "Upgrade": "websocket", "Connection": "Upgrade"}
    assert get(f"{installation.url}/_stcore/stream", **upgrade).status_code == 401
    key = installation.ledger.create_key("wiki")
    assert get(f"{installation.url}/api/me", Authorization=f"Bearer {key}").json()["name"] == "app:wiki"
    forged = {"X-Forwarded-User": "chie", "X-Sign-In": "x", "X-Auth-Request-User": "chie"}
    assert get(f"{installation.url}/api/me", **forged).status_code == 401
    for hidden in ("/api/sign-in/check", "/_sign_in/person"):
        assert get(installation.url + hidden).status_code in {401, 404}
