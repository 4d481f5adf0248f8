"""A folder in BEIR's layout for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_beir(
    folder: Path,
    *,
    documents: Mapping[str, tuple[str, str]],
    questions: Mapping[str, str],
    relevant: Sequence[tuple[str, str, int]],
    metadata: Mapping[str, dict[str, object]] | None = None,
) -> Path:
    """The folder, written: documents by id as (title, text), questions by id, (question, document, grade)."""
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": key, "title": title, "text": text} for key, (title, text) in documents.items()]
    more = metadata or {}
    queries = [
        {"_id": key, "text": text, **({"metadata": more[key]} if key in more else {})}
        for key, text in questions.items()
    ]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = ["query-id\tcorpus-id\tscore", *(f"{q}\t{d}\t{grade}" for q, d, grade in relevant)]
    (folder / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder
