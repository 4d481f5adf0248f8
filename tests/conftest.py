"""What every test leaves as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A command that was called within the process sets the logs up for it; the next test has them as they come."""
    yield
    structlog.reset_defaults()
