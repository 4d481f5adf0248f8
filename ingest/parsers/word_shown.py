"""A Word file's body as a reader of its final version sees it: changes accepted, what nobody sees taken out and counted.

python-docx passes over tracked insertions, content controls and text boxes, too, which are seen: they are put where it
finds them. A text that is white on white, hidden or of no size is how instructions to a machine are smuggled into a
document; it is left out only where nothing dark is known to lie behind it. Must not know elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from docx.oxml import parse_xml
from docx.oxml.ns import qn

_UNWRAPPED = tuple(qn(f"w:{name}") for name in ("ins", "moveTo", "smartTag", "customXml", "fldSimple", "sdt"))
_MARKS_ONLY = (qn("w:rPr"), qn("w:trPr"))  # here `ins` and `del` speak of a paragraph mark or row, and hold nothing
_OFF = frozenset({"0", "false", "off"})
_SMALLEST_HALF_POINTS = 4
_WHITEST = 0xFA
_NO_FILL = frozenset({"auto", "FFFFFF", ""})
_IN_BOX = "in-box"  # a mark of ours, taken off again: what a text box is filled with is not looked up
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


@dataclass
class Shown:
    """What was done to a body. `has_changed` also when something was only moved to where it is found; `comments` are
    filled only where hidden parts are read."""

    has_changed: bool = False
    notes: dict[str, int] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)

    def left_out(self, name: str, count: int) -> None:
        """Adds to the note of this name."""
        if count:
            self.notes[name] = self.notes.get(name, 0) + count
            self.has_changed = True


@dataclass(frozen=True)
class _Styles:
    """Ids of the styles that hide their text, and of those with a ground behind it."""

    hidden: frozenset[str]
    shaded: frozenset[str]


def keep_what_is_shown(document: Any, *, reads_hidden: bool = False) -> Shown:
    """Changes the body of a python-docx document in place; notes: comments, tracked_deletions, hidden_texts.

    `reads_hidden` counts them as well, but leaves hidden words where they are and puts deleted ones back.
    """
    shown = Shown()
    body = document.element.body
    _accept_changes(body, shown, reads_hidden=reads_hidden)
    _unwrap(body, shown)
    _free_text_boxes(body, shown)
    has_background = document.element.find(qn("w:background")) is not None
    hidden = list(_hidden_runs(body, _styles_of(document), has_background=has_background))
    shown.left_out("hidden_texts", len(hidden))
    for run in [] if reads_hidden else hidden:
        _remove(run)
    for block in body.iter(qn("w:p"), qn("w:tbl")):
        block.attrib.pop(_IN_BOX, None)
    comments = _comments(document)
    if comments:
        shown.notes["comments"] = len(comments)
        shown.comments = comments if reads_hidden else []
    return shown


def _accept_changes(body: Any, shown: Shown, *, reads_hidden: bool) -> None:
    deleted = 0
    for change in list(body.iter(qn("w:del"), qn("w:moveFrom"))):
        parent = change.getparent()
        if parent is None:
            continue
        if parent.tag == qn("w:trPr"):
            row = parent.getparent()
            deleted += bool(_words(row))
            if not reads_hidden:
                _remove(row)
        elif parent.tag not in _MARKS_ONLY:
            is_deletion = change.tag == qn("w:del")
            deleted += is_deletion and bool(_words(change))
            if is_deletion and reads_hidden:
                _put_back(change)
            else:
                _remove(change)
            shown.has_changed = True
    shown.left_out("tracked_deletions", deleted)


def _put_back(deletion: Any) -> None:
    """The deleted runs as ordinary ones in their place."""
    for words in deletion.iter(qn("w:delText")):
        words.tag = qn("w:t")
    place = deletion.getparent().index(deletion)
    deletion.getparent()[place : place + 1] = list(deletion)


def _unwrap(body: Any, shown: Shown) -> None:
    """Puts the content of insertions, fields and content controls in their place; contents and prompts go."""
    for wrapper in list(body.iter(*_UNWRAPPED)):
        parent = wrapper.getparent()
        if parent is None or parent.tag in _MARKS_ONLY:
            continue
        content = wrapper
        if wrapper.tag == qn("w:sdt"):
            found = wrapper.find(qn("w:sdtContent"))
            content = [] if found is None or _is_contents_or_prompt(wrapper) else found
        place = parent.index(wrapper)
        parent[place : place + 1] = [child for child in content if not str(child.tag).endswith("Pr")]
        shown.has_changed = True


def _is_contents_or_prompt(control: Any) -> bool:
    properties = control.find(qn("w:sdtPr"))
    if properties is None:
        return False
    gallery = next(properties.iter(qn("w:docPartGallery")), None)
    is_contents = gallery is not None and "Contents" in (gallery.get(qn("w:val")) or "")
    return is_contents or properties.find(qn("w:showingPlcHdr")) is not None


def _free_text_boxes(body: Any, shown: Shown) -> None:
    """The paragraphs of a text box follow the paragraph that it is tied to."""
    for fallback in list(body.iter(_FALLBACK)):
        _remove(fallback)
    last: dict[Any, Any] = {}
    for box in list(body.iter(qn("w:txbxContent"))):
        above = list(box.iterancestors())
        anchor = next((one for one in reversed(above) if one.tag == qn("w:p")), None)
        blocks = [child for child in box if child.tag in (qn("w:p"), qn("w:tbl")) and _words(child)]
        if anchor is None or not blocks:
            continue
        for block in blocks:
            block.set(_IN_BOX, "1")
            last.get(anchor, anchor).addnext(block)
            last[anchor] = block
        shown.has_changed = True


def _hidden_runs(body: Any, styles: _Styles, *, has_background: bool) -> Iterator[Any]:
    """Runs with words that a reader does not see: switched to hidden, of no size, or white on white."""
    for run in list(body.iter(qn("w:r"))):
        properties = run.find(qn("w:rPr"))
        paragraph = next(run.iterancestors(qn("w:p")), None)
        names = {_value(properties, "w:rStyle"), _value(paragraph, "w:pPr/w:pStyle")}
        is_hidden = bool(names & styles.hidden) if properties is None else _is_hidden(properties, names, styles)
        if not is_hidden and properties is not None and _is_white(_value(properties, "w:color")):
            is_hidden = not has_background and not names & styles.shaded and not _has_ground(run, properties)
        if is_hidden and _words(run).strip():
            yield run


def _is_hidden(properties: Any, names: set[str], styles: _Styles) -> bool:
    vanish = properties.find(qn("w:vanish"))
    if vanish is not None:
        return (vanish.get(qn("w:val")) or "1") not in _OFF
    size = _value(properties, "w:sz")
    return bool(names & styles.hidden) or (size.isdigit() and int(size) <= _SMALLEST_HALF_POINTS)


def _has_ground(run: Any, properties: Any) -> bool:
    """Whether a colour is known or must be supposed behind the run: its own, its paragraph's, a table's, a box's."""
    if _is_filled(properties) or properties.find(qn("w:highlight")) is not None:
        return True
    for above in run.iterancestors():
        if above.get(_IN_BOX):
            return True
        for part in ("w:pPr", "w:tcPr", "w:tblPr"):
            found = above.find(qn(part))
            if found is not None and (_is_filled(found) or found.find(qn("w:tblStyle")) is not None):
                return True
    return False


