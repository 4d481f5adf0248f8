"""Question sets for measuring: the golden YAML of a company's own documents, or a folder in BEIR's layout.

    modelfiles/golden/*.yaml                 id, question, expected_paths, must_say, must_refuse, kind, after
    corpus.jsonl queries.jsonl qrels/*.tsv   {_id, title, text}  {_id, text, metadata}  query-id corpus-id score

A document's key is its path (golden) or its `_id` (BEIR). Must not know indexes, models or the ledger.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from assistant.errors import EvaluationFailed, Language, Text
from assistant.grammar import language_of
from assistant.release.set_files import (
    json_rows,
    key_of_row,
    named,
    numbered_lines,
    several,
    text_of_row,
    unreadable,
    unreadable_line,
    whole_text,
)

GOLDEN_FIELDS = frozenset({"id", "language", "question", "expected_paths", "must_say", "must_refuse", "kind", "after"})
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
    def says_what_to_say(self) -> bool:
        """Whether an answer's words can be judged at all."""
        return bool(self.must_say or self.references)

    @property
    def half(self) -> Half:
        """The half of the set that it belongs to: by its id alone, so that no run can move it."""
        return "tuned" if hashlib.sha256(self.question_id.encode()).digest()[0] % 2 else "held_out"


@dataclass(frozen=True)
class QuestionSet:
    """Questions, and the texts to ingest first: `corpus` is None where they are about a deployment's own documents.

    `remarks` say what of the files is not used, so that nobody takes it for measured.
    """

    name: str
    questions: tuple[Asked, ...]
    corpus: Path | None = None
    languages: Mapping[str, Language] = field(default_factory=dict)
    remarks: tuple[Text, ...] = ()


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
    questions: list[Asked] = []
    remarks: list[Text] = []
    known: set[str] = set()
    for file in files:
        for entry in _entries(file):
            asked = _golden(file, entry, known)
            known.add(asked.question_id)
            questions.append(asked)
            unknown = sorted(str(name) for name in entry.keys() - GOLDEN_FIELDS)
            if unknown:
                fields = f"{file.name}, {asked.question_id}: {named(unknown)}"
                remarks.append(
                    Text(ja=f"知らない項目を使いません({fields})。", en=f"Unknown fields are not used ({fields}).")
                )
    return QuestionSet(path.stem, tuple(questions), remarks=tuple(remarks))


def corpus_rows(corpus: Path) -> Iterator[tuple[str, str, str]]:
    """(_id, title, text) of each document of a BEIR corpus; a document that is only a title has it as its text."""
    seen: set[str] = set()
    for number, row in json_rows(corpus):
        key = key_of_row(corpus, number, row, seen)
        title, text = (text_of_row(corpus, number, row, name) for name in ("title", "text"))
        yield key, title, text if text.strip() else title


def _entries(file: Path) -> list[dict[str, Any]]:
    try:
        content = yaml.safe_load(whole_text(file))
    except yaml.MarkedYAMLError as error:
        line = 0 if error.problem_mark is None else error.problem_mark.line + 1
        raise unreadable_line(
            file, line, Text(ja=f"YAML ではありません: {error.problem}", en=f"no YAML: {error.problem}")
        ) from error
    except yaml.YAMLError as error:
        raise unreadable(file, Text(ja="YAML ではありません", en="no YAML")) from error
    entries = content.get("questions") if isinstance(content, dict) else content
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise unreadable(file, Text(ja="質問の一覧がありません", en="no list of questions"))
    return entries


def _golden(file: Path, entry: Mapping[str, Any], known: set[str]) -> Asked:
    """One question of a golden file; `known` are the ids above it. Raises EvaluationFailed."""
    key, text = (str(entry.get(name) or "").strip() for name in ("id", "question"))
    found: Language = language_of(text)
    written = entry.get("language", found)
    must_refuse, after = entry.get("must_refuse", False), entry.get("after")
    relevant = dict.fromkeys(several(entry.get("expected_paths")), 1)
    kind = str(entry.get("kind", "plain"))

    def wrong(ja: str, en: str) -> EvaluationFailed:
        return unreadable(file, Text(ja=f"質問 {key or text}: {ja}", en=f"question {key or text}: {en}"))

    if not key or not text:
        raise wrong("id か question がありません", "no id or no question")
    if key in known:
        raise wrong("同じ id がすでにあります", "there is an earlier one with this id")
    if written not in ("ja", "en"):
        raise wrong("language は ja か en です", "language is ja or en")
    if not isinstance(must_refuse, bool):
        raise wrong("must_refuse は true か false です", "must_refuse is true or false")
    if must_refuse and relevant:
        raise wrong("must_refuse なのに expected_paths があります", "must_refuse, and yet expected_paths")
    if after is not None and str(after) not in known:
        raise wrong(f"after の {after} が上にありません", f"after names {after}, which is not above it")
    language: Language = "ja" if written == "ja" else "en"
    other = "en" if language == "ja" else "ja"
    return Asked(
        question_id=key,
        text=text,
        language=language,
        relevant=relevant,
        must_say=several(entry.get("must_say")),
        must_refuse=must_refuse,
        kind=kind,
        after=None if after is None else str(after),
        language_pair=f"{language}-{other if kind == 'cross' else language}",
    )


