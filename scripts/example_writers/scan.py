"""A scanned page: a PDF whose only content is a slightly tilted, slightly noisy picture of a printed notice."""

import io
import random
from pathlib import Path

from example_writers.blocks import Block, read_blocks
from PIL import Image, ImageChops, ImageDraw, ImageFont
from reportlab.lib.units import inch
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

_DOTS_PER_INCH = 300
_WIDTH, _HEIGHT = 2480, 3508
_MARGIN = 270
_TILT_DEGREES = 0.4
_SIZES = {"title": 84, "heading": 54, "paragraph": 46, "bullet": 46, "right": 42}


def write_scan(path: Path, markup: str, *, font_path: Path, seed: int) -> None:
    """Write one A4 page at ``path``: a grayscale JPEG at 300 dots per inch and no text layer."""
    picture = _speckled(_printed(read_blocks(markup), font_path), seed)
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=38, optimize=True, dpi=(_DOTS_PER_INCH, _DOTS_PER_INCH))
    size_points = (_WIDTH / _DOTS_PER_INCH * inch, _HEIGHT / _DOTS_PER_INCH * inch)
    canvas = Canvas(str(path), pagesize=size_points, invariant=1)
    jpeg.seek(0)
    canvas.drawImage(ImageReader(jpeg), 0, 0, *size_points)
    canvas.showPage()
    canvas.save()


def _printed(blocks: list[Block], font_path: Path) -> Image.Image:
    page = Image.new("L", (_WIDTH, _HEIGHT), 250)
    draw = ImageDraw.Draw(page)
    top = float(_MARGIN)
    for block in blocks:
        font = ImageFont.truetype(str(font_path), _SIZES[block.kind])
        top += 44 if block.kind == "heading" else 0
        text = f"・{block.text}" if block.kind == "bullet" else block.text
        for line in _lines(text, font, _WIDTH - 2 * _MARGIN):
            left = _left(block, font.getlength(line))
            # Old printers' headings are the same letters, struck a little fatter.
            stroke = 1 if block.kind in ("title", "heading") else 0
            draw.text((left, top), line, font=font, fill=38, stroke_width=stroke, stroke_fill=38)
            top += _SIZES[block.kind] * 1.6
        top += 40 if block.kind == "title" else 12
    draw.rectangle((_MARGIN - 90, _MARGIN - 90, _WIDTH - _MARGIN + 90, top + 70), outline=60, width=5)
    return page.rotate(_TILT_DEGREES, resample=Image.Resampling.BICUBIC, fillcolor=250)


def _left(block: Block, width: float) -> float:
    if block.kind == "title":
        return (_WIDTH - width) / 2
    return _WIDTH - _MARGIN - width if block.kind == "right" else _MARGIN


def _lines(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Break a text as Japanese printers do: no line begins with a closing mark or ends with an opening one."""
    lines = [""]
    for character in text:
        if font.getlength(lines[-1] + character) > width and character not in "、。）」":
            carried = lines[-1][-1] if lines[-1][-1] in "（「" else ""
            lines[-1] = lines[-1].removesuffix(carried)
            lines.append(carried)
        lines[-1] += character
    return lines


def _speckled(page: Image.Image, seed: int) -> Image.Image:
    """Uneven paper (a coarse cloud) and a few dark specks, as an office scanner leaves them."""
    chance = random.Random(seed)
    coarse = Image.frombytes("L", (62, 88), chance.randbytes(62 * 88)).resize(page.size, Image.Resampling.BICUBIC)
    shaded = ImageChops.subtract(page, coarse.point(lambda value: value // 42))
    draw = ImageDraw.Draw(shaded)
    for _ in range(140):
        left, top = chance.randrange(_WIDTH), chance.randrange(_HEIGHT)
        draw.ellipse((left, top, left + chance.randrange(1, 4), top + chance.randrange(1, 4)), fill=120)
    return shaded
