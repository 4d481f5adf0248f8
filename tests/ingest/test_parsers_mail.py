from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import docx
import openpyxl
import pytest

from assistant.errors import FailureReason
from ingest.parsers import ParseLimits
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


def saved(message: EmailMessage, path: Path) -> Path:
    path.write_bytes(message.as_bytes())
    return path


def word_bytes() -> bytes:
    document = docx.Document()
    document.add_heading("出張旅費規程", 1)
    document.add_paragraph("日当は3,000円とする。")
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def zip_bytes() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.txt", "words")
    return content.getvalue()


def attach(message: EmailMessage, name: str, content: bytes) -> None:
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)


def test_attachments_are_read_below_a_heading_with_their_name_and_a_name_is_no_path(tmp_path: Path) -> None:
    message = mail("utf-8")
    attach(message, "../../etc/手順.txt", "停止の手順書です。".encode())
    attach(message, "旅費.docx", word_bytes())
    parsed = read(saved(message, tmp_path / "with.eml"))
    assert headings(parsed)[1:] == [(1, "手順.txt"), (1, "旅費.docx"), (2, "出張旅費規程")]
    assert {"停止の手順書です。", "日当は3,000円とする。"} <= set(texts(parsed))
    assert dict(parsed.notes) == {"attachments": 2}
    assert parsed.title == "基幹システム停止のお知らせ"


def test_hidden_parts_of_a_mail_and_its_attachments_are_counted_together(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["品目", "単価"])
    workbook.create_sheet("原価").append(["仕入先", "秘密の価格"])
    workbook["原価"].sheet_state = "hidden"
    content = io.BytesIO()
    workbook.save(content)
    mail = EmailMessage()
    mail["Subject"] = "見積の送付"
    mail.set_content("<p>見積を送ります。</p><p hidden>社内用の注記</p>", subtype="html")
    mail.add_attachment(content.getvalue(), maintype="application", subtype="xlsx", filename="見積.xlsx")
    (tmp_path / "a.eml").write_bytes(bytes(mail))
    parsed = read(tmp_path / "a.eml")
    assert (parsed.notes["hidden_texts"], parsed.notes["hidden_sheets"]) == (1, 1)
    assert "秘密" not in parsed.text
    brought_back = read(tmp_path / "a.eml", limits=ParseLimits(reads_hidden=True))
    assert "社内用の注記" in brought_back.text
    assert "秘密の価格" in brought_back.text
    assert (brought_back.notes["hidden_sheets"], brought_back.notes["hidden_parts_read"]) == (1, 1)


def test_an_attachment_that_cannot_be_read_is_counted_with_its_reason(tmp_path: Path) -> None:
    message = mail("utf-8")
    for name, content in (("写真.zip", zip_bytes()), ("動画.mp4", bytes(range(256)) * 20), ("空.txt", b"")):
        attach(message, name, content)
    parsed = read(saved(message, tmp_path / "with.eml"))
    assert "サーバーを停止します。\n・受発注システム\n・在庫管理システム" in texts(parsed)
    assert (parsed.notes["attachments"], parsed.notes["unread_attachments"]) == (3, 3)
    assert parsed.notes["unread_attachment_names"] == (
        "写真.zip: unsupported_type\n動画.mp4: unsupported_type\n空.txt: no_text"
    )


def test_mails_inside_mails_are_read_to_a_depth_and_no_further(tmp_path: Path) -> None:
    whole = mail("utf-8")
    attach(whole, "deepest.txt", b"the deepest words")
    for subject in ("二通目", "三通目"):
        outer = mail("utf-8")
        outer.replace_header("Subject", subject)
        outer.add_attachment(whole)
        whole = outer
    parsed = read(saved(whole, tmp_path / "nested.eml"))
    assert [words for _, words in headings(parsed)] == [
        "三通目", "二通目.eml", "二通目", "基幹システム停止のお知らせ.eml", "基幹システム停止のお知らせ",
    ]  # fmt: skip
    assert "the deepest words" not in parsed.text
    assert parsed.notes["unread_attachment_names"] == "deepest.txt: not opened"


def test_attachments_beyond_the_limit_are_counted_not_opened(tmp_path: Path) -> None:
    message = mail("utf-8")
    for number in range(5):
        attach(message, f"{number}.txt", f"Words {number}.".encode())
    path = saved(message, tmp_path / "many.eml")
    parsed = read(path, limits=ParseLimits(attachment_limit=2))
    assert "Words 1." in parsed.text
    assert "Words 2." not in parsed.text
    assert (parsed.notes["attachments"], parsed.notes["unread_attachments"]) == (5, 3)
    assert reason_of(path, limits=ParseLimits(character_limit=len(parsed.text) - 5)) is FailureReason.TOO_LARGE


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
