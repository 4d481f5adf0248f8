"""Request bodies, checked as Go checks them: missing bodies, wrong JSON types, wrong option types, durations."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.stubs.ollama.state import Refusal

STRING, BOOLEAN, INTEGER, STRINGS = "string", "bool", "int", "[]string"
MESSAGES, OPTIONS, ANYTHING, DURATION = "[]api.Message", "map[string]interface {}", "any", "duration"

CHAT_FIELDS = {
    "model": STRING, "messages": MESSAGES, "stream": BOOLEAN, "format": ANYTHING, "keep_alive": DURATION,
    "tools": ANYTHING, "options": OPTIONS, "think": ANYTHING, "truncate": BOOLEAN, "shift": BOOLEAN,
    "_debug_render_only": BOOLEAN, "logprobs": BOOLEAN, "top_logprobs": INTEGER,
}  # fmt: skip
GENERATE_FIELDS = {
    "model": STRING, "prompt": STRING, "suffix": STRING, "system": STRING, "template": STRING, "stream": BOOLEAN,
    "raw": BOOLEAN, "format": ANYTHING, "keep_alive": DURATION, "options": OPTIONS, "think": ANYTHING,
    "truncate": BOOLEAN, "shift": BOOLEAN, "_debug_render_only": BOOLEAN, "context": ANYTHING,
}  # fmt: skip
EMBED_FIELDS = {
    "model": STRING, "input": ANYTHING, "truncate": BOOLEAN, "dimensions": INTEGER, "keep_alive": DURATION,
    "options": OPTIONS,
}  # fmt: skip
EMBEDDINGS_FIELDS = {"model": STRING, "prompt": STRING, "keep_alive": DURATION, "options": OPTIONS}
CREATE_FIELDS = {
    "model": STRING, "name": STRING, "from": STRING, "files": ANYTHING, "template": STRING, "system": STRING,
    "license": ANYTHING, "parameters": OPTIONS, "messages": MESSAGES, "stream": BOOLEAN,
}  # fmt: skip
NAME_FIELDS = {"model": STRING, "name": STRING, "verbose": BOOLEAN, "stream": BOOLEAN, "insecure": BOOLEAN}
COPY_FIELDS = {"source": STRING, "destination": STRING}

INTEGER_OPTIONS = frozenset(
    {"num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "num_keep", "seed", "num_predict", "top_k",
     "repeat_last_n"}
)  # fmt: skip
FLOAT_OPTIONS = frozenset(
    {"top_p", "min_p", "typical_p", "temperature", "repeat_penalty", "presence_penalty", "frequency_penalty"}
)
BOOLEAN_OPTIONS = frozenset({"use_mmap"})
RUNNER_OPTIONS = ("num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread")
"""A difference in one of these reloads the model."""
DEFAULT_NUM_CTX = 4096
"""What 0.17 takes with less than 23 GiB of graphics memory."""
DEFAULT_OPTIONS: dict[str, Any] = {
    "num_ctx": DEFAULT_NUM_CTX, "num_batch": 512, "num_gpu": -1, "main_gpu": 0, "use_mmap": None, "num_thread": 0,
    "num_keep": 4, "num_predict": -1, "stop": [],
}  # fmt: skip
SECONDS_PER_UNIT = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
DURATION_TEXT = re.compile(r"([+-]?)((?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+|0)")


def bound(body: bytes, expected: dict[str, str], *, struct: str) -> dict[str, Any]:
    """The body as an object; refuses with 400 in Go's words. Unknown fields pass, null is as if left out."""
    if not body.strip():
        raise Refusal(400, "missing request body")
    try:
        given = json.loads(body)
    except ValueError as problem:
        raise Refusal(400, _syntax_error(body, problem)) from problem
    if not isinstance(given, dict):
        raise Refusal(400, f"json: cannot unmarshal {_kind(given)} into Go value of type api.{struct}")
    for name, wanted in expected.items():
        value = given.get(name)
        if value is None:
            given.pop(name, None)
        elif not _fits(value, wanted):
            raise Refusal(
                400, f"json: cannot unmarshal {_kind(value)} into Go struct field {struct}.{name} of type {wanted}"
            )
        elif wanted == MESSAGES:
            _check_messages(value, f"{struct}.{name}")
        elif wanted == DURATION:
            given[name] = keep_alive_seconds(value)
    return given


def merged_options(stored: dict[str, Any], requested: dict[str, Any] | None) -> dict[str, Any]:
    """Defaults, then the Modelfile's parameters, then the request's; refuses a wrong type with 500, as the real one."""
    merged = dict(DEFAULT_OPTIONS)
    for source in (stored, requested or {}):
        for name, value in source.items():
            if value is not None:
                merged[name] = _option(name, value)
    return merged


def keep_alive_seconds(given: Any) -> float:
    """A number of seconds or a text such as "1h30m"; negative is for ever."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise Refusal(400, f"Unsupported type: '{_kind(given)}'")
    if not isinstance(given, str):
        return float(given)
    match = DURATION_TEXT.fullmatch(given)
    if match is None:
        raise Refusal(400, f"time: {_duration_problem(given)}")
    parts = re.findall(r"(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)", match[2])
    total = sum(float(number) * SECONDS_PER_UNIT[unit] for number, unit in parts)
    return -total if match[1] == "-" else total


def _duration_problem(given: str) -> str:
    unit = re.fullmatch(r"[+-]?[\d.]+([^\d.]*).*", given)
    if unit is None:
        return f'invalid duration "{given}"'
    return f'unknown unit "{unit[1]}" in duration "{given}"' if unit[1] else f'missing unit in duration "{given}"'


def _option(name: str, value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if name in INTEGER_OPTIONS:
        if not is_number:
            raise Refusal(500, f'option "{name}" must be of type integer')
        return int(value)
    if name in FLOAT_OPTIONS and not is_number:
        raise Refusal(500, f'option "{name}" must be of type float32')
    if name in BOOLEAN_OPTIONS and not isinstance(value, bool):
        raise Refusal(500, f'option "{name}" must be of type boolean')
    if name == "stop":
        if not isinstance(value, list):
            raise Refusal(500, 'option "stop" must be of type array')
        if not all(isinstance(each, str) for each in value):
            raise Refusal(500, 'option "stop" must be of an array of strings')
    return value


def _check_messages(messages: list[Any], where: str) -> None:
    for message in messages:
        if not isinstance(message, dict):
            raise Refusal(
                400, f"json: cannot unmarshal {_kind(message)} into Go struct field {where} of type api.Alias"
            )
        for name in ("role", "content"):
            if not isinstance(message.get(name, ""), str | None):
                kind = _kind(message[name])
                wrong = f"json: cannot unmarshal {kind} into Go struct field {where}.{name} of type string"
                raise Refusal(400, wrong)


def _fits(value: Any, wanted: str) -> bool:
    if wanted == INTEGER:
        return isinstance(value, int) and not isinstance(value, bool)
    types: dict[str, type] = {STRING: str, BOOLEAN: bool, MESSAGES: list, OPTIONS: dict}
    return wanted not in types or isinstance(value, types[wanted])


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    names: dict[type, str] = {str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _syntax_error(body: bytes, problem: ValueError) -> str:
    position = getattr(problem, "pos", 0)
    text = body.decode("utf-8", "replace")
    if position >= len(text.rstrip()):
        return "unexpected EOF"
    return f"invalid character '{text[position]}' looking for beginning of value"
