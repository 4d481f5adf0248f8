"""Loads the small models on a real Ollama in many ways and keeps what its log says in docs/reference/capacity.json.

    make capacity

`make docs` makes the page of it. The server is the one of `make test-live`, on a port of its own.
"""

from __future__ import annotations

import json
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.adapters.ollama_models import OllamaModels
from assistant.release.vram import Load, memory_of
from tests.live.engine_memory import as_kept, seen_loads
from tests.live.ollama_process import CACHE, VERSION, LiveOllama, ensure_binary

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs/reference/capacity.json"
CONTEXTS = (4096, 8192, 16384)


def main() -> None:
    """Some minutes on two cores."""
    with tempfile.TemporaryDirectory() as folder:
        server = LiveOllama(
            binary=ensure_binary(), models_folder=CACHE / "ollama-models", log_path=Path(folder) / "ollama.log"
        )
        server.start()
        try:
            server.create_models()
            embedder = _embedder(server)
            loads = [as_kept(seen) for seen in seen_loads(server, contexts=CONTEXTS)]
        finally:
            server.stop()
    kept = {"ollama": VERSION, "date": f"{datetime.now(UTC):%Y-%m-%d}", "embedder": embedder, "loads": loads}
    KEPT.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _embedder(server: LiveOllama) -> dict[str, Any]:
    facts = OllamaModels(server.url).facts(server.embed_model)
    before = len(server.log())
    with server.client(timeout_seconds=600) as client:
        client.post("/api/embed", json={"model": server.embed_model, "input": "Hello"}).raise_for_status()
    sizes = re.findall(r'level=INFO .*msg="total memory" size="([\d.]+) MiB"', server.log()[before:])
    memory = memory_of(facts, Load(facts.context_length))
    return {
        "model": facts.name,
        "num_ctx": memory.num_ctx,
        "total_mib": sizes[-1],
        "reckoned_mib": memory.buffers_bytes / (1 << 20),
    }


if __name__ == "__main__":
    main()
