"""The laws of the house that no linter knows: lengths, forbidden names, broad excepts, words, addresses."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("assistant", "ingest", "api", "ui")
FILE_LINES = 400
FUNCTION_LINES = 60
STORY_LINES = 80
FORBIDDEN_NAMES = ("util", "helper", "common", "base", "manager", "service", "factory")
FORBIDDEN_WORDS = re.compile(r"(?<![a-z])(knowledge_?base|kb|workspace)(?![a-z])", re.IGNORECASE)
REGISTRY = re.compile(
    r"(files\.python"
    + r"hosted\.org|pypi\."
    + r"org/(simple|packages)|registry\.npm"
    + r"js\.org|proxy\.go"
    + r"lang\.org"
    r"|crates\." + r"io/api|deb\.deb" + r"ian\.org|repo1\.mav" + r"en\.org)"
)
UNMERGED = re.compile("^(<{7} |>{7} |={7}$)", re.MULTILINE)
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|root)/(?!\w*/?\.cache/huggingface)")


def tracked_files() -> list[Path]:
    """Files that git knows or would take in."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def python_files(*folders: str) -> list[Path]:
    """Tracked Python files, of the folders named or all."""
    return [
        p for p in tracked_files() if p.suffix == ".py" and (not folders or p.relative_to(ROOT).parts[0] in folders)
    ]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_no_python_file_is_longer_than_400_lines() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text(encoding="utf-8").splitlines()) for p in python_files()}
    assert {name: length for name, length in lengths.items() if length > FILE_LINES} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{function.name}": function.end_lineno - function.lineno + 1
        for path in python_files()
        for function in functions(ast.parse(path.read_text(encoding="utf-8")))
        if function.end_lineno is not None and function.end_lineno - function.lineno + 1 > FUNCTION_LINES
    }
    assert long == {}


def test_the_story_of_a_question_fits_on_one_page() -> None:
    assert len((ROOT / "assistant/ask.py").read_text(encoding="utf-8").splitlines()) <= STORY_LINES


def test_no_file_has_a_name_that_says_nothing() -> None:
    bad = [str(p.relative_to(ROOT)) for p in python_files() if any(word in p.stem.lower() for word in FORBIDDEN_NAMES)]
    assert bad == []


def test_there_is_no_broad_except() -> None:
    broad = []
    for path in python_files(*ROOMS, "scripts"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                names = [] if node.type is None else [n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)]
                if node.type is None or {"Exception", "BaseException"} & set(names):
                    broad.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert broad == []


def test_every_module_and_public_function_says_what_it_is_for() -> None:
    silent = []
    for path in python_files(*ROOMS):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not (ast.get_docstring(tree) or "").strip():
            silent.append(str(path.relative_to(ROOT)))
        silent += [
            f"{path.relative_to(ROOT)}:{node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not _is_nested(tree, node)
            and not ast.get_docstring(node)
        ]
    assert silent == []


def _is_nested(tree: ast.Module, node: ast.AST) -> bool:
    inside = {id(child) for function in functions(tree) for child in ast.walk(function) if child is not function}
    return id(node) in inside


def test_the_words_of_other_products_are_not_used() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in python_files(*ROOMS)
        for match in FORBIDDEN_WORDS.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "pattern", [REGISTRY, MACHINE_PATH, UNMERGED], ids=["registry address", "path of this machine", "a merge half done"]
)
def test_no_file_holds(pattern: re.Pattern[str]) -> None:
    found = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


def test_tests_are_named_by_outcome() -> None:
    short = [
        f"{path.relative_to(ROOT)}:{function.name}"
        for path in python_files("tests")
        for function in functions(ast.parse(path.read_text(encoding="utf-8")))
        if function.name.startswith("test_") and function.name.count("_") < 3
    ]
    assert short == []
