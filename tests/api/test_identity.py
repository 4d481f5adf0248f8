"""Who may enter: keys and the proxy's header, nobody at every address, ids in and out. What each kind of caller gets where is
tried by test_access.py."""

from __future__ import annotations

import re

import httpx
import pytest

from api.access import TABLE
from api.deps import ADMINISTRATORS, OPEN_PATHS
from assistant.adapters.ledger import Ledger
from assistant.wire import MeOut
from tests.api.canned import PROXY_SECRET, RunningServer
from tests.api.conftest import StartServer

ADDRESSES = [
    *(
        (method, re.sub(r"\{\w+\}", "x_1", path))
        for (method, path), access in TABLE.items()
        if access.scopes is not None
    ),
    ("GET", "/nowhere"),
]
"""Every address that is not open, and one that is not there."""
NOBODY = [
    {},
    {"X-Forwarded-User": "ben"},
    {"X-Forwarded-User": "ben", "X-Proxy-Secret": "wrong"},
    {"X-Forwarded-User": "ben", "X-Proxy-Secret": ""},
    {"X-Forwarded-User": "", "X-Proxy-Secret": PROXY_SECRET},
    {"X-Forwarded-User": "be\tn", "X-Proxy-Secret": PROXY_SECRET},
    {"X-Forwarded-User": "b" * 129, "X-Proxy-Secret": PROXY_SECRET},
    {"X-Forwarded-Email": "ben", "X-Proxy-Secret": PROXY_SECRET},
    {"Authorization": "Bearer ca_unknown"},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer " + "k" * 600},
    {"Authorization": "Basic YmVuOmJlbg=="},
    {"X-API-Key": "KEY"},
    {"Authorization": "Bearer ca_unknown", "X-Forwarded-User": "ben", "X-Proxy-Secret": PROXY_SECRET},
]


@pytest.fixture
def key(ledger: Ledger) -> str:
    """A key that may ask and read documents."""
    return ledger.create_key("wiki", groups=["人事部"])


def test_open_addresses_need_no_identity(server: RunningServer) -> None:
    for address in sorted(OPEN_PATHS):
        assert httpx.get(server.url + address, trust_env=False).status_code == 200, address


def test_nobody_gets_one_and_the_same_401_everywhere(server: RunningServer, key: str) -> None:
    bodies = [b"", b"{", b'{"question": "leave"}', b"x" * 2_000_000]
    with httpx.Client(base_url=server.url, trust_env=False, headers={"X-Request-Id": "one"}) as client:
        for method, address in ADDRESSES:
            expected = None
            for headers in NOBODY:
                given = {name: value.replace("KEY", key) for name, value in headers.items()}
                for body in bodies if address == "/ask" else bodies[-2:-1]:
                    response = client.request(method, address, headers=given, content=body)
                    seen = (response.status_code, response.headers["www-authenticate"], response.text)
                    expected = expected or seen
                    assert seen == expected, (method, address, headers)
            assert expected is not None
            assert expected[0] == 401
    assert server.assistant.questions == []


def test_without_a_secret_no_header_is_ever_believed(start_server: StartServer) -> None:
    server = start_server(proxy_secret="")
    for secret in ("", "x"):
        headers = {"X-Forwarded-User": "ben", "X-Proxy-Secret": secret}
        assert httpx.get(server.url + "/me", headers=headers, trust_env=False).status_code == 401


def test_two_user_headers_are_believed_as_little_as_none(server: RunningServer) -> None:
    headers = [("X-Forwarded-User", "chie"), ("X-Forwarded-User", "ben"), ("X-Proxy-Secret", PROXY_SECRET)]
    assert httpx.get(server.url + "/me", headers=headers, trust_env=False).status_code == 401


def test_a_user_the_proxy_vouches_for_is_known_with_groups(server: RunningServer, ledger: Ledger) -> None:
    for name in ("ben", "鈴木 太郎", "ben@example.co.jp"):
        ledger.set_groups(name, ["人事部"])
        headers = {"X-Forwarded-User": name.encode(), "X-Proxy-Secret": PROXY_SECRET.encode()}
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            response = client.get("/me", headers=headers)
        me = MeOut.model_validate(response.json())
        assert me == MeOut(name=name, groups=["everyone", "人事部"], scopes=["ask", "documents"], via="proxy")


def test_a_key_is_known_with_its_groups_and_scopes(server: RunningServer, key: str) -> None:
    for scheme in ("Bearer", "bearer"):
        with server.client(user=None, Authorization=f"{scheme} {key}") as client:
            me = client.get("/me").json()
        assert me == {
            "name": "app:wiki",
            "groups": ["everyone", "人事部"],
            "scopes": ["ask", "documents"],
            "via": "key",
        }


def test_a_key_decides_alone_whatever_user_is_named_beside_it(server: RunningServer, key: str) -> None:
    with server.client(user="chie", Authorization=f"Bearer {key}") as client:
        assert client.get("/me").json()["name"] == "app:wiki"


def test_a_revoked_key_is_unknown_at_once(server: RunningServer, ledger: Ledger, key: str) -> None:
    with server.client(user=None, Authorization=f"Bearer {key}") as client:
        assert client.get("/me").status_code == 200
        ledger.revoke_key("wiki")
        assert client.get("/me").status_code == 401


def test_administrators_may_also_ingest(server: RunningServer, ledger: Ledger) -> None:
    ledger.set_groups("chie", [ADMINISTRATORS])
    with server.client(user="chie") as chie, server.client(user="ben") as ben:
        assert chie.get("/me").json()["scopes"] == ["admin", "ask", "documents", "ingest"]
        assert chie.get("/jobs").status_code == 200
        refused = ben.get("/jobs", headers={"Accept-Language": "en"})
    assert refused.status_code == 403
    assert "ingest / admin" in refused.json()["detail"]


def test_a_good_request_id_is_kept_and_a_doubtful_one_replaced(server: RunningServer) -> None:
    with server.client() as client:
        for good in ("7c9e6679f3b94a0e8d1c5b2a4f6e8d90", "a", "A-b_c.9"):
            assert client.get("/me", headers={"X-Request-Id": good}).headers["x-request-id"] == good
        for doubtful in ("", "a b", "x" * 65, "é", '"}', "a\tb", "<script>"):
            answer = client.get("/me", headers=[(b"X-Request-Id", doubtful.encode())])
            assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"]), doubtful


def test_no_foreign_origin_is_ever_allowed(server: RunningServer) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    with server.client(**headers) as client:
        for method, address in [*ADDRESSES, ("GET", "/healthz")]:
            for asked in (method, "OPTIONS"):
                response = client.request(asked, address)
                assert not [name for name in response.headers if name.startswith("access-control")]
