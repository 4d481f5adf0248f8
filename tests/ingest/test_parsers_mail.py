from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from assistant.errors import FailureReason
from tests.ingest.reading import headings, read, reason_of, shared, texts

BODY = "社員各位\n\nサーバーを停止します。\n・受発注システム\n・在庫管理システム\n"


def mail(charset: str, *, html: str | None = None) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "基幹システム停止のお知らせ"
    message["From"] = "情報システム課 <helpdesk@example.co.jp>"
    message["To"] = "all@example.co.jp"
    message["Date"] = "Mon, 09 Jun 2025 10:15:00 +0900"
    message.set_content(BODY, charset=charset)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp", "shift_jis"])
def test_subject_sender_and_date_stand_above_the_body_as_it_was_written(tmp_path: Path, charset: str) -> None:
    path = tmp_path / "notice.eml"
    path.write_bytes(mail(charset).as_bytes())
    parsed = read(path)
    assert parsed.title == "基幹システム停止のお知らせ"
    assert headings(parsed)[0] == (1, "基幹システム停止のお知らせ")
    assert "From: 情報システム課 <helpdesk@example.co.jp>\nTo: all@example.co.jp\nDate: Mon, 09 Jun 2025" in parsed.text
    assert "サーバーを停止します。\n・受発注システム\n・在庫管理システム" in texts(parsed)


def test_a_mail_of_html_alone_is_read(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "締切の変更"
    message.set_content(
        "<html><body><h2>変更</h2><p>締切は5日です。</p><script>x()</script></body></html>", subtype="html"
    )
    path = tmp_path / "html.eml"
    path.write_bytes(message.as_bytes())
    parsed = read(path)
    assert "締切は5日です。" in texts(parsed)
    assert "x()" not in parsed.text


def test_attachments_are_counted_and_not_read(tmp_path: Path) -> None:
    message = mail("utf-8")
    message.add_attachment("極秘の付録".encode(), maintype="text", subtype="plain", filename="../../etc/passwd.txt")
    path = tmp_path / "with.eml"
    path.write_bytes(message.as_bytes())
    parsed = read(path)
    assert parsed.notes["attachments"] == 1
    assert "極秘の付録" not in parsed.text


def test_a_mail_is_known_by_its_headers_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "mail.txt"
    path.write_bytes(mail("utf-8").as_bytes())
    assert read(path).media_type == "message/rfc822"


def test_mails_of_the_shared_data() -> None:
    assert reason_of(shared("messy/empty.eml")) is FailureReason.NO_TEXT
    assert read(shared("messy/fake-email.eml")).title == "Test Email"
    outlook = read(shared("messy/simple_test_msg.msg"))
    assert outlook.title == "test message"
    assert "This is a test message." in outlook.text
    google = read(shared("messy/email-no-utf8-2014-03-17.111517.eml"))
    assert google.notes["attachments"] == 2