def _beir(folder: Path) -> QuestionSet:
    """Questions with a relevant document, and those that the set itself calls unanswerable."""
    relevant: dict[str, dict[str, int]] = {}
    judged: set[str] = set()
    for query_id, document, grade in _qrels(folder):
        judged.add(query_id)
        if grade > 0:
            relevant.setdefault(query_id, {})[document] = grade
    wanted = {document for documents in relevant.values() for document in documents}
    corpus, queries = folder / "corpus.jsonl", folder / "queries.jsonl"
    languages: dict[str, Language] = {}
    is_empty = True
    for key, title, text in corpus_rows(corpus):
        is_empty = False
        if key in wanted:
            languages[key] = language_of(title + text)
    if is_empty:
        raise unreadable(corpus, Text(ja="文書がありません", en="it holds no document"))
    questions: list[Asked] = []
    seen: set[str] = set()
    left_out: list[str] = []
    for number, row in json_rows(queries):
        asked = _query(queries, number, row, seen=seen, relevant=relevant, languages=languages)
        if asked.relevant or asked.must_refuse:
            questions.append(asked)
        else:
            left_out.append(asked.question_id)
    if not questions:
        none = Text(ja="qrels に正解のある質問がありません", en="no question has a relevant document in qrels")
        raise unreadable(queries, none)
    remarks = _remarks(left_out, sorted(judged - seen), sorted(wanted - languages.keys()))
    return QuestionSet(folder.resolve().name, tuple(questions), corpus, languages, tuple(remarks))


def _query(
    file: Path,
    number: int,
    row: dict[str, Any],
    *,
    seen: set[str],
    relevant: Mapping[str, Mapping[str, int]],
    languages: Mapping[str, Language],
) -> Asked:
    key, text = key_of_row(file, number, row, seen), text_of_row(file, number, row, "text")
    more = row.get("metadata") or {}
    documents = relevant.get(key, {})
    if not text.strip():
        raise unreadable_line(file, number, Text(ja="text が空です", en="text is empty"))
    if not isinstance(more, dict):
        raise unreadable_line(
            file, number, Text(ja="metadata がオブジェクトではありません", en="metadata is no object")
        )
    is_answerable = more.get("answerable", True)
    if not isinstance(is_answerable, bool):
        raise unreadable_line(
            file, number, Text(ja="answerable は true か false です", en="answerable is true or false")
        )
    if documents and not is_answerable:
        both = Text(
            ja="answerable が false なのに正解が qrels にあります",
            en="answerable is false, and yet qrels has an answer",
        )
        raise unreadable_line(file, number, both)
    language = language_of(text)
    target = next((languages[document] for document in documents if document in languages), language)
    return Asked(
        question_id=key,
        text=text,
        language=language,
        relevant=documents,
        references=several(more.get("answers")),
        must_refuse=not is_answerable,
        kind="plain" if is_answerable else "unanswerable",
        language_pair=f"{language}-{target}",
    )


def _remarks(left_out: list[str], unknown_queries: list[str], unknown_documents: list[str]) -> Iterator[Text]:
    if left_out:
        some = named(left_out)
        yield Text(
            ja=f"qrels に正解がない質問 {len(left_out)} 件は尋ねません({some})。断るのが正しい質問には answerable: false を付けてください。",
            en=f"{len(left_out)} queries without a relevant document in qrels are left out ({some}); what must be refused needs answerable: false.",
        )
    if unknown_queries:
        some = named(unknown_queries)
        yield Text(
            ja=f"qrels の質問 {len(unknown_queries)} 件が queries.jsonl にありません({some})。",
            en=f"{len(unknown_queries)} queries of qrels are not in queries.jsonl ({some}).",
        )
    if unknown_documents:
        some = named(unknown_documents)
        yield Text(
            ja=f"qrels の文書 {len(unknown_documents)} 件が corpus.jsonl になく、見つからないものとして数えます({some})。",
            en=f"{len(unknown_documents)} documents of qrels are not in corpus.jsonl and count as not found ({some}).",
        )


def _qrels(folder: Path) -> Iterator[tuple[str, str, int]]:
    """(query, document, grade) of qrels/test.tsv, or of the only other file there; a header line is left out."""
    file = folder / "qrels" / "test.tsv"
    if not file.is_file():
        others = sorted((folder / "qrels").glob("*.tsv"))
        if len(others) != 1:
            raise unreadable(file, Text(ja="ファイルがありません", en="it is not there"))
        file = others[0]
    grades: dict[tuple[str, str], int] = {}
    is_first = True
    for number, line in numbered_lines(file):
        cells = [cell.strip() for cell in line.split("\t")]
        if not any(cells):
            continue
        is_header = is_first and len(cells) == 3 and not any(letter.isdigit() for letter in cells[2])
        is_first = False
        if is_header:
            continue
        if len(cells) != 3 or not all(cells):
            columns = Text(
                ja="タブ区切りの 3 列(query-id corpus-id score)ではありません",
                en="not three columns (query-id corpus-id score) with tabs between",
            )
            raise unreadable_line(file, number, columns)
        grade = _whole(cells[2])
        if grade is None:
            raise unreadable_line(
                file,
                number,
                Text(ja=f"score {cells[2]} が整数ではありません", en=f"the score {cells[2]} is no whole number"),
            )
        pair = (cells[0], cells[1])
        if grades.setdefault(pair, grade) != grade:
            raise unreadable_line(
                file,
                number,
                Text(ja="同じ組に別の score が前の行にあります", en="an earlier line has another score for this pair"),
            )
        yield *pair, grade


def _whole(cell: str) -> int | None:
    """The number in a cell, also where a table program wrote 1 as 1.0; None when it is no whole number."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None
