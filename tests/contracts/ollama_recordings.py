"""Recorded answers of a real Ollama 0.17.7: loading them, sending their requests again, comparing shapes.

Knows the files' form and how to compare; what else a case means is said in ``test_stub_ollama.py``.
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
SHARED_DATA = Path(os.environ.get("SHARED_DATA") or PROJECT_FOLDER.parent / "shared" / "data")
RECORDINGS_FOLDER = SHARED_DATA / "ollama_recordings"
ANSWER_SECONDS = 300.0
LINES_BEFORE_HANG_UP = 5

CUT_TEXT = re.compile(r"^(.*)\.\.\. (\d+) characters$", re.DOTALL)
CUT_LIST = re.compile(r"^\.\.\. (\d+) (?:entries|numbers)$")
NETWORK_REASON = re.compile(r"(?<=dial tcp: ).*", re.DOTALL)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
SAME_VALUES = frozenset(
    {"error", "done", "done_reason", "object", "finish_reason", "role", "index", "system_fingerprint", "owned_by",
     "capabilities", "format", "model"}
)  # fmt: skip
"""Keys whose values must be those of the recording, not only of its type."""
READ_MODEL_INFO = (
    "general.architecture", "general.parameter_count", "*.block_count", "*.context_length", "*.embedding_length",
    "*.attention.head_count", "*.attention.head_count_kv", "*.pooling_type", "tokenizer.ggml.model",
    "tokenizer.ggml.tokens",
)  # fmt: skip
"""The part of model_info that every model of a kind has; the rest is the model file's own affair."""


@dataclass(frozen=True)
class Recording:
    """One file."""

    name: str
    method: str
    path: str
    body: Any
    answer: dict[str, Any]

    @property
    def lines(self) -> list[str]:
        """Recorded stream lines, or none."""
        return [each["line"] for each in self.answer.get("lines", [])]

    @property
    def client_hung_up(self) -> bool:
        """Whether the client left in mid-answer."""
        return bool(self.answer.get("client_hung_up"))


@dataclass(frozen=True)
class Answer:
    """What a server answered now."""

    status: int
    content_type: str | None
    is_chunked: bool
    seconds: float
    text: str = ""
    lines: list[str] = field(default_factory=list)
    line_seconds: list[float] = field(default_factory=list)

    @property
    def body(self) -> Any:
        """The answer's JSON."""
        return json.loads(self.text)


def recording_names() -> list[str]:
    """Names of all recordings, without their ending; none where the folder is absent."""
    return sorted(path.stem for path in RECORDINGS_FOLDER.glob("*.json"))


def recording(name: str) -> Recording:
    """One recording with its request made whole again where the file holds a shortened one."""
    content = json.loads((RECORDINGS_FOLDER / f"{name}.json").read_text("utf-8"))
    request = content["request"]
    return Recording(name, request["method"], request["path"], _whole(request["body"]), content)


def send(url: str, request: Recording) -> Answer:
    """Send a recorded request and read the answer, leaving early where the recorded client did."""
    client = httpx.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False)
    started = time.monotonic()
    with client, client.stream(request.method, request.path, json=request.body) as response:
        lines: list[str] = []
        line_seconds: list[float] = []
        text = ""
        if request.lines:
            for line in response.iter_lines():
                if line:
                    lines.append(line)
                    line_seconds.append(time.monotonic() - started)
                if request.client_hung_up and len(lines) == LINES_BEFORE_HANG_UP:
                    break
        else:
            text = response.read().decode()
        return Answer(
            status=response.status_code,
            content_type=response.headers.get("content-type"),
            is_chunked=response.headers.get("transfer-encoding") == "chunked",
            seconds=time.monotonic() - started,
            text=text,
            lines=lines,
            line_seconds=line_seconds,
        )


def differences(expected: Recording, actual: Answer) -> list[str]:
    """What differs in status, kind of body, structure, types, fixed values and order of lines; empty where nothing does."""
    found = []
    recorded = expected.answer
    if actual.status != recorded["status"]:
        found.append(f"status {actual.status} instead of {recorded['status']}")
    if actual.content_type != recorded["headers"].get("content-type"):
        found.append(f"content-type {actual.content_type!r} instead of {recorded['headers'].get('content-type')!r}")
    if "text" in recorded and actual.text != recorded["text"]:
        found.append(f"text {actual.text!r} instead of {recorded['text']!r}")
    if "body" in recorded:
        found += _body_differences(recorded["body"], actual.body, "body")
    if expected.lines:
        found += _line_differences(expected, actual)
    return found


def parameters_of(text: str) -> dict[str, Any]:
    """The ``parameters`` text of /api/show, whose order means nothing, as names and values; stop is a list."""
    values: dict[str, Any] = {}
    for line in text.splitlines():
        name, value = line[:30].strip(), json.loads(line[31:])
        values[name] = [*values.get(name, []), value] if name == "stop" else value
    return values


