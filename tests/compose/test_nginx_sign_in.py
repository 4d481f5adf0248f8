"""nginx asking a server at every request who it is, in oauth2-proxy's words. A real nginx, a stub of the server.

OpenID Connect by the API itself: tests/browser/test_sign_in.py.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.compose.door import Door, basic

KEY = {"Authorization": "Bearer ca_key"}
GOOD = {"Cookie": "_oauth2_proxy=good; other=1"}
PAGE = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def asking_door(open_door: Callable[..., Door]) -> Door:
    """A door that asks oauth2-proxy; the echoing screen stands in for it."""
    door = open_door(PUBLISH_SIGN_IN="oauth2-proxy", PUBLISH_OAUTH2_PROXY="ui:8501", PUBLISH_ASK_RATE="600r/m")
    assert door.stack.environment("nginx")["NGINX_SIGN_IN"] == "oauth2-proxy"
    return door


@pytest.mark.parametrize("path", ["/page", "/documents", "/documents/d_1/file", "/api/documents", "/api/ask"])
def test_whom_the_server_names_is_named_and_forged_names_are_not(asking_door: Door, path: str) -> None:
    forged = {"X-Forwarded-User": "chie", "X-Auth-Request-Email": "chie", "X-Sign-In": "chie"}
    seen = asking_door.get(path, **GOOD, **forged)
    assert seen.status_code == 200
    headers = dict(seen.json()["headers"])
    assert headers["x-forwarded-user"] == "aiko@example.com"
    assert not {"x-auth-request-email", "x-sign-in", "authorization"} & headers.keys()
    assert "chie" not in headers.values()


@pytest.mark.parametrize("path", ["/page", "/documents/d_1/file?x=1&y=2", "/api/documents"])
def test_nobody_is_told_so_and_a_browser_is_taken_to_the_sign_in(asking_door: Door, path: str) -> None:
    for headers in ({}, {"Cookie": "_oauth2_proxy=forged"}, basic("aiko")):
        refused = asking_door.get(path, **headers)
        assert refused.status_code == 401
        assert refused.headers["Content-Type"] == "application/problem+json"
        shown = asking_door.get(path, **headers, **PAGE)
        assert (shown.status_code, shown.headers["Location"]) == (303, f"/oauth2/start?rd={path}")


def test_a_websocket_is_refused_and_never_sent_elsewhere(asking_door: Door) -> None:
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", **PAGE}
    assert asking_door.get("/_stcore/stream", **upgrade).status_code == 401


def test_apps_with_keys_and_public_files_are_not_asked_about(asking_door: Door) -> None:
    for path in ("/v1/models", "/api/documents", "/api/ask"):
        headers = dict(asking_door.get(path, **KEY, Cookie="_oauth2_proxy=forged").json()["headers"])
        assert headers["authorization"] == "Bearer ca_key"
        assert "x-forwarded-user" not in headers
    assert asking_door.get("/page", **KEY).status_code == 401
    assert asking_door.get("/static/x.js").status_code == 200


def test_the_inner_questions_cannot_be_asked_from_outside(asking_door: Door) -> None:
    for path in ("/_sign_in/person", "/_sign_in/person_or_key"):
        for headers in (GOOD, KEY, {}):
            assert asking_door.get(path, **headers).status_code in {401, 404}
