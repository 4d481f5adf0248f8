"""What the screens of the system and of people ask the API for, one function each. All raise ProblemError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from assistant.wire_capacity import AdviceOut, CapacityOut, PlanOfMemoryOut
from assistant.wire_people import AuditOut, KeyIn, KeyMadeOut, KeysOut, UserOut, UsersOut
from assistant.wire_system import CheckupOut, SystemOut
from ui.client import ApiClient


def system(client: ApiClient) -> SystemOut:
    """Queue, models in memory, and the release that answers."""
    return client.call(SystemOut, "GET", "/admin/system")


def checkup(client: ApiClient) -> CheckupOut:
    """What the doctor found last."""
    return client.call(CheckupOut, "GET", "/admin/doctor")


def examine(client: ApiClient) -> CheckupOut:
    """Begins a check-up."""
    return client.call(CheckupOut, "POST", "/admin/doctor")


def keys(client: ApiClient) -> KeysOut:
    """All keys, and what a new one may hold."""
    return client.call(KeysOut, "GET", "/admin/keys")


def make_key(client: ApiClient, wanted: KeyIn) -> KeyMadeOut:
    """The new key; of status 409 where the name is taken."""
    return client.call(KeyMadeOut, "POST", "/admin/keys", body=wanted.model_dump())


def revoke_key(client: ApiClient, name: str) -> None:
    """The key of that name works no more."""
    client.send("POST", "/admin/keys/revoke", body={"name": name})


def users(client: ApiClient) -> UsersOut:
    """Known users, and where they are kept."""
    return client.call(UsersOut, "GET", "/admin/users")


def set_user_state(client: ApiClient, name: str, *, is_disabled: bool) -> UserOut:
    """Disables or enables a user; of status 409 where a file decides."""
    return client.call(UserOut, "PUT", "/admin/users/state", body={"name": name, "is_disabled": is_disabled})


def audit(client: ApiClient, **wanted: str) -> AuditOut:
    """The newest entries of the audit; empty values are left out. Writes into the audit that it was read."""
    return client.call(AuditOut, "GET", "/admin/audit", query={name: value for name, value in wanted.items() if value})


def capacity(client: ApiClient) -> CapacityOut:
    """What can be planned, the memory that is seen, and the present settings."""
    return client.call(CapacityOut, "GET", "/admin/capacity")


def plan(client: ApiClient, wanted: Mapping[str, str | Sequence[str]]) -> PlanOfMemoryOut:
    """The plan; a list is a value for each GPU. Of status 404 for a model that nobody knows."""
    return client.call(PlanOfMemoryOut, "GET", f"/admin/capacity/plan?{urlencode(wanted, doseq=True)}")


def advice(client: ApiClient, *, model: str, kv_type: str, days: int) -> AdviceOut:
    """How long a window people's questions needed."""
    query = {"model": model, "kv_type": kv_type, "days": str(days)}
    return client.call(AdviceOut, "GET", "/admin/capacity/advice", query=query)
