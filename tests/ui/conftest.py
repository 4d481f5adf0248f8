"""A stub API in its own process, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stubs.api.process import running_stub_api
from ui.client import ApiClient


@pytest.fixture(scope="session")
def api_url() -> Iterator[str]:
    """The stub API's address."""
    with running_stub_api() as url:
        yield url


@pytest.fixture
def client(api_url: str) -> ApiClient:
    """Aiko's client, in Japanese."""
    return ApiClient(api_url, "愛子", proxy_secret="the secret", language="ja", silence_limit_seconds=2)
