"""The PARAMETERs of a Modelfile: type and range of each, as Ollama 0.17 knows them (api/types.go; facts 2.2).

The server itself stores whatever it is given, and then fails at every question; so nothing gets past here. Pure.
"""

from __future__ import annotations

import difflib
import math

ParameterValue = int | float | bool | list[str]

_INTEGERS: dict[str, tuple[int, int]] = {
    "num_ctx": (4, 1_048_576),
    "num_batch": (1, 65_536),
    "num_gpu": (-1, 10_000),
    "main_gpu": (0, 64),
    "num_thread": (0, 4096),
    "num_keep": (-1, 1_048_576),
    "seed": (-1, 2**31 - 1),
    "num_predict": (-2, 1_048_576),
    "top_k": (0, 100_000),
    "repeat_last_n": (-1, 1_048_576),
}
_NUMBERS: dict[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "typical_p": (0, 1),
    "repeat_penalty": (0, 4),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}
_BOOLEANS = ("use_mmap",)
_TEXTS = ("stop",)
_GONE = frozenset(
    {"penalize_newline", "low_vram", "f16_kv", "logits_all", "vocab_only", "use_mlock", "mirostat", "mirostat_tau",
     "mirostat_eta"}
)  # fmt: skip
RUNNER_PARAMETERS = ("num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread")
"""A difference in one of these loads the model anew (17:server/sched.go needsReload)."""

KNOWN = (*_INTEGERS, *_NUMBERS, *_BOOLEANS, *_TEXTS)


class Unfit(ValueError):
    """A value that a parameter cannot have; `allowed` says what it can, in words that need no translation."""

    def __init__(self, allowed: str, *, is_name: bool = False) -> None:
        super().__init__(allowed)
        self.allowed = allowed
        self.is_name = is_name


def parameter_value(name: str, raw: str) -> int | float | bool | str:
    """The value of a parameter as it stands in a file. Raises Unfit, which says whether the name or the value is wrong."""
    if name in _TEXTS:
        return raw
    if name in _BOOLEANS:
        if raw not in ("true", "false"):
            raise Unfit(f"{name} true | false")
        return raw == "true"
    if name in _INTEGERS:
        low, high = _INTEGERS[name]
        if not raw.removeprefix("-").isascii() or not raw.removeprefix("-").isdigit() or not low <= int(raw) <= high:
            raise Unfit(f"{name} {low} … {high} (integer / 整数)")
        return int(raw)
    if name in _NUMBERS:
        return _number(name, raw)
    if name in _GONE:
        raise Unfit(f"({name}: no longer read by Ollama / Ollama はもう読みません)", is_name=True)
    near = difflib.get_close_matches(name, KNOWN, n=1)
    raise Unfit(f"PARAMETER {near[0]}" if near else ", ".join(KNOWN), is_name=True)


def _number(name: str, raw: str) -> float:
    low, high = _NUMBERS[name]
    try:
        value = float(raw)
    except ValueError as error:
        raise Unfit(f"{name} {low:g} … {high:g}") from error
    if not math.isfinite(value) or not low <= value <= high:
        raise Unfit(f"{name} {low:g} … {high:g}")
    return value


def is_list(name: str) -> bool:
    """Whether several lines of this parameter add up instead of replacing each other."""
    return name in _TEXTS
