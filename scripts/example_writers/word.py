"""Word files: with real heading styles, or as many offices write them, with bold lines only. Knows no content."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.styles.style import ParagraphStyle
from docx.table import _Cell
from docx.text.paragraph import Paragraph
from example_writers.archive import fix_times
from example_writers.blocks import Block, read_blocks

_INK = RGBColor(0x1F, 0x2A, 0x44)
_HEADING_SIZES_POINTS = {"Title": 20, "Heading 1": 14, "Heading 2": 11.5}


@dataclass(frozen=True)
class WordLook:
    """How a Word file looks: its header line, its author, and whether headings are styles or merely bold."""

    header: str
    author: str
    written_at: datetime
    has_heading_styles: bool = True
    body_font: str = "游明朝"
    heading_font: str = "游ゴシック"


def write_word(path: Path, markup: str, *, look: WordLook) -> None:
    """Write the markup as a Word file at ``path``."""
    document = Document()
    _prepare(document, look)
    blocks = read_blocks(markup)
    for block in blocks:
        _add(document, block, look)
    properties = document.core_properties
    properties.title = next(block.text for block in blocks if block.kind == "title")
    properties.author = properties.last_modified_by = look.author
    properties.created = properties.modified = look.written_at
    properties.comments = ""
    document.save(str(path))
    fix_times(path, look.written_at)


def _prepare(document: WordDocument, look: WordLook) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(25)
    section.top_margin, section.bottom_margin = Mm(28), Mm(22)
    normal = document.styles["Normal"]
    _set_font(normal, look.body_font)
    normal.font.size = Pt(10.5)
    normal.paragraph_format.space_after = Pt(4)
    normal.paragraph_format.line_spacing = 1.2
    for name, size_points in _HEADING_SIZES_POINTS.items():
        style = document.styles[name]
        _set_font(style, look.heading_font)
        style.font.size, style.font.bold, style.font.color.rgb = Pt(size_points), True, _INK
        style.paragraph_format.space_before = Pt({"Title": 0, "Heading 1": 14, "Heading 2": 8}[name])
        style.paragraph_format.space_after = Pt({"Title": 8, "Heading 1": 4, "Heading 2": 2}[name])
    header = section.header.paragraphs[0]
    header.text = look.header
    header.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    header.runs[0].font.size = Pt(8.5)
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _add_page_number(footer)


def _set_font(style: ParagraphStyle, font: str) -> None:
    """Set the font for Latin and for East Asian letters; Word keeps the two apart."""
    style.font.name = font
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for attribute in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(qn(attribute), None)
    fonts.set(qn("w:eastAsia"), font)


def _add_page_number(paragraph: Paragraph) -> None:
    for kind, instruction in (("begin", ""), ("", "PAGE"), ("end", "")):
        run = paragraph.add_run()
        run.font.size = Pt(8.5)
        if instruction:
            element = OxmlElement("w:instrText")
            element.text = instruction
        else:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        run._r.append(element)


def _add(document: WordDocument, block: Block, look: WordLook) -> None:
    match block.kind:
        case "title" | "heading" | "subheading":
            _add_heading(document, block, look)
        case "bullet" if look.has_heading_styles:
            document.add_paragraph(block.text, style="List Bullet")
        case "bullet":
            document.add_paragraph(f"・{block.text}")
        case "right":
            document.add_paragraph(block.text).alignment = WD_ALIGN_PARAGRAPH.RIGHT
        case "remark":
            document.add_paragraph().add_run(block.text).italic = True
        case "table":
            _add_table(document, block)
        case "page":
            document.add_page_break()
        case "paragraph":
            document.add_paragraph(block.text)


def _add_heading(document: WordDocument, block: Block, look: WordLook) -> None:
    name = {"title": "Title", "heading": "Heading 1", "subheading": "Heading 2"}[block.kind]
    if look.has_heading_styles:
        document.add_paragraph(block.text, style=name)
        return
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_before = Pt(10)
    run = paragraph.add_run(block.text)
    run.bold, run.font.size = True, Pt(_HEADING_SIZES_POINTS[name] - 1)
    if block.kind == "title":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _add_table(document: WordDocument, block: Block) -> None:
    table = document.add_table(rows=0, cols=len(block.rows[0]))
    table.style = "Table Grid"
    for number, row in enumerate(block.rows):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
            for run in cell.paragraphs[0].runs:
                run.font.size, run.bold = Pt(9.5), number == 0
            layout = cell.paragraphs[0].paragraph_format
            layout.space_before, layout.space_after, layout.line_spacing = Pt(2), Pt(2), 1.0
            # Rows of a short table stay on one page.
            layout.keep_with_next = number + 1 < len(block.rows)
            if number == 0:
                _shade(cell, "DCE3EE")
    document.add_paragraph().paragraph_format.space_after = Pt(2)


def _shade(cell: _Cell, colour: str) -> None:
    shading = OxmlElement("w:shd")
    for attribute, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", colour)):
        shading.set(qn(attribute), value)
    cell._tc.get_or_add_tcPr().append(shading)
