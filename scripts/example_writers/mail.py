"""E-mail files as a mail program exports them, in UTF-8 or in the older ISO-2022-JP. Knows no content."""

from email.header import Header
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr
from pathlib import Path

from example_texts.letters import Letter


def write_mail(path: Path, letter: Letter, *, charset: str) -> None:
    """Write the letter as one RFC 5322 message at ``path``, subject and sender encoded in ``charset``."""
    message = MIMEText(letter.body, "plain", charset)
    message["From"] = formataddr((letter.sender, letter.address), charset)
    message["To"] = letter.to
    message["Subject"] = Header(letter.subject, charset, header_name="Subject").encode()
    message["Date"] = format_datetime(letter.sent_at)
    message["Message-ID"] = letter.message_id
    path.write_bytes(message.as_bytes())
