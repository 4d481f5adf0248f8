"""Shared by the tests of parsers: reading a file in this process, and where the shared data lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assistant.domain import ElementKind, ParsedDocument
from assistant.errors import DocumentError, FailureReason
from ingest.parsers import ParseLimits, parse_file

SHARED_DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data"))


def shared(name: str) -> Path:
    """A file or folder of the shared data; skips the test where it is absent."""
    path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(f"shared data not here: {name} (set SHARED_DATA)")
    return path


def read(path: Path, *, limits: ParseLimits | None = None) -> ParsedDocument:
    """The parsed document, with the promises of every parser checked."""
    parsed = parse_file(path, relative_path=path.name, limits=limits or ParseLimits())
    assert_sound(parsed)
    return parsed


def read_text(folder: Path, name: str, text: str, *, encoding: str = "utf-8") -> ParsedDocument:
    """The parsed document of a file written for the test."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return read(path)


def reason_of(path: Path, *, limits: ParseLimits | None = None) -> FailureReason:
    """Why the file is refused; both languages must have something to say."""
    with pytest.raises(DocumentError) as caught:
        read(path, limits=limits)
    assert caught.value.describe("ja") != caught.value.describe("en")
    return caught.value.reason


def assert_sound(parsed: ParsedDocument) -> None:
    """Elements lie in reading order, do not overlap, and none is blank."""
    position = 0
    for element in parsed.elements:
        assert position <= element.start < element.end <= len(parsed.text)
        assert parsed.text[element.start : element.end].strip()
        assert (element.level > 0) == (element.kind is ElementKind.HEADING)
        position = element.end
    assert parsed.title
    assert parsed.elements


def texts(parsed: ParsedDocument, kind: ElementKind | None = None) -> list[str]:
    """Texts of the elements, of one kind or all."""
    return [parsed.text[e.start : e.end] for e in parsed.elements if kind is None or e.kind is kind]


def headings(parsed: ParsedDocument) -> list[tuple[int, str]]:
    """(level, words) of each heading, on one line."""
    return [
        (e.level, " ".join(parsed.text[e.start : e.end].split()))
        for e in parsed.elements
        if e.kind is ElementKind.HEADING
    ]
