"""Bytes of a text file -> its characters, with the name of the encoding; a wrong guess is worse than a rejection.

Order: byte order mark, what the file declares of itself, escapes of ISO-2022-JP, strict UTF-8, western text with a few
accents, then CP932 against EUC-JP by charset-normalizer held to Japanese codecs (left free it finds Korean in short
Japanese files: 108 of 109 right with the hold, docs/lab-notes.md). CP932 always, never shift_jis: ①㈱髙 are in no other.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from ingest.parsers import refusals

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_JAPANESE_CODECS = ("cp932", "euc_jp")
_ALIASES = {
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "ms932": "cp932",
    "x-euc-jp": "euc_jp",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "utf-16": "utf-8",  # a declaration that could be read as ASCII was not written in UTF-16
}
_NEC = "iso-2022-jp with NEC marks"
_WITH_NEC_MARKS = (b"\x1b$B", b"\x1b$(Q")  # JIS X 0213 has ①㈱ where Windows mail programs put them
_ISO_2022_JP = re.compile(rb"\x1b\$[@B]|\x1b\([JI]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_COMMON = re.compile(
    "[\u3000-\u30ff\uff01-\uff5e\u2018-\u201d\u2026\u2015\u2460-\u2473\u3231\u00d7\u2192\u25a0-\u25cf]"
)
_HALF_WIDTH = re.compile("[\uff61-\uff9f]")
_KANJI = re.compile("[\u4e00-\u9fff]")
_KANA = re.compile("[\u3040-\u30ff]")
_MANY_KANJI = 12
_FIRST_LEVEL = {
    bytes((row, cell)).decode("euc_jp")
    for row in range(0xB0, 0xD0)
    for cell in range(0xA1, 0xFF)
    if not (row == 0xCF and cell > 0xD3)
}
_PLAUSIBLE_SHARE = 0.8
_SAMPLE_CHARACTERS = 200_000


@dataclass(frozen=True)
class Decoded:
    """Characters of a file with line ends as `\\n`, and the codec that read them."""

    text: str
    encoding: str


def decode(data: bytes, *, declared: str | None = None) -> Decoded:
    """The characters of `data`; raises UnreadableDocument(UNKNOWN_ENCODING) when no codec fits without doubt."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return _read(data, codec)
    if declared is not None:
        try:
            name = declared.strip().lower()
            return _read(data, codecs.lookup(_ALIASES.get(name, name)).name)
        except (LookupError, UnicodeDecodeError):
            return _detected(data)
    return _detected(data)


def _read(data: bytes, codec: str) -> Decoded:
    try:
        text = data.replace(*_WITH_NEC_MARKS).decode("iso2022_jp_2004") if codec == _NEC else data.decode(codec)
    except UnicodeDecodeError as problem:
        if codec in {mark_codec for _, mark_codec in _MARKS}:
            raise refusals.unknown_encoding() from problem
        raise
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\f", "\n")
    return Decoded(text.replace("\x00", ""), "utf-8" if codec == "utf-8-sig" else codec)


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def _detected(data: bytes) -> Decoded:
    codec = _detected_codec(data)
    if codec is None:
        raise refusals.unknown_encoding()
    return _read(data, codec)


def _detected_codec(data: bytes) -> str | None:
    if b"\x00" in data:
        return wide_codec(data)
    if _ISO_2022_JP.search(data) and not _HIGH_RUN.search(data):
        return next((codec for codec in ("iso2022_jp", "iso2022_jp_ext") if _strictly(data, codec) is not None), _NEC)
    if _strictly(data, "utf-8") is not None:
        return "utf-8"
    if _is_western(data):
        return "cp1252"
    return _japanese_codec(data)


def wide_codec(data: bytes) -> str | None:
    """UTF-16 without a mark, when one byte order reads well and the other does not; None for any other bytes."""
    fitting = [
        codec
        for codec in ("utf-16-le", "utf-16-be")
        if len(data) % 2 == 0 and (text := _strictly(data, codec)) is not None
        and _plausible_share(text) > 0.9 and not _CONTROLS.search(text)
    ]  # fmt: skip
    return fitting[0] if len(fitting) == 1 else None


def _is_western(data: bytes) -> bool:
    """Mostly ASCII with single accented letters within words: Japanese bytes above 0x7f come in pairs and runs."""
    runs = _HIGH_RUN.findall(data)
    single = sum(len(run) == 1 for run in runs)
    if not runs or sum(map(len, runs)) > len(data) * 0.25 or single < len(runs) * 0.7 or max(map(len, runs)) > 2:
        return False
    if any(_plausible_share(text) >= _PLAUSIBLE_SHARE for text in _japanese_readings(data).values()):
        return False
    text = _strictly(data, "cp1252")
    return text is not None and all(
        c.isalpha() or c in "’‘“”–—…€£§°©®«»¿¡·•™×½¼¾²³µ±\xa0" for c in text if ord(c) > 127
    )


def _japanese_readings(data: bytes) -> dict[str, str]:
    return {codec: text for codec in _JAPANESE_CODECS if (text := _strictly(data, codec)) is not None}


def _japanese_codec(data: bytes) -> str | None:
    texts = _japanese_readings(data)
    if "euc_jp" in texts:
        # half-width kana are no sign of a wrong EUC-JP reading, but they are one of a wrong CP932 reading
        texts["euc_jp"] = _HALF_WIDTH.sub("ア", texts["euc_jp"])
        if len(_KANJI.findall(texts["euc_jp"])) >= _MANY_KANJI and not _KANA.search(texts["euc_jp"]):
            del texts["euc_jp"]  # Korean and Chinese files of the same family read as kanji without any kana
    shares = {codec: _plausible_share(text) for codec, text in texts.items()}
    plausible = {codec: share for codec, share in shares.items() if share >= _PLAUSIBLE_SHARE}
    if len(plausible) == 1:
        return next(iter(plausible))
    if not plausible:
        with_half_width = [
            codec for codec, text in texts.items() if _plausible_share(_HALF_WIDTH.sub("ア", text)) > 0.9
        ]
        return with_half_width[0] if len(texts) == 1 and with_half_width else None
    best = from_bytes(data[: _SAMPLE_CHARACTERS * 2], cp_isolation=list(_JAPANESE_CODECS)).best()
    if best is not None and best.encoding in plausible:
        return best.encoding
    first, second = sorted(plausible, key=lambda codec: plausible[codec], reverse=True)[:2]
    return first if plausible[first] - plausible[second] > 0.1 else None


def _plausible_share(text: str) -> float:
    """Share of the characters beyond ASCII that ordinary Japanese text uses, 0 to 1; half-width kana do not count."""
    beyond = [c for c in text[:_SAMPLE_CHARACTERS] if ord(c) > 127]
    if not beyond:
        return 1.0 if text.isprintable() or text.isascii() else 0.0
    good = sum(1 for c in beyond if _COMMON.match(c) or c in _FIRST_LEVEL)
    rare = sum(1 for c in beyond if _KANJI.match(c) and c not in _FIRST_LEVEL)
    return (good + rare * 0.3) / len(beyond)
