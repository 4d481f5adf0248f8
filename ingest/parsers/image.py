"""A picture file (PNG, JPEG, TIFF) -> its letters by OCR; each frame of a TIFF is a page. Must not know PDF."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from assistant.domain import ParsedDocument
from ingest import ocr
from ingest.parsers import refusals
from ingest.parsers.draft import Origin, Piece, assemble
from ingest.parsers.headings import looks_like_title
from ingest.parsers.limits import ParseLimits
from ingest.parsers.pdf_layout import paragraphs_of_scan

_BROKEN = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError)
_USUAL_DPI = 300
_SMALL_HEIGHT_PIXELS = 1200  # a photo or screen shot: letters too small for tesseract unless enlarged


def parse_image(
    data: bytes, origin: Origin, *, limits: ParseLimits, on_page: Callable[[int, int], None] | None = None
) -> ParsedDocument:
    """Recognised text; raises OCR_UNAVAILABLE, CORRUPT, TOO_LARGE, TIMEOUT, NO_TEXT."""
    if not limits.reads_scans:
        raise refusals.ocr_off()
    if not ocr.is_available():
        raise refusals.ocr_unavailable()
    pieces: list[Piece] = []
    confidences: dict[int, float] = {}
    pages = 0
    found_anything = False
    for picture, count in _pictures(data, origin, limits):
        pages += 1
        try:
            recognised = ocr.recognise(picture, timeout_seconds=limits.ocr_seconds_per_page)
        except ocr.RecognitionTooSlow as problem:
            raise refusals.ocr_too_slow() from problem
        found_anything = found_anything or bool(recognised.paragraphs)
        if recognised.is_legible:
            pieces.extend(paragraphs_of_scan(recognised.paragraphs, pages))
            confidences[pages] = recognised.confidence
        if on_page is not None:
            on_page(pages, count)
    if not pieces:
        raise refusals.scan_illegible() if found_anything else refusals.no_text()
    notes: dict[str, str | int | float] = {
        "ocr_pages": len(confidences),
        "ocr_confidence": round(sum(confidences.values()) / len(confidences), 1),
        ocr.BY_PAGE: ocr.by_page(confidences.items()),
    }
    if len(confidences) < pages:
        notes["unread_pages"] = pages - len(confidences)
    first = pieces[0].text.partition("\n")[0]
    return assemble(
        pieces, replace(origin, pages=pages, notes=notes), titles=[first if looks_like_title(first) else None]
    )


def _pictures(data: bytes, origin: Origin, limits: ParseLimits) -> Iterator[tuple[ocr.Picture, int]]:
    """Each frame in grey, upright as its camera says, with the number of frames."""
    name = origin.kind.value.rpartition("/")[2]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own size warning; the limit below is ours
            image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "TIFF"))
            frames = int(getattr(image, "n_frames", 1))
            if frames > limits.ocr_page_limit:
                raise refusals.too_large(f"{limits.ocr_page_limit} ページ", f"{limits.ocr_page_limit} pages")
            for frame in ImageSequence.Iterator(image):
                if frame.width * frame.height > limits.pixel_limit:
                    millions = limits.pixel_limit // 1_000_000
                    raise refusals.too_large(f"{millions} 百万画素", f"{millions} million pixels")
                yield _grey(frame), frames
    except Image.DecompressionBombError as problem:
        millions = limits.pixel_limit // 1_000_000
        raise refusals.too_large(f"{millions} 百万画素", f"{millions} million pixels") from problem
    except _BROKEN as problem:
        raise refusals.corrupt(name) from problem


def _grey(frame: Image.Image) -> ocr.Picture:
    upright = ImageOps.exif_transpose(frame)
    if upright.mode in ("RGBA", "LA", "P", "PA"):
        coloured = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured)
    grey = upright.convert("L")
    declared = frame.info.get("dpi", (0, 0))[0]
    dpi = int(declared) if 70 <= float(declared) <= 1200 else _USUAL_DPI
    if max(grey.size) < _SMALL_HEIGHT_PIXELS:
        grey = grey.resize((grey.width * 2, grey.height * 2), Image.Resampling.LANCZOS)
    return ocr.Picture(grey.width, grey.height, grey.tobytes(), dpi=dpi)