def parsed_line(line: str) -> Any:
    """A stream line's JSON; None for the mark at the end of OpenAI's events."""
    content = line.removeprefix("data: ")
    return None if content == "[DONE]" else json.loads(content)


def _line_differences(expected: Recording, actual: Answer) -> list[str]:
    found = []
    if not actual.is_chunked:
        found.append("a stream that is not chunked")
    recorded_kinds, kinds = _kinds(expected.lines), _kinds(actual.lines)
    if kinds != recorded_kinds:
        found.append(f"lines {kinds} instead of {recorded_kinds}")
    samples = {_kind(line): parsed_line(line) for line in expected.lines}
    for number, line in enumerate(actual.lines):
        if _kind(line) in samples:
            found += _body_differences(samples[_kind(line)], parsed_line(line), f"line {number}")
    return found


def _kinds(lines: list[str]) -> list[str]:
    kinds = [_kind(line) for line in lines]
    return [kind for number, kind in enumerate(kinds) if number == 0 or kinds[number - 1] != kind]


def _kind(line: str) -> str:
    content = parsed_line(line)
    if content is None:
        return "end mark"
    if "error" in content:
        return "error"
    if "status" in content:
        return DIGEST.sub("<digest>", content["status"])
    if "choices" in content:
        choices = content["choices"]
        return "usage" if not choices else "finish" if choices[0]["finish_reason"] else "piece"
    return "last" if content["done"] else "piece"


def _body_differences(expected: Any, actual: Any, where: str) -> list[str]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        return _object_differences(expected, actual, where)
    if isinstance(expected, list) and isinstance(actual, list):
        samples = [each for each in expected if not (isinstance(each, str) and CUT_LIST.match(each))]
        if bool(samples) != bool(actual):
            return [f"{where}: {len(actual)} entries instead of {len(samples)} or more"]
        found = []
        for number, each in enumerate(actual):
            tries = [_body_differences(sample, each, f"{where}[{number}]") for sample in samples]
            found += sorted(tries, key=len)[0]
        return found
    if _type(expected) != _type(actual) and not (_type(expected) == "float" and _type(actual) == "int"):
        return [f"{where}: {_type(actual)} instead of {_type(expected)}"]
    return []


def _object_differences(expected: dict[str, Any], actual: dict[str, Any], where: str) -> list[str]:
    if where.endswith(".model_info"):
        expected, actual = _read_info(expected), _read_info(actual)
        missing = sorted(set(expected) - set(actual) - {"*.attention.head_count_kv"})
        return [f"{where}: {name} is missing" for name in missing]
    if set(expected) != set(actual):
        lacking, more = sorted(set(expected) - set(actual)), sorted(set(actual) - set(expected))
        return [f"{where}: lacks {lacking}, has also {more}"]
    found = []
    for name, value in expected.items():
        inside = f"{where}.{name}"
        is_fixed = name in SAME_VALUES and not isinstance(value, dict)
        if is_fixed and not _is_row_name(name, where) and _comparable(actual[name]) != _comparable(value):
            found.append(f"{inside}: {actual[name]!r} instead of {value!r}")
        found += _body_differences(value, actual[name], inside)
    return found


def _comparable(value: Any) -> Any:
    """Why a network cannot be reached differs from machine to machine."""
    return NETWORK_REASON.sub("", value) if isinstance(value, str) else value


def _is_row_name(name: str, where: str) -> bool:
    """Rows of tags and ps name models; which ones is the case's affair."""
    return name == "model" and where.startswith("body.models[")


def _read_info(info: dict[str, Any]) -> dict[str, Any]:
    plain = {name.replace(f"{info['general.architecture']}.", "*.", 1): value for name, value in info.items()}
    return {name: value for name, value in plain.items() if name in READ_MODEL_INFO}


def _type(value: Any) -> str:
    return type(value).__name__


def _whole(value: Any) -> Any:
    """A request's value with what the file leaves out put back: numbered lines, numbered turns."""
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in value.items()}
    if isinstance(value, list):
        cut = CUT_LIST.match(value[-1]) if value and isinstance(value[-1], str) else None
        return _turns(value[:-1], int(cut[1])) if cut else [_whole(each) for each in value]
    cut_text = CUT_TEXT.match(value) if isinstance(value, str) else None
    return _numbered_lines(cut_text[1], int(cut_text[2])) if cut_text else value


def _numbered_lines(start: str, characters: int) -> str:
    first = start.splitlines()[0]
    text = "\n".join(re.sub(r"\d+", str(number), first, count=1) for number in range(1, characters))[:characters]
    assert text.startswith(start), "a shortened text that is not a list of numbered lines"
    return text


def _turns(start: list[dict[str, str]], count: int) -> list[dict[str, str]]:
    turns = []
    for number in range(count):
        pattern = start[number % 2]
        turns.append(pattern | {"content": re.sub(r"\d+", str(number + 1), pattern["content"], count=1)})
    assert turns[: len(start)] == start, "a shortened list that is not made of numbered turns"
    return turns
