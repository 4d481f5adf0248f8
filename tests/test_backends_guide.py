"""The table of differences between model servers names tests that exist, the same in both languages."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROOF = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def proofs(page: str) -> list[tuple[str, str]]:
    """File and test of each proof, in order."""
    return PROOF.findall((ROOT / "docs" / "guides" / page).read_text(encoding="utf-8"))


def test_every_difference_is_shown_by_a_test_that_exists() -> None:
    named = proofs("backends.md")
    assert len(named) >= 12
    for path, test in named:
        assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), test


def test_both_languages_name_the_same_proofs() -> None:
    assert proofs("backends.md") == proofs("backends.ja.md")
