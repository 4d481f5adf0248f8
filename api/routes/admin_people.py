"""/admin/keys, /admin/users, /admin/audit: who may come in and what was done. Admin scope.

Nobody hands out here what they do not hold: a key has at most the scopes and groups of who makes it (docs/decisions/0027).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response

from api import examples
from api.deps import Administrator
from api.edge import Edge, edge_of, request_id_of
from assistant.audit import Act, AuditEntry
from assistant.domain import EVERYONE, Principal
from assistant.errors import AccessDenied, NotFound, PeopleConflict, Text
from assistant.people import SCOPES, User, expiry
from assistant.wire_people import (
    AuditOut,
    KeyIn,
    KeyMadeOut,
    KeyNameIn,
    KeyOut,
    KeysOut,
    UserOut,
    UsersOut,
    UserStateIn,
)
from assistant.wire_words import PlainLine

router = APIRouter(prefix="/admin", tags=["administration"])

Day = Annotated[date | None, Query(description="A day in UTC, as 2026-11-27.")]


@router.get(
    "/keys",
    operation_id="list_keys",
    summary="API keys, without the keys themselves",
    responses={200: {"content": examples.content("KEYS")}, **examples.problems(401, 403, 503)},
)
async def list_keys(request: Request, principal: Administrator) -> KeysOut:
    """Every key by name, with scopes, groups, end and last use."""
    found = await anyio.to_thread.run_sync(edge_of(request).assistant.ledger.list_keys)
    at = _now()
    return KeysOut(
        keys=[KeyOut.from_domain(key, at=at) for key in found],
        scopes=[scope for scope in SCOPES if scope in principal.scopes],
        groups=sorted(principal.groups - {EVERYONE}),
    )


@router.post(
    "/keys",
    operation_id="create_key",
    summary="Make a key for an app",
    status_code=201,
    responses={201: {"content": examples.content("KEY_MADE")}, **examples.problems(401, 403, 404, 409, 422, 503)},
    openapi_extra=examples.body("KEY_WANTED"),
)
async def create_key(body: KeyIn, request: Request, response: Response, principal: Administrator) -> KeyMadeOut:
    """The key is in this answer and nowhere else. A name whose key still works is refused."""
    response.headers["Cache-Control"] = "no-store"
    return await anyio.to_thread.run_sync(_create, edge_of(request), body, principal)


@router.post(
    "/keys/revoke",
    operation_id="revoke_key",
    summary="End a key at once",
    status_code=204,
    responses=examples.problems(401, 403, 404, 422, 503),
    openapi_extra=examples.body("KEY_NAME"),
)
async def revoke_key(body: KeyNameIn, request: Request, principal: Administrator) -> None:
    """What it was asked with is ended within ASSISTANT_DOOR__RECHECK_SECONDS."""
    call = partial(edge_of(request).assistant.ledger.revoke_key, body.name, by=principal.name)
    if not await anyio.to_thread.run_sync(call):
        raise NotFound(
            Text(ja=f"{body.name} という有効なキーはありません。", en=f"There is no active key {body.name}."),
            Text(ja="一覧を読み直してください。", en="Read the list again."),
        )


@router.get(
    "/users",
    operation_id="list_users",
    summary="Users with their groups",
    responses={200: {"content": examples.content("USERS")}, **examples.problems(401, 403, 503)},
)
async def list_users(request: Request, _: Administrator) -> UsersOut:
    """Every known user, and where users are kept."""
    return await anyio.to_thread.run_sync(_users, edge_of(request))


@router.put(
    "/users/state",
    operation_id="set_user_state",
    summary="Disable or enable a user",
    responses={200: {"content": examples.content("USER")}, **examples.problems(401, 403, 404, 409, 422, 503)},
    openapi_extra=examples.body("USER_STATE"),
)
async def set_user_state(body: UserStateIn, request: Request, principal: Administrator) -> UserOut:
    """Ends what a disabled user has open within ASSISTANT_DOOR__RECHECK_SECONDS. Refused where a file says who there is."""
    return await anyio.to_thread.run_sync(_set_state, edge_of(request), body, principal)


@router.get(
    "/audit",
    operation_id="read_audit",
    summary="What was done, by whom",
    responses={200: {"content": examples.content("AUDIT")}, **examples.problems(401, 403, 422, 503)},
)
async def read_audit(
    request: Request,
    principal: Administrator,
    *,
    actor: Annotated[PlainLine | None, Query(description="Who: a user, `app:` and a key's name, `cli:` …")] = None,
    act: Annotated[Act | None, Query(description="Only these acts.")] = None,
    since: Day = None,
    until: Day = None,
    cursor: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Entries given at most.")] = 200,
) -> AuditOut:
    """The newest first. That it was read, and what was looked for, is an entry as well, written before anything is told."""
    ledger, audit = edge_of(request).assistant.ledger, edge_of(request).settings.audit
    wanted = {"actor": actor, "act": act, "from": since and str(since), "to": until and str(until), "before": cursor}
    viewed = AuditEntry(
        Act.VIEWED,
        principal.name,
        principal.via,
        subject=request.url.path,
        request_id=request_id_of(request),
        details={name: value for name, value in wanted.items() if value is not None},
    )
    call = partial(
        ledger.newest_entries,
        actor=actor,
        act=act,
        since=str(since or ""),
        until=_behind(until),
        before=cursor,
        limit=limit + 1,
    )
    await anyio.to_thread.run_sync(ledger.record, viewed)
    found = await anyio.to_thread.run_sync(call)
    return AuditOut.from_domain(found, limit=limit, questions=audit.questions, keep_days=audit.keep_days)


def _behind(day: date | None) -> str:
    """What every time of that day is smaller than, and every time of the next greater: `T` stands behind the day in a time."""
    return "9999" if day is None else f"{day}U"


def _create(edge: Edge, body: KeyIn, principal: Principal) -> KeyMadeOut:
    ledger, at = edge.assistant.ledger, _now()
    beyond = sorted({*body.scopes} - principal.scopes) + sorted({*body.groups} - principal.groups)
    if beyond:
        raise AccessDenied(
            Text(
                ja=f"自分にない権限やグループ({'、'.join(beyond)})はキーに与えられません。",
                en=f"You cannot give a key what you do not hold: {', '.join(beyond)}.",
            ),
            Text(
                ja="外すか、サーバーで `assistant keys create` を使ってください。",
                en="Leave it out, or use `assistant keys create` on the server.",
            ),
        )
    if body.owner is not None and not ledger.standing_of(body.owner).is_known:
        raise _no_user(body.owner)
    if any(key.name == body.name and key.state(at=at) == "active" for key in ledger.list_keys()):
        raise PeopleConflict(
            Text(ja=f"{body.name} という有効なキーがもうあります。", en=f"There is an active key {body.name} already."),
            Text(
                ja="別の名前にするか、今のキーを先に取り消してください。",
                en="Choose another name, or revoke the present key first.",
            ),
        )
    key = ledger.create_key(
        body.name,
        groups=[group for group in body.groups if group != EVERYONE],
        scopes=body.scopes,
        owner=body.owner,
        expires_at=None if body.days is None else expiry(f"{body.days}d"),
        questions_per_minute=body.questions_per_minute,
        by=principal.name,
    )
    made = next(each for each in ledger.list_keys() if each.name == body.name)
    return KeyMadeOut(key=key, made=KeyOut.from_domain(made, at=at))


def _users(edge: Edge) -> UsersOut:
    file = edge.settings.door.users_file
    return UsersOut(
        users=[UserOut.from_domain(user) for user in edge.assistant.ledger.users()],
        file=str(file),
        is_in_file=file.exists(),
        known_users_only=edge.settings.door.known_users_only,
    )


def _set_state(edge: Edge, body: UserStateIn, principal: Principal) -> UserOut:
    ledger, file = edge.assistant.ledger, edge.settings.door.users_file
    if file.exists():
        raise PeopleConflict(
            Text(ja=f"利用者は {file} で決まります。", en=f"Users are kept in {file}."),
            Text(
                ja="ファイルのその人の項目に disabled = true と書いてください。すぐに反映されます。",
                en="Write disabled = true into their entry of the file; it is applied at once.",
            ),
        )
    if body.name == principal.name:
        raise PeopleConflict(
            Text(ja="自分自身は止められません。", en="You cannot disable yourself."),
            Text(ja="ほかの管理者に頼んでください。", en="Ask another administrator."),
        )
    known: User | None = next((user for user in ledger.users() if user.name == body.name), None)
    if known is None:
        raise _no_user(body.name)
    changed = replace(known, is_disabled=body.is_disabled)
    kind = "disabled" if body.is_disabled else "enabled"
    ledger.apply_users([changed], by=principal.name, details={kind: [body.name]})
    return UserOut.from_domain(changed)


def _no_user(name: str) -> NotFound:
    return NotFound(
        Text(ja=f"{name} という利用者は登録されていません。", en=f"There is no known user {name}."),
        Text(ja="一覧を読み直してください。", en="Read the list again."),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
