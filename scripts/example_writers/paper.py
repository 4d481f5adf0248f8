"""PDF files with a text layer: headings, tables, a header and a footer on every page. Knows no content."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from example_writers.blocks import Block, read_blocks
from reportlab import rl_config
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

_INK, _BAND = colors.HexColor("#1F2A44"), colors.HexColor("#DCE3EE")
_MARGIN = 22 * mm
_SIZES_POINTS = {
    "title": 18.0,
    "heading": 13.0,
    "subheading": 10.8,
    "paragraph": 9.8,
    "bullet": 9.8,
    "right": 9.0,
    "remark": 9.0,
}


@dataclass(frozen=True)
class PaperLook:
    """How a PDF looks: the lines repeated on every page, its author, and its fonts."""

    header: str
    footer: str
    author: str
    font: str
    bold_font: str
    is_japanese: bool


def register_font(name: str, path: Path) -> None:
    """Make the TrueType font at ``path`` known to the PDF writer; only the letters used are embedded."""
    pdfmetrics.registerFont(TTFont(name, str(path)))


def write_paper(path: Path, markup: str, *, look: PaperLook) -> None:
    """Write the markup as a PDF at ``path``, with "page / pages" at the foot."""
    rl_config.invariant = 1
    blocks = read_blocks(markup)
    title = next(block.text for block in blocks if block.kind == "title")
    page_count = 0
    # The number of pages is known only after a first run; the second one prints it on every page.
    for _ in range(2):
        template = SimpleDocTemplate(
            str(path),
            pagesize=A4,
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=26 * mm,
            bottomMargin=22 * mm,
            title=title,
            author=look.author,
            invariant=1,
            lang="ja-JP" if look.is_japanese else "en",
        )
        draw = _frame(look, page_count)
        template.build(_story(blocks, look), onFirstPage=draw, onLaterPages=draw)
        page_count = template.page


def _frame(look: PaperLook, page_count: int) -> Callable[[Canvas, SimpleDocTemplate], None]:
    width, height = A4

    def draw(canvas: Canvas, _: SimpleDocTemplate) -> None:
        canvas.saveState()
        canvas.setFillColor(_INK)
        canvas.setStrokeColor(_INK)
        canvas.setLineWidth(0.5)
        canvas.setFont(look.font, 8)
        canvas.drawString(_MARGIN, height - 15 * mm, look.header)
        canvas.line(_MARGIN, height - 17 * mm, width - _MARGIN, height - 17 * mm)
        canvas.line(_MARGIN, 15 * mm, width - _MARGIN, 15 * mm)
        canvas.drawString(_MARGIN, 10.5 * mm, look.footer)
        canvas.drawRightString(width - _MARGIN, 10.5 * mm, f"{canvas.getPageNumber()} / {page_count}")
        canvas.restoreState()

    return draw


def _story(blocks: list[Block], look: PaperLook) -> list[Flowable]:
    story: list[Flowable] = []
    for block in blocks:
        match block.kind:
            case "page":
                story.append(PageBreak())
            case "table":
                story.extend((Spacer(1, 2 * mm), _table(block, look), Spacer(1, 3 * mm)))
            case "bullet":
                mark = "・" if look.is_japanese else "\N{BULLET}"
                story.append(Paragraph(escape(block.text), _style("bullet", look), bulletText=mark))
            case _:
                story.append(Paragraph(escape(block.text), _style(block.kind, look)))
    return story


def _style(kind: str, look: PaperLook) -> ParagraphStyle:
    size_points = _SIZES_POINTS[kind]
    is_heading = kind in ("title", "heading", "subheading")
    return ParagraphStyle(
        kind,
        fontName=look.bold_font if is_heading else look.font,
        fontSize=size_points,
        leading=size_points * 1.55,
        textColor=_INK if is_heading else colors.black,
        alignment=TA_RIGHT if kind == "right" else 0,
        spaceBefore={"title": 0, "heading": 10, "subheading": 6}.get(kind, 0),
        spaceAfter=3,
        leftIndent=5 * mm if kind == "bullet" else 0,
        bulletFontName=look.font,
        bulletFontSize=size_points,
        # A heading never stands alone at the foot of a page.
        keepWithNext=is_heading,
        wordWrap="CJK" if look.is_japanese else None,
    )


def _table(block: Block, look: PaperLook) -> Table:
    cell, head = _style("right", look), _style("right", look)
    cell.alignment = head.alignment = 0
    head.fontName = look.bold_font
    rows = [
        [Paragraph(escape(text), head if number == 0 else cell) for text in row]
        for number, row in enumerate(block.rows)
    ]
    # Columns share the width by the length of their longest cell.
    lengths = [max(len(text) for text in column) + 4 for column in zip(*block.rows, strict=True)]
    width = A4[0] - 2 * _MARGIN
    table = Table(rows, colWidths=[width * length / sum(lengths) for length in lengths], repeatRows=1)
    table.setStyle(
        [
            ("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#7C879B")),
            ("BACKGROUND", (0, 0), (-1, 0), _BAND),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    return table
