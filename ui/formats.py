"""Days, times, numbers and sizes as the reader writes them. Pure; knows neither Streamlit nor the API."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from assistant.errors import Language
from ui.words import say, times

_PREFIXES = ("", "K", "M", "G", "T")


def day(iso: str, language: Language, *, timezone: str = "UTC") -> str:
    """The day of an ISO 8601 time where the reader is, such as `27 Nov 2026`; "" for an empty one."""
    return _day(_there(iso, timezone), language) if iso else ""


def moment(iso: str, language: Language, *, timezone: str = "UTC") -> str:
    """Day and time of an ISO 8601 time where the reader is, to the minute; "" for an empty one."""
    if not iso:
        return ""
    there = _there(iso, timezone)
    return f"{_day(there, language)} {there:%H:%M}"


def number(value: float, *, digits: int = 0) -> str:
    """`value` with a comma at each thousand, as both languages write it."""
    return f"{value:,.{digits}f}"


def percent(share: float, *, digits: int = 0) -> str:
    """A share of 1 as percent: 0.98 is `98%`."""
    return f"{share * 100:,.{digits}f}%"


def size(size_bytes: int) -> str:
    """A file's size, such as `1.4 MB`, in steps of 1,024 as file managers count."""
    value, unit = float(size_bytes), 0
    while value >= 1024 and unit < len(_PREFIXES) - 1:
        value, unit = value / 1024, unit + 1
    digits = 0 if unit == 0 or value >= 10 else 1
    return f"{value:,.{digits}f} {_PREFIXES[unit]}B"


def _there(iso: str, timezone: str) -> datetime:
    at = datetime.fromisoformat(iso)
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(_zone(timezone))


def _zone(name: str) -> tzinfo:
    """The zone; UTC for a name that this machine does not know, as a browser may send anything."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _day(there: datetime, language: Language) -> str:
    month = say(times.MONTHS[there.month - 1], language)
    return say(times.DAY, language, year=there.year, month=month, day=there.day)
