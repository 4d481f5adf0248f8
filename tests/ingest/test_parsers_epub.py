"""Books: a zip of pages, read in the order of the spine."""

from __future__ import annotations

import zipfile
from pathlib import Path

from assistant.errors import FailureReason
from tests.ingest.reading import headings, read, reason_of, texts

CONTAINER = """<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">
<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>安全の手引き</dc:title></metadata>
<manifest>
<item id="b" href="text/second%20page.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="text/first.xhtml" media-type="application/xhtml+xml"/>
<item id="n" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>
<item id="i" href="cover.png" media-type="image/png"/>
<item id="g" href="gone.xhtml" media-type="application/xhtml+xml"/>
</manifest>
<spine><itemref idref="i"/><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/>{more}</spine></package>"""
PAGE = (
    '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head>'
    "<body><h1>{title}</h1><p>{words}</p></body></html>"
)


def book(path: Path, *, more: str = "", extra: dict[str, str] | None = None) -> Path:
    members = {
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": PACKAGE.replace("{more}", more),
        "OEBPS/text/second page.xhtml": PAGE.format(title="第2章 点検", words="毎朝、機械を点検します。"),
        "OEBPS/text/first.xhtml": PAGE.format(title="第1章 服装", words="保護帽を着用します。"),
        "OEBPS/nav.xhtml": PAGE.format(title="目次", words="第1章 第2章"),
        **(extra or {}),
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_pages_come_in_the_order_of_the_spine_without_the_contents(tmp_path: Path) -> None:
    parsed = read(book(tmp_path / "book.epub"))
    assert (parsed.title, parsed.media_type, parsed.parser) == ("安全の手引き", "application/epub+zip", "epub")
    assert headings(parsed) == [(1, "第1章 服装"), (1, "第2章 点検")]
    assert texts(parsed) == ["第1章 服装", "保護帽を着用します。", "第2章 点検", "毎朝、機械を点検します。"]


def test_a_page_that_the_book_lacks_is_counted(tmp_path: Path) -> None:
    parsed = read(book(tmp_path / "book.epub", more='<itemref idref="g"/>'))
    assert parsed.notes["missing_pages"] == 1


def test_a_book_that_needs_a_key_is_told_apart_from_one_with_scrambled_fonts(tmp_path: Path) -> None:
    def locked(name: str) -> dict[str, str]:
        return {
            "META-INF/encryption.xml": '<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData>'
            f'<enc:CipherData><enc:CipherReference URI="{name}"/></enc:CipherData></enc:EncryptedData></encryption>'
        }

    assert reason_of(book(tmp_path / "a.epub", extra=locked("OEBPS/text/first.xhtml"))) is FailureReason.ENCRYPTED
    assert "保護帽" in read(book(tmp_path / "b.epub", extra=locked("OEBPS/font.otf"))).text


def test_a_damaged_book_and_an_entity_bomb_are_corrupt(tmp_path: Path) -> None:
    hollow = book(tmp_path / "a.epub", extra={"META-INF/container.xml": "<container/>"})
    assert reason_of(hollow) is FailureReason.CORRUPT
    bomb = '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><package>&c;</package>'
    assert reason_of(book(tmp_path / "b.epub", extra={"OEBPS/book.opf": bomb})) is FailureReason.CORRUPT
    whole = book(tmp_path / "c.epub").read_bytes()
    (tmp_path / "cut.epub").write_bytes(whole[: len(whole) // 2])
    assert reason_of(tmp_path / "cut.epub") is FailureReason.CORRUPT
