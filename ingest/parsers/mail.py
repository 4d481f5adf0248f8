"""A mail -> subject, sender, recipients and date as text, then the body as it was written; attachments are counted.

The standard library reads eml and oxmsg (unstructured's own reader) reads msg: unstructured joins the lines of a plain
body, so that lists and addresses run together. Must not open attachments: they come as files of their own.
"""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass, replace
from email.message import EmailMessage, MIMEPart
from io import BytesIO

from oxmsg import Message as OutlookMessage

from assistant.domain import ElementKind, ParsedDocument
from assistant.errors import DocumentError
from ingest.parsers import encoding, refusals
from ingest.parsers.draft import Origin, Piece, assemble, finish, tidy
from ingest.parsers.html import pieces_of
from ingest.parsers.kinds import Kind
from ingest.parsers.text import plain_elements

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b\ufeff]")
_BROKEN = (KeyError, ValueError, OSError, LookupError, AttributeError, IndexError, TypeError)


@dataclass(frozen=True)
class Mail:
    """One mail: what stands above its body, and the body in one of two forms."""

    subject: str
    sender: str
    recipients: str
    date: str
    plain: str
    html: str
    attachments: int

    def head(self) -> str:
        """Subject and the lines From, To and Date, as far as they are known."""
        named = (("From", self.sender), ("To", self.recipients), ("Date", self.date))
        lines = [f"{name}: {value}" for name, value in named if value]
        return "\n".join([self.subject, *lines] if self.subject else lines)


def parse_mail(data: bytes, origin: Origin) -> ParsedDocument:
    """One mail; its subject is the title. Raises NO_TEXT when it has neither subject nor body."""
    try:
        mail = _from_outlook(data) if origin.kind is Kind.MSG else _from_rfc822(data)
    except _BROKEN as problem:
        raise refusals.corrupt("mail") from problem
    if not (mail.subject or mail.plain or mail.html):
        raise refusals.no_text()
    noted = replace(origin, notes={"attachments": mail.attachments} if mail.attachments else {})
    if mail.plain or not mail.html:
        text = f"{mail.head()}\n\n{mail.plain}".strip()
        return finish(text, plain_elements(text, title=mail.subject or None), noted, titles=[mail.subject])
    head, _, lines = mail.head().partition("\n") if mail.subject else ("", "", mail.head())
    pieces = [Piece(ElementKind.HEADING, head, level=1), Piece(ElementKind.TEXT, lines), *pieces_of(mail.html)]
    return assemble(pieces, noted, titles=[mail.subject])


def _from_rfc822(data: bytes) -> Mail:
    message = email.message_from_bytes(data, _class=EmailMessage, policy=email.policy.default)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    return Mail(
        subject=" ".join(tidy(str(message["Subject"] or "")).split()),
        sender=tidy(str(message["From"] or "")),
        recipients=tidy(", ".join(str(message[name]) for name in ("To", "Cc") if message[name])),
        date=tidy(str(message["Date"] or "")),
        plain=_lines_of(_body_text(plain)),
        html=_body_text(html),
        attachments=sum(1 for _ in message.iter_attachments()) if message.is_multipart() else 0,
    )


def _body_text(part: MIMEPart | None) -> str:
    """The characters of a body: the declared charset when it fits, else what detection finds, else with gaps."""
    if part is None:
        return ""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        return encoding.decode(content, declared=part.get_content_charset()).text
    except DocumentError:
        return content.decode("utf-8", "replace")


def _from_outlook(data: bytes) -> Mail:
    message = OutlookMessage.load(BytesIO(data))
    recipients = ", ".join(f"{one.name} <{one.email_address}>" for one in message.recipients)
    return Mail(
        subject=" ".join(tidy(message.subject or "").split()),
        sender=tidy(message.sender or ""),
        recipients=tidy(recipients),
        date=message.sent_date.isoformat(" ") if message.sent_date is not None else "",
        plain=_lines_of(message.body or ""),
        html=message.html_body or "",
        attachments=len(message.attachments),
    )


def _lines_of(body: str) -> str:
    """The body without control characters; its blanks and lines stay as they were written."""
    plain = _CONTROLS.sub("", body.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(line.rstrip() for line in plain.split("\n")).strip("\n")
