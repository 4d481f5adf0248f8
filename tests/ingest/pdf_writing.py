"""Small PDFs for tests, written with reportlab's Japanese fonts; a scan is a page rendered into a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pypdfium2 as pdfium
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

MINCHO = "HeiseiMin-W3"
pdfmetrics.registerFont(UnicodeCIDFont(MINCHO))

Placed = tuple[float, float, float, str]
"""Left, height from the top, size in points, words."""


def write_pdf(path: Path, pages: Sequence[Sequence[Placed]], *, title: str = "", password: str | None = None) -> Path:
    """A PDF whose pages hold the words at their places."""
    from reportlab.lib.pdfencrypt import StandardEncryption

    encryption = StandardEncryption(password, strength=128) if password else None
    canvas = Canvas(str(path), pagesize=A4, encrypt=encryption)
    canvas.setTitle(title)
    for page in pages:
        for left, top, size, words in page:
            canvas.setFont(MINCHO, size)
            canvas.drawString(left, A4[1] - top, words)
        canvas.showPage()
    canvas.save()
    return path


def grey_page(path: Path, *, dpi: int = 300) -> npt.NDArray[np.uint8]:
    """The first page of a PDF as grey pixels."""
    document = pdfium.PdfDocument(path)
    bitmap = document[0].render(scale=dpi / 72, grayscale=True)
    pixels = np.array(bitmap.to_numpy(), dtype=np.uint8).reshape(bitmap.height, bitmap.width)
    document.close()
    return pixels


def write_scan(path: Path, pages: Sequence[npt.NDArray[np.uint8]]) -> Path:
    """A PDF of pictures alone, each as large as it would print at 300 dpi."""
    canvas = Canvas(str(path))
    for pixels in pages:
        height, width = (side * 72 / 300 for side in pixels.shape)
        canvas.setPageSize((width, height))
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, "PNG")
        content.seek(0)
        canvas.drawImage(ImageReader(content), 0, 0, width=width, height=height)
        canvas.showPage()
    canvas.save()
    return path
