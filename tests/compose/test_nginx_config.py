"""What the configuration itself proves, for each way to sign in: no location is forgotten, open or loose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.compose_file import PROJECT, SECRET
from tests.compose.nginx_config import Directive, filled_in, run_start

SIGN_INS = ["password", "oidc", "oauth2-proxy"]
BY_KEY = {"/v1/", "/mcp"}
NOBODY_SIGNED_IN = {"/static/", *BY_KEY, "/sign-in", "/oauth2/"}
HEADERS_THAT_NAME = {
    "X-Forwarded-User", "X-Sign-In", "Authorization", "X-Proxy-Secret", "Remote-User", "Remote-Name", "Remote-Email",
    "Remote-Groups", "X-Remote-User", "X-Remote-Groups", "X-User", "X-Forwarded-Email", "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token", "X-Auth-Request-User", "X-Auth-Request-Email",
    "X-Auth-Request-Groups", "X-Auth-Request-Preferred-Username", "X-Auth-Request-Access-Token", "X-Forwarded-For",
    "X-Real-IP", "Forwarded", "X-Forwarded-Prefix", "X-Original-URL", "X-Rewrite-URL", "X-Request-Id",
}  # fmt: skip
ALLOWED_VALUES = {
    "X-Forwarded-User": {"", "$signed_in"},
    "X-Sign-In": {"", "$sign_in_id"},
    "Authorization": {"", "$api_key"},
    "X-Proxy-Secret": {SECRET},
    "X-Request-Id": {"$trace_id"},
    "X-Forwarded-For": {"$remote_addr"},
    "X-Real-IP": {"$remote_addr"},
}


@pytest.fixture(scope="module", params=SIGN_INS)
def main(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Directive:
    """The configuration for one way to sign in."""
    return filled_in(tmp_path_factory.mktemp("nginx"), NGINX_SIGN_IN=request.param)


def door_of(main: Directive) -> Directive:
    """The server that others see; the other one answers health checks."""
    _, door = main.everywhere("server")
    return door


def proxied(main: Directive) -> Iterator[Directive]:
    """Locations that pass a request on."""
    for location in main.everywhere("location"):
        if location.named("proxy_pass"):
            yield location


def headers_of(location: Directive) -> dict[str, str]:
    """What a location sets for the server behind it. Fails for one that is set twice, or set from above."""
    found = [(directive.words[1], directive.words[2]) for directive in location.named("proxy_set_header")]
    assert len({name.lower() for name, _ in found}) == len(found), f"{location.words}: a header is set twice"
    return dict(found)


def test_every_location_sets_or_clears_every_header_that_could_name_a_person(main: Directive) -> None:
    locations = list(proxied(main))
    assert len(locations) >= 6
    for location in locations:
        headers = headers_of(location)
        assert headers.keys() >= HEADERS_THAT_NAME, location.words
        is_screen = location.named("proxy_pass")[0].words[1] == "http://$ui" and location.words[-1] != "/static/"
        assert (headers["Upgrade"], headers["Connection"]) == (
            ("$upgrade", "$connection_upgrade") if is_screen else ("", "")
        )
        for name in HEADERS_THAT_NAME:
            assert headers[name] in ALLOWED_VALUES.get(name, {""}), (location.words, name)


def test_nothing_above_a_location_sets_a_header_that_it_would_lose(main: Directive) -> None:
    (http,) = main.named("http")
    assert not http.named("proxy_set_header")
    assert not door_of(main).named("proxy_set_header")


def test_what_stands_for_every_location_is_closed_and_only_the_listed_ones_open_it(main: Directive) -> None:
    door = door_of(main)
    basic, asked = ([d.words[1] for d in door.named(name)] for name in ("auth_basic", "auth_request"))
    assert (basic == ["company-assistant"]) != (asked == ["/_sign_in/person"])
    opened = set()
    for location in proxied(main):
        words = {d.words[1] for name in ("auth_basic", "auth_request") for d in location.named(name)}
        is_internal = bool(location.named("internal"))
        if words == {"off"} and not is_internal:
            opened.add(location.words[-1])
            assert headers_of(location)["X-Forwarded-User"] == ""
        if headers_of(location)["X-Forwarded-User"] == "$signed_in":
            assert "off" not in words
    assert opened <= NOBODY_SIGNED_IN
    assert opened >= {"/static/", *BY_KEY}


def test_a_cookie_that_signs_in_goes_to_none_but_the_one_who_checks_it(main: Directive) -> None:
    for location in proxied(main):
        cookie = headers_of(location).get("Cookie")
        is_checker = bool(location.named("internal")) or location.words[-1] in NOBODY_SIGNED_IN - BY_KEY
        assert cookie == (None if is_checker else "$other_cookies"), location.words


def test_nothing_but_api_ui_and_the_checker_is_ever_asked_and_no_file_is_served(main: Directive) -> None:
    targets = {location.named("proxy_pass")[0].words[1].split("/")[2] for location in proxied(main)}
    assert targets <= {"$api", "$ui", "$checker"}
    values = {d.words[1]: d.words[2] for d in door_of(main).named("set")}
    assert (values["$api"], values["$ui"]) == ("api:8000", "ui:8501")
    assert values.get("$checker", "api:8000") in {"api:8000", "oauth2-proxy:4180"}
    for name in ("root", "alias", "autoindex", "try_files", "fastcgi_pass", "uwsgi_pass", "stub_status"):
        assert not list(main.everywhere(name)), name


def test_streams_are_not_held_back_and_may_be_silent_for_five_minutes(main: Directive) -> None:
    for location in proxied(main):
        said = {name: [d.words[1] for d in location.named(name)] for name in ("proxy_buffering", "proxy_read_timeout")}
        assert said == {"proxy_buffering": ["off"], "proxy_read_timeout": ["300s"]}
    assert [d.words[1] for d in main.named("worker_shutdown_timeout")] == ["1800s"], "a reload cuts no answer off"


def test_only_single_questions_are_limited_never_a_page_and_never_by_a_claimed_name(main: Directive) -> None:
    limited = {location.words[-1] for location in main.everywhere("location") if location.named("limit_req")}
    assert limited == {"/api/ask", *BY_KEY}
    (http,) = main.named("http")
    zones = [*http.named("limit_req_zone"), *http.named("limit_conn_zone")]
    assert {zone.words[1] for zone in zones} == {"$caller_key", "$key_bearer"}
    maps = {d.words[2]: {inner.words[-1] for inner in d.inner} for d in http.named("map")}
    assert maps["$caller_key"] == {"$binary_remote_addr", "$key_text"}
    assert maps["$key_bearer"] == {"", "$binary_remote_addr"}
    assert not http.named("limit_req")
    assert not door_of(main).named("limit_req")


def test_every_answer_of_a_location_has_the_security_headers(main: Directive) -> None:
    expected = {"Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy",
                "Strict-Transport-Security", "Permissions-Policy", "X-Request-Id"}  # fmt: skip
    for block in (door_of(main), *main.everywhere("location")):
        added = {d.words[1] for d in block.named("add_header")}
        assert not added or added >= expected, f"{block.words}: one of its own drops all others"
    assert {d.words[1] for d in door_of(main).named("add_header")} == expected


def test_each_refusal_of_nginx_itself_is_a_problem(main: Directive) -> None:
    door = door_of(main)
    handed_over = {code: d.words[-1] for d in door.named("error_page") for code in d.words[1:-2]}
    assert handed_over.keys() >= {"400", "401", "403", "404", "413", "414", "429", "494", "500", "502", "503", "504"}
    named = {location.words[-1]: location for location in door.named("location")}
    for code, place in handed_over.items():
        location = named[place]
        assert [d.words[1] for d in location.named("auth_request")] == ["off"]
        if code != "497":
            assert location.named("default_type")[0].words[1] == "application/problem+json"
            assert '"request_id":"$trace_id"' in location.named("return")[-1].words[2]
    assert not [place for location in proxied(main) for place in location.named("error_page")]


def test_the_log_holds_neither_query_nor_headers_and_errors_quote_no_request(main: Directive) -> None:
    (http,) = main.named("http")
    form = "".join(http.named("log_format")[0].words)
    used = set(re.findall(r"\$(\w+)", form))
    assert not used & {"request", "request_uri", "args", "query_string", "http_referer", "http_cookie", "remote_user"}
    assert not {name for name in used if name.startswith("http_")}
    assert {"trace_id", "signed_in", "upstream_status", "limit_req_status"} <= used
    assert [d.words[1:] for d in main.named("error_log")] == [["stderr", "crit"]]


# ---- starting


CERTIFICATE = {"certificate.pem": "c", "key.pem": "k"}


@pytest.mark.parametrize("published", ["0.0.0.0", "10.1.2.3", "::"])
def test_nobody_else_is_served_without_encryption_unless_something_in_front_encrypts(
    tmp_path: Path, published: str
) -> None:
    done = run_start(tmp_path, NGINX_PUBLISHED=published, NGINX_TLS_FOLDER=str(tmp_path / "tls"))
    assert done.returncode == 1
    assert "assistant certificate" in done.stderr
    assert "暗号化" in done.stderr
    behind = run_start(tmp_path, NGINX_PUBLISHED=published, NGINX_TLS="elsewhere")
    assert behind.returncode == 0, behind.stderr
    assert "without encryption" in behind.stderr


@pytest.mark.parametrize(("version", "words"), [("1.22.1", ["ssl", "http2"]), ("1.30.5", ["ssl"])])
def test_a_certificate_is_used_in_the_words_of_the_nginx_that_is_there(
    tmp_path: Path, version: str, words: list[str]
) -> None:
    (tmp_path / "tls").mkdir()
    for name, text in CERTIFICATE.items():
        (tmp_path / "tls" / name).write_text(text)
    changes = {"NGINX_PUBLISHED": "0.0.0.0", "NGINX_TLS_FOLDER": str(tmp_path / "tls")}
    run_start(tmp_path)  # writes the stand-in program
    program = tmp_path / "bin" / "nginx"
    program.write_text(program.read_text().replace("1.22.1", version))
    (tmp_path / "other").mkdir()
    main = filled_in(tmp_path / "other", **changes, PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin")
    door = door_of(main)
    assert door.named("listen")[0].words[2:] == words
    assert [d.words[1] for d in door.named("http2")] == ([] if "http2" in words else ["on"])
    assert door.named("ssl_protocols")[0].words[1:] == ["TLSv1.2", "TLSv1.3"]
    assert door.named("ssl_certificate_key")[0].words[1].endswith("/tls/key.pem")


def test_the_allow_list_closes_with_deny_all_and_odd_words_are_refused(tmp_path: Path) -> None:
    main = filled_in(tmp_path, NGINX_ALLOW="10.0.0.0/8 192.168.1.7 fd00::/8", NGINX_TRUSTED_PROXIES="10.0.0.2")
    door = door_of(main)
    assert [d.words[1] for d in door.named("allow")] == ["10.0.0.0/8", "192.168.1.7", "fd00::/8"]
    assert [d.words[1] for d in door.named("deny")] == ["all"]
    (http,) = main.named("http")
    assert http.named("set_real_ip_from")[0].words[1] == "10.0.0.2"
    for odd in ("10.0.0.0/8; allow all", "$x", "a\nb"):
        done = run_start(tmp_path, NGINX_ALLOW=odd)
        assert done.returncode == 1
        assert "NGINX_ALLOW" in done.stderr
    assert run_start(tmp_path, NGINX_SIGN_IN="ldap").returncode == 1


def test_every_file_of_the_folder_is_used_and_every_blank_is_filled(tmp_path: Path) -> None:
    used = set()
    for sign_in in SIGN_INS:
        filled_in(tmp_path, NGINX_SIGN_IN=sign_in)
        conf = tmp_path / "run" / "conf"
        used |= {path.name for path in conf.rglob("*.conf")}
        for path in conf.rglob("*.conf"):
            assert not re.search(r"(?<!the )@[A-Z_]+@", path.read_text(encoding="utf-8")), path
    given = {path.name.removesuffix(".template") for path in (PROJECT / "nginx").rglob("*.conf*")}
    assert given <= used
