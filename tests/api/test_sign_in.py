"""Signing in by OpenID Connect: whom a provider's answer lets in, what the cookie is worth, and what ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from itsdangerous import TimestampSigner

from api.openid import Attempts, OpenIdProvider
from api.routes.sign_in import ATTEMPT_COOKIE, COOKIE, safe_path
from assistant.adapters.ledger import Ledger
from assistant.errors import SettingsError
from assistant.people import User
from assistant.settings import SignIn
from assistant.users_file import sync_users
from tests.api.canned import FOREVER, FOUND, PROXY_SECRET, RunningServer, asking
from tests.api.conftest import StartServer
from tests.stubs.openid_provider import CLIENT_ID, CLIENT_SECRET, StubProvider, running_provider

PUBLIC = "https://assistant.example"


@pytest.fixture(scope="module")
def running() -> Iterator[StubProvider]:
    """One provider for all tests of the file; its key takes a moment to make."""
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: StubProvider) -> StubProvider:
    """The provider, honest."""
    running.reset()
    return running


def sign_in_settings(provider: StubProvider, **changes: Any) -> SignIn:
    """The settings that fit the provider."""
    values = {"issuer": provider.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "public_url": PUBLIC}
    return SignIn(**{**values, **changes})


@dataclass
class Person:
    """A browser in front of the API as nginx hands its requests on: cookies, and where it was sent."""

    server: RunningServer
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET with the cookies; new ones are kept. httpx itself would keep Secure cookies off plain loopback."""
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        answer = httpx.get(self.server.url + path, headers={k: v for k, v in sent.items() if v}, trust_env=False)
        for line in answer.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
        return answer

    def come_back(self, next_path: str = "/") -> httpx.Response:
        """From /sign-in to the provider and back: what the callback answers."""
        sent = self.get(f"/sign-in?next={next_path}")
        assert sent.status_code == 302, sent.text
        back = httpx.get(sent.headers["location"], trust_env=False).headers["location"]
        assert back.startswith(f"{PUBLIC}/sign-in/callback?")
        return self.get(back.removeprefix(PUBLIC), Accept="text/html")


@pytest.fixture
def start(start_server: StartServer, provider: StubProvider) -> Callable[..., Person]:
    """A person in front of a server that knows the provider."""

    def started(door: dict[str, Any] | None = None, **changes: Any) -> Person:
        return Person(start_server(sign_in=sign_in_settings(provider, **changes), door=door or {}))

    return started


def test_a_person_comes_back_signed_in_where_they_wanted_to_go(
    start: Callable[..., Person], provider: StubProvider, ledger: Ledger, tmp_path: Path
) -> None:
    person = start()
    answer = person.come_back("/documents?folder=人事/&x=1".replace("人事", "%E4%BA%BA%E4%BA%8B"))
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{PUBLIC}/documents?folder=%E4%BA%BA%E4%BA%8B/&x=1"
    asked, exchanged = provider.asked[-1], provider.exchanged[-1]
    assert asked["code_challenge_method"] == "S256"
    assert asked["response_type"] == "code"
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    assert exchanged["code_verifier"]
    (line,) = [line for line in answer.headers.get_list("set-cookie") if line.startswith(f"{COOKIE}=")]
    attributes = {part.strip().lower() for part in line.split(";")[1:]}
    assert {"httponly", "secure", "path=/", "samesite=lax", "max-age=36000"} <= attributes
    assert not [part for part in attributes if part.startswith("domain")]
    assert ATTEMPT_COOKIE not in person.cookies
    checked = person.get("/sign-in/check")
    assert (checked.status_code, checked.headers["x-auth-request-user"]) == (200, "aiko@example.com")
    assert person.cookies[COOKIE] not in checked.headers["x-sign-in"]
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*"))
    assert person.cookies[COOKIE].encode() not in kept
    assert b"aiko@example.com" in kept


LIES: list[dict[str, Any]] = [
    {"nonce": "of another attempt"},
    {"nonce": None},
    {"iss": "https://other.example"},
    {"iss": None},
    {"aud": "another-client"},
    {"aud": None},
    {"exp": 1},
    {"exp": None},
    {"email": None},
    {"email": ["aiko@example.com"]},
    {"email": ""},
    {"email": "app:wiki"},
    {"email": "a\r\nX-Forwarded-User: chie"},
    {"email_verified": False},
]
FORGERIES: list[dict[str, Any]] = [{"algorithm": "none"}, {"algorithm": "HS256"}, {"signs_with_other_key": True}]


