"""Requests that no honest client sends: smuggled, forged, huge, slow, old or from another site's page. A real nginx."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.compose.compose_file import SECRET
from tests.compose.door import Door, basic

KEY = {"Authorization": "Bearer ca_key"}
AIKO = f"Authorization: {basic('aiko')['Authorization']}".encode()
SENDER_SECONDS = 2
SLOW_CONNECTIONS = 150


def head(*lines: bytes, target: bytes = b"/api/x", method: bytes = b"GET") -> bytes:
    """A request of exactly these header lines; nginx closes after it."""
    return b"\r\n".join([method + b" " + target + b" HTTP/1.1", b"Host: h", b"Connection: close", *lines, b"", b""])


def status_of(answer: bytes) -> int:
    """The status of the first answer; 0 for a connection that was closed without one."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def headers_behind(answer: bytes) -> dict[str, str]:
    """What the server behind nginx saw."""
    body = answer.split(b"\r\n\r\n", 1)[1]
    seen = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])["headers"]
    assert len({name for name, _ in seen}) == len(seen), "a header that arrives twice can be read as either"
    return dict(seen)


def asked_paths(door: Door) -> list[str]:
    """Every path that reached the API so far."""
    found: list[str] = door.get("/api/paths", **basic("aiko")).json()
    return found


def assert_undisturbed(door: Door) -> None:
    """Somebody else is served as if nothing had been."""
    assert door.get("/api/undisturbed", **basic("aiko")).status_code == 200


# ---- smuggling

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\nX-Forwarded-User: chie\r\n\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 4", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 4"],
        [b"Content-Length: 4", b"Content-Length: %d" % len(SMUGGLED)],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"],
        [b"Transfer-Encoding: xchunked"],
        [b"Transfer-Encoding: chunked, identity"],
        [b"Transfer-Encoding : chunked"],
        [b"Content-Length: +4"],
        [b"Content-Length: 4, 4"],
        [b"Content-Length: -1"],
        [b"Content-Length: 0x4"],
    ],
)
def test_a_request_whose_end_can_be_read_in_two_ways_brings_no_second_one_in(door: Door, lines: list[bytes]) -> None:
    body = b"0\r\n\r\n" + SMUGGLED
    answer = door.raw(head(AIKO, *lines, method=b"POST", target=b"/api/ask") + body)
    assert status_of(answer) in {0, 200, 400, 501}
    assert answer.count(b"HTTP/1.1 ") <= 1, "one request, one answer"
    assert not [path for path in asked_paths(door) if "smuggled" in path]
    assert_undisturbed(door)


@pytest.mark.parametrize(
    "line",
    [
        b"x-fOrWaRdEd-UsEr: chie",
        b"X_Forwarded_User: chie",
        b"X-Forwarded_User: chie",
        b"X-Forwarded-User : chie",
        b"X-Forwarded-User\t: chie",
        b" X-Forwarded-User: chie",
        b"X-Other: a\r\n X-Forwarded-User: chie",
        b"X-Forwarded-User: chie\r\nX-Forwarded-User: chie",
        b"X-Other: a\nX-Forwarded-User: chie",
        b"X-Forwarded-User:\r\n chie",
        b"X.Forwarded.User: chie",
        b"X-Sign-In: chie",
        b"Connection: X-Forwarded-User, X-Proxy-Secret\r\nX-Forwarded-User: chie",
        b"Upgrade: websocket\r\nConnection: close, X-Proxy-Secret\r\nX-Forwarded-User: chie",
    ],
)
@pytest.mark.parametrize("target", [b"/api/x", b"/v1/x", b"/mcp", b"/static/x", b"/page"])
def test_no_spelling_of_a_header_names_another_person(door: Door, line: bytes, target: bytes) -> None:
    credentials = b"Authorization: Bearer ca_key" if target in {b"/v1/x", b"/mcp"} else AIKO
    answer = door.raw(head(credentials, line, target=target))
    if status_of(answer) == 200:
        headers = headers_behind(answer)
        assert headers.get("x-forwarded-user") == ("aiko" if target in {b"/api/x", b"/page"} else None)
        assert headers["x-proxy-secret"] == SECRET
        assert "chie" not in [value for name, value in headers.items() if name != "x-other"]
    else:
        assert status_of(answer) == 400


@pytest.mark.parametrize("forged", [b"X-Forwarded-User: a\0b", b"X-Forwarded-User: a\rb", b"X: \x01", b"\0: x", b": x"])
def test_control_characters_in_headers_reach_nobody(door: Door, forged: bytes) -> None:
    answer = door.raw(head(AIKO, forged))
    if status_of(answer) == 200:
        assert headers_behind(answer)["x-forwarded-user"] == "aiko"
    else:
        assert status_of(answer) in {0, 400}


