"""Workbooks: several sheets with a header row, one of them hidden where the company hid a draft. Knows no content."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from example_writers.archive import fix_times
from example_writers.blocks import is_wide
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

Row = Sequence[str | int]
# Columns with one of these in their header hold amounts and get a thousands mark; others hold years, counts and days.
_MONEY = ("円", "JPY")
_WIDEST_COLUMNS = 70


def write_sheets(
    path: Path,
    sheets: Mapping[str, Sequence[Row]],
    *,
    author: str,
    font: str,
    written_at: datetime,
    hidden: Mapping[str, Sequence[Row]] | None = None,
) -> None:
    """Write one sheet per name, the hidden ones last and not shown."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        _fill(workbook.create_sheet(name), rows, font=font)
    for name, rows in (hidden or {}).items():
        sheet = workbook.create_sheet(name)
        _fill(sheet, rows, font=font)
        sheet.sheet_state = "hidden"
    workbook.properties.creator = workbook.properties.lastModifiedBy = author
    workbook.properties.title = path.stem
    workbook.properties.created = written_at
    workbook.save(path)
    fix_times(path, written_at)


def _fill(sheet: Worksheet, rows: Sequence[Row], *, font: str) -> None:
    line = Side(style="thin", color="9AA5B8")
    border = Border(left=line, right=line, top=line, bottom=line)
    for row_number, row in enumerate(rows, start=1):
        for column_number, value in enumerate(row, start=1):
            cell = sheet.cell(row_number, column_number, value)
            cell.border = border
            cell.font = Font(name=font, size=10, bold=row_number == 1)
            side = "right" if isinstance(value, int) else "left"
            cell.alignment = Alignment(horizontal=side, vertical="center", wrap_text=True, indent=1)
            if row_number == 1:
                cell.fill = PatternFill("solid", fgColor="DCE3EE")
            elif isinstance(value, int) and any(mark in str(rows[0][column_number - 1]) for mark in _MONEY):
                cell.number_format = "#,##0"
    for column_number in range(1, len(rows[0]) + 1):
        widest = max(_columns(str(row[column_number - 1])) for row in rows)
        sheet.column_dimensions[get_column_letter(column_number)].width = min(widest + 4, _WIDEST_COLUMNS)
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _columns(text: str) -> int:
    return sum(2 if is_wide(character) else 1 for character in text)
