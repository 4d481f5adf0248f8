"""Every damaged, locked, scanned and old file of the shared collection, through the guarded parser process."""

from __future__ import annotations

import shutil

import pytest

from assistant.errors import FailureReason
from ingest import ocr
from scripts.write_outcomes import ACCIDENTS, Outcome, outcomes, page_of
from tests.ingest.reading import shared

EXPECTED = {
    "password_protected.xlsx": "encrypted",
    "protected_agile.docx": "encrypted",
    "password.pdf": "encrypted",
    "testWORD_truncated.docx": "corrupt",
    "poc-xmlbomb.xlsx": "corrupt",
    "empty.txt": "no_text",
    "empty.eml": "no_text",
    "empty.xlsx": "no_text",
    "umlauts-non-utf8.md": "unknown_encoding",
    "SampleDoc.doc": "ok",
    "SampleSS.xls": "ok",
    "SampleShow.ppt": "ok",
    "testRTFJapanese.rtf": "ok",
}


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("soffice") is None or not ocr.is_available(), reason="LibreOffice or tesseract is not installed"
)
def test_every_messy_file_ends_in_text_or_a_named_reason() -> None:
    found = list(outcomes(shared("messy")))
    assert len(found) > 40
    assert [one for one in found if one.outcome in ACCIDENTS] == []
    assert [one for one in found if one.outcome in ("ok", "warn") and not one.characters] == []
    assert {one.outcome for one in found} - {"ok", "warn"} <= {reason.value for reason in FailureReason}
    seen = {one.name: one.outcome for one in found}
    assert {name: seen[name] for name in EXPECTED} == EXPECTED


def test_a_note_cannot_break_the_table_of_outcomes() -> None:
    page = page_of([Outcome("a.eml", "warn", 0.25, parser="email", characters=1234, notes="names a|b\nc")])
    assert page.endswith("| `a.eml` | warn | email |  | 1,234 |  | 0.2 | names a/b; c |\n")
    assert "1 files: warn 1." in page
