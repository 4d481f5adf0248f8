"""Reads a Modelfile: FROM, PARAMETER (typed and checked), SYSTEM, TEMPLATE, MESSAGE, ADAPTER, LICENSE.

Keeps every character of SYSTEM, unlike `ollama create`, which drops full-width and no-break spaces. Errors name the
line. Grammar: comments only at the start of a line, values may be \"...\" or \"\"\"...\"\"\" over several lines, later
SYSTEM, TEMPLATE, FROM and PARAMETER win, `PARAMETER stop` and MESSAGE add up (Ollama 0.17 parser).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assistant.errors import ModelfileInvalid, SettingsError, Text

ParameterValue = int | float | bool | list[str]

_INTEGER = frozenset(
    {
        "num_ctx",
        "num_batch",
        "num_gpu",
        "main_gpu",
        "num_thread",
        "num_keep",
        "seed",
        "num_predict",
        "top_k",
        "repeat_last_n",
    }
)
_NUMBER = frozenset(
    {"top_p", "min_p", "typical_p", "temperature", "repeat_penalty", "presence_penalty", "frequency_penalty"}
)
_BOOLEAN = frozenset({"use_mmap"})
_TEXT = frozenset({"stop"})
_RANGES: dict[str, tuple[float, float]] = {
    "num_ctx": (4, 1_048_576),
    "temperature": (0, 2),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "repeat_penalty": (0, 4),
}
_KEYWORDS = frozenset({"FROM", "PARAMETER", "SYSTEM", "TEMPLATE", "MESSAGE", "ADAPTER", "LICENSE"})


@dataclass(frozen=True)
class Modelfile:
    """What a Modelfile says. `digest` is the SHA-256 of its bytes."""

    base_model: str
    parameters: Mapping[str, ParameterValue]
    system: str
    template: str | None
    messages: tuple[tuple[str, str], ...] = ()
    adapters: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()
    digest: str = field(default="", compare=False)

    @property
    def num_ctx(self) -> int | None:
        """The window in tokens, if the file sets it."""
        value = self.parameters.get("num_ctx")
        return value if isinstance(value, int) else None

    def number(self, name: str, default: float) -> float:
        """A numeric parameter or `default`."""
        value = self.parameters.get(name, default)
        return float(value) if isinstance(value, int | float) else default


def read_modelfile(path: Path) -> Modelfile:
    """The Modelfile at `path`. Raises SettingsError when it cannot be read, ModelfileInvalid with the line otherwise."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            Text(ja=f"Modelfile {path} を読めません。", en=f"The Modelfile {path} cannot be read."),
            Text(ja="ASSISTANT_MODELFILE を確認してください。", en="Check ASSISTANT_MODELFILE."),
        ) from error
    return parse_modelfile(text, digest=hashlib.sha256(content).hexdigest())


def parse_modelfile(text: str, *, digest: str = "") -> Modelfile:
    """The Modelfile in `text`. Raises ModelfileInvalid."""
    parameters: dict[str, ParameterValue] = {}
    single: dict[str, str] = {}
    messages: list[tuple[str, str]] = []
    adapters: list[str] = []
    licenses: list[str] = []
    for line, keyword, value in _instructions(text):
        if keyword == "PARAMETER":
            name, _, raw = value.partition(" ")
            _set_parameter(parameters, name, _unquoted(raw.strip()), line=line)
        elif keyword == "MESSAGE":
            role, _, message = value.partition(" ")
            if role not in {"system", "user", "assistant"}:
                raise _invalid(line, f"MESSAGE {role}", "MESSAGE system|user|assistant …")
            messages.append((role, _unquoted(message.strip())))
        elif keyword == "ADAPTER":
            adapters.append(_unquoted(value))
        elif keyword == "LICENSE":
            licenses.append(_unquoted(value))
        else:
            single[keyword] = _unquoted(value)
    if not single.get("FROM"):
        raise _invalid(1, "FROM", "FROM model:tag")
    return Modelfile(
        base_model=single["FROM"],
        parameters=parameters,
        system=single.get("SYSTEM", ""),
        template=single.get("TEMPLATE"),
        messages=tuple(messages),
        adapters=tuple(adapters),
        licenses=tuple(licenses),
        digest=digest,
    )


def _instructions(text: str) -> list[tuple[int, str, str]]:
    """(line number, keyword, raw value) of each instruction; a quoted value runs on to its closing quote."""
    found: list[tuple[int, str, str]] = []
    lines = text.split("\n")
    index = 0
    while index < len(lines):
        line_number, line = index + 1, lines[index].strip()
        index += 1
        if not line or line.startswith("#"):
            continue
        keyword, _, value = line.partition(" ")
        if keyword.upper() not in _KEYWORDS:
            raise _invalid(line_number, keyword, "FROM, PARAMETER, SYSTEM, TEMPLATE, MESSAGE, ADAPTER, LICENSE")
        value = value.strip()
        mark = _opening_mark(value)
        while mark and not _is_closed(value, mark):
            if index >= len(lines):
                raise _invalid(line_number, mark, f"… {mark}")
            value += "\n" + lines[index]
            index += 1
        found.append((line_number, keyword.upper(), value))
    return found


def _opening_mark(value: str) -> str:
    """The quote that the value, or the value after its first word, begins with."""
    for candidate in (value, value.partition(" ")[2].lstrip()):
        for mark in ('"""', '"'):
            if candidate.startswith(mark):
                return mark
    return ""


def _is_closed(value: str, mark: str) -> bool:
    return value.count(mark) >= 2 and value.rstrip().endswith(mark)


def _unquoted(value: str) -> str:
    for mark in ('"""', '"'):
        if len(value.rstrip()) >= 2 * len(mark) and value.startswith(mark) and value.rstrip().endswith(mark):
            return value.rstrip()[len(mark) : -len(mark)]
    return value


def _set_parameter(parameters: dict[str, ParameterValue], name: str, raw: str, *, line: int) -> None:
    if name in _TEXT:
        known = parameters.setdefault(name, [])
        if isinstance(known, list):
            known.append(raw)
        return
    try:
        value = _number(name, raw)
    except ValueError as error:
        raise _invalid(line, f"PARAMETER {name} {raw}", f"PARAMETER {name} 数値 / number") from error
    low, high = _RANGES.get(name, (float("-inf"), float("inf")))
    if not low <= value <= high:
        raise _invalid(line, f"PARAMETER {name} {raw}", f"{low:g} – {high:g}")
    parameters[name] = value


def _number(name: str, raw: str) -> int | float | bool:
    if name in _INTEGER:
        return int(raw)
    if name in _NUMBER:
        return float(raw)
    if name in _BOOLEAN and raw in {"true", "false"}:
        return raw == "true"
    raise ValueError(name)


def _invalid(line: int, seen: str, allowed: str) -> ModelfileInvalid:
    return ModelfileInvalid(
        Text(
            ja=f"Modelfile の {line} 行目「{seen}」は使えません。",
            en=f"Modelfile line {line}: “{seen}” is not allowed.",
        ),
        Text(ja=f"使える形: {allowed}", en=f"Allowed: {allowed}"),
        line=line,
    )
