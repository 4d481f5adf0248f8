"""GET /sign-in, /sign-in/callback, /sign-in/check, /sign-in/out, /sign-in/ended: signing people in for nginx.

    nginx, at every request -> /sign-in/check -> 200 with X-Auth-Request-User, or 401
    browser without cookie  -> /sign-in -> provider -> /sign-in/callback -> cookie -> where they wanted to go

The cookie holds 256 random bits and nothing else; the ledger has their hash, the user and the end. The check answers in
oauth2-proxy's headers, so that one can take the other's place. Not in openapi.json: browsers and nginx alone come here.
"""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.deps import not_admitted
from api.edge import edge_of, log_fields
from api.openid import ATTEMPT_SECONDS, CALLBACK, ENDED, OpenIdProvider
from api.pages import page
from api.problems import caller_language, error_response, note_error, problem_for
from assistant.adapters.ledger import Ledger
from assistant.errors import AccessDenied, AssistantError, NotFound, SignInUnavailable, Text

router = APIRouter(include_in_schema=False)

COOKIE = "__Host-assistant"
"""Browsers take a cookie of this prefix only over TLS, from this very host, for all of its paths."""
ATTEMPT_COOKIE = "__Secure-assistant-sign-in"
PATH = "/sign-in"
ONLY_HERE = "only-here"
AGAIN = Text(ja="もう一度サインイン", en="Sign in again")


def _provider(request: Request) -> OpenIdProvider:
    provider = edge_of(request).openid
    if provider is None:
        raise NotFound(
            Text(ja="このアドレスには何もありません。", en="There is nothing at this address."),
            Text(
                ja="ASSISTANT_SIGN_IN__ISSUER を設定すると使えます。",
                en="It is there when ASSISTANT_SIGN_IN__ISSUER is set.",
            ),
        )
    return provider


@router.get(PATH)
async def begin(request: Request) -> Response:
    """To the identity provider; what follows `next=` is where to go afterwards."""
    provider = _provider(request)
    request.scope["session"] = {}
    next_path = safe_path(request.url.query.removeprefix("next="))
    try:
        response = await provider.redirect(request, next_path=next_path)
    except AssistantError as error:
        return _refusal(request, error)
    response.set_cookie(
        ATTEMPT_COOKIE,
        provider.attempts.written(request.session),
        max_age=ATTEMPT_SECONDS,
        path=PATH,
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get(CALLBACK)
async def callback(request: Request) -> Response:
    """Back from the provider: the cookie that signs in, or a page that says why not."""
    provider, edge = _provider(request), edge_of(request)
    request.scope["session"] = provider.attempts.read(request.cookies.get(ATTEMPT_COOKIE, ""))
    try:
        found = await provider.finish(request)
        token = await anyio.to_thread.run_sync(_remember, request, found.user, found.groups)
    except AssistantError as error:
        cause = error.__cause__
        log_fields(request)["refused"] = type(cause or error).__name__
        return _refusal(request, error)
    log_fields(request)["user"] = found.user
    response = RedirectResponse(provider.public_url + found.next_path, 303)
    seconds = edge.settings.sign_in.minutes * 60
    response.set_cookie(COOKIE, token, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")
    response.delete_cookie(ATTEMPT_COOKIE, path=PATH, secure=True, httponly=True, samesite="lax")
    return response


def _remember(request: Request, user: str, groups: frozenset[str] | None) -> str:
    """The new sign-in's token. Raises AccessDenied for a user who is disabled, or unknown where only known ones may enter."""
    edge = edge_of(request)
    ledger: Ledger = edge.assistant.ledger
    standing = ledger.standing_of(user)
    if standing.is_disabled or (edge.settings.door.known_users_only and not standing.is_known):
        raise not_admitted(user)
    if groups is not None and groups != standing.groups - {"everyone"}:
        ledger.set_groups(user, groups, by="sign-in")
    before = request.cookies.get(COOKIE)
    if before:
        ledger.end_sign_in(before)
    return ledger.start_sign_in(user, minutes=edge.settings.sign_in.minutes)


@router.get(f"{PATH}/check")
async def check(request: Request) -> Response:
    """For nginx: 200 and who it is, or 401. `X-Sign-In` names the sign-in to screen and API, and cannot be used as one."""
    _provider(request)
    token = request.cookies.get(COOKIE, "")
    ledger: Ledger = edge_of(request).assistant.ledger
    held = await anyio.to_thread.run_sync(ledger.signed_in, token) if token else None
    if held is None:
        return Response(status_code=401)
    headers = {"X-Sign-In": held.sign_in_id}
    response = Response(status_code=200, headers=headers)
    response.raw_headers.append((b"x-auth-request-user", held.user.encode()))
    return response


@router.get(f"{PATH}/out")
async def out(request: Request) -> Response:
    """Ends the sign-in here at once, then at the provider where it can."""
    provider = _provider(request)
    if request.headers.get("sec-fetch-site") == "cross-site":
        return _refusal(request, _foreign())
    ledger: Ledger = edge_of(request).assistant.ledger
    user = await anyio.to_thread.run_sync(ledger.end_sign_in, request.cookies.get(COOKIE, ""))
    if user is not None:
        log_fields(request)["user"] = user
    try:
        address = await provider.end_address()
    except SignInUnavailable:  # signed out here all the same
        address = None
    response = RedirectResponse(address or f"{provider.public_url}{ENDED}?{ONLY_HERE}", 303)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


@router.get(ENDED)
async def ended(request: Request) -> Response:
    """What somebody sees who has signed out."""
    _provider(request)
    language = caller_language(request)
    title = Text(ja="サインアウトしました", en="You have signed out")
    sentence = Text(
        ja="ほかのタブに表示済みの文章は残ります。共用の端末では閉じてください。",
        en="What other tabs show already stays there. On a shared machine close them.",
    )
    sentences = [sentence.in_language(language)]
    if request.url.query == ONLY_HERE:
        still = Text(
            ja="サインインのサーバーには伝えられませんでした。そこではまだサインインしたままです。",
            en="The server that signs people in could not be told: you are still signed in there.",
        )
        sentences.append(still.in_language(language))
    return page(title.in_language(language), sentences, AGAIN, "/", language=language, status=200)


def safe_path(wanted: str) -> str:
    """A path of this very site; `/` for anything that could lead elsewhere."""
    is_own = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if is_own and "\\" not in wanted and not wanted.startswith(PATH) else "/"


def _refusal(request: Request, error: AssistantError) -> Response:
    """A page for people, the problem for programs."""
    if "text/html" not in request.headers.get("accept", ""):
        return error_response(request, error)
    note_error(request, error)
    problem = problem_for(request, error)
    sentences = [problem.detail, problem.hint, f"request_id: {problem.request_id}"]
    return page(problem.title, sentences, AGAIN, PATH, language=caller_language(request), status=problem.status)


def _foreign() -> AccessDenied:
    return AccessDenied(
        Text(ja="別のサイトからサインアウトはできません。", en="Another site cannot sign you out."),
        Text(ja="画面のサインアウトを使ってください。", en="Use the sign-out of the screen."),
    )