def _is_filled(properties: Any) -> bool:
    ground = properties.find(qn("w:shd"))
    if ground is None:
        return False
    is_pattern = ground.get(qn("w:val")) not in ("clear", "nil", None)
    return is_pattern or (ground.get(qn("w:fill")) or "").upper() not in _NO_FILL


def _is_white(colour: str) -> bool:
    try:
        return len(colour) == 6 and all(channel >= _WHITEST for channel in bytes.fromhex(colour))
    except ValueError:  # "auto"
        return False


def _styles_of(document: Any) -> _Styles:
    hidden, shaded = set(), set()
    for style in document.styles.element.iter(qn("w:style")):
        name = style.get(qn("w:styleId")) or ""
        vanish = style.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
        if vanish is not None and (vanish.get(qn("w:val")) or "1") not in _OFF:
            hidden.add(name)
        if any((ground.get(qn("w:fill")) or "").upper() not in _NO_FILL for ground in style.iter(qn("w:shd"))):
            shaded.add(name)
    return _Styles(frozenset(hidden), frozenset(shaded))


def _comments(document: Any) -> list[str]:
    """The words of each comment."""
    parts = [
        relation.target_part
        for relation in document.part.rels.values()
        if not relation.is_external and relation.reltype.endswith("/comments")
    ]
    comments = (comment for part in parts for comment in parse_xml(part.blob).iter(qn("w:comment")))
    return ["\n".join(_words(paragraph) for paragraph in comment.iter(qn("w:p"))) for comment in comments]


def _value(element: Any, path: str) -> str:
    found = element.find("/".join(map(qn, path.split("/")))) if element is not None else None
    return (found.get(qn("w:val")) or "") if found is not None else ""


def _words(element: Any) -> str:
    return "".join(_texts(element))


def _texts(element: Any) -> Iterator[str]:
    for found in element.iter(qn("w:t"), qn("w:delText")):
        yield found.text or ""


def _remove(element: Any) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
