"""Encryption, the allow list, silence, and a reload while answers are on their way. A real nginx."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from assistant.host.certificate import make_certificate
from tests.compose.conftest import running_door
from tests.compose.door import Door, basic
from tests.compose.native_stack import NOBODY

SILENCE_SECONDS = 3


@pytest.fixture(scope="module")
def quick_door(open_door: Callable[..., Door]) -> Door:
    """A door that waits three seconds for a word of the services instead of 300."""
    return open_door({"NGINX_READ_SECONDS": str(SILENCE_SECONDS)})


def events(door: Door, seconds: float, found: list[str]) -> None:
    """All lines of a steady stream of so many seconds."""
    address = f"{door.url}/api/steady?seconds={seconds}"
    with httpx.stream("POST", address, headers=basic("aiko"), trust_env=False, timeout=60) as answer:
        for line in answer.iter_lines():
            if line:
                found.append(line)


def assert_whole(found: list[str]) -> None:
    """Every event once and in order, then the last."""
    assert found == [*(f"data: {number}" for number in range(len(found) - 1)), "data: last"]


# ---- silence


@pytest.mark.slow
def test_an_answer_that_goes_on_outlives_the_longest_silence(quick_door: Door) -> None:
    found: list[str] = []
    events(quick_door, 2.5 * SILENCE_SECONDS, found)
    assert found[-1] == "data: last"


@pytest.mark.slow
def test_a_service_that_says_nothing_is_a_504_problem_and_no_error_line_quotes_the_request(quick_door: Door) -> None:
    address = f"/api/silent?seconds={SILENCE_SECONDS + 30}&query=secret-words"
    answer = quick_door.get(address, **basic("aiko"), **{"Accept-Language": "ja"})
    assert answer.status_code == 504
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "時間内" in answer.json()["detail"]
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
    assert "secret-words" not in quick_door.log()


@pytest.mark.long
@pytest.mark.timeout(500)
def test_a_stream_of_more_than_300_seconds_arrives_whole_even_with_a_reload_in_the_middle(
    open_door: Callable[..., Door],
) -> None:
    door = open_door()
    found: list[str] = []
    reader = threading.Thread(target=events, args=(door, 305, found))
    reader.start()
    time.sleep(20)
    assert door.reload().returncode == 0
    reader.join()
    assert_whole(found)


# ---- reload


@pytest.mark.slow
def test_a_reload_lets_streams_and_sockets_end_by_themselves_and_takes_new_settings_for_new_requests(
    open_door: Callable[..., Door],
) -> None:
    door = open_door()
    found: list[str] = []
    reader = threading.Thread(target=events, args=(door, 4, found))
    with connect(
        door.url.replace("http:", "ws:") + "/_stcore/stream", additional_headers=basic("aiko"), proxy=None
    ) as screen:
        screen.recv(timeout=20)
        reader.start()
        while len(found) < 3:
            time.sleep(0.02)
        done = door.reload(NGINX_ALLOW="10.0.0.0/8")
        assert done.returncode == 0, done.stderr
        deadline = time.monotonic() + 100
        while door.get("/api/x", **basic("aiko")).status_code != 403:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        screen.send("still here")
        assert screen.recv(timeout=20) == "still here"
    reader.join(timeout=60)
    assert_whole(found)
    refused = door.get("/api/x", **basic("aiko"))
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert door.reload().returncode == 0


def test_settings_that_nginx_does_not_accept_leave_the_running_ones_in_place(quick_door: Door) -> None:
    for changes in ({"NGINX_ASK_RATE": "often"}, {"NGINX_ALLOW": "nowhere"}, {"ASSISTANT_PROXY_SECRET": "short"}):
        done = quick_door.reload(**changes)
        assert done.returncode == 1, changes
        assert quick_door.get("/api/x", **basic("aiko")).status_code == 200


# ---- encryption


@pytest.fixture(scope="module")
def tls_door(tmp_path_factory: pytest.TempPathFactory, open_folder: Path) -> Iterator[Door]:
    """A door that is published to others, with a certificate of `assistant certificate`."""
    folder = open_folder / "encrypted"
    folder.mkdir()
    for name in ("nginx", "var"):
        (folder / name).mkdir()
    (folder / "nginx").rmdir()
    (folder / "nginx").symlink_to(open_folder / "nginx")
    (folder / "var" / "htpasswd").write_bytes((open_folder / "var" / "htpasswd").read_bytes())
    made = make_certificate(folder / "var" / "tls", ["door.example", "127.0.0.1"], days=30)
    if os.geteuid() == 0:
        os.chown(made.key, NOBODY, NOBODY)
    with running_door(folder, {"NGINX_PUBLISHED": "0.0.0.0"}) as opened:
        yield opened


def tls_client(door: Door, **options: object) -> httpx.Client:
    """A client that trusts the certificate; the door's address is another loopback one than the certificate names."""
    context = ssl.create_default_context(cafile=str(door.certificate))
    context.check_hostname = False
    for name, value in options.items():
        setattr(context, name, value)
    return httpx.Client(base_url=door.url, verify=context, trust_env=False, timeout=20, headers=basic("aiko"))


def test_with_a_certificate_everything_is_encrypted_and_browsers_are_told_to_keep_to_it(tls_door: Door) -> None:
    with tls_client(tls_door) as client:
        answer = client.get("/api/x")
        assert answer.status_code == 200
        assert answer.headers.get_list("Strict-Transport-Security") == ["max-age=31536000"]
        assert dict(answer.json()["headers"])["x-forwarded-proto"] == "https"
    plain = httpx.get(tls_door.url.replace("https:", "http:") + "/page?x=1", trust_env=False)
    assert (plain.status_code, plain.headers["Location"]) == (308, f"{tls_door.url}/page?x=1")


def test_a_name_that_the_certificate_does_not_hold_is_noticed_and_its_own_are_right(tls_door: Door) -> None:
    context = ssl.create_default_context(cafile=str(tls_door.certificate))
    host, port = tls_door.url.removeprefix("https://").split(":")
    for name, is_right in (("door.example", True), ("127.0.0.1", True), ("other.example", False)):
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            if is_right:
                with context.wrap_socket(connection, server_hostname=name) as wrapped:
                    assert wrapped.version() in {"TLSv1.2", "TLSv1.3"}
            else:
                with pytest.raises(ssl.SSLCertVerificationError):
                    context.wrap_socket(connection, server_hostname=name)


def test_browsers_are_offered_http2_and_outdated_encryption_is_refused(tls_door: Door) -> None:
    context = ssl.create_default_context(cafile=str(tls_door.certificate))
    context.check_hostname = False
    context.set_alpn_protocols(["h2", "http/1.1"])
    host, port = tls_door.url.removeprefix("https://").split(":")
    with (
        socket.create_connection((host, int(port)), timeout=20) as connection,
        context.wrap_socket(connection, server_hostname=host) as wrapped,
    ):
        assert wrapped.selected_alpn_protocol() == "h2"
    with tls_client(tls_door, maximum_version=ssl.TLSVersion.TLSv1_2) as client:
        assert client.get("/healthz").status_code == 200


def test_a_key_that_nginx_may_not_read_is_said_with_what_to_do(tls_door: Door, open_folder: Path) -> None:
    unreadable = open_folder / "unreadable"
    unreadable.mkdir()
    (unreadable / "certificate.pem").write_text("x")
    done = tls_door.reload(NGINX_TLS_FOLDER=str(unreadable))
    assert done.returncode == 1
    assert "chown 101 key.pem" in done.stderr
    with tls_client(tls_door) as client:
        assert client.get("/api/x").status_code == 200
