"""docs/reference/capacity.md from the loads that `make capacity` kept: what is reckoned beside what the engine took. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

_MIB: Final = 1 << 20
_PARTS: Final = ("weights", "kv", "compute", "output")
_HEAD: Final = (
    "| model | KV asked | flash attention | slots | num_ctx | weights | KV | compute | total | off by |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


def capacity_page(kept: Mapping[str, Any]) -> str:
    """The page; `kept` is what scripts/write_capacity.py wrote."""
    loads: Sequence[Mapping[str, Any]] = kept["loads"]
    embedder = kept["embedder"]
    lines = [
        "# Capacity",
        "",
        "What `assistant capacity plan` reckons, beside what a real Ollama took by its own log: reckoned / logged, in MiB.",
        f"Ollama {kept['ollama']}, {kept['date']}, without a GPU: all buffers lie in the machine's memory. Written by",
        "`make capacity`; why it is reckoned so: [0022](../decisions/0022-memory-is-reckoned-from-the-file.md).",
        "",
        f"- KV cache and weights: {_equal(loads, 'kv')} and {_equal(loads, 'weights')} of {len(loads)} loads are equal to the",
        "  last digit that the engine prints.",
        f"- Total: off by at most {max(abs(_off(load)) for load in loads):.1%}; the plan keeps what the compute buffer may",
        "  take beyond that free.",
        "- A quantised KV cache without flash attention is f16: the engine only warns.",
        f"- Embedder ({embedder['model']}, num_ctx {embedder['num_ctx']}): {embedder['reckoned_mib']:.1f} / "
        f"{embedder['total_mib']} MiB.",
        "- Not measured: a GPU. What its contexts take is the engine's own reserve (457 MiB each).",
        "",
        *capacity_rows(loads),
    ]
    return "\n".join(lines) + "\n"


def capacity_rows(loads: Sequence[Mapping[str, Any]]) -> list[str]:
    """The table of all loads, reckoned / logged in MiB."""
    return [*_HEAD, *(_row(load) for load in loads)]


def _row(load: Mapping[str, Any]) -> str:
    parts = (f"{load['reckoned'][part] / _MIB:.2f} / {load[f'{part}_mib']}" for part in _PARTS[:-1])
    flash = "on" if load["flash_attention"] else "off"
    total = f"{_reckoned(load):.1f} / {_logged(load):.1f}"
    cells = (load["model"], load["kv_type"], flash, str(load["parallel"]), f"{load['num_ctx']:,}", *parts, total)
    return f"| {' | '.join(cells)} | {_off(load):+.1%} |"


def _reckoned(load: Mapping[str, Any]) -> float:
    return float(sum(load["reckoned"][part] for part in _PARTS)) / _MIB


def _logged(load: Mapping[str, Any]) -> float:
    return sum(float(load[f"{part}_mib"]) for part in _PARTS)


def _off(load: Mapping[str, Any]) -> float:
    return _reckoned(load) / _logged(load) - 1


def _equal(loads: Sequence[Mapping[str, Any]], part: str) -> int:
    return sum(f"{load['reckoned'][part] / _MIB:.2f}" == load[f"{part}_mib"] for load in loads)
