"""Files made to harm, each through a real parser process: every one ends in a named reason, soon, and the next is read."""

from __future__ import annotations

import io
import os
import random
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from email.message import EmailMessage
from pathlib import Path

import docx
import openpyxl
import psutil
import pypdfium2 as pdfium
import pytest

from assistant.errors import DocumentError, FailureReason
from ingest.guard import ParserProcess
from ingest.parsers import ParseLimits
from ingest.parsers.child import write_frame

MEGABYTE = 1024**2
SECONDS = 60.0  # far more than any of them needs, also on a busy machine
BOMB = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.fixture(scope="module")
def parser() -> Iterator[ParserProcess]:
    with ParserProcess(timeout_seconds=SECONDS, memory_bytes=2 << 30, file_limit_bytes=200 * MEGABYTE) as running:
        yield running


def reason(parser: ParserProcess, path: Path) -> FailureReason:
    """Why the file is refused; it must not take until the time limit, and the process must serve the next file."""
    started = time.monotonic()
    with pytest.raises(DocumentError) as caught:
        parser.parse(path, relative_path=path.name)
    assert time.monotonic() - started < SECONDS
    note = path.with_name("next.md")
    note.write_text("# 次\n\n次の文書です。\n", encoding="utf-8")
    assert parser.parse(note, relative_path=note.name).title == "次"
    return caught.value.reason


def word_package() -> dict[str, bytes]:
    content = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("本文です。")
    document.save(content)
    return members_of(content)


def sheet_package() -> dict[str, bytes]:
    content = io.BytesIO()
    workbook = openpyxl.Workbook()
    workbook.active.append(["品目", "単価"])
    workbook.save(content)
    return members_of(content)


def members_of(content: io.BytesIO) -> dict[str, bytes]:
    with zipfile.ZipFile(content) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return path


@pytest.mark.parametrize(("name", "member"), [("a.docx", "word/document.xml"), ("a.xlsx", "xl/worksheets/sheet1.xml")])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    parser: ParserProcess, tmp_path: Path, name: str, member: str
) -> None:
    members = word_package() if name.endswith("docx") else sheet_package()
    members[member] += b" " * (150 * MEGABYTE)
    path = packed(tmp_path / name, members)
    assert path.stat().st_size < MEGABYTE
    assert reason(parser, path) is FailureReason.ARCHIVE_BOMB


def test_a_zip_that_lies_about_its_sizes_is_refused(parser: ParserProcess, tmp_path: Path) -> None:
    members = word_package()
    members["word/document.xml"] += b" " * (20 * MEGABYTE)
    path = packed(tmp_path / "a.docx", members)
    true_size = len(members["word/document.xml"]).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(true_size, (2000).to_bytes(4, "little")))
    assert reason(parser, path) is FailureReason.CORRUPT


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx"])
def test_an_entity_bomb_is_refused_and_takes_no_memory(parser: ParserProcess, tmp_path: Path, name: str) -> None:
    members = word_package() if name.endswith("docx") else sheet_package()
    member = "word/document.xml" if name.endswith("docx") else "xl/worksheets/sheet1.xml"
    head, _, body = members[member].decode().rpartition("?>")
    inner = "</w:body>" if name.endswith("docx") else "</sheetData>"
    bomb = "<w:p><w:r><w:t>&l9;</w:t></w:r></w:p>" if name.endswith("docx") else "<row><c t='str'><v>&l9;</v></c></row>"
    declared = f'<!DOCTYPE x [<!ENTITY l0 "lol">{BOMB}]>'
    members[member] = (f"{head}?>" if head else "").encode() + (declared + body.replace(inner, bomb + inner)).encode()
    assert reason(parser, packed(tmp_path / name, members)) is FailureReason.CORRUPT
    assert parser.process_id is not None
    assert psutil.Process(parser.process_id).memory_info().rss < 900 * MEGABYTE


def test_nested_archives_are_never_opened_neither_alone_nor_in_a_mail(parser: ParserProcess, tmp_path: Path) -> None:
    layer = b"secret words"
    for depth in range(6):
        layer = packed(tmp_path / "layer.zip", {f"{depth}.zip": layer}).read_bytes()
    assert reason(parser, tmp_path / "layer.zip") is FailureReason.UNSUPPORTED_TYPE
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "資料の送付", "a@example.com"
    mail.set_content("添付をご覧ください。")
    mail.add_attachment(layer, maintype="application", subtype="zip", filename="../../../../tmp/evil.zip")
    (tmp_path / "a.eml").write_bytes(bytes(mail))
    parsed = parser.parse(tmp_path / "a.eml", relative_path="a.eml")
    assert "secret words" not in parsed.text
    assert parsed.notes["unread_attachments"] == 1
    assert not Path("/tmp/evil.zip").exists()


