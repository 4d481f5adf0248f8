"""The files of a question set, read as people save them: UTF-8 with or without BOM, line ends of Windows or Unix.

What cannot be read is an EvaluationFailed that names the file, the line and the reason. Knows no questions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assistant.errors import EvaluationFailed, Text

NAMED = 3
"""Ids that a remark names; the rest is counted."""


def whole_text(file: Path) -> str:
    """The text of a file. Raises EvaluationFailed when it is not there or not UTF-8."""
    return "".join(line for _, line in numbered_lines(file))


def numbered_lines(file: Path) -> Iterator[tuple[int, str]]:
    """(number from 1, line) of a text file. Raises EvaluationFailed when it is not there or not UTF-8."""
    try:
        with file.open(encoding="utf-8-sig") as lines:
            yield from enumerate(lines, start=1)
    except UnicodeDecodeError as error:
        not_utf8 = Text(
            ja="UTF-8 ではありません。UTF-8 で保存し直してください", en="it is not UTF-8: save it again as UTF-8"
        )
        raise unreadable(file, not_utf8) from error
    except FileNotFoundError as error:
        raise unreadable(file, Text(ja="ファイルがありません", en="it is not there")) from error
    except OSError as error:
        raise unreadable(file, Text(ja=f"開けません: {error.strerror}", en=f"{error.strerror}")) from error


def json_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) of each line that is not blank. Raises EvaluationFailed for a line that holds no object."""
    for number, line in numbered_lines(file):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise unreadable_line(file, number, Text(ja="JSON ではありません", en="no JSON")) from error
        if not isinstance(row, dict):
            raise unreadable_line(file, number, Text(ja="JSON オブジェクトではありません", en="no JSON object"))
        yield number, row


def key_of_row(file: Path, number: int, row: dict[str, Any], seen: set[str]) -> str:
    """The `_id` of a row as text, noted in `seen`. Raises EvaluationFailed when it is missing, empty or there already."""
    key = row.get("_id")
    if isinstance(key, bool) or not isinstance(key, str | int) or not str(key).strip():
        raise unreadable_line(file, number, Text(ja="_id がありません", en="no _id"))
    if str(key).strip() in seen:
        twice = Text(ja=f"_id {key} が前の行にもあります", en=f"the _id {key} stands in an earlier line too")
        raise unreadable_line(file, number, twice)
    seen.add(str(key).strip())
    return str(key).strip()


def text_of_row(file: Path, number: int, row: dict[str, Any], name: str) -> str:
    """The text of that name; "" for null. Raises EvaluationFailed when there is something else."""
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise unreadable_line(file, number, Text(ja=f"{name} が文字列ではありません", en=f"{name} is no string"))
    return value.encode(
        "utf-8", "replace"
    ).decode()  # half a character (a lone surrogate) can be neither kept nor asked


def several(value: object) -> tuple[str, ...]:
    """A list of texts as people write it: a list, or one of them alone. Empty ones ask for nothing and are left out."""
    some = value if isinstance(value, list | tuple) else [value]
    return tuple(str(each) for each in some if each is not None and str(each).strip())


def named(ids: list[str]) -> str:
    """The first ids, for a remark."""
    return ", ".join(ids[:NAMED]) + (", …" if len(ids) > NAMED else "")


def unreadable_line(file: Path, number: int, why: Text) -> EvaluationFailed:
    """The error of one line; `number` counts from 1."""
    return unreadable(file, Text(ja=f"{number} 行目: {why.ja}", en=f"line {number}: {why.en}"))


def unreadable(file: Path, why: Text) -> EvaluationFailed:
    """The error of a file that is no part of a question set."""
    return EvaluationFailed(
        Text(
            ja=f"質問集 {file} を読めません({why.ja})。",
            en=f"The question set {file} cannot be read ({why.en}).",
        ),
        Text(ja="形は docs/guides/quality.ja.md にあります。", en="docs/guides/quality.md shows the layout."),
    )