@pytest.mark.slow
def test_what_proves_nobody_signs_nobody_in(start: Callable[..., Person], provider: StubProvider) -> None:
    person = start()
    for change in [*({"claims": lie} for lie in LIES), *FORGERIES, {"without_id_token": True}]:
        provider.reset()
        for name, value in change.items():
            setattr(provider, name, value)
        answer = person.come_back()
        assert answer.status_code == 403, change
        assert "text/html" in answer.headers["content-type"]
        assert COOKIE not in person.cookies
    assert person.get("/sign-in/check").status_code == 401
    provider.reset()
    assert person.come_back().status_code == 303


def test_an_answer_to_somebody_elses_attempt_counts_for_nobody(start: Callable[..., Person]) -> None:
    person = start()
    other = Person(person.server)
    sent = person.get("/sign-in")
    other.get("/sign-in")
    back = httpx.get(sent.headers["location"], trust_env=False).headers["location"].removeprefix(PUBLIC)
    for victim in (other, Person(person.server), Person(person.server, {ATTEMPT_COOKIE: "forged.x.y"})):
        assert victim.get(back).status_code == 403
        assert COOKIE not in victim.cookies
    assert person.get(back).status_code == 303
    assert person.get("/sign-in/callback?error=access_denied&error_description=<script>").status_code == 403


def test_an_attempt_is_over_after_ten_minutes_and_cannot_be_altered(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = Attempts(PROXY_SECRET)
    written = attempts.written({"next": "/"})
    assert attempts.read(written) == {"next": "/"}
    assert Attempts("another-secret").read(written) == {}
    assert attempts.read(written[:-1]) == {}
    now = TimestampSigner("any").get_timestamp()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now + 601)
    assert attempts.read(written) == {}


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "", "/a\nb", "/x\\y", "/sign-in/out"],
)
def test_nobody_is_sent_to_another_site_afterwards(wanted: str) -> None:
    assert safe_path(wanted) == "/"
    assert safe_path("/documents?x=1") == "/documents?x=1"


def test_groups_come_from_the_claim_at_every_sign_in(
    start: Callable[..., Person], provider: StubProvider, ledger: Ledger
) -> None:
    person = start(groups_claim="groups")
    for claim, groups in ((["board", "人事部"], {"board", "人事部"}), (["board"], {"board"}), (None, set())):
        provider.claims = {"groups": claim}
        assert person.come_back().status_code == 303
        assert ledger.groups_of("aiko@example.com") == groups | {"everyone"}
    for wrong in ("board", [1], [""]):
        provider.claims = {"groups": wrong}
        assert person.come_back().status_code == 403


def test_without_a_claim_groups_stay_as_they_are(start: Callable[..., Person], ledger: Ledger) -> None:
    ledger.set_groups("aiko@example.com", ["board"])
    assert start().come_back().status_code == 303
    assert ledger.groups_of("aiko@example.com") == {"board", "everyone"}


def headers_from_nginx(person: Person) -> dict[str, str]:
    """What nginx sets for a signed-in person."""
    checked = person.get("/sign-in/check")
    return {
        "X-Forwarded-User": checked.headers["x-auth-request-user"],
        "X-Sign-In": checked.headers["x-sign-in"],
        "X-Proxy-Secret": PROXY_SECRET,
    }


def test_signing_out_ends_the_cookie_open_tabs_and_running_answers(
    start: Callable[..., Person], ledger: Ledger
) -> None:
    person = start(door={"recheck_seconds": 1})
    person.come_back()
    cookies, headers = dict(person.cookies), headers_from_nginx(person)
    server = person.server
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=30) as tab:
        assert tab.get("/me").json()["name"] == "aiko@example.com"
        out = person.get("/sign-in/out")
        assert out.status_code == 303
        end = urlsplit(out.headers["location"])
        assert end.path == "/end"
        assert parse_qs(end.query)["post_logout_redirect_uri"] == [f"{PUBLIC}/sign-in/ended"]
        assert COOKIE not in person.cookies
        assert Person(server, cookies).get("/sign-in/check").status_code == 401
        refused = tab.get("/me", headers={"Accept-Language": "en"})
        assert refused.status_code == 401
        assert "sign in again" in refused.json()["hint"]
    assert [entry.act.value for entry in ledger.audit_entries(since="", until="9999")] == ["signed_in", "signed_out"]
    assert person.get("/sign-in/ended", **{"Accept-Language": "ja"}).text.count("サインアウト") >= 1