@pytest.mark.parametrize("name", ["../../outside.xml", "/etc/outside.xml", "word\\..\\..\\outside.xml"])
def test_names_in_an_office_file_that_point_outside_are_refused(
    parser: ParserProcess, tmp_path: Path, name: str
) -> None:
    path = packed(tmp_path / "a.docx", word_package() | {name: b"<x/>"})
    assert reason(parser, path) is FailureReason.ARCHIVE_BOMB
    assert not list(tmp_path.parent.glob("**/outside.xml"))


def test_a_pdf_of_ten_thousand_pages_is_refused_at_once(parser: ParserProcess, tmp_path: Path) -> None:
    document = pdfium.PdfDocument.new()
    for _ in range(10_000):
        document.new_page(200, 200).close()
    document.save(str(tmp_path / "a.pdf"))
    document.close()
    assert reason(parser, tmp_path / "a.pdf") is FailureReason.TOO_LARGE


def test_a_sheet_of_more_than_a_million_cells_is_refused(parser: ParserProcess, tmp_path: Path) -> None:
    members = sheet_package()
    chance = random.Random(1)
    row = "<row>" + "<c><v>{}</v></c>" * 1000 + "</row>"
    # Further apart than the window in which deflate finds repetitions, so that it does not shrink like a bomb.
    some = [row.format(*(chance.getrandbits(30) for _ in range(1000))) for _ in range(4)]
    rows = "".join(some[number % 4] for number in range(1001))
    sheet = members["xl/worksheets/sheet1.xml"].decode()
    members["xl/worksheets/sheet1.xml"] = sheet.replace("</sheetData>", rows + "</sheetData>").encode()
    assert reason(parser, packed(tmp_path / "a.xlsx", members)) is FailureReason.TOO_LARGE


def test_a_workbook_with_macros_is_read_as_data(parser: ParserProcess, tmp_path: Path) -> None:
    members = sheet_package() | {"xl/vbaProject.bin": b'Sub Auto_Open()\nShell "touch ran"\nEnd Sub'}
    types = members["[Content_Types].xml"].decode()
    plain = "openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    members["[Content_Types].xml"] = types.replace(plain, "ms-excel.sheet.macroEnabled.main+xml").encode()
    parsed = parser.parse(packed(tmp_path / "a.xlsm", members), relative_path="a.xlsm")
    assert "品目 | 単価" in parsed.text
    assert "Auto_Open" not in parsed.text


def test_the_process_has_bounds_on_open_files_memory_and_what_it_writes(parser: ParserProcess, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# 題\n\n本文。\n", encoding="utf-8")
    parser.parse(tmp_path / "a.md", relative_path="a.md")
    assert parser.process_id is not None
    for kind, most in (
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_AS, 2 << 30),
        (resource.RLIMIT_FSIZE, 256 * MEGABYTE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, 3600),
    ):
        soft, _ = resource.prlimit(parser.process_id, kind)
        assert 0 <= soft <= most


MANY_FILES = """
import os
from ingest.parsers.child import _limit_resources
_limit_resources(2 << 30)
opened = []
try:
    while len(opened) < 5000:
        opened.append(os.open(os.devnull, os.O_RDONLY))
except OSError as error:
    print(len(opened), error.errno)
"""


def test_a_process_that_opens_file_after_file_is_stopped_by_the_kernel() -> None:
    done = subprocess.run([sys.executable, "-c", MANY_FILES], capture_output=True, text=True, check=True)
    opened, number = map(int, done.stdout.split())
    assert opened < 256
    assert number == 24  # EMFILE


def test_a_file_that_uses_up_its_processor_time_is_ended_by_the_kernel(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("第一条 会社は社員に次のことを命ずる。\n" * 150_000, encoding="utf-8")
    child = subprocess.Popen(
        [sys.executable, "-m", "ingest.parsers.child", str(os.getpid()), str(4 << 30)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdin is not None
    limits = asdict(ParseLimits(character_limit=50_000_000))
    write_frame(
        child.stdin,
        {"path": str(path), "relative_path": "a.txt", "limits": limits, "processor_seconds": 0.0},
    )
    assert child.wait(SECONDS) == -signal.SIGXCPU
    child.stdin.close()
