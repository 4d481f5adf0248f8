"""CSV: opens in a spreadsheet as it is, and nothing in it becomes a formula."""

from __future__ import annotations

import csv
import io

import pytest

from ui.tables import csv_bytes


def test_a_table_has_the_mark_and_line_ends_that_spreadsheets_want() -> None:
    made = csv_bytes([{"題名": "休暇, 規程", "件": 3}, {"題名": None, "件": -1.5}])
    assert made == '\ufeff題名,件\r\n"休暇, 規程",3\r\n,-1.5\r\n'.encode()
    assert csv_bytes([]) == b"\xef\xbb\xbf\r\n"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "|cmd", "%x", "=1", "@x"])
def test_a_text_that_would_be_a_formula_stays_a_text(text: str) -> None:
    (_, (cell,)) = csv.reader(io.StringIO(csv_bytes([{"a": text}]).decode("utf-8-sig"), newline=""))
    assert cell == "'" + text
