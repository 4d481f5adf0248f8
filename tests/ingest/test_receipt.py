"""The receipt of a parsed file, and the table of all receipts."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant.domain import ParsedDocument
from ingest.chunk import make_chunks
from ingest.receipt import CSV_COLUMNS, as_csv, make_receipt
from tests.ingest.reading import read_text

NOTE = "# 休暇規程\n\n有給休暇は三営業日前までに申請する。\n"


def receipt_of(parsed: ParsedDocument) -> dict[str, Any]:
    return make_receipt(parsed, make_chunks(parsed, path="a.md"), embedder_id="e", seconds=0.25, owner="総務部")


def row(**changes: Any) -> dict[str, str]:
    """One receipt as a row of the table."""
    receipt = {"folder": "f", "path": "a.md", "status": "indexed", "warnings": [], "probes": [], **changes}
    (read,) = csv.DictReader(io.StringIO(as_csv([receipt]), newline=""))
    return read


@pytest.mark.parametrize(
    ("encoding", "decided_by"),
    [
        ("utf-8", "valid_utf_8"),
        ("utf-16", "byte_order_mark"),
        ("iso-2022-jp", "escape_sequences"),
        ("cp932", "declared_or_detected"),
    ],
)
def test_the_receipt_says_how_the_encoding_became_known(tmp_path: Path, encoding: str, decided_by: str) -> None:
    parsed = replace(read_text(tmp_path, "a.md", NOTE, encoding=encoding), notes={})
    assert receipt_of(parsed)["encoding_decided_by"] == decided_by


def test_the_parsers_own_word_about_the_encoding_counts_more(tmp_path: Path) -> None:
    parsed = replace(read_text(tmp_path, "a.md", NOTE), notes={"encoding_decided_by": "declared"})
    assert receipt_of(parsed)["encoding_decided_by"] == "declared"


def test_what_is_in_no_chunk_is_listed_with_its_reason(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.md", NOTE)
    chunks = make_chunks(parsed, path="a.md")
    longer = replace(parsed, text=parsed.text + "\n\n＊＊＊＊＊＊＊＊＊＊\n")
    assert [piece["reason"] for piece in receipt_of(longer)["rejected"]["listed"]] == ["no_letter_or_digit"]
    left_out = replace(parsed, text=parsed.text + "\n\n欄外の注記\n")
    rejected = make_receipt(left_out, chunks, embedder_id="e", seconds=0.0)["rejected"]
    assert (rejected["pieces"], rejected["listed"][0]["characters"]) == (1, len("欄外の注記"))
    assert rejected["listed"][0]["reason"] == "outside_every_element"
    assert receipt_of(parsed)["rejected"]["pieces"] == 0


def test_hidden_parts_pages_unread_and_the_owner_are_in_the_receipt(tmp_path: Path) -> None:
    notes = {"hidden_sheets": 2, "comments": 1, "unread_pages": 3, "ocr_confidence": 88.5}
    receipt = receipt_of(replace(read_text(tmp_path, "a.md", NOTE), notes=notes))
    assert (receipt["hidden_parts"], receipt["ocr_confidence"], receipt["owner"]) == (3, 88.5, "総務部")
    assert receipt["warnings"] == ["unread_pages"]


def test_the_confidence_of_each_recognised_page_is_in_the_receipt_and_in_the_table(tmp_path: Path) -> None:
    notes = {"ocr_pages": 2, "ocr_confidence": 80.0, "ocr_confidence_by_page": "2:91.5 7:68.5"}
    receipt = receipt_of(replace(read_text(tmp_path, "a.md", NOTE), notes=notes))
    assert receipt["ocr_confidence_by_page"] == [{"page": 2, "confidence": 91.5}, {"page": 7, "confidence": 68.5}]
    assert "ocr_confidence_by_page" not in receipt["notes"], "said once"
    assert row(**receipt, probes=[])["ocr_confidence_by_page"] == "2:91.5 7:68.5"
    assert row()["ocr_confidence_by_page"] == ""


def test_hidden_parts_that_a_rule_brought_back_are_counted_and_said_to_be_read(tmp_path: Path) -> None:
    notes = {"hidden_sheets": 2, "hidden_parts_read": 1}
    receipt = receipt_of(replace(read_text(tmp_path, "a.md", NOTE), notes=notes))
    assert (receipt["hidden_parts"], receipt["hidden_parts_read"]) == (2, True)
    assert receipt_of(read_text(tmp_path, "a.md", NOTE))["hidden_parts_read"] is False


def test_the_table_has_its_fixed_header_whatever_a_receipt_holds() -> None:
    assert as_csv([]).split("\r\n")[0].split(",") == list(CSV_COLUMNS)
    read = row(
        warnings=["not_found_again"],
        probes=[{"question": "休暇", "rank": 1}, {"question": "申請", "rank": None, "instead": ["b.md", "c.md"]}],
        notes={"unread_pages": 2},
        something_new=1,
    )
    assert list(read) == list(CSV_COLUMNS)
    assert (read["rank_1"], read["rank_2"], read["found_instead"]) == ("1", "-", "b.md\nc.md")
    assert (read["warnings"], read["unread_pages"]) == ("not_found_again", "2")


def test_a_file_name_cannot_become_a_formula_of_a_spreadsheet() -> None:
    assert row(path='=HYPERLINK("http://example.com")')["path"].startswith("'=")
