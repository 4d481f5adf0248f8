"""Public question sets as folders in BEIR's layout: corpus.jsonl, queries.jsonl, qrels/test.tsv.

    python -m benchmarks.beir_sets --data SHARED_DATA --out FOLDER [--only jsquad,lawqa_jp] [--part 8/10]

With `--part` a set keeps all its documents and that part of its questions, of those that a text answers and of those that none
does: a model of hours is asked in sittings, and `scripts/write_quality.py --answers` puts these together.

A text becomes one document as the set has it. Its own answers go into a query's `metadata`: `answers` (any of them
counts), `answerable` false where the set says that no text answers it. Licences: the data folder's ATTRIBUTION.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

QUICK_QUESTIONS = 300
"""Questions of jsquad_300; the full set takes fifteen times as long."""


CROSS_ARTICLES = 100
CROSS_CHARACTERS = 600
"""Of each article: enough to tell what it is about, and few enough to embed while a person waits."""


@dataclass
class BeirSet:
    """Documents by id as (title, text), questions by id as (text, metadata), and which documents answer which."""

    documents: dict[str, tuple[str, str]] = field(default_factory=dict)
    questions: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    relevant: dict[str, list[str]] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """The three files; what was there is replaced."""
        (folder / "qrels").mkdir(parents=True, exist_ok=True)
        corpus = [{"_id": key, "title": title, "text": text} for key, (title, text) in self.documents.items()]
        queries = [{"_id": key, "text": text, "metadata": more} for key, (text, more) in self.questions.items()]
        for name, rows in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (folder / name).write_text(lines, encoding="utf-8")
        pairs = [f"{key}\t{document}\t1\n" for key, documents in self.relevant.items() for document in documents]
        head = "query-id\tcorpus-id\tscore\n"
        (folder / "qrels" / "test.tsv").write_text(head + "".join(pairs), encoding="utf-8")

    def part(self, number: int, parts: int) -> BeirSet:
        """The same documents with the questions of one part of so many, counted from 1, in the order of the set."""
        kept: dict[str, tuple[str, dict[str, Any]]] = {}
        for is_answerable in (True, False):
            some = [key for key, (_, more) in self.questions.items() if more.get("answerable", True) is is_answerable]
            first, last = (len(some) * edge // parts for edge in (number - 1, number))
            kept |= {key: self.questions[key] for key in some[first:last]}
        return BeirSet(self.documents, kept, {key: self.relevant[key] for key in kept if key in self.relevant})

    def document_of(self, title: str, text: str, *, prefix: str) -> str:
        """The id of a text, the same for the same text."""
        for key, known in self.documents.items():
            if known == (title, text):
                return key
        key = f"{prefix}{len(self.documents):04d}"
        self.documents[key] = (title, text)
        return key


def jsquad(data: Path) -> BeirSet:
    """4,442 Japanese questions on 1,145 Wikipedia paragraphs; the title is the article's, its line stays in the text."""
    made = BeirSet()
    for article in json.loads((data / "jsquad/valid-v1.3.json").read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            key = f"p{len(made.documents):04d}"
            made.documents[key] = (article["title"], paragraph["context"].replace(" [SEP] ", "\n"))
            for asked in paragraph["qas"]:
                answers = sorted({answer["text"] for answer in asked["answers"]})
                made.questions[asked["id"]] = (asked["question"], {"answers": answers})
                made.relevant[asked["id"]] = [key]
    return made


def jsquad_300(data: Path) -> BeirSet:
    """300 fixed questions of jsquad (those with the smallest hash of their id) on all its paragraphs."""
    whole = jsquad(data)
    kept = sorted(whole.questions, key=lambda key: hashlib.sha256(key.encode()).digest())[:QUICK_QUESTIONS]
    return BeirSet(
        whole.documents,
        {key: whole.questions[key] for key in kept},
        {key: whole.relevant[key] for key in kept},
    )


def lawqa_jp(data: Path, *, has_choices: bool = False) -> BeirSet:
    """140 four-choice questions on 114 statute texts, the question's own sentence alone.

    18 of them ask `次のうち、正しいもの(誤っているもの)を教えてください。` and nothing else: no search can know which text is
    meant, so that .87 to .88 is the most that Hit@5 can be.
    """
    made = BeirSet()
    samples = json.loads((data / "lawqa_jp/selection.json").read_text(encoding="utf-8"))["samples"]
    for number, sample in enumerate(samples):
        document = made.document_of("", sample["コンテキスト"], prefix="s")
        text = sample["問題文"] + ("\n" + sample["選択肢"] if has_choices else "")
        answer = next((line for line in sample["選択肢"].splitlines() if line.startswith(sample["output"] + " ")), "")
        key = f"q{number:03d}"
        made.questions[key] = (text, {"answers": [answer.partition(" ")[2]]})
        made.relevant[key] = [document]
    return made


def lawqa_jp_choices(data: Path) -> BeirSet:
    """The same with the four choices in the question, as a person would paste it."""
    return lawqa_jp(data, has_choices=True)


def anthropic_docs(data: Path) -> BeirSet:
    """100 English questions on 232 sections of a product's documentation, one to four of which answer each."""
    made = BeirSet()
    for section in json.loads((data / "anthropic_docs/anthropic_docs.json").read_text(encoding="utf-8")):
        made.documents[section["chunk_link"]] = (section["chunk_heading"], section["text"])
    for asked in json.loads((data / "anthropic_docs/docs_evaluation_dataset.json").read_text(encoding="utf-8")):
        made.questions[asked["id"]] = (asked["question"], {"answers": [asked["correct_answer"]]})
        made.relevant[asked["id"]] = sorted(set(asked["correct_chunks"]))
    return made


def clapnq(data: Path) -> BeirSet:
    """300 English questions that a passage answers and 300 that none does, on the passages of both."""
    made = BeirSet()
    for name, is_answerable in (("answerable", True), ("unanswerable", False)):
        lines = (data / f"clapnq/clapnq_dev_{name}.jsonl").read_text(encoding="utf-8").splitlines()
        for row in map(json.loads, lines):
            passage = row["passages"][0]
            document = made.document_of(passage["title"], passage["text"], prefix="w")
            answers = [output["answer"] for output in row["output"] if output["answer"]] if is_answerable else []
            made.questions[row["id"]] = (row["input"], {"answers": answers, "answerable": is_answerable})
            if is_answerable:
                made.relevant[row["id"]] = [document]
    return made


def commerce_ja_en(data: Path) -> BeirSet:
    """100 Japanese titles of a support site's articles, asked for the same articles in English (title and beginning)."""
    return _titles_across(data / "adobe_commerce_kb", asked="ja", searched="en")


def commerce_en_ja(data: Path) -> BeirSet:
    """The same the other way round: English titles, Japanese articles."""
    return _titles_across(data / "adobe_commerce_kb", asked="en", searched="ja")


def commerce_mixed(data: Path) -> BeirSet:
    """The same articles, every other one in English and the rest in Japanese, each asked for by its title in the other
    language: among documents in the question's own."""
    made = BeirSet()
    in_english, in_japanese = commerce_ja_en(data), commerce_en_ja(data)
    for place, key in enumerate(in_english.documents):
        chosen = in_japanese if place % 2 else in_english
        made.documents[key] = chosen.documents[key]
        made.questions[key] = chosen.questions[key]
        made.relevant[key] = [key]
    return made


def _titles_across(folder: Path, *, asked: str, searched: str) -> BeirSet:
    made = BeirSet()
    paths = {path.relative_to(folder / "en").as_posix() for path in (folder / "en").rglob("*.md")}
    for path in sorted(paths, key=lambda path: hashlib.sha256(path.encode()).digest()):
        question, text = (_article(folder / language / path) for language in (asked, searched))
        if question is None or text is None or len(made.documents) == CROSS_ARTICLES:
            continue
        made.documents[path] = (text[0], text[1][:CROSS_CHARACTERS])
        made.questions[path] = (question[0], {})
        made.relevant[path] = [path]
    return made


def _article(file: Path) -> tuple[str, str] | None:
    """(title, text) of an article, without the marks of its publisher; None where it has no title of its own."""
    match = re.match(r"---\n(?P<head>.*?)\n---\n(?P<body>.*)", file.read_text(encoding="utf-8"), re.DOTALL)
    title = re.search(r"^title: *['\"「]?(.+?)['\"」]?$", match["head"], re.MULTILINE) if match else None
    if match is None or title is None:
        return None
    plain = [re.sub(r"\[!\w+ ([^\]]*)\]|&#x200B;", r"\1", words) for words in (title[1], match["body"])]
    return plain[0], re.sub(r"^# .*\n", "", plain[1].strip()).strip()


SETS: dict[str, Callable[[Path], BeirSet]] = {
    made.__name__: made
    for made in (
        jsquad, jsquad_300, lawqa_jp, lawqa_jp_choices, anthropic_docs, clapnq,
        commerce_ja_en, commerce_en_ja, commerce_mixed,
    )
}  # fmt: skip


def _part(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is no part, as 8/10 is one")
    return int(match[1]), int(match[2])


def main() -> None:
    """Writes the sets and says how large each is."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, required=True, help="folder with the raw sets")
    arguments.add_argument("--out", type=Path, required=True, help="folder for one folder of each set")
    arguments.add_argument("--only", default=",".join(SETS), help="names, separated by commas")
    arguments.add_argument("--part", type=_part, default=(1, 1), help="K/N: the Kth part of N of the questions")
    chosen = arguments.parse_args()
    for name in chosen.only.split(","):
        made = SETS[name](chosen.data).part(*chosen.part)
        made.write(chosen.out / name)
        answered = len(made.relevant)
        print(json.dumps({"set": name, "documents": len(made.documents), "questions": answered}))


if __name__ == "__main__":
    main()
