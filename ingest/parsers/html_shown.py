"""White words of a page that stand on no ground of another colour: nobody sees them.

Looks at what the page itself says about a place (`style`, `bgcolor`, `<font color>`). Where a style sheet could lay a
ground behind the words, they count as seen: a text that is lost is worse than one that is read. Must not know elements.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString

_WHITEST = 0xFA
_COLOUR = re.compile(r"(?:^|;)color:([^;!]+)")
_GROUND = re.compile(r"(?:^|;)background(?:-color|-image)?:([^;!]+)")
_HEX = re.compile(r"#(?:([0-9a-f]{3})[0-9a-f]?|([0-9a-f]{6})(?:[0-9a-f]{2})?)")
_CHANNELS = re.compile(r"rgba?\((\d+)[, ](\d+)[, ](\d+)[^)]*\)")
_NO_GROUND = frozenset({"none", "transparent", "inherit", "initial", "unset"})
_MAYBE_WHITE = re.compile(r"white|#f|rgb|transparent", re.IGNORECASE)


def white_texts(soup: BeautifulSoup) -> list[list[NavigableString]]:
    """The texts with words that are white on nothing else, of each place that makes them so, in reading order.

    One walk from the outside in: markup may be nested 20,000 deep.
    """
    if not any(_is_white(_colour_of(tag)) for tag in soup.find_all(["font", _has_style])):
        return []
    has_sheets = any("background" in str(tag) for tag in soup.find_all("style")) or any(
        "stylesheet" in (tag.get("rel") or ()) for tag in soup.find_all("link")
    )
    looks = {id(soup): _Look()}
    places: dict[int, list[NavigableString]] = {}
    for step in soup.descendants:
        look = looks[id(step.parent)]
        if isinstance(step, Tag):
            looks[id(step)] = look.within(step, has_sheets=has_sheets)
        elif isinstance(step, NavigableString) and look.place and not look.has_ground and _is_shown(step):
            places.setdefault(look.place, []).append(step)
    return list(places.values())


class _Look(NamedTuple):
    """How words look at a place: `place` is the tag that makes them white, 0 where none does."""

    place: int = 0
    has_ground: bool = False

    def within(self, tag: Tag, *, has_sheets: bool) -> _Look:
        """The look inside the tag."""
        place, has_ground = self
        if colour := _colour_of(tag):
            place = (place or id(tag)) if _is_white(colour) else 0
        elif tag.name == "a" and tag.get("href"):
            place = 0
        ground = _ground_of(tag)
        if ground and ground not in _NO_GROUND:
            has_ground = not _is_white(ground)
        elif has_sheets and (tag.get("class") or tag.get("id")):
            has_ground = True
        return _Look(place, has_ground)


def _is_shown(words: NavigableString) -> bool:
    return bool(words.strip()) and not isinstance(words, PreformattedString)  # no comments and declarations


def _has_style(tag: Tag) -> bool:
    return tag.has_attr("style")


def _colour_of(tag: Tag) -> str:
    declared = _COLOUR.findall(_style(tag))
    return declared[-1] if declared else str(tag.get("color") or "").strip().lower() if tag.name == "font" else ""


def _ground_of(tag: Tag) -> str:
    declared = _GROUND.findall(_style(tag))
    return declared[-1] if declared else str(tag.get("bgcolor") or tag.get("background") or "").strip().lower()


def _style(tag: Tag) -> str:
    return re.sub(r"\s*([:;,(])\s*", r"\1", str(tag.get("style") or "").strip().lower())


def _is_white(colour: str) -> bool:
    if not _MAYBE_WHITE.search(colour):
        return False
    if colour.strip() in ("white", "transparent"):
        return True
    if (short := _HEX.fullmatch(colour.strip())) is not None:
        digits = short[2] or "".join(digit * 2 for digit in short[1])
        return all(channel >= _WHITEST for channel in bytes.fromhex(digits))
    channels = _CHANNELS.fullmatch(colour.strip())
    return channels is not None and all(int(channel) >= _WHITEST for channel in channels.groups())
