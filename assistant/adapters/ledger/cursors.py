"""Where a page of a list ended, as an opaque word for callers: the last row's sort key and id."""

from __future__ import annotations

import base64
import binascii
import json

from assistant.errors import NotFound, Text


def encode_cursor(key: str, row_id: str) -> str:
    """The cursor of the page that follows the row."""
    return base64.urlsafe_b64encode(json.dumps([key, row_id]).encode()).decode()


def decode_cursor(cursor: str) -> tuple[str, str]:
    """Sort key and id of the row before the page. Raises NotFound for a word that was never given out."""
    try:
        key, row_id = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
        return _storable(key), _storable(row_id)
    except (binascii.Error, UnicodeError, ValueError, TypeError) as error:
        raise NotFound(
            Text(ja="続きの印(cursor)が正しくありません。", en="The cursor is not one that was given out."),
            Text(ja="最初のページから読み直してください。", en="Start again from the first page."),
        ) from error


def _storable(value: object) -> str:
    """The text, if a database can hold it. Raises ValueError."""
    text = str(value)
    text.encode()
    if "\0" in text:
        raise ValueError("a cursor holds no NUL")
    return text
