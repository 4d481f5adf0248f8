"""Letters from pictures, by the tesseract program on this machine.

One picture in, paragraphs and a mean confidence out. tesseract runs as a process of its own with one thread: measured
1.8 s and 1.8 % wrong characters for a clean A4 page at 300 dpi with jpn+eng; unstructured's OCR lost 92 % of the same
page. Must not know PDF or files.
"""

from __future__ import annotations

import csv
import ctypes
import io
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

_LANGUAGES = "jpn+eng"
_WIDE = r"\u3001-\u3003\u3005-\u3011\u3040-\u30ff\u3400-\u9fff\uff01-\uff60"
_BLANK_BETWEEN_WIDE = re.compile(
    rf"(?<=[{_WIDE}])[ \u3000]+(?=[{_WIDE}0-9A-Za-z])|(?<=[0-9A-Za-z])[ \u3000]+(?=[{_WIDE}])"
)
_RULE_MARKS = re.compile(r"^[|｜ ]+|[|｜ ]+$")  # rules of a table or frame, read as letters
_WORD_LEVEL = "5"
_LEGIBLE_CONFIDENCE = 45.0
_DOUBTFUL_CONFIDENCE = 65.0
_TURN = re.compile(r"Rotate: (\d+)[\s\S]*Orientation confidence: ([\d.]+)")
_LONG_WORD_CHARACTERS = 4
_SURE_OF_TURN = 1.0
_SET_PARENT_DEATH_SIGNAL = 1


BY_PAGE = "ocr_confidence_by_page"
"""Note of a file with recognised pages: `1:93.2 4:71.0`, page and confidence (0 to 100) of each."""


def by_page(confidences: Iterable[tuple[int, float]]) -> str:
    """The note's words for (page, confidence) pairs."""
    return " ".join(f"{page}:{confidence}" for page, confidence in confidences)


class RecognitionTooSlow(Exception):
    """One picture took longer than it may."""


@dataclass(frozen=True)
class Picture:
    """Grey pixels, row by row, one byte each."""

    width: int
    height: int
    pixels: bytes
    dpi: int

    def as_pgm(self) -> bytes:
        """The picture as a PGM file, which needs no compression on either side."""
        return f"P5\n{self.width} {self.height}\n255\n".encode("ascii") + self.pixels


@dataclass(frozen=True)
class Recognised:
    """Paragraphs in reading order and the mean confidence of their words, 0 to 100. `is_sideways` when most words
    are taller than wide: the page lies on its side, and its lines are in no good order."""

    paragraphs: tuple[str, ...]
    confidence: float
    is_sideways: bool = False

    @property
    def is_legible(self) -> bool:
        """Whether the text is worth storing; below this, every second character is wrong."""
        return bool(self.paragraphs) and self.confidence >= _LEGIBLE_CONFIDENCE


@cache
def is_available() -> bool:
    """Whether tesseract with Japanese data is installed."""
    if shutil.which("tesseract") is None:
        return False
    listed = subprocess.run(
        ["tesseract", "--list-langs"],  # noqa: S607 - found on the PATH, which `which` has just looked through
        capture_output=True,
        timeout=20,
        check=False,
        env=_environment(),
    )
    return "jpn" in listed.stdout.decode("utf-8", "replace").split()


def recognise(picture: Picture, *, timeout_seconds: float) -> Recognised:
    """Text of a picture; a page that lies on its side is turned. Raises RecognitionTooSlow."""
    best = _read(picture, timeout_seconds)
    if best.confidence >= _DOUBTFUL_CONFIDENCE and not best.is_sideways:
        return best
    quarter_turns = _quarter_turns(picture, timeout_seconds)
    if quarter_turns:
        turned = _read(_turned(picture, quarter_turns), timeout_seconds)
        return max(best, turned, key=lambda found: (not found.is_sideways, found.confidence))
    return best


def _read(picture: Picture, timeout_seconds: float) -> Recognised:
    options = ["-l", _LANGUAGES, "--psm", "3", "--dpi", str(picture.dpi), "-c", "preserve_interword_spaces=1", "tsv"]
    return _from_table(_run(picture, options, timeout_seconds))


def _quarter_turns(picture: Picture, timeout_seconds: float) -> int:
    found = _TURN.search(_run(picture, ["--psm", "0", "-l", "osd", "--dpi", str(picture.dpi)], timeout_seconds))
    return int(found[1]) // 90 if found is not None and float(found[2]) >= _SURE_OF_TURN else 0


def _turned(picture: Picture, quarter_turns: int) -> Picture:
    """The picture turned clockwise."""
    import numpy as np

    grey = np.frombuffer(picture.pixels, dtype=np.uint8).reshape(picture.height, picture.width)
    turned = np.ascontiguousarray(np.rot90(grey, k=-quarter_turns))
    return Picture(turned.shape[1], turned.shape[0], turned.tobytes(), picture.dpi)


def _run(picture: Picture, options: list[str], timeout_seconds: float) -> str:
    """What tesseract prints; nothing when it finds nothing to read."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed program, no shell, pixels on standard input
            ["tesseract", "stdin", "stdout", *options],  # noqa: S607
            input=picture.as_pgm(),
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
            env=_environment(),
            preexec_fn=_die_with_parent,
        )
    except subprocess.TimeoutExpired as problem:
        raise RecognitionTooSlow from problem
    return done.stdout.decode("utf-8", "replace")


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "TESSDATA_PREFIX", "TMPDIR") if name in os.environ}
    return {**kept, "OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"}


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _from_table(table: str) -> Recognised:
    """Paragraphs of tesseract's table of words: words to lines, lines to paragraphs, blanks between kanji removed."""
    paragraphs: dict[tuple[str, str], dict[str, list[str]]] = {}
    weighted = weight = 0.0
    tall = long = 0
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        word = (row.get("text") or "").strip()
        if row.get("level") != _WORD_LEVEL or not word:
            continue
        lines = paragraphs.setdefault((row["block_num"], row["par_num"]), {})
        lines.setdefault(row["line_num"], []).append(word)
        if len(word) >= _LONG_WORD_CHARACTERS:
            long += 1
            tall += int(row["height"]) > 1.5 * int(row["width"])
        weighted += float(row["conf"]) * len(word)
        weight += len(word)
    texts = [_joined([" ".join(words) for words in lines.values()]) for lines in paragraphs.values()]
    confidence = round(weighted / weight, 1) if weight else 0.0
    return Recognised(tuple(text for text in texts if text), confidence, is_sideways=tall > long / 2)


def _joined(lines: list[str]) -> str:
    """One paragraph of its lines; short lines (a list, an address) stay lines of their own."""
    longest = max(map(len, lines))
    text = ""
    for line in lines:
        words = _BLANK_BETWEEN_WIDE.sub("", _RULE_MARKS.sub("", line))
        is_break = bool(text) and (len(text.rpartition("\n")[2]) < longest * 0.7 or text.endswith(("。", ":", "：")))
        text = words if not text else f"{text}\n{words}" if is_break else f"{text} {words}"
    return _BLANK_BETWEEN_WIDE.sub("", text).strip()