def test_an_upgrade_to_plain_http2_opens_no_tunnel_past_the_rules(door: Door) -> None:
    lines = [b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABkAAQAAP__"]
    request = b"\r\n".join([b"GET /api/x HTTP/1.1", b"Host: h", AIKO, *lines, b"", b""])
    host, _, port = door.url.rpartition("//")[2].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while not (b'"body_bytes"' in answer and answer.rstrip().endswith(b"}")):
            piece = connection.recv(65536)
            assert piece, answer
            answer += piece
    assert status_of(answer) == 200
    assert "upgrade" not in headers_behind(answer)


def test_a_forged_name_reaches_no_websocket_of_the_screen(door: Door) -> None:
    address = door.url.replace("http:", "ws:") + "/_stcore/stream"
    for forged in (
        [("X-Forwarded-User", "chie"), ("x-forwarded-user", "chie")],
        [("X_Forwarded_User", "chie"), ("Remote-User", "chie")],
        [("X-Sign-In", "chie"), ("Connection", "X-Forwarded-User")],
    ):
        with connect(address, additional_headers=[*basic("aiko").items(), *forged], proxy=None) as opened:
            headers = json.loads(opened.recv(timeout=20))["headers"]
        assert [value for name, value in headers if name == "x-forwarded-user"] == ["aiko"]
        assert "chie" not in [value for _, value in headers]


def test_the_cookie_that_signs_in_reaches_no_service_and_others_do(door: Door) -> None:
    for given, passed in (
        ("a=1; __Host-assistant=secret; b=2", "a=1; b=2"),
        ("__Host-assistant=secret", None),
        ("__Host-assistant=secret; b=2", "; b=2"),
        ("a=1; x__Host-assistant=kept", "a=1; x__Host-assistant=kept"),
    ):
        assert door.get("/api/x", **basic("aiko"), Cookie=given).json()["headers"] is not None
        headers = dict(door.get("/page", **basic("aiko"), Cookie=given).json()["headers"])
        assert headers.get("cookie") == passed


# ---- another site's page


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://h.evil.example", "https://h@evil.example"])
def test_a_page_of_another_site_cannot_act_in_a_persons_name(door: Door, origin: str) -> None:
    for method in ("POST", "DELETE", "PATCH", "PUT"):
        headers = {**basic("aiko"), "Origin": origin}
        refused = httpx.request(method, f"{door.url}/api/act", headers=headers, trust_env=False)
        assert refused.status_code == 403
        assert refused.headers["Content-Type"] == "application/problem+json"
    address = door.url.replace("http:", "ws:") + "/_stcore/stream"
    with (
        pytest.raises(InvalidStatus) as closed,
        connect(address, additional_headers=basic("aiko"), origin=Origin(origin), proxy=None),
    ):
        pass
    assert closed.value.response.status_code == 403
    assert "/act" not in asked_paths(door)


def test_the_products_own_page_and_apps_with_a_key_may_act(door: Door) -> None:
    host = door.url.partition("//")[2]
    for origin, credentials in (
        (f"http://{host}", basic("aiko")),
        (f"https://{host}", basic("aiko")),
        ("app://desktop", KEY),
    ):
        headers = {**credentials, "Origin": origin}
        assert httpx.post(f"{door.url}/api/own-act", headers=headers, trust_env=False).status_code == 200


# ---- too much, too slow, too old


def test_a_body_of_fifty_megabytes_is_refused_before_it_is_sent(door: Door) -> None:
    for size in (b"Content-Length: 52428800", b"Transfer-Encoding: chunked"):
        piece = b"x" * 65536
        start = head(AIKO, size, method=b"POST", target=b"/api/large")
        body = piece if size.startswith(b"Content") else b"".join(b"10000\r\n" + piece + b"\r\n" for _ in range(40))
        assert status_of(door.raw(start + body)) == 413
    assert "/large" not in asked_paths(door)
    assert_undisturbed(door)


@pytest.mark.parametrize(
    "request_bytes",
    [
        head(AIKO, *[b"X-%d: x" % number for number in range(10_000)]),
        head(AIKO, b"X-Long: " + b"x" * 100_000),
        head(AIKO, b"Cookie: " + b"a=b; " * 20_000),
        head(AIKO, target=b"/api/" + b"x" * 100_000),
    ],
    ids=["headers", "header", "cookie", "address"],
)
def test_ten_thousand_headers_and_endless_ones_are_a_problem_of_the_sender_alone(
    door: Door, request_bytes: bytes
) -> None:
    answer = door.raw(request_bytes)
    assert status_of(answer) in {0, 400}
    if answer:
        assert b"application/problem+json" in answer
    assert_undisturbed(door)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /api/old HTTP/1.0\r\nHost: h\r\n" + AIKO + b"\r\n\r\n",
        b"GET /v1/old HTTP/1.0\r\nAuthorization: Bearer ca_key\r\n\r\n",
        b"POST /api/old HTTP/1.0\r\nContent-Length: 2\r\n" + AIKO + b"\r\n\r\n{}",
    ],
)
def test_http_1_0_is_refused_as_a_problem(door: Door, request_bytes: bytes) -> None:
    answer = door.raw(request_bytes)
    assert status_of(answer) == 505
    assert b"application/problem+json" in answer
    assert "/old" not in asked_paths(door)


