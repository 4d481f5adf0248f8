"""Slides as they are shown: what nobody sees is taken out and counted.

That is a shape switched to hidden, a shape beside the slide, letters of no size, and white letters on a slide that is
known to be white with nothing else on it that could lie behind them. Must not know elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pptx.enum.shapes import MSO_SHAPE_TYPE
from pptx.oxml import parse_xml
from pptx.oxml.ns import qn

_SMALLEST_HUNDREDTHS = 200  # of a point
_WHITE = "FFFFFF"
_WHITE_SCHEME = frozenset({"bg1", "lt1"})
_GROUNDS = frozenset(qn(name) for name in ("a:solidFill", "a:gradFill", "a:blipFill", "a:pattFill"))


def keep_what_is_shown(presentation: Any, *, reads_hidden: bool = False) -> int:
    """Takes texts that nobody sees out of the slides of a python-pptx presentation; how many there are.

    With `reads_hidden` the presentation that is to be read must be another copy: here they are only counted.
    """
    width, height = presentation.slide_width, presentation.slide_height
    slides = [slide for slide in presentation.slides if reads_hidden or slide._element.get("show") != "0"]
    return sum(_clean(slide, width, height) for slide in slides)


def comments_of(slide: Any) -> list[str]:
    """The words of each comment on a slide, in the old and the new form; they are never part of its own text."""
    parts = [one.target_part for one in slide.part.rels.values() if not one.is_external and "/comments" in one.reltype]
    comments = (comment for part in parts for comment in parse_xml(part.blob).iter("{*}cm"))
    return ["".join(words.text or "" for words in comment.iter("{*}t", "{*}text")) for comment in comments]


def _clean(slide: Any, width: int, height: int) -> int:
    hidden = 0
    for shape in list(slide.shapes):
        if shape.has_text_frame and shape.text_frame.text.strip() and _is_out_of_sight(shape, width, height):
            hidden += 1
            shape._element.getparent().remove(shape._element)
    is_white = _has_white_ground(slide)
    for run in list(slide._element.iter(qn("a:r"))):
        words = "".join(found.text or "" for found in run.iter(qn("a:t")))
        properties = run.find(qn("a:rPr"))
        if words.strip() and properties is not None and (_is_tiny(properties) or (is_white and _is_white(properties))):
            hidden += 1
            run.getparent().remove(run)
    return hidden


def _is_out_of_sight(shape: Any, width: int, height: int) -> bool:
    names = next(shape._element.iter(qn("p:cNvPr")), None)
    if names is not None and names.get("hidden") in ("1", "true"):
        return True
    if None in (shape.left, shape.top, shape.width, shape.height):  # where its layout puts it
        return False
    is_beside = shape.left >= width or shape.left + shape.width <= 0
    return bool(is_beside or shape.top >= height or shape.top + shape.height <= 0)


def _is_tiny(properties: Any) -> bool:
    size = properties.get("sz") or ""
    return size.isdigit() and int(size) <= _SMALLEST_HUNDREDTHS


def _is_white(properties: Any) -> bool:
    fill = properties.find(qn("a:solidFill"))
    if fill is None or len(fill) != 1 or len(fill[0]):  # a child of the colour makes it lighter or darker
        return False
    value = fill[0].get("val") or ""
    return value.upper() == _WHITE or value in _WHITE_SCHEME


def _has_white_ground(slide: Any) -> bool:
    """Whether slide, layout and master show nothing but letters on white, as far as that can be told."""
    layers = (slide, slide.slide_layout, slide.slide_layout.slide_master)
    return _ground_is_white(layers) and not any(_may_lie_behind(shape) for layer in layers for shape in _all(layer))


def _ground_is_white(layers: tuple[Any, ...]) -> bool:
    for layer in layers:
        ground = layer._element.find(f"{qn('p:cSld')}/{qn('p:bg')}")
        if ground is not None:
            colours = list(ground.iter(qn("a:srgbClr"), qn("a:schemeClr")))
            values = {colour.get("val") or "" for colour in colours}
            has_picture = next(ground.iter(qn("a:blip")), None) is not None
            return bool(colours) and not has_picture and values <= {_WHITE, *_WHITE_SCHEME}
    return True


def _all(layer: Any) -> Iterator[Any]:
    yield from layer.shapes


def _may_lie_behind(shape: Any) -> bool:
    if shape.shape_type in (MSO_SHAPE_TYPE.PICTURE, MSO_SHAPE_TYPE.GROUP) or not shape.has_text_frame:
        return True
    element = shape._element
    properties = element.find(qn("p:spPr"))
    is_filled = properties is not None and any(child.tag in _GROUNDS for child in properties)
    return is_filled or element.find(qn("p:style")) is not None
