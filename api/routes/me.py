"""GET /me: who the caller is to the assistant."""

from __future__ import annotations

from fastapi import APIRouter, Request

from api import examples
from api.deps import caller
from assistant import wire

router = APIRouter(tags=["identity"])


@router.get(
    "/me",
    operation_id="me",
    summary="Who the caller is",
    responses={200: {"content": examples.content("ME")}, **examples.problems(401)},
)
async def me(request: Request) -> wire.MeOut:
    """Name, groups and scopes that the given identity stands for."""
    return wire.MeOut.from_domain(caller(request))
