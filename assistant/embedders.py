"""The embedder of each generation: a question is embedded by the one that embedded the texts it is compared with.

    settings -> configured embedder -> what the NEXT generation is built with
    generation -> its own spec      -> the embedder that questions and ingestion use while it is active

So an administrator may configure another embedder while answers keep coming from the old one. Each is opened once and
kept. Must not know settings or adapters: wiring.py hands over how an embedder is made.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from assistant.generation import EmbedderSpec, Generation
from assistant.ports import Embedder


class Embedders:
    """The configured embedder and, by their specs, those of older generations; thread-safe."""

    def __init__(self, configured: Embedder, spec: EmbedderSpec, make: Callable[[EmbedderSpec], Embedder]) -> None:
        self.configured = configured
        self.spec = spec
        self._make = make
        self._opened = {spec: configured}
        self._opening = threading.Lock()

    def of(self, generation: Generation) -> Embedder:
        """The embedder that the generation was built with; the configured one where the ledger does not say.

        Making one may load a model or a library: never on the event loop. Raises what the making raises.
        """
        if generation.embedder is None:
            return self.configured
        with self._opening:
            if generation.embedder not in self._opened:
                self._opened[generation.embedder] = self._make(generation.embedder)
            return self._opened[generation.embedder]

    def is_configured(self, generation: Generation) -> bool:
        """Whether the next generation would have the same embedder, as far as that is known without asking it."""
        return generation.embedder is None or generation.embedder == self.spec

    def wrapped(self, by: Callable[[Embedder], Embedder]) -> Embedders:
        """The same embedders, each with something around it."""
        return Embedders(by(self.configured), self.spec, lambda spec: by(self._make(spec)))