def test_where_the_provider_cannot_be_told_the_page_says_that_somebody_is_still_signed_in_there(
    start: Callable[..., Person], provider: StubProvider
) -> None:
    person = start()
    person.come_back()
    fresh = Person(start().server, dict(person.cookies))  # has not asked the provider yet what it can do
    provider.status = 503
    out = fresh.get("/sign-in/out")
    assert out.headers["location"].startswith(f"{PUBLIC}/sign-in/ended?")
    assert Person(person.server, dict(person.cookies)).get("/sign-in/check").status_code == 401
    page = fresh.get(out.headers["location"].removeprefix(PUBLIC), **{"Accept-Language": "en"})
    assert "still signed in" in page.text
    assert "still signed in" not in fresh.get("/sign-in/ended", **{"Accept-Language": "en"}).text


def test_another_site_cannot_sign_somebody_out(start: Callable[..., Person]) -> None:
    person = start()
    person.come_back()
    assert person.get("/sign-in/out", **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert person.get("/sign-in/check").status_code == 200


def test_a_disabled_user_is_out_at_once_and_cannot_come_back(start: Callable[..., Person], ledger: Ledger) -> None:
    person = start()
    person.come_back()
    headers = headers_from_nginx(person)
    sync_users(ledger, [User("aiko@example.com", is_disabled=True)], by="cli")
    assert person.get("/sign-in/check").status_code == 401
    assert httpx.get(f"{person.server.url}/me", headers=headers, trust_env=False).status_code == 403
    assert person.come_back().status_code == 403
    assert Person(person.server).come_back().status_code == 403


def test_where_only_known_users_may_enter_a_stranger_is_refused(start: Callable[..., Person], ledger: Ledger) -> None:
    person = start(door={"known_users_only": True})
    assert person.come_back().status_code == 403
    sync_users(ledger, [User("aiko@example.com")], by="cli")
    assert person.come_back().status_code == 303


def test_a_sign_in_has_an_end_and_belongs_to_one_user(server: RunningServer, ledger: Ledger) -> None:
    assert ledger.signed_in(ledger.start_sign_in("aiko", minutes=0)) is None
    token = ledger.start_sign_in("aiko", minutes=1)
    held = ledger.signed_in(token)
    assert held is not None
    assert ledger.is_signed_in(held.sign_in_id, "aiko")
    assert not ledger.is_signed_in(held.sign_in_id, "chie")
    assert not ledger.is_signed_in(token, "aiko")
    assert ledger.signed_in(held.sign_in_id) is None, "what screen and API are told signs nobody in"
    with server.client(user="chie", **{"X-Sign-In": held.sign_in_id}) as client:
        assert client.get("/me").status_code == 401
    ledger.erase_user("aiko")
    assert ledger.signed_in(token) is None


def test_an_answer_that_runs_when_somebody_signs_out_is_ended(start_server: StartServer, ledger: Ledger) -> None:
    server = start_server(door={"recheck_seconds": 1}, course=[FOUND, FOREVER])
    token = ledger.start_sign_in("ben", minutes=5)
    held = ledger.signed_in(token)
    assert held is not None
    with server.client(user="ben", **{"X-Sign-In": held.sign_in_id}) as client, asking(client) as stream:
        assert stream.next().name == "found"
        ledger.end_sign_in(token)
        last = stream.rest()[-1]
    assert (last.name, last.data["status"]) == ("error", 403)


def test_a_provider_that_is_away_is_said_so_in_the_persons_language(
    start: Callable[..., Person], provider: StubProvider
) -> None:
    person = start()
    provider.status = 503
    away = person.get("/sign-in", Accept="text/html", **{"Accept-Language": "ja"})
    assert away.status_code == 503
    assert "応答しません" in away.text
    assert person.get("/sign-in").json()["code"] == "sign_in_unavailable"


def test_nothing_that_signs_in_is_in_the_log(start: Callable[..., Person], provider: StubProvider) -> None:
    person = start()
    person.come_back()
    provider.claims = {"nonce": "wrong"}
    Person(person.server).come_back()
    last = person.server.log(count=4)[-1]  # the line of a request is written after its answer
    log = person.server.log_text
    secrets = [person.cookies[COOKIE], CLIENT_SECRET, provider.exchanged[-1]["code"], provider.asked[-1]["state"]]
    assert not [secret for secret in secrets if secret in log]
    assert last["refused"]


@pytest.mark.parametrize(
    ("changes", "secret"),
    [({"client_id": ""}, PROXY_SECRET), ({"public_url": "http://assistant.example"}, PROXY_SECRET), ({}, "")],
)
def test_half_a_setting_is_refused_at_the_start(changes: dict[str, str], secret: str) -> None:
    settings = SignIn(**{"issuer": "https://id.example", "client_id": "a", "public_url": PUBLIC, **changes})
    with pytest.raises(SettingsError, match="is not"):
        OpenIdProvider(settings, proxy_secret=secret)
