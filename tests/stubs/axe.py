"""npm's axe-core; skips where there is no npm."""

from __future__ import annotations

from tests.stubs.npm import installed_package

VERSION = "4.14.1"


def axe_source() -> str:
    """The script that puts `axe` into a page. Skips the test where it cannot be had."""
    folder = installed_package("axe-core", VERSION)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
