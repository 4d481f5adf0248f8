"""The table of words is complete, and no word stands anywhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from string import Formatter

import pytest

from assistant.domain import DocumentStatus, RefusalReason
from assistant.errors import FailureReason, Text
from ui import words
from ui.words import asking, documents, language_of, say

TABLES = Path(words.__file__).parent
ROOM = TABLES.parent
JAPANESE = re.compile("[ぁ-んァ-ヶ一-龠]")
# Names of parts of streamlit and of HTML, never shown to people.
SILENT_ARGUMENTS = {"key", "icon", "url_path", "layout", "width", "page_icon", "gap", "submit_mode", "type", "on_click"}
SHOWING_CALLS = {
    "button", "caption", "chat_input", "error", "info", "markdown", "radio", "selectbox", "subheader", "success",
    "text", "text_input", "title", "warning", "write", "Page", "navigation", "set_page_config", "header", "expander",
}  # fmt: skip


def all_texts() -> Iterator[tuple[str, Text]]:
    for file in TABLES.glob("*.py"):
        table = words if file.stem == "__init__" else import_module(f"ui.words.{file.stem}")
        for name, value in vars(table).items():
            if name.isupper():
                yield from texts_in(f"{file.stem}.{name}", value)


def texts_in(name: str, value: object) -> Iterator[tuple[str, Text]]:
    """Each text in a table's value: a text itself, or a list or table of them, however deep."""
    if isinstance(value, Text):
        yield name, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts_in(f"{name}[{key}]", inner)
    elif isinstance(value, tuple):
        for place, inner in enumerate(value):
            yield from texts_in(f"{name}[{place}]", inner)


TEXTS = dict(all_texts())


@pytest.mark.parametrize("name", TEXTS)
def test_every_word_is_in_both_languages_with_the_same_places_to_fill(name: str) -> None:
    text = TEXTS[name]
    assert text.ja.strip()
    assert text.en.strip()
    assert not JAPANESE.search(text.en)
    places = [{field for _, field, _, _ in Formatter().parse(sentence) if field} for sentence in (text.ja, text.en)]
    assert places[0] == places[1]
    only_places = not re.sub(r"\{\w+\}|[\W\d_]", "", text.en).removesuffix("s")
    assert JAPANESE.search(text.ja) or only_places


def test_the_table_is_not_empty() -> None:
    assert len(TEXTS) > 60


def test_every_state_and_reason_that_the_product_knows_has_words() -> None:
    assert set(documents.FAILURES) == set(FailureReason)
    assert set(documents.STATUSES) == {status.value for status in DocumentStatus}
    assert set(asking.REFUSED_HINTS) == {reason.value for reason in RefusalReason}


def sources() -> list[Path]:
    return [path for path in ROOM.rglob("*.py") if path.parent != TABLES]


def docstrings(tree: ast.Module) -> set[ast.AST]:
    found: set[ast.AST] = set()
    for owner in ast.walk(tree):
        if isinstance(owner, ast.Module | ast.ClassDef | ast.FunctionDef):
            body = owner.body
            if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                found.add(body[0].value)
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_no_japanese_and_no_sentence_stands_outside_the_table(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    silent = docstrings(tree)
    for part in ast.walk(tree):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part not in silent:
            assert not JAPANESE.search(part.value), f"{path.name}:{part.lineno}"
            between_tags = re.sub(r"<style>.*</style>|<[^>]*>?|^[^<]*>", "", part.value, flags=re.S)
            assert not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", between_tags), f"{path.name}:{part.lineno}"


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_nothing_is_shown_that_does_not_come_from_the_table(path: Path) -> None:
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (
            isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in SHOWING_CALLS
        ):
            continue
        shown = [*call.args, *(word.value for word in call.keywords if word.arg not in SILENT_ARGUMENTS)]
        for argument in shown:
            is_literal = isinstance(argument, ast.JoinedStr) or (
                isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )
            assert not is_literal, f"{path.name}:{call.lineno}"


def test_a_missing_value_is_an_error_and_not_a_hole_in_the_sentence() -> None:
    with pytest.raises(KeyError):
        say(asking.WAITING_QUEUE, "ja", position=1)


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("ja-JP", "ja"),
        ("ja", "ja"),
        ("JA_jp", "ja"),
        ("en-US", "en"),
        ("fr", "en"),
        ("", "en"),
        (None, "en"),
        ("jam", "en"),
    ],
)
def test_the_browsers_locale_picks_the_language(locale: str | None, language: str) -> None:
    assert language_of(locale) == language
