"""Reads a Modelfile: FROM, PARAMETER (typed and checked), SYSTEM, TEMPLATE, MESSAGE, ADAPTER, LICENSE.

Keeps every character of SYSTEM, unlike `ollama create`, which drops full-width and no-break spaces. Errors name line and
column. Grammar of Ollama 0.17 (parser/parser.go): comments only at the start of a line; a value that begins with \" or
\"\"\" goes on to the first line that ends with the same; later SYSTEM, TEMPLATE, FROM and PARAMETER win, `PARAMETER stop`,
MESSAGE, ADAPTER and LICENSE add up. modelfile_writer.py is the way back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assistant.errors import ModelfileInvalid, SettingsError, Text
from assistant.release.parameters import ParameterValue, Unfit, is_list, parameter_value

KEYWORDS = ("FROM", "PARAMETER", "SYSTEM", "TEMPLATE", "MESSAGE", "ADAPTER", "LICENSE")
ROLES = ("system", "user", "assistant")
_NAMED = frozenset({"PARAMETER", "MESSAGE"})
"""Instructions whose first word is a name, and whose value follows it."""
_ONCE = frozenset({"FROM", "SYSTEM", "TEMPLATE"})
BLANKS = " \t\r"
"""What separates words. A full-width space does not: it belongs to the text."""
_WORD = re.compile(r"[^ \t\r]+")


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


@dataclass(frozen=True)
class _Instruction:
    """One instruction; columns count characters from 1. `name` is the first word of PARAMETER and MESSAGE."""

    keyword: str
    name: str
    value: str
    line: int
    name_column: int
    value_column: int


def read_modelfile(path: Path) -> Modelfile:
    """The Modelfile at `path`. Raises SettingsError when it cannot be read, ModelfileInvalid with the line otherwise."""
    return parse_modelfile(*read_text(path))


def read_text(path: Path) -> tuple[str, str]:
    """A Modelfile's text and the SHA-256 of its bytes. Raises SettingsError."""
    try:
        content = path.read_bytes()
        return content.decode("utf-8-sig"), hashlib.sha256(content).hexdigest()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            Text(ja=f"Modelfile {path} を読めません。", en=f"The Modelfile {path} cannot be read."),
            Text(ja="ASSISTANT_MODELFILE を確認してください。", en="Check ASSISTANT_MODELFILE."),
        ) from error


def parse_modelfile(text: str, digest: str = "") -> Modelfile:
    """The Modelfile in `text`. Raises ModelfileInvalid."""
    parameters: dict[str, ParameterValue] = {}
    single: dict[str, str] = {}
    messages: list[tuple[str, str]] = []
    several: dict[str, list[str]] = {"ADAPTER": [], "LICENSE": []}
    for one in _instructions(text):
        if one.keyword == "PARAMETER":
            _set_parameter(parameters, one)
        elif one.keyword == "MESSAGE":
            if one.name not in ROLES:
                raise _invalid(one.line, one.name_column, f"MESSAGE {one.name}", f"MESSAGE {' | '.join(ROLES)} …")
            messages.append((one.name, one.value))
        elif one.keyword in _ONCE:
            single[one.keyword] = one.value
        else:
            several[one.keyword].append(one.value)
    if not single.get("FROM"):
        raise _invalid(1, 1, "FROM", "FROM model:tag")
    return Modelfile(
        base_model=single["FROM"],
        parameters=parameters,
        system=single.get("SYSTEM", ""),
        template=single.get("TEMPLATE"),
        messages=tuple(messages),
        adapters=tuple(several["ADAPTER"]),
        licenses=tuple(several["LICENSE"]),
        digest=digest,
    )


def _instructions(text: str) -> Iterator[_Instruction]:
    """Each instruction with its place; a quoted value runs on to its closing quote."""
    lines = text.split("\n")
    index = 0
    while index < len(lines):
        number, line = index + 1, lines[index]
        index += 1
        keyword = _WORD.search(line)
        if keyword is None or keyword[0].startswith("#"):
            continue
        if keyword[0].upper() not in KEYWORDS:
            raise _invalid(number, keyword.start() + 1, keyword[0], ", ".join(KEYWORDS))
        start, name, name_start = keyword.end(), "", keyword.end()
        if keyword[0].upper() in _NAMED:
            word = _WORD.search(line, start)
            if word is None:
                raise _invalid(number, start + 1, keyword[0], f"{keyword[0].upper()} … …")
            name, name_start, start = word[0], word.start(), word.end()
        value = line[start:].lstrip(BLANKS)
        column = len(line) - len(value) + 1
        if not value.strip(BLANKS):
            raise _invalid(number, start + 1, line.strip(BLANKS), f"{keyword[0].upper()} …")
        mark = opening_mark(value)
        while mark and not is_closed(value, mark):
            if index >= len(lines):
                raise _invalid(number, column, mark, f"{mark} … {mark}")
            value += "\n" + lines[index]
            index += 1
        yield _Instruction(keyword[0].upper(), name, unquoted(value), number, name_start + 1, column)


def opening_mark(value: str) -> str:
    """The quote that a value begins with: three, one, or none."""
    return next((mark for mark in ('"""', '"') if value.startswith(mark)), "")


def is_closed(value: str, mark: str) -> bool:
    """Whether a value that begins with `mark` ends with it, blanks aside."""
    ended = value.rstrip(BLANKS + "\n")
    return len(ended) >= 2 * len(mark) and ended.endswith(mark)


def unquoted(value: str) -> str:
    """What is between the quotes, every character of it; without quotes, the value without blanks at its ends."""
    mark = opening_mark(value)
    ended = value.rstrip(BLANKS + "\n")
    return ended[len(mark) : -len(mark)] if mark else ended


def _set_parameter(parameters: dict[str, ParameterValue], one: _Instruction) -> None:
    try:
        value = parameter_value(one.name, one.value)
    except Unfit as error:
        seen, column = (one.name, one.name_column) if error.is_name else (one.value, one.value_column)
        raise _invalid(one.line, column, seen, error.allowed) from error
    if isinstance(value, str):
        known = parameters.get(one.name)
        parameters[one.name] = [*known, value] if isinstance(known, list) and is_list(one.name) else [value]
    else:
        parameters[one.name] = value


def _invalid(line: int, column: int, seen: str, allowed: str) -> ModelfileInvalid:
    return ModelfileInvalid(
        Text(
            ja=f"Modelfile の {line} 行 {column} 文字目「{seen}」は使えません。",
            en=f"Modelfile line {line}, column {column}: “{seen}” is not allowed.",
        ),
        Text(ja=f"使える形: {allowed}", en=f"Allowed: {allowed}"),
        line=line,
        column=column,
    )
