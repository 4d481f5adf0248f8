"""Word, PowerPoint and Excel, through the parser process as in production."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from docx.shared import Pt
from openpyxl.styles import Font
from pptx.util import Inches

from assistant.domain import ElementKind, ParsedDocument
from assistant.errors import DocumentError, FailureReason
from ingest.guard import ParserProcess
from ingest.parsers.archive import check_archive
from tests.ingest.reading import assert_sound, headings, read, reason_of, shared, texts

GIGABYTE = 1024**3


@pytest.fixture(scope="module")
def parser() -> Iterator[ParserProcess]:
    with ParserProcess(timeout_seconds=100, memory_bytes=3 * GIGABYTE, file_limit_bytes=GIGABYTE) as process:
        yield process


def guarded(parser: ParserProcess, path: Path) -> ParsedDocument:
    parsed = parser.parse(path, relative_path=path.name)
    assert_sound(parsed)
    return parsed


def saved(document: Any, path: Path) -> Path:
    document.save(str(path))
    return path


def test_word_styles_give_headings_lists_and_tables(parser: ParserProcess, tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("出張旅費規程", 0)
    document.add_heading("第1章 総則", 1)
    document.add_heading("第1条（目的）", 2)
    document.add_paragraph("この規程は、出張に要する旅費の支給について定める。")
    document.add_paragraph("領収書を添付する。", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, words in zip(table.rows[0].cells, ("区分", "日当"), strict=True):
        cell.text = words
    for cell, words in zip(table.rows[1].cells, ("部長", "3,000円"), strict=True):
        cell.text = words
    parsed = guarded(parser, saved(document, tmp_path / "a.docx"))
    assert parsed.title == "出張旅費規程"
    assert headings(parsed) == [(1, "出張旅費規程"), (1, "第1章 総則"), (2, "第1条（目的）")]
    assert texts(parsed, ElementKind.LIST_ITEM) == ["領収書を添付する。"]
    table_element = next(e for e in parsed.elements if e.kind is ElementKind.TABLE)
    assert (table_element.header, texts(parsed, ElementKind.TABLE)) == ("区分 | 日当", ["区分 | 日当\n部長 | 3,000円"])


def test_a_word_file_without_styles_gets_headings_by_wording_and_bold(parser: ParserProcess, tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("在宅勤務規程").runs[0].font.size = Pt(18)
    for words in (
        "第1章 総則",
        "（目的）",
        "第1条 この規程は、在宅勤務について定める。",
        "第2条（対象者） 勤続1年以上の社員とする。",
        "第2条の規定により、所属長が承認する。",
    ):
        document.add_paragraph(words)
    document.add_paragraph().add_run("申請の方法").bold = True
    document.add_paragraph("前月末日までに申請します。")
    parsed = guarded(parser, saved(document, tmp_path / "a.docx"))
    assert [words for _, words in headings(parsed)] == [
        "在宅勤務規程",
        "第1章 総則",
        "（目的） 第1条",
        "第2条（対象者）",
        "申請の方法",
    ]
    assert "第2条（対象者） 勤続1年以上の社員とする。" in parsed.text, "the paragraph stays literally as it was"
    assert "第2条の規定により、所属長が承認する。" in texts(parsed)


def test_a_word_file_with_macros_is_read_as_text(parser: ParserProcess, tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("本文です。")
    whole = saved(document, tmp_path / "a.docx").read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    plain = b"vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(
        plain, b"vnd.ms-word.document.macroEnabled.main+xml"
    )
    (tmp_path / "a.docm").write_bytes(zip_of(members))
    assert texts(guarded(parser, tmp_path / "a.docm")) == ["本文です。"]


def test_a_table_of_contents_in_a_word_file_is_no_heading(parser: ParserProcess, tmp_path: Path) -> None:
    document = docx.Document()
    for words in (
        "規程集",
        "第1条（目的）",
        "第2条（適用範囲）",
        "第3条（定義）",
        "第4条（申請）",
        "本文はここから始まります。",
    ):
        document.add_paragraph(words)
    parsed = guarded(parser, saved(document, tmp_path / "a.docx"))
    assert [words for _, words in headings(parsed)] == ["規程集"]


def test_slides_have_page_numbers_titles_and_tables_and_hidden_ones_are_left_out(
    parser: ParserProcess, tmp_path: Path
) -> None:
    presentation = pptx.Presentation()
    for number, title in enumerate(("安全教育", "服装", "極秘の計画", "問合せ"), start=1):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = f"{title}の説明です。"
        box = slide.shapes.add_textbox(Inches(1), Inches(7), Inches(4), Inches(0.4))
        box.text_frame.text = f"サンプル株式会社 社内限 {number}"
    presentation.slides[2]._element.set("show", "0")
    table = presentation.slides[3].shapes.add_table(2, 2, Inches(1), Inches(4), Inches(4), Inches(1)).table
    for row, words in enumerate((("窓口", "内線"), ("総務課", "2050"))):
        for column, word in enumerate(words):
            table.cell(row, column).text = word
    parsed = guarded(parser, saved(presentation, tmp_path / "a.pptx"))
    assert (parsed.title, parsed.pages, parsed.notes["hidden_slides"]) == ("安全教育", 4, 1)
    assert [(e.page, e.level) for e in parsed.elements if e.kind is ElementKind.HEADING] == [(1, 1), (2, 1), (4, 1)]
    assert "極秘の計画" not in parsed.text
    assert "社内限" not in parsed.text, "what stands on every slide is no content"
    assert "窓口 | 内線\n総務課 | 2050" in texts(parsed)


def test_sheets_show_dates_percent_and_units_as_people_see_them(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "旅費"
    sheet.append(["別表第1"])
    sheet.append([])
    sheet.append(["区分", "日当", "改定日", "率", "件数"])
    sheet.append(["部長", 3000, dt.date(2025, 4, 1), 0.085, 2.0])
    sheet.append(["一般", 12000, dt.datetime(2025, 4, 1, 9, 30), 1, None])  # noqa: DTZ001 - a cell has no time zone
    for row in (4, 5):
        sheet.cell(row, 2).number_format = '#,##0"円"'
        sheet.cell(row, 4).number_format = "0.0%"
    secret = workbook.create_sheet("給与")
    secret.sheet_state = "hidden"
    secret.append(["社長", 99_999_999])
    parsed = read(saved(workbook, tmp_path / "旅費.xlsx"))
    assert headings(parsed) == [(1, "旅費")]
    assert texts(parsed)[1:] == [
        "別表第1",
        "区分 | 日当 | 改定日 | 率 | 件数\n部長 | 3,000円 | 2025-04-01 | 8.5% | 2\n一般 | 12,000円 | 2025-04-01 09:30 | 100.0% |",
    ]
    assert parsed.elements[-1].header == "区分 | 日当 | 改定日 | 率 | 件数"
    assert parsed.notes["hidden_sheets"] == 1
    assert "99" not in parsed.text


def test_a_second_table_below_a_blank_row_has_its_own_marked_header(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    for row in (["品名", "価格"], ["ねじ", 10], [], ["担当", "内線"], ["山田", 2110]):
        sheet.append(row)
    for column in (1, 2):
        sheet.cell(4, column).font = Font(bold=True)
    parsed = read(saved(workbook, tmp_path / "a.xlsx"))
    assert [e.header for e in parsed.elements if e.kind is ElementKind.TABLE] == ["品名 | 価格", "担当 | 内線"]


def test_a_cell_at_the_far_end_of_a_sheet_costs_nothing(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active["A1"] = "近い"
    workbook.active["XFD200000"] = "遠い"
    assert texts(read(saved(workbook, tmp_path / "a.xlsx")))[1:] == ["近い", "遠い"]


def test_files_that_unpack_to_far_more_than_they_are_refused_before_unpacking(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/sharedStrings.xml", bytes(120_000_000))
    assert path.stat().st_size < 1_000_000
    assert reason_of(path) is FailureReason.ARCHIVE_BOMB


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "word\\..\\..\\x"])
def test_names_that_point_outside_are_refused(name: str) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(DocumentError) as caught:
        check_archive(content.getvalue(), unpacked_limit_bytes=1000)
    assert caught.value.reason is FailureReason.ARCHIVE_BOMB


def test_a_zip_that_is_no_office_file_is_unsupported_and_a_cut_one_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of({"readme.txt": b"words"}))
    assert reason_of(tmp_path / "a.zip") is FailureReason.UNSUPPORTED_TYPE
    whole = saved(docx.Document(), tmp_path / "whole.docx").read_bytes()
    (tmp_path / "cut.docx").write_bytes(whole[: len(whole) // 2])
    assert reason_of(tmp_path / "cut.docx") is FailureReason.CORRUPT


def zip_of(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def test_an_office_package_with_nonsense_inside_is_corrupt(parser: ParserProcess, tmp_path: Path) -> None:
    for name, member in (
        ("a.docx", "word/document.xml"),
        ("a.pptx", "ppt/presentation.xml"),
        ("a.xlsx", "xl/workbook.xml"),
    ):
        path = tmp_path / name
        path.write_bytes(zip_of({"[Content_Types].xml": b"<Types/>", member: b"<broken"}))
        with pytest.raises(DocumentError) as caught:
            parser.parse(path, relative_path=name)
        assert caught.value.reason is FailureReason.CORRUPT, name


def test_an_empty_document_has_no_text(parser: ParserProcess, tmp_path: Path) -> None:
    for document, name in (
        (docx.Document(), "a.docx"),
        (pptx.Presentation(), "a.pptx"),
        (openpyxl.Workbook(), "a.xlsx"),
    ):
        with pytest.raises(DocumentError) as caught:
            parser.parse(saved(document, tmp_path / name), relative_path=name)
        assert caught.value.reason is FailureReason.NO_TEXT, name


def test_the_same_text_in_three_formats_has_the_same_headings(parser: ParserProcess) -> None:
    folder = shared("owasp_top10_ja/2017")
    word = {words for _, words in headings(guarded(parser, folder / "OWASP-Top-10-2017-ja.docx"))}
    page = {words for _, words in headings(guarded(parser, folder / "OWASP-Top-10-2017-ja.html"))}
    assert len(word & page) >= 0.95 * len(word | page)
    slides = guarded(parser, folder / "OWASP Top 10-2017(ja).pptx")
    assert slides.pages == 25
    assert {"インジェクション", "認証の不備"} <= {words for _, words in headings(slides)}
