"""A conversation as a file to keep: Markdown and Word for people, JSON for programs. Pure; knows no request and no ledger."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from urllib.parse import quote

from assistant.errors import Language
from assistant.wire_history import ConversationDetailOut, ConversationOut, ExchangeOut, StoredCitationOut

_WORDS: dict[Language, dict[str, str]] = {
    "ja": {
        "sources": "出典",
        "page": "{}ページ",
        "gone": "この文書は、もう読めません",
        "withheld": "この回答は、今は読めない文書を引用しているため、表示できません。",
    },
    "en": {
        "sources": "Sources",
        "page": "p. {}",
        "gone": "this document can no longer be read",
        "withheld": "This answer cites a document that you may no longer read, so it is not shown.",
    },
}
FILENAME_CHARACTERS = 80
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def as_json(conversation: ConversationOut, exchanges: Sequence[ExchangeOut]) -> str:
    """The whole conversation in the shape of GET /conversations/{id}."""
    whole = ConversationDetailOut(**conversation.model_dump(), exchanges=list(exchanges), next=None)
    return whole.model_dump_json(indent=1) + "\n"


def as_markdown(conversation: ConversationOut, exchanges: Sequence[ExchangeOut], *, language: Language) -> str:
    """Title, then each question with its answer and its sources."""
    parts = [f"# {_one_line(conversation.title)}", conversation.updated_at]
    for exchange in exchanges:
        words = _WORDS[language]
        parts += [f"## {_one_line(exchange.question)}", exchange.answer or words["withheld"]]
        if exchange.citations and not exchange.withheld:
            lines = [_source(citation, words) for citation in exchange.citations]
            parts.append("\n".join([f"{words['sources']}:", "", *lines]))
    return "\n\n".join(parts) + "\n"


def as_docx(conversation: ConversationOut, exchanges: Sequence[ExchangeOut], *, language: Language) -> bytes:
    """The same as a Word file: a heading for each question, the answer's paragraphs, the sources as a list."""
    from docx import Document  # takes a quarter of a second, and most servers never need it

    words, document = _WORDS[language], Document()
    document.core_properties.title = _plain(conversation.title)
    document.core_properties.author = ""
    document.add_heading(_plain(_one_line(conversation.title)), level=1)
    document.add_paragraph(conversation.updated_at)
    for exchange in exchanges:
        document.add_heading(_plain(_one_line(exchange.question)), level=2)
        for paragraph in (exchange.answer or words["withheld"]).split("\n\n"):
            document.add_paragraph(_plain(paragraph))
        if exchange.citations and not exchange.withheld:
            document.add_paragraph(words["sources"] + ":")
            for citation in exchange.citations:
                document.add_paragraph(_plain(_source(citation, words).removeprefix("- ")), style="List Bullet")
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _plain(text: str) -> str:
    """The text without what XML cannot hold."""
    return _NOT_IN_XML.sub("", text)


def _source(citation: StoredCitationOut, words: dict[str, str]) -> str:
    if citation.title is None:
        return f"- [{citation.number}] ({words['gone']})"
    page = "" if citation.page is None else " " + words["page"].format(citation.page)
    quoted = "" if citation.quote is None else f": 「{_one_line(citation.quote)}」"
    return f"- [{citation.number}] {_one_line(citation.title)} ({citation.path}{page}){quoted}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def disposition(name: str) -> str:
    """Content-Disposition of a download whose name may be in any script (RFC 6266, RFC 5987)."""
    plain = "".join(c if c.isprintable() and c not in '/\\:*?"<>|' else "_" for c in name)
    quoted = quote(plain, safe="")
    fallback = plain if plain.isascii() else "conversation" + plain[plain.rfind(".") :]
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quoted}"


def filename(title: str, extension: str) -> str:
    """The title as the name of a file."""
    return f"{_one_line(title)[:FILENAME_CHARACTERS].strip(' .') or 'conversation'}.{extension}"
