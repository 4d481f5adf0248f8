"""Encodings: right, or refused; never a guess that stores garbage."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from assistant.errors import FailureReason, UnreadableDocument
from ingest.parsers.encoding import decode
from tests.ingest.reading import read, reason_of

SENTENCES = [
    "就業規則",
    "経費精算の手順",
    "髙橋さんの番号は03です",
    "①②㈱サンプル御中",
    "カタカナとひらがな",
    "パスワードは12文字以上",
    "はい",
    "氏名,部署\n山田,営業",
    "東京都港区",
    "議事録 2025年",
    "申請は3日前までに、所属長へ提出する。",
    "ﾐﾂﾋﾞｼ銀行 東京支店",
    "テスト",
    "English only, with figures 123.",
    "MX-2040B の点検",
]
CODECS = ["utf-8", "utf-8-sig", "cp932", "euc_jp", "iso2022_jp", "utf-16", "utf-16-le", "utf-16-be"]


def written(sentence: str, codec: str) -> bytes | None:
    """The sentence as a line of a file, or None when the codec cannot write it."""
    try:
        return f"{sentence}\n".encode(codec)  # UTF-16 without its mark is known by the zeros of line ends and blanks
    except UnicodeEncodeError:
        return None


def reading(data: bytes) -> str | FailureReason:
    """What was read, or why nothing was."""
    try:
        return decode(data).text
    except UnreadableDocument as refusal:
        return refusal.reason


@pytest.mark.parametrize(
    ("sentence", "codec"), [(s, c) for s in SENTENCES for c in CODECS if written(s, c) is not None]
)
def test_short_japanese_texts_are_read_right_or_refused(sentence: str, codec: str) -> None:
    allowed = {f"{sentence}\n"}
    if codec in ("utf-16-le", "utf-16-be"):  # without its mark
        allowed.add(FailureReason.UNKNOWN_ENCODING)
    assert reading(written(sentence, codec) or b"") in allowed


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv"])
@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-8", "cp932", "euc_jp", "iso2022_jp"])
def test_a_file_of_japanese_text_is_read_whatever_its_encoding(tmp_path: Path, name: str, codec: str) -> None:
    text = "年次有給休暇は、取得日の三営業日前までに申請しなければならない。\n部長の承認を得ること。\n"
    (tmp_path / name).write_bytes(text.encode(codec))
    assert read(tmp_path / name).text == text


@pytest.mark.parametrize("step", [1, 3, 257, 4099])
def test_numbers_of_two_bytes_are_no_text(tmp_path: Path, step: int) -> None:
    numbers = [(n * step) % 65536 for n in range(2000)]
    (tmp_path / "a.txt").write_bytes(struct.pack("<2000H", *numbers))
    assert reason_of(tmp_path / "a.txt") in (FailureReason.UNSUPPORTED_TYPE, FailureReason.UNKNOWN_ENCODING)


@pytest.mark.parametrize("sentence", ["Müller für Größe und Übung", "café résumé naïve — “quoted”", "año señor"])
def test_western_texts_with_a_few_accents_are_read(sentence: str) -> None:
    assert decode(sentence.encode("cp1252")).text == sentence


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(0x80, 0x100)),
        "Привет, мир. Это текст.".encode("cp1251"),
        "안녕하세요 여러분. 회사 규정을 안내합니다.".encode("euc_kr"),
        b"\xfc\xfd\xfe\xff" * 9,
    ],
)
def test_what_fits_no_codec_without_doubt_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        decode(data)
    assert caught.value.reason is FailureReason.UNKNOWN_ENCODING


def test_windows_marks_in_a_mail_encoding_are_read() -> None:
    data = b"\x1b$B-!-j3t<02q<R\x1b(B"  # ① ㈱ as Windows mail programs write them into ISO-2022-JP
    assert decode(data).text == "①㈱株式会社"


def test_a_declaration_that_fits_is_believed_and_one_that_does_not_is_not() -> None:
    assert decode("表示".encode("euc_jp"), declared="euc-jp").text == "表示"
    assert decode("株式会社の案内です".encode(), declared="shift_jis").encoding == "utf-8"
    assert decode("①㈱髙".encode("cp932"), declared="Shift_JIS").text == "①㈱髙"


def test_line_ends_are_unified() -> None:
    assert decode(b"a\r\nb\rc\nd").text == "a\nb\nc\nd"
