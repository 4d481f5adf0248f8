"""Old and OpenDocument office files, converted by the real LibreOffice in the parser process."""

from __future__ import annotations

import io
import shutil
import signal
import struct
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docx
import olefile
import openpyxl
import pptx
import psutil
import pytest

from assistant.domain import ElementKind, ParsedDocument
from assistant.errors import DocumentError, FailureReason
from ingest.guard import ParserProcess
from ingest.parsers import ParseLimits, convert
from ingest.parsers.kinds import Kind
from tests.ingest.reading import assert_sound, headings, read, reason_of, shared, texts

GIGABYTE = 1024**3
needs_office = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")


@pytest.fixture(scope="module")
def parser() -> Iterator[ParserProcess]:
    with ParserProcess(timeout_seconds=100, memory_bytes=3 * GIGABYTE, file_limit_bytes=GIGABYTE) as process:
        yield process


def guarded(parser: ParserProcess, path: Path) -> ParsedDocument:
    parsed = parser.parse(path, relative_path=path.name)
    assert_sound(parsed)
    return parsed


def written_as(source: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in another format: the converter's own way, turned round."""
    kind = {".docx": Kind.DOC, ".xlsx": Kind.XLS, ".pptx": Kind.PPT}[source.suffix]
    _, library, _ = convert._TARGETS[kind]
    with monkeypatch.context() as turned:
        turned.setitem(convert._TARGETS, kind, (source.suffix[1:], library, Kind.TEXT))
        turned.setitem(convert._SUFFIXES, Kind.TEXT, ending)
        data, _ = convert.convert(source.read_bytes(), kind, timeout_seconds=100, output_limit_bytes=GIGABYTE)
    path = source.with_suffix(f".{ending}")
    path.write_bytes(data)
    return path


def word_file(folder: Path) -> Path:
    document = docx.Document()
    document.add_heading("出張旅費規程", 0)
    document.add_heading("第1章 総則", 1)
    document.add_paragraph("この規程は、出張に要する旅費の支給について定める。")
    table = document.add_table(rows=2, cols=2)
    for row, words in zip(table.rows, (("区分", "日当"), ("部長", "3,000円")), strict=True):
        for cell, word in zip(row.cells, words, strict=True):
            cell.text = word
    document.add_paragraph("以上")  # a doc file cannot end with a table
    document.save(str(folder / "a.docx"))
    return folder / "a.docx"


@needs_office
@pytest.mark.parametrize(("ending", "kind"), [("doc", Kind.DOC), ("odt", Kind.ODT), ("rtf", Kind.RTF)])
def test_old_and_open_word_files_keep_headings_text_and_tables(
    parser: ParserProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, kind: Kind
) -> None:
    parsed = guarded(parser, written_as(word_file(tmp_path), ending, monkeypatch))
    assert (parsed.title, parsed.media_type) == ("出張旅費規程", kind.value)
    assert parsed.parser == "libreoffice+unstructured"
    assert "第1章 総則" in [words for _, words in headings(parsed)]
    assert "この規程は、出張に要する旅費の支給について定める。" in texts(parsed)
    assert texts(parsed, ElementKind.TABLE) == ["区分 | 日当\n部長 | 3,000円"]


@needs_office
@pytest.mark.parametrize("ending", ["xls", "ods"])
def test_old_and_open_sheets_keep_cells_and_leave_hidden_sheets_out(
    parser: ParserProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "旅費"
    sheet.append(["区分", "日当"])
    sheet.append(["部長", 3000])
    secret = workbook.create_sheet("給与")
    secret.sheet_state = "hidden"
    secret.append(["社長", 99_999_999])
    workbook.save(str(tmp_path / "a.xlsx"))
    parsed = guarded(parser, written_as(tmp_path / "a.xlsx", ending, monkeypatch))
    assert texts(parsed, ElementKind.TABLE) == ["区分 | 日当\n部長 | 3000"]
    assert parsed.notes["hidden_sheets"] == 1
    assert "99" not in parsed.text


@needs_office
@pytest.mark.parametrize("ending", ["ppt", "odp"])
def test_old_and_open_slides_keep_titles_and_leave_hidden_slides_out(
    parser: ParserProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    presentation = pptx.Presentation()
    for title in ("安全教育", "極秘の計画"):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = f"{title}の説明です。"
    presentation.slides[1]._element.set("show", "0")
    presentation.save(str(tmp_path / "a.pptx"))
    parsed = guarded(parser, written_as(tmp_path / "a.pptx", ending, monkeypatch))
    assert (parsed.title, parsed.pages, parsed.notes["hidden_slides"]) == ("安全教育", 2, 1)
    assert "安全教育の説明です。" in texts(parsed)
    assert "極秘" not in parsed.text


@needs_office
def test_a_renamed_old_file_is_read_as_what_it_is_and_a_cut_one_is_corrupt(
    parser: ParserProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = written_as(word_file(tmp_path), "doc", monkeypatch)
    assert guarded(parser, old.rename(tmp_path / "report.txt")).media_type == "application/msword"
    (tmp_path / "cut.doc").write_bytes((tmp_path / "report.txt").read_bytes()[:700])
    assert reason_of(tmp_path / "cut.doc") is FailureReason.CORRUPT
    (tmp_path / "hollow.odt").write_bytes(zip_of({"mimetype": Kind.ODT.value.encode(), "content.xml": b"<broken"}))
    with pytest.raises(DocumentError) as caught:
        guarded(parser, tmp_path / "hollow.odt")
    assert caught.value.reason in (FailureReason.CORRUPT, FailureReason.NO_TEXT)


@needs_office
@pytest.mark.slow
def test_a_locked_old_file_is_told_apart_before_it_is_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbook, presentation = openpyxl.Workbook(), pptx.Presentation()
    workbook.active["A1"] = "部長"
    workbook.save(str(tmp_path / "b.xlsx"))
    presentation.slides.add_slide(presentation.slide_layouts[0]).shapes.title.text = "安全教育"
    presentation.save(str(tmp_path / "c.pptx"))
    for source, ending, stream, offset, mark in (
        (word_file(tmp_path), "doc", "WordDocument", 0x0B, b"\x01"),
        (tmp_path / "b.xlsx", "xls", "Workbook", second_record_offset, struct.pack("<H", 0x2F)),
        (tmp_path / "c.pptx", "ppt", "Current User", 12, struct.pack("<I", 0xF3D1C4DF)),
    ):
        locked = written_as(source, ending, monkeypatch)
        with olefile.OleFileIO(str(locked), write_mode=True) as container:
            content = container.openstream(stream).read()
            at = offset(content) if callable(offset) else offset
            container.write_stream(stream, content[:at] + mark + content[at + len(mark) :])
        assert reason_of(locked) is FailureReason.ENCRYPTED, ending


def second_record_offset(book: bytes) -> int:
    return 4 + int(struct.unpack_from("<H", book, 2)[0])


def test_a_locked_open_document_is_refused(tmp_path: Path) -> None:
    manifest = (
        b'<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'
    )
    members = {"mimetype": Kind.ODT.value.encode(), "content.xml": b"\x01\x02", "META-INF/manifest.xml": manifest}
    (tmp_path / "a.odt").write_bytes(zip_of(members))
    assert reason_of(tmp_path / "a.odt") is FailureReason.ENCRYPTED


def test_without_libreoffice_the_reason_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.rtf").write_bytes(b"{\\rtf1\\ansi Some words.}")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DocumentError) as caught:
        read(tmp_path / "a.rtf")
    assert caught.value.reason is FailureReason.CONVERTER_UNAVAILABLE
    assert "apt-get install --no-install-recommends libreoffice-writer-nogui" in caught.value.hint.en
    assert "libreoffice-calc-nogui libreoffice-impress-nogui" in caught.value.hint.ja


@needs_office
def test_a_conversion_that_takes_too_long_is_killed_with_everything_it_started(tmp_path: Path) -> None:
    (tmp_path / "a.rtf").write_bytes(b"{\\rtf1\\ansi Some words.}")
    assert reason_of(tmp_path / "a.rtf", limits=ParseLimits(converter_seconds=0.15)) is FailureReason.TIMEOUT
    assert [one for one in psutil.Process().children(recursive=True) if one.name() == convert.PROGRAM] == []


@needs_office
def test_the_converter_dies_with_a_parser_process_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "a.rtf").write_bytes(b"{\\rtf1\\ansi Some words.}")
    seen: list[Any] = []

    def kill_in_the_middle() -> None:
        while not seen:
            time.sleep(0.005)
            seen.extend(c for c in psutil.Process().children(recursive=True) if c.name() == convert.PROGRAM)
        seen[0].parent().send_signal(signal.SIGKILL)

    with ParserProcess(timeout_seconds=60, memory_bytes=2 * GIGABYTE, file_limit_bytes=GIGABYTE) as parser:
        watcher = threading.Thread(target=kill_in_the_middle, daemon=True)
        watcher.start()
        with pytest.raises(DocumentError) as caught:
            parser.parse(tmp_path / "a.rtf", relative_path="a.rtf")
        watcher.join(timeout=10)
    assert caught.value.reason is FailureReason.OUT_OF_MEMORY
    assert psutil.wait_procs(seen, timeout=10)[1] == []


@needs_office
def test_two_files_are_converted_at_once_each_with_its_own_profile() -> None:
    def paragraphs(number: int) -> list[str]:
        data = f"{{\\rtf1\\ansi Words of file {number}.}}".encode()
        converted, _ = convert.convert(data, Kind.RTF, timeout_seconds=100, output_limit_bytes=GIGABYTE)
        return [paragraph.text for paragraph in docx.Document(io.BytesIO(converted)).paragraphs]

    with ThreadPoolExecutor(max_workers=2) as pool:
        assert list(pool.map(paragraphs, (1, 2))) == [["Words of file 1."], ["Words of file 2."]]


@needs_office
def test_macros_do_not_run_and_linked_files_are_not_fetched(parser: ParserProcess, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("給与の一覧", encoding="utf-8")
    (tmp_path / "a.odt").write_bytes(hostile_odt(tmp_path))
    parsed = guarded(parser, tmp_path / "a.odt")
    assert "だれでも読める本文です。" in texts(parsed)
    assert "給与の一覧" not in parsed.text
    assert not (tmp_path / "marker").exists()


def hostile_odt(folder: Path) -> bytes:
    """A text with a macro that writes a file when it is opened, and a section that is linked to a file."""
    content = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"
 xmlns:script="urn:oasis:names:tc:opendocument:xmlns:script:1.0" office:version="1.2">
<office:scripts><office:event-listeners><script:event-listener script:language="ooo:script" script:event-name="dom:load"
 xlink:href="vnd.sun.star.script:Standard.Module1.Main?language=Basic&amp;location=document" xlink:type="simple"/>
</office:event-listeners></office:scripts><office:body><office:text><text:p>だれでも読める本文です。</text:p>
<text:section text:name="Linked"><text:section-source xlink:href="{(folder / "secret.txt").as_uri()}"
 xlink:type="simple"/><text:p>前回の内容</text:p></text:section></office:text></office:body></office:document-content>"""
    module = f"""<?xml version="1.0" encoding="UTF-8"?>
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1" script:language="StarBasic">Sub Main
Open "{folder / "marker"}" For Output As #1
Print #1, "ran"
Close #1
End Sub
</script:module>"""
    library = '<library:{0} xmlns:library="http://openoffice.org/2000/library" {1}</library:{0}>'
    name = 'library:name="Standard" library:readonly="false" library:passwordprotected="false">'
    names = ("content.xml", "Basic/script-lc.xml", "Basic/Standard/script-lb.xml", "Basic/Standard/Module1.xml")
    entries = "".join(f'<m:file-entry m:full-path="{one}" m:media-type="text/xml"/>' for one in names)
    return zip_of(
        {
            "META-INF/manifest.xml": (
                '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry m:full-path="/" '
                f'm:media-type="{Kind.ODT.value}"/>{entries}</m:manifest>'
            ).encode(),
            "mimetype": Kind.ODT.value.encode(),
            "content.xml": content.encode(),
            "Basic/script-lc.xml": library.format(
                "libraries", '><library:library library:name="Standard" library:link="false"/>'
            ).encode(),
            "Basic/Standard/script-lb.xml": library.format(
                "library", f'{name}<library:element library:name="Module1"/>'
            ).encode(),
            "Basic/Standard/Module1.xml": module.encode(),
        }
    )


def zip_of(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


@needs_office
def test_the_old_samples_of_the_shared_data_say_what_the_new_ones_say(parser: ParserProcess) -> None:
    for old, new in (("SampleDoc.doc", "SampleDoc.docx"), ("SampleSS.xls", "SampleSS.xlsx")):
        assert guarded(parser, shared(f"messy/{old}")).text == guarded(parser, shared(f"messy/{new}")).text
    assert "ゾルゲと尾崎、淡々と最期" in guarded(parser, shared("messy/testRTFJapanese.rtf")).text