@pytest.mark.parametrize(
    "request_bytes",
    [b"GET /api/old\r\n", b"", b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET"],
)
def test_what_is_no_request_reaches_nobody(open_door_once: Door, request_bytes: bytes) -> None:
    answer = open_door_once.raw(request_bytes + b"\r\n\r\n")
    assert status_of(answer) in {0, 400}
    assert_undisturbed(open_door_once)


@pytest.fixture(scope="module")
def open_door_once(open_door: Callable[..., Door]) -> Door:
    """A door that lets slow senders go after two seconds, so that a test need not wait for fifteen."""
    return open_door({"NGINX_CLIENT_SECONDS": str(SENDER_SECONDS)}, PUBLISH_ASK_RATE="6r/m")


@contextlib.contextmanager
def many_connections(door: Door, start: bytes) -> Iterator[list[socket.socket]]:
    """Connections that have sent this much and no more."""
    host, _, port = door.url.rpartition("//")[2].rpartition(":")
    with contextlib.ExitStack() as opened:
        found = []
        for _ in range(SLOW_CONNECTIONS):
            found.append(opened.enter_context(socket.create_connection((host, int(port)), timeout=60)))
            found[-1].sendall(start)
        yield found


@pytest.mark.parametrize(
    "start",
    [
        b"GET /api/slow HTTP/1.1\r\nHost: h\r\nX-Slow: ",
        b"POST /api/slow HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n" + AIKO + b"\r\n\r\nx",
    ],
    ids=["headers", "body"],
)
def test_senders_that_never_finish_are_let_go_and_hold_nobody_up(open_door_once: Door, start: bytes) -> None:
    with many_connections(open_door_once, start) as connections:
        for _ in range(5):
            assert_undisturbed(open_door_once)
        for connection in connections:
            with contextlib.suppress(ConnectionResetError):
                while connection.recv(65536):  # ends when nginx closes; a time-out of 60 s would fail
                    pass
    assert "/slow" not in asked_paths(open_door_once)


# ---- limits


def ask_codes(door: Door, count: int, path: str, headers: dict[str, str]) -> list[int]:
    """Statuses of so many questions in a row."""
    with httpx.Client(base_url=door.url, headers=headers, trust_env=False, timeout=20) as client:
        return [client.post(path, json={}).status_code for _ in range(count)]


def test_each_key_has_its_own_limit_and_a_page_has_none(open_door_once: Door) -> None:
    door = open_door_once
    busy = {"Authorization": "Bearer ca_busy"}
    codes = ask_codes(door, 30, "/v1/chat/completions", busy)
    assert codes[:20] == [200] * 20
    assert 429 in codes[20:]
    assert set(codes) == {200, 429}
    refused = httpx.post(f"{door.url}/v1/chat/completions", headers={**busy, "Accept-Language": "ja"}, trust_env=False)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "2"
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert "質問が多すぎます" in refused.json()["detail"]
    assert ask_codes(door, 3, "/v1/chat/completions", {"Authorization": "Bearer ca_other"}) == [200] * 3
    assert ask_codes(door, 3, "/api/ask", basic("aiko")) == [200] * 3
    with httpx.Client(base_url=door.url, headers=basic("aiko"), trust_env=False) as client:
        page = [client.get(f"/page/{number}").status_code for number in range(120)]
    assert page == [200] * 120, "a page of Streamlit is 81 requests at once"


def test_wrong_passwords_in_a_persons_name_do_not_lock_out_her_keys_or_her_screen(open_door_once: Door) -> None:
    codes = ask_codes(open_door_once, 40, "/api/ask", basic("aiko", "wrong"))
    assert set(codes) == {401, 429}
    assert open_door_once.get("/page", **basic("aiko")).status_code == 200
    assert ask_codes(open_door_once, 1, "/api/ask", {"Authorization": "Bearer ca_aiko"}) == [200]


def test_one_who_tries_key_after_key_is_stopped_by_address(open_door_once: Door) -> None:
    with httpx.Client(base_url=open_door_once.url, trust_env=False) as client:
        begun = time.monotonic()
        codes = [
            client.post("/v1/x", headers={"Authorization": f"Bearer ca_{number}"}).status_code for number in range(600)
        ]
        allowed = 201 + 50 * (time.monotonic() - begun) + 1
    assert codes.count(200) <= allowed
    assert set(codes) <= {200, 429}


def test_tls_is_never_spoken_where_there_is_no_certificate(door: Door) -> None:
    host, _, port = door.url.rpartition("//")[2].rpartition(":")
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, int(port)), timeout=20) as connection,
        pytest.raises(ssl.SSLError),
        context.wrap_socket(connection, server_hostname=host),
    ):
        pass
