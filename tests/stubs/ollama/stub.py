"""One stub server's parts, and what every route does with them: find the model, take a fault, start its runner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.stubs.ollama.faults import Faults
from tests.stubs.ollama.library import Library, Model, is_name
from tests.stubs.ollama.runners import Runners
from tests.stubs.ollama.state import Refusal, RequestLog, Settings


@dataclass
class Stub:
    """Everything that a route may use."""

    settings: Settings
    faults: Faults
    library: Library
    runners: Runners
    log: RequestLog

    def model(self, name: Any, *, missing: str = "model '{}' not found") -> Model:
        """The model, or 404 in the words of the route, or 400 where the name is none."""
        if not isinstance(name, str) or not is_name(name):
            raise Refusal(400, "model is required")
        model = self.library.find(name)
        if model is None:
            raise Refusal(404, missing.format(name))
        return model


def new_stub(settings: Settings, *, models: Iterable[str]) -> Stub:
    """A stub with these models; ``KeyError`` for one that no registry would have."""
    faults = Faults()
    library = Library(models, embed_dimension=settings.embed_dimension, faults=faults)
    return Stub(settings, faults, library, Runners(settings), RequestLog())
