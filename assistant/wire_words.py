"""Kinds of text that requests may hold, each with what it must look like. Shared by all shapes."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints, WithJsonSchema

PlainLine = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A folder, path or word in one line: control characters have no place in a path or in a database's text."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""An id as the ledger makes them."""

QuestionText = Annotated[
    str,
    WithJsonSchema({"type": "string", "pattern": r"[^\s\u0000-\u001f\u007f-\u009f]", "maxLength": 4000}),
]
"""A question: something to read beside blanks and control characters. The longest is a setting; 4,000 as delivered."""

Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
]
"""A conversation's title in one line."""
