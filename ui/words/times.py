"""How days are written."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

DAY: Final = Text("{year}年{month}{day}日", "{day} {month} {year}")
MONTHS: Final[tuple[Text, ...]] = (
    Text("1月", "Jan"),
    Text("2月", "Feb"),
    Text("3月", "Mar"),
    Text("4月", "Apr"),
    Text("5月", "May"),
    Text("6月", "Jun"),
    Text("7月", "Jul"),
    Text("8月", "Aug"),
    Text("9月", "Sep"),
    Text("10月", "Oct"),
    Text("11月", "Nov"),
    Text("12月", "Dec"),
)
