"""One page of a PDF as a PNG with a quotation marked: `python -m api.page_picture`, a process that lives for one page.

PDFs come from anywhere and pdfium is a million lines of C++: it never runs inside the API's own process. The request comes
as JSON on standard input, the picture leaves on standard output; a process that uses too much ends. Knows no ledger.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import unicodedata
from pathlib import Path
from typing import Any

WIDTH_PIXELS = 1100
"""Sharp on a usual screen; a page of text is then some 200,000 bytes."""
MOST_PIXELS = 4_000_000
"""A page as a long band is made smaller, not refused."""
MEMORY_BYTES = 2 << 30
PROCESSOR_SECONDS = 15
LETTERS_LIMIT = 40_000
"""A dense A4 page has 5,000; a page with more is shown without marks."""
LEAST_LETTERS = 8
"""A shorter piece of a quotation may stand anywhere."""
NO_SUCH_PAGE = 3
MARK = (255, 226, 120)

Box = tuple[float, float, float, float]


def main() -> None:
    """Reads the request, writes the picture: 4 bytes with the number of marked lines, 4 with their top in thousandths, then PNG."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    asked = json.loads(sys.stdin.buffer.read())
    marks, top, picture = drawn(Path(asked["path"]), page=asked["page"], quote=asked["quote"])
    sys.stdout.buffer.write(marks.to_bytes(4, "big") + top.to_bytes(4, "big") + picture)


def drawn(path: Path, *, page: int, quote: str) -> tuple[int, int, bytes]:
    """How many lines are marked, thousandths of the page above the highest, and the PNG. Exits with NO_SUCH_PAGE where the file has no such page."""
    import pypdfium2 as pdfium
    from PIL import Image, ImageChops, ImageDraw

    document = pdfium.PdfDocument(path)
    if not 1 <= page <= len(document):
        raise SystemExit(NO_SUCH_PAGE)
    opened = document[page - 1]
    width, height = opened.get_size()
    scale = min(WIDTH_PIXELS / max(width, 1), (MOST_PIXELS / max(width * height, 1)) ** 0.5)
    picture = opened.render(scale=scale).to_pil().convert("RGB")
    boxes = lines_of(letters_of(opened), quote) if quote else []
    places = [_on_picture(opened, picture.size, box) for box in boxes]
    if places:
        sheet = Image.new("RGB", picture.size, "white")
        pen = ImageDraw.Draw(sheet)
        for place in places:
            pen.rectangle(place, fill=MARK)
        picture = ImageChops.multiply(picture, sheet)  # as a felt pen does: letters stay black
    written = io.BytesIO()
    picture.quantize(64).save(written, "PNG", optimize=True)
    highest = min((place[1] for place in places), default=0)
    return len(boxes), min(max(round(1000 * highest / picture.size[1]), 0), 1000), written.getvalue()


def letters_of(page: Any) -> list[tuple[str, Box]]:
    """Every letter of the page with its box in the page's points; empty for a page with too many."""
    import pypdfium2.raw as pdfium_c

    text = page.get_textpage()
    count = text.count_chars()
    if count > LETTERS_LIMIT:
        return []
    return [
        (chr(pdfium_c.FPDFText_GetUnicode(text.raw, index)), text.get_charbox(index, loose=True))
        for index in range(count)
    ]


def lines_of(letters: list[tuple[str, Box]], quote: str) -> list[Box]:
    """The boxes of the quotation's lines, from the letters of the page in their order; empty where it is not on it.

    Blanks and forms of letters do not count, because the stored text was put together from lines. A quotation that goes on
    on the next page is marked as far as it stands on this one.
    """
    plain: list[str] = []
    boxes: list[Box] = []
    for letter, box in letters:
        for folded in _folded(letter):
            plain.append(folded)
            boxes.append(box)
    place = _place("".join(plain), "".join(folded for letter in quote for folded in _folded(letter)))
    return [] if place is None else _joined(boxes[place[0] : place[1]])


def _place(text: str, quote: str) -> tuple[int, int] | None:
    """Where the quotation stands in the text: the whole, else its longest beginning, else its longest end."""
    if not quote:
        return None
    at = text.find(quote)
    if at >= 0:
        return at, at + len(quote)
    begins = _longest(lambda length: quote[:length] in text, len(quote))
    ends = _longest(lambda length: quote[len(quote) - length :] in text, len(quote))
    if max(begins, ends) < LEAST_LETTERS:
        return None
    piece = quote[:begins] if begins >= ends else quote[len(quote) - ends :]
    return text.find(piece), text.find(piece) + len(piece)


def _longest(is_there: Any, limit: int) -> int:
    """The greatest length for which a piece is there; a longer piece holds the shorter ones."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if is_there(middle) else (low, middle - 1)
    return low


def _folded(letter: str) -> str:
    return "".join(
        part
        for part in unicodedata.normalize("NFKC", letter)
        if not part.isspace() and unicodedata.category(part) != "Cc"
    )


def _joined(boxes: list[Box]) -> list[Box]:
    """One box for each stretch of letters that follow one another on a line."""
    lines: list[Box] = []
    for place, box in enumerate(boxes):
        if place and _is_beside(boxes[place - 1], box):
            last = lines[-1]
            lines[-1] = (min(last[0], box[0]), min(last[1], box[1]), max(last[2], box[2]), max(last[3], box[3]))
        else:
            lines.append(box)
    return lines


def _is_beside(former: Box, box: Box) -> bool:
    """Whether two letters share more than half of their height or, one under the other in vertical writing, width."""
    return any(
        min(former[high], box[high]) - max(former[low], box[low])
        > min(former[high] - former[low], box[high] - box[low]) / 2
        for low, high in ((1, 3), (0, 2))
    )


def _on_picture(page: Any, size: tuple[int, int], box: Box) -> tuple[float, float, float, float]:
    """The box in pixels; pdfium itself knows how the page is cropped and turned."""
    import ctypes

    import pypdfium2.raw as pdfium_c

    x, y = ctypes.c_int(), ctypes.c_int()
    corners = []
    for point in ((box[0], box[3]), (box[2], box[1])):
        pdfium_c.FPDF_PageToDevice(page.raw, 0, 0, size[0], size[1], 0, *point, ctypes.byref(x), ctypes.byref(y))
        corners.append((x.value, y.value))
    (x1, y1), (x2, y2) = corners
    return (min(x1, x2) - 1, min(y1, y2) - 1, max(x1, x2) + 1, max(y1, y2) + 1)


if __name__ == "__main__":
    main()
