"""A mail -> subject, sender, recipients and date as text, the body as it was written, then the text of its attachments.

The standard library reads eml and oxmsg (unstructured's own reader) reads msg: unstructured joins the lines of a plain
body, so that lists and addresses run together. An attachment is never written to disk, and its name is only a heading.
Must not know how the kinds of attachments are read.
"""

from __future__ import annotations

import email
import email.policy
import mimetypes
import re
from collections import Counter
from dataclasses import dataclass, replace
from email.message import EmailMessage, MIMEPart
from io import BytesIO
from typing import Protocol

from oxmsg import Message as OutlookMessage
from oxmsg.attachment import Attachment as OutlookAttachment

from assistant.domain import ElementKind, ParsedDocument
from assistant.errors import DocumentError
from ingest.parsers import encoding, refusals
from ingest.parsers.draft import Origin, Piece, appended, assemble, counted_hidden, finish, hidden_notes, tidy
from ingest.parsers.html import pieces_of
from ingest.parsers.kinds import Kind
from ingest.parsers.limits import ParseLimits
from ingest.parsers.text import plain_elements

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b\ufeff]")
_LONGEST_NAME_CHARACTERS = 120
_NAMED_ATTACHMENTS = 20
_BROKEN = (KeyError, ValueError, OSError, LookupError, AttributeError, IndexError, TypeError)


class Read(Protocol):
    """Reads an attachment as a file of its own; raises DocumentError."""

    def __call__(self, name: str, content: bytes) -> ParsedDocument:
        """The parsed document."""
        ...


@dataclass(frozen=True)
class Attachment:
    """A file in a mail; without content when the mail only refers to it or is damaged there."""

    name: str
    content: bytes | None


@dataclass(frozen=True)
class Mail:
    """One mail: what stands above its body, and the body in one of two forms."""

    subject: str
    sender: str
    recipients: str
    date: str
    plain: str
    html: str
    attachments: tuple[Attachment, ...]

    def head(self) -> str:
        """Subject and the lines From, To and Date, as far as they are known."""
        named = (("From", self.sender), ("To", self.recipients), ("Date", self.date))
        lines = [f"{name}: {value}" for name, value in named if value]
        return "\n".join([self.subject, *lines] if self.subject else lines)


def parse_mail(data: bytes, origin: Origin, *, limits: ParseLimits, read: Read, mails_above: int = 0) -> ParsedDocument:
    """One mail with its attachments below it; its subject is the title. Raises NO_TEXT when none of them has any text."""
    try:
        mail = _from_outlook(data) if origin.kind is Kind.MSG else _from_rfc822(data)
    except _BROKEN as problem:
        raise refusals.corrupt("mail") from problem
    if not (mail.subject or mail.plain or mail.html or mail.attachments):
        raise refusals.no_text()
    wanted = mail.attachments[: limits.attachment_limit] if mails_above < limits.attachment_depth_limit else ()
    parsed = _message(mail, origin, reads_hidden=limits.reads_hidden)
    hidden = Counter(counted_hidden(parsed.notes))
    unread: list[str] = []
    characters = 0
    for attachment in wanted:
        try:
            if not attachment.content:
                raise refusals.no_text()
            other = read(attachment.name, attachment.content)
        except DocumentError as problem:
            unread.append(f"{attachment.name}: {problem.reason.value}")
            continue
        characters += len(other.text)
        if characters > limits.character_limit:
            raise refusals.too_large(f"{limits.character_limit:,} 文字", f"{limits.character_limit:,} characters")
        unread += str(other.notes.get("unread_attachment_names", "")).splitlines()
        hidden.update(counted_hidden(other.notes))
        parsed = appended(parsed, attachment.name, other)
    unread += [f"{attachment.name}: not opened" for attachment in mail.attachments[len(wanted) :]]
    notes = hidden_notes(hidden, were_read=limits.reads_hidden)
    return replace(parsed, notes={**parsed.notes, **notes, **_attachment_notes(mail, unread)})


def _attachment_notes(mail: Mail, unread: list[str]) -> dict[str, str | int | float]:
    notes: dict[str, str | int | float] = {"attachments": len(mail.attachments)} if mail.attachments else {}
    if unread:
        notes["unread_attachments"] = len(unread)
        notes["unread_attachment_names"] = "\n".join(unread[:_NAMED_ATTACHMENTS])
    return notes


def _message(mail: Mail, origin: Origin, *, reads_hidden: bool) -> ParsedDocument:
    """Head and body."""
    if mail.plain or not mail.html:
        text = f"{mail.head()}\n\n{mail.plain}".strip()
        return finish(text, plain_elements(text, title=mail.subject or None), origin, titles=[mail.subject])
    head, _, lines = mail.head().partition("\n") if mail.subject else ("", "", mail.head())
    body, hidden = pieces_of(mail.html, reads_hidden=reads_hidden)
    pieces = [Piece(ElementKind.HEADING, head, level=1), Piece(ElementKind.TEXT, lines), *body]
    notes = hidden_notes({"hidden_texts": hidden}, were_read=reads_hidden)
    return assemble(pieces, replace(origin, notes={**(origin.notes or {}), **notes}), titles=[mail.subject])


def _from_rfc822(data: bytes) -> Mail:
    message = email.message_from_bytes(data, _class=EmailMessage, policy=email.policy.default)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    attached = list(message.iter_attachments()) if message.is_multipart() else []
    return Mail(
        subject=" ".join(tidy(str(message["Subject"] or "")).split()),
        sender=tidy(str(message["From"] or "")),
        recipients=tidy(", ".join(str(message[name]) for name in ("To", "Cc") if message[name])),
        date=tidy(str(message["Date"] or "")),
        plain=_lines_of(_body_text(plain)),
        html=_body_text(html),
        attachments=tuple(_attachment(part, number) for number, part in enumerate(attached, start=1)),
    )


def _attachment(part: MIMEPart, number: int) -> Attachment:
    """The file in a part of a mail; a mail in a mail has no name but its subject."""
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload(0)
        if isinstance(inner, EmailMessage):
            return Attachment(_file_name(str(inner["Subject"] or ""), number, ".eml"), inner.as_bytes())
        return Attachment(_file_name("", number, ".eml"), None)
    content = part.get_payload(decode=True)
    ending = mimetypes.guess_extension(part.get_content_type()) or ""
    return Attachment(
        _file_name(part.get_filename() or "", number, ending), content if isinstance(content, bytes) else None
    )


def _file_name(name: str, number: int, ending: str) -> str:
    """What an attachment is called, on one line and without folders."""
    plain = " ".join(tidy(name).split())
    last = plain if ending == ".eml" else re.split(r"[/\\]", plain)[-1]
    last = last[-_LONGEST_NAME_CHARACTERS:].strip(" .") or f"attachment-{number}"
    return last if ending != ".eml" and "." in last else f"{last}{ending}"


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
        attachments=tuple(
            Attachment(_file_name(one.file_name or "", number, _ending_of(one)), _content_of(one))
            for number, one in enumerate(message.attachments, start=1)
        ),
    )


def _ending_of(attached: OutlookAttachment) -> str:
    return mimetypes.guess_extension(attached.mime_type or "") or ""


def _content_of(attached: OutlookAttachment) -> bytes | None:
    """The bytes of an attachment; a mail inside an Outlook mail is stored in parts, which oxmsg does not put together."""
    try:
        return attached.file_bytes
    except _BROKEN:
        return None


def _lines_of(body: str) -> str:
    """The body without control characters; its blanks and lines stay as they were written."""
    plain = _CONTROLS.sub("", body.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(line.rstrip() for line in plain.split("\n")).strip("\n")
