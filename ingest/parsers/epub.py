"""An EPUB book -> the pages of its spine in order, each read as HTML. Must not know how a page is read.

Read here with zipfile and defusedxml: a book is a zip of XHTML with one list of its pages, which needs no library (the
known one is under the AGPL).
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from dataclasses import replace
from urllib.parse import unquote
from xml.etree.ElementTree import Element as Xml
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from assistant.domain import ParsedDocument
from ingest.parsers import refusals
from ingest.parsers.draft import Origin, Piece, assemble, hidden_notes
from ingest.parsers.html import pieces_of_page

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGE_TYPES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})
_BROKEN = (zipfile.BadZipFile, ParseError, DefusedXmlException, KeyError, ValueError, RuntimeError, OSError, EOFError)


def parse_epub(data: bytes, origin: Origin, *, reads_hidden: bool = False) -> ParsedDocument:
    """All pages in reading order; the list of contents is left out. Raises ENCRYPTED, CORRUPT, NO_TEXT."""
    pieces: list[Piece] = []
    hidden = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            package_name = _package_name(archive)
            package = fromstring(archive.read(package_name))
            pages = _spine(package, posixpath.dirname(package_name))
            if set(pages) & _locked_names(archive):
                raise refusals.encrypted()
            missing = 0
            for name in pages:
                if name not in archive.namelist():
                    missing += 1
                    continue
                found, unseen = pieces_of_page(archive.read(name), reads_hidden=reads_hidden)
                pieces.extend(found)
                hidden += unseen
    except _BROKEN as problem:
        raise refusals.corrupt("epub") from problem
    title = next((element.text for element in package.iter() if _local(element) == "title" and element.text), None)
    notes = hidden_notes({"hidden_texts": hidden}, were_read=reads_hidden)
    if missing:
        notes["missing_pages"] = missing
    return assemble(pieces, replace(origin, notes=notes), titles=[title])


def _package_name(archive: zipfile.ZipFile) -> str:
    """Where the list of the book's files lies; raises KeyError when the container does not say."""
    for element in fromstring(archive.read(_CONTAINER)).iter():
        if _local(element) == "rootfile":
            return element.attrib["full-path"]
    raise KeyError("rootfile")


def _spine(package: Xml, folder: str) -> list[str]:
    """Names of the pages in reading order, without the navigation page."""
    items = {
        element.attrib["id"]: element
        for element in package.iter()
        if _local(element) == "item" and {"id", "href"} <= element.attrib.keys()
    }
    names: list[str] = []
    for reference in package.iter():
        item = items.get(reference.attrib.get("idref", "")) if _local(reference) == "itemref" else None
        if item is None or item.attrib.get("media-type") not in _PAGE_TYPES:
            continue
        if "nav" not in item.attrib.get("properties", "").split():
            name = posixpath.normpath(posixpath.join(folder, unquote(item.attrib["href"].partition("#")[0])))
            if name not in names:
                names.append(name)
    return names


def _locked_names(archive: zipfile.ZipFile) -> set[str]:
    """Files that need a key; fonts, which are often scrambled, are no matter."""
    if _ENCRYPTION not in archive.namelist():
        return set()
    root = fromstring(archive.read(_ENCRYPTION))
    return {unquote(e.attrib.get("URI", "")) for e in root.iter() if _local(e) == "CipherReference"}


def _local(element: Xml) -> str:
    return str(element.tag).rpartition("}")[2]
