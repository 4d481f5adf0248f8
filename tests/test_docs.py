"""The generated reference is fresh, and the README names only commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.write_reference import pages

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_generated_page_is_what_the_code_says_now(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_readme_names_only_targets_that_the_makefile_has(readme: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", (ROOT / readme).read_text(encoding="utf-8")))
    assert named
    assert named <= targets


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_readme_names_only_files_that_exist(readme: str) -> None:
    named = re.findall(
        r"`((?:assistant|ingest|api|ui|docs|scripts|nginx|modelfiles)/[\w./-]+)`",
        (ROOT / readme).read_text(encoding="utf-8"),
    )
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
