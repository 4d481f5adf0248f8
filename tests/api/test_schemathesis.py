"""openapi.json against the running app: generated requests, valid and not, one by one and along the links of answers."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.config import SchemathesisConfig

from api.logs import make_log
from api.main import create_app
from assistant.adapters.ledger import Ledger
from assistant.domain import Principal
from assistant.settings import Settings
from tests.api.canned import ANSWER, PROXY_SECRET
from tests.api.whole import whole_assistant

SCOPES = ["ask", "documents", "ingest", "admin"]
EVERYDAY = {"one by one": 6, "along links": 20}
LONG = {"one by one": 100, "along links": 200}
"""How many examples each operation gets, and how many walks along links are made."""


@cache
def labels() -> list[str]:
    """Each operation as `GET /documents`."""
    paths = create_app(Settings(_env_file=None)).openapi()["paths"]
    return [f"{method.upper()} {path}" for path, operations in paths.items() for method in operations]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The schema of an app over the real pipeline, with a key that may do everything and has one conversation."""
    folder = tmp_path_factory.mktemp("described")
    ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
    known = Settings(_env_file=None, proxy_secret=PROXY_SECRET, documents_folder=folder / "handbook")
    assistant: Any = whole_assistant(ledger, folder)
    app = create_app(known, assistant=assistant, log=make_log(known, stream=io.StringIO()))
    ledger.save_answer(replace(ANSWER, citations=()), question="期限は?", principal=Principal("app:fuzz"))
    key = ledger.create_key("fuzz", scopes=SCOPES)
    config = SchemathesisConfig.from_dict({"auth": {"openapi": {"key": {"bearer": key}}}})
    loaded = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    loaded.hook(filter_body)
    loaded.hook(map_body)
    yield loaded
    ledger.close()


def filter_body(_: schemathesis.HookContext, body: Any) -> bool:
    """Leaves out the two names that only the running server knows: its release, and its folders."""
    return not (isinstance(body, dict) and (body.get("release") is not None or body.get("folder") is not None))


def map_body(_: schemathesis.HookContext, body: Any) -> Any:
    """Ends a chat with a user's message, which no JSON schema can ask for."""
    messages = body.get("messages") if isinstance(body, dict) else None
    if isinstance(messages, list) and messages:
        return body | {"messages": [*messages, {"role": "user", "content": "休暇"}]}
    return body


def bounded(examples: int, **more: Any) -> settings:
    """The same examples in every run, as far as the library can promise it; no limit of time."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=slow,
        phases=[Phase.explicit, Phase.generate],
        **more,
    )


def try_operation(described: Any, label: str, examples: int) -> int:
    """Calls the operation with valid and with invalid requests and holds the answers against the description; how many."""
    cases: list[schemathesis.Case] = []
    method, path = label.split()
    operation = described[path][method]
    for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):

        @given(case=operation.as_strategy(generation_mode=mode))
        @bounded(examples)
        def run(case: schemathesis.Case) -> None:
            cases.append(case)
            case.call_and_validate()

        with suppress(Unsatisfiable) if mode is schemathesis.GenerationMode.NEGATIVE else nullcontext():
            run()  # an operation without any input has no wrong one
    return len(cases)


def walk(described: Any, walks: int) -> None:
    """Calls operations with what earlier answers gave."""
    described.as_state_machine().run(settings=bounded(walks, stateful_step_count=6))


@pytest.mark.slow
@pytest.mark.parametrize("label", labels())
def test_an_operation_keeps_to_its_description(
    described: Any, label: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("cases", try_operation(described, label, EVERYDAY["one by one"]))


@pytest.mark.slow
def test_answers_lead_to_operations_that_keep_to_theirs(
    described: Any, record_property: Callable[[str, object], None]
) -> None:
    record_property("walks", EVERYDAY["along links"])
    walk(described, EVERYDAY["along links"])


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("label", labels())
def test_an_operation_keeps_to_its_description_for_long(described: Any, label: str) -> None:
    try_operation(described, label, LONG["one by one"])


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_answers_lead_to_operations_that_keep_to_theirs_for_long(described: Any) -> None:
    walk(described, LONG["along links"])
