"""Who asks, decided once at the door for every address that is not expressly open, and what they may do.

A forgotten route is therefore closed, not open. An API key in `Authorization: Bearer` decides alone; without one,
`X-Forwarded-User` counts only together with the proxy's secret. Nothing else in a request can name a person.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import Depends, Request
from fastapi.security.utils import get_authorization_scheme_param
from starlette.types import ASGIApp, Receive, Scope, Send

from api.edge import Edge, edge_of, log_fields
from api.errors import shutting_down
from api.limits import read_body, replaying
from api.problems import error_response
from assistant.domain import Principal
from assistant.errors import AccessDenied, AssistantError, NotAuthenticated, Text

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json"})
"""Addresses that answer without an identity; they hold no document and no question."""
SIGN_IN_PATHS = frozenset({f"/sign-in{rest}" for rest in ("", "/callback", "/check", "/out", "/ended")})
"""Where somebody becomes known; api/routes/sign_in.py."""
STREAMED = frozenset({("POST", "/uploads")})
"""Whose bodies are files: the route reads them piece by piece and has a limit of its own."""
ADMINISTRATORS = "administrators"
"""Users in this group may also ingest and administer; apps get scopes with their key."""
USER_SCOPES = frozenset({"ask", "documents"})
ALL_SCOPES = USER_SCOPES | {"ingest", "admin"}
NAME_LIMIT_CHARACTERS = 128
KEY_LIMIT_CHARACTERS = 512


class Doorkeeper:
    """ASGI middleware: nobody unknown gets in, and no body larger than the limit (files have their own)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            if scope["path"] not in OPEN_PATHS | SIGN_IN_PATHS:
                await _identify(request)
            if (scope["method"], scope["path"]) in STREAMED:
                await self._app(scope, receive, send)
                return
            messages = await read_body(receive, declared_bytes=_declared_bytes(request))
        except AssistantError as error:
            await error_response(request, error)(scope, receive, send)
            return
        if messages is not None:
            await self._app(scope, replaying(messages, receive), send)


async def _identify(request: Request) -> None:
    edge = edge_of(request)
    if edge.refuses or edge.closing.is_set():
        raise shutting_down()
    principal = await _principal_of(request, edge)
    request.state.principal = principal
    log_fields(request)["user"] = principal.name


async def _principal_of(request: Request, edge: Edge) -> Principal:
    """Who the request's headers stand for at this moment. Raises NotAuthenticated, AccessDenied, StoreUnavailable."""
    door = edge.settings.door
    request.state.questions_per_minute = door.questions_per_minute
    scheme, key = get_authorization_scheme_param(request.headers.get("authorization"))
    if scheme.lower() == "bearer":
        ledger = edge.assistant.ledger
        held = None
        if 0 < len(key) <= KEY_LIMIT_CHARACTERS:
            held = await anyio.to_thread.run_sync(ledger.held_key, key)
        if held is None:
            raise _not_authenticated()
        edge.key_uses.note(held, ledger.note_key_use)
        if held.questions_per_minute is not None:
            request.state.questions_per_minute = held.questions_per_minute
        return held.principal
    user = _forwarded_user(request, secret=edge.settings.proxy_secret)
    standing = await anyio.to_thread.run_sync(edge.assistant.ledger.standing_of, user)
    if standing.is_disabled or (door.known_users_only and not standing.is_known):
        raise not_admitted(user)
    await _check_sign_in(request, edge, user)
    scopes = ALL_SCOPES if ADMINISTRATORS in standing.groups else USER_SCOPES
    return Principal(name=user, groups=standing.groups, scopes=scopes, via="proxy")


async def _check_sign_in(request: Request, edge: Edge, user: str) -> None:
    """Ends what a person does in tabs that were open when they signed out, or longer than a sign-in holds."""
    given = request.headers.getlist("x-sign-in")
    if not any(given):
        return  # nginx checked a password, which has no end
    if len(given) != 1 or not await anyio.to_thread.run_sync(edge.assistant.ledger.is_signed_in, given[0], user):
        raise NotAuthenticated(
            Text(ja="サインインは終わっています。", en="The sign-in has ended."),
            Text(
                ja="ページを読み直して、もう一度サインインしてください。",
                en="Reload the page and sign in again.",
            ),
        )


def recheck_of(request: Request) -> Callable[[], Awaitable[Principal]]:
    """Asks once more who the request's headers stand for; see api/rights.py."""
    return partial(_principal_of, request, edge_of(request))


def questions_per_minute(request: Request) -> int:
    """How often the caller may ask; 0 means without limit."""
    allowed: int = request.state.questions_per_minute
    return allowed


def _forwarded_user(request: Request, *, secret: str) -> str:
    """The user the proxy vouches for. Raises NotAuthenticated for a missing or doubtful one."""
    users = request.headers.getlist("x-forwarded-user")
    secrets = request.headers.getlist("x-proxy-secret")
    if not secret or len(users) != 1 or len(secrets) != 1:
        raise _not_authenticated()
    if not hmac.compare_digest(secrets[0].encode("latin-1"), secret.encode()):
        raise _not_authenticated()
    try:
        # Header bytes arrive as latin-1; a Japanese user name was sent as UTF-8.
        user = users[0].encode("latin-1").decode().strip()
    except UnicodeDecodeError as error:
        raise _not_authenticated() from error
    is_plain = all(unicodedata.category(character)[0] != "C" for character in user)
    if not user or len(user) > NAME_LIMIT_CHARACTERS or not is_plain:
        raise _not_authenticated()
    return user


def _declared_bytes(request: Request) -> int | None:
    declared = request.headers.get("content-length", "")
    return int(declared[:18]) if declared.isascii() and declared.isdigit() else None


def _not_authenticated() -> NotAuthenticated:
    return NotAuthenticated(
        Text(ja="誰からの問い合わせか分かりません。", en="It is not known who asks."),
        Text(
            ja="API キーを Authorization: Bearer で送ってください。キーは管理者が assistant keys create で作れます。"
            "社内の画面からはそのまま使えます。",
            en="Send an API key as Authorization: Bearer. An administrator makes one with assistant keys create. "
            "On the company's own screen nothing is needed.",
        ),
    )


def not_admitted(user: str) -> AccessDenied:
    """What a user is told who is disabled, or unknown where only known ones may enter."""
    return AccessDenied(
        Text(ja=f"{user} さんは今は使えません。", en=f"{user} may not use this now."),
        Text(
            ja="登録されていないか、止められています。管理者に確かめてください。",
            en="This user is not registered, or is disabled. Ask the administrator.",
        ),
    )


def caller(request: Request) -> Principal:
    """Who asks, as the door found out."""
    principal: Principal = request.state.principal
    return principal


def caller_with(*scopes: str) -> Callable[[Request], Principal]:
    """A dependency that gives the caller if they hold one of `scopes`, and raises AccessDenied otherwise."""

    def permitted(request: Request) -> Principal:
        principal = caller(request)
        if principal.scopes.isdisjoint(scopes):
            wanted = " / ".join(scopes)
            raise AccessDenied(
                Text(ja=f"これには権限 {wanted} が必要です。", en=f"This needs the scope {wanted}."),
                Text(
                    ja=f"管理者に権限 {wanted} を頼んでください。",
                    en=f"Ask the administrator for the scope {wanted}.",
                ),
            )
        return principal

    return permitted


Asker = Annotated[Principal, Depends(caller_with("ask"))]
Reader = Annotated[Principal, Depends(caller_with("documents"))]
Administrator = Annotated[Principal, Depends(caller_with("admin"))]
Ingester = Annotated[Principal, Depends(caller_with("ingest", "admin"))]
