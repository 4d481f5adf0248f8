"""Ids in addresses: one that cannot be one is looked up as one that nobody has, so that both get the same answer."""

from __future__ import annotations

import re

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
NOBODYS = "none"
"""No row of the ledger has this id."""


def looked_up(identifier: str) -> str:
    """The id, or `none` for something that no id can be."""
    return identifier if _IDENTIFIER.fullmatch(identifier) else NOBODYS
