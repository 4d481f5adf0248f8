"""Slide files: one title per slide, bullets or one table below it, and what the speaker says as notes. Knows no content."""

from datetime import datetime
from pathlib import Path

from example_writers.archive import fix_times
from example_writers.blocks import Block, read_slides
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.slide import Slide
from pptx.text.text import TextFrame, _Run
from pptx.util import Emu, Mm, Pt

_WIDTH, _HEIGHT = Mm(338.67), Mm(190.5)
_INK, _BAND = RGBColor(0x1F, 0x2A, 0x44), RGBColor(0x2F, 0x6F, 0x9F)
_TITLE_ONLY, _TITLE_AND_CONTENT, _TITLE_SLIDE = 5, 1, 0


def write_slides(path: Path, markup: str, *, author: str, footer: str, font: str, written_at: datetime) -> None:
    """Write one slide per ``#`` title; the first becomes the cover, and every slide ends with ``footer`` and its number."""
    presentation = Presentation()
    presentation.slide_width, presentation.slide_height = Emu(_WIDTH), Emu(_HEIGHT)
    for number, blocks in enumerate(read_slides(markup)):
        has_table = any(block.kind == "table" for block in blocks)
        layout = _TITLE_SLIDE if number == 0 else _TITLE_ONLY if has_table else _TITLE_AND_CONTENT
        slide = presentation.slides.add_slide(presentation.slide_layouts[layout])
        _add_band(slide, is_cover=number == 0)
        _fill(slide, blocks, font=font, is_cover=number == 0)
        _add_footer(slide, f"{footer}    {number + 1}", font=font)
        remarks = [block.text for block in blocks if block.kind == "remark"]
        if remarks:
            slide.notes_slide.notes_text_frame.text = "\n".join(remarks)
    properties = presentation.core_properties
    properties.title = read_slides(markup)[0][0].text
    properties.author = properties.last_modified_by = author
    properties.created = properties.modified = written_at
    presentation.save(str(path))
    fix_times(path, written_at)


def _add_band(slide: Slide, *, is_cover: bool) -> None:
    height = Mm(8) if is_cover else Mm(3)
    top = Mm(128) if is_cover else Mm(31)
    band = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, Emu(Mm(18)), Emu(top), Emu(_WIDTH - Mm(36)), Emu(height // 4))
    band.fill.solid()
    band.fill.fore_color.rgb = _BAND
    band.line.fill.background()


def _add_footer(slide: Slide, text: str, *, font: str) -> None:
    frame = slide.shapes.add_textbox(Emu(Mm(18)), Emu(Mm(179)), Emu(_WIDTH - Mm(36)), Emu(Mm(8))).text_frame
    _write(frame, [text], font=font, size_points=10, is_bold=False)
    frame.paragraphs[0].alignment = PP_ALIGN.RIGHT


def _fill(slide: Slide, blocks: list[Block], *, font: str, is_cover: bool) -> None:
    title = slide.shapes.title
    title.left, title.width = Mm(18), Emu(_WIDTH - Mm(36))
    title.top, title.height = (Mm(78), Mm(46)) if is_cover else (Mm(10), Mm(20))
    _write(title.text_frame, [blocks[0].text], font=font, size_points=40 if is_cover else 28, is_bold=True)
    lines = [block.text for block in blocks if block.kind == "bullet"]
    if lines:
        body = slide.placeholders[1]
        body.left, body.width = Mm(18), Emu(_WIDTH - Mm(36))
        body.top, body.height = (Mm(134), Mm(34)) if is_cover else (Mm(42), Mm(130))
        _write(body.text_frame, lines, font=font, size_points=18 if is_cover else 22, is_bold=False)
    for block in blocks:
        if block.kind == "table":
            _add_table(slide, block, font=font)


def _write(frame: TextFrame, lines: list[str], *, font: str, size_points: int, is_bold: bool) -> None:
    frame.word_wrap = True
    for number, line in enumerate(lines):
        paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
        paragraph.space_after = Pt(8)
        run = paragraph.add_run()
        run.text = line
        _style(run, font=font, size_points=size_points, is_bold=is_bold)


def _style(run: _Run, *, font: str, size_points: int, is_bold: bool) -> None:
    run.font.size, run.font.bold, run.font.name = Pt(size_points), is_bold, font
    run.font.color.rgb = _INK
    east_asian = run.font._element.makeelement(qn("a:ea"), {"typeface": font})
    run.font._element.append(east_asian)


def _add_table(slide: Slide, block: Block, *, font: str) -> None:
    rows, columns = len(block.rows), len(block.rows[0])
    place = (Emu(Mm(18)), Emu(Mm(42)), Emu(_WIDTH - Mm(36)), Emu(Mm(16) * rows))
    table = slide.shapes.add_table(rows, columns, *place).table
    for row_number, row in enumerate(block.rows):
        for column_number, text in enumerate(row):
            cell = table.cell(row_number, column_number)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            frame = cell.text_frame
            _write(frame, [text], font=font, size_points=16, is_bold=row_number == 0)
            if row_number == 0:
                frame.paragraphs[0].runs[0].font.color.rgb = RGBColor(0xFF, 0xFF, 0xFF)
