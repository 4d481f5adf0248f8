"""Question sets for measuring: the golden YAML of a company's own documents, or a folder in BEIR's layout.

    modelfiles/golden/*.yaml                 id, question, expected_paths, must_say, must_refuse, kind, after
    corpus.jsonl queries.jsonl qrels/*.tsv   {_id, title, text}  {_id, text, metadata}  query-id corpus-id score

A document's key is its path (golden) or its `_id` (BEIR). Must not know indexes, models or the ledger.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from assistant.errors import EvaluationFailed, Language, Text
from assistant.text import language_of

Half = Literal["tuned", "held_out"]


@dataclass(frozen=True)
class Asked:
    """One question of a set and what a right answer is. `relevant` maps document keys to grades above 0.

    `must_say` are strings that a right answer holds, all of them; `references` whole right answers, any of them.
    """

    question_id: str
    text: str
    language: Language
    relevant: Mapping[str, int]
    must_say: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    must_refuse: bool = False
    kind: str = "plain"
    after: str | None = None
    language_pair: str = ""

    @property
    def half(self) -> Half:
        """The half of the set that it belongs to: by its id alone, so that no run can move it."""
        return "tuned" if hashlib.sha256(self.question_id.encode()).digest()[0] % 2 else "held_out"


@dataclass(frozen=True)
class QuestionSet:
    """Questions, and the texts to ingest first: `corpus` is None where they are about a deployment's own documents."""

    name: str
    questions: tuple[Asked, ...]
    corpus: Path | None = None
    languages: Mapping[str, Language] = field(default_factory=dict)


def read_question_set(path: Path) -> QuestionSet:
    """The set in a folder or YAML file. Raises EvaluationFailed, which names the line that cannot be read."""
    if (path / "corpus.jsonl").is_file():
        return _beir(path)
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        raise EvaluationFailed(
            Text(
                ja=f"{path} に質問集がありません(*.yaml も corpus.jsonl もない)。",
                en=f"{path} holds no question set: neither *.yaml nor corpus.jsonl.",
            ),
            Text(
                ja="modelfiles/golden か、BEIR 形式のフォルダを指定してください。",
                en="Name modelfiles/golden or a folder in BEIR's layout.",
            ),
        )
    return QuestionSet(path.stem, tuple(question for file in files for question in _golden(file)))


def corpus_rows(corpus: Path) -> Iterator[tuple[str, str, str]]:
    """(_id, title, text) of each document of a BEIR corpus."""
    for row in _json_lines(corpus, ("_id", "text")):
        yield str(row["_id"]), str(row.get("title") or ""), str(row["text"] or "")


def _golden(file: Path) -> Iterator[Asked]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        entries = content["questions"] if isinstance(content, dict) else content
        for entry in entries:
            language: Language = "ja" if entry["language"] == "ja" else "en"
            kind = str(entry.get("kind", "plain"))
            other = "en" if language == "ja" else "ja"
            yield Asked(
                question_id=str(entry["id"]),
                text=str(entry["question"]),
                language=language,
                relevant={str(path): 1 for path in entry.get("expected_paths") or ()},
                must_say=tuple(str(words) for words in entry.get("must_say") or ()),
                must_refuse=bool(entry.get("must_refuse", False)),
                kind=kind,
                after=entry.get("after"),
                language_pair=f"{language}-{other if kind == 'cross' else language}",
            )
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise _unreadable(file, str(error)) from error


def _beir(folder: Path) -> QuestionSet:
    """Questions with a relevant document, and those that the set itself calls unanswerable."""
    relevant: dict[str, dict[str, int]] = {}
    for query_id, document, grade in _qrels(folder):
        if grade > 0:
            relevant.setdefault(query_id, {})[document] = grade
    wanted = {document for documents in relevant.values() for document in documents}
    languages = {
        key: language_of(title + text) for key, title, text in corpus_rows(folder / "corpus.jsonl") if key in wanted
    }
    questions = []
    for row in _json_lines(folder / "queries.jsonl", ("_id", "text")):
        more = row.get("metadata") or {}
        key, is_answerable = str(row["_id"]), bool(more.get("answerable", True))
        if key not in relevant and is_answerable:
            continue
        language = language_of(str(row["text"]))
        documents = relevant.get(key, {})
        target = next((languages[document] for document in documents if document in languages), language)
        asked = Asked(
            question_id=key,
            text=str(row["text"]),
            language=language,
            relevant=documents,
            references=tuple(str(answer) for answer in more.get("answers") or ()),
            must_refuse=not is_answerable,
            kind="plain" if is_answerable else "unanswerable",
            language_pair=f"{language}-{target}",
        )
        questions.append(asked)
    return QuestionSet(folder.name, tuple(questions), folder / "corpus.jsonl", languages)


def _qrels(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Rows of qrels/test.tsv, or of the only other file there; a header line is left out."""
    file = folder / "qrels" / "test.tsv"
    if not file.is_file():
        others = sorted((folder / "qrels").glob("*.tsv"))
        if len(others) != 1:
            raise _unreadable(file, "not there")
        file = others[0]
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        cells = line.split("\t")
        if not line.strip() or (number == 1 and not cells[-1].lstrip("-").isdigit()):
            continue
        if len(cells) != 3 or not cells[2].lstrip("-").isdigit():
            raise _unreadable(file, f"line {number}")
        yield cells[0], cells[1], int(cells[2])


def _json_lines(file: Path, keys: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    try:
        lines = file.open(encoding="utf-8")
    except OSError as error:
        raise _unreadable(file, str(error.strerror)) from error
    with lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise _unreadable(file, f"line {number}") from error
            if not isinstance(row, dict) or any(key not in row for key in keys):
                raise _unreadable(file, f"line {number}")
            yield row


def _unreadable(file: Path, where: str) -> EvaluationFailed:
    return EvaluationFailed(
        Text(ja=f"質問集 {file} を読めません({where})。", en=f"The question set {file} cannot be read ({where})."),
        Text(
            ja="形は docs/guides/quality.ja.md にあります。",
            en="docs/guides/quality.md shows the layout.",
        ),
    )
