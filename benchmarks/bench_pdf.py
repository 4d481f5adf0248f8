"""モデル就業規則 (93 pages of PDF) to chunks, beside unstructured's `fast` and beside pdfium's bare text, in one run.

unstructured can only read a PDF with its heavy extra, which is no part of this project. BENCH_UNSTRUCTURED_PYTHON names
the interpreter of an environment that has it; a throw-away one is made, outside the project, by

    python3 -m venv uns && uns/bin/pip install "unstructured==0.27.*" opencv-python-headless scipy huggingface_hub \\
        onnxruntime onnx matplotlib pandas pdfminer.six pi-heif pikepdf "pypdf<7" pdf2image unstructured.pytesseract
    uns/bin/pip install --no-deps unstructured-inference

Without it that half is not measured, and the line says so. unstructured is given its fastest way: a blank spaCy pipeline
(nothing is fetched), imports not counted, and no chunking. Ratios are of processor time. Goals: at least 8 times faster
than `fast`, at most 6 times the time of the bare text, and a better structure: all of the 70 articles are headings, and
fewer other lines are taken for headings beside each (calling every line a title finds them all, too).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

import pypdfium2 as pdfium

from assistant.domain import ElementKind
from ingest.chunk import make_chunks
from ingest.parsers import ParseLimits, parse_file

SHARED_DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
FILE = SHARED_DATA / "model_work_rules" / "001018385.pdf"
INTERPRETER = "BENCH_UNSTRUCTURED_PYTHON"
ROUNDS = 5
GOAL_TO_UNSTRUCTURED = 8.0
GOAL_TO_RAW_TEXT = 6.0
LONGEST_SECONDS = 300
_ARTICLE = re.compile(r"(?:\([^()]*\)\s*)?第\s*(\d+)\s*条")

UNSTRUCTURED = """
import json, os, sys, time
os.environ.update(DO_NOT_TRACK="1", SCARF_NO_ANALYTICS="1", UNSTRUCTURED_DISABLE_NOTICE="1", HF_HUB_OFFLINE="1")
import spacy, unstructured.nlp.tokenize
blank = spacy.blank("xx")
blank.add_pipe("sentencizer")
unstructured.nlp.tokenize._get_nlp = lambda: blank
from unstructured.partition.pdf import partition_pdf
times = []
for _ in range(2):  # the first round loads what is loaded lazily
    started = time.process_time()
    elements = partition_pdf(sys.argv[1], strategy="fast", languages=["jpn", "eng"])
    times.append(time.process_time() - started)
print(json.dumps({"seconds": min(times), "elements": len(elements),
                  "characters": sum(len(e.text) for e in elements),
                  "titles": [e.text for e in elements if type(e).__name__ == "Title"]}))
"""


def raw_text() -> int:
    """pdfium's text of all pages; how many characters."""
    document = pdfium.PdfDocument(FILE.read_bytes())
    characters = 0
    for page in document:
        text_page = page.get_textpage()
        characters += len(text_page.get_text_range())
        text_page.close()
        page.close()
    document.close()
    return characters


def articles_in(headings: Iterable[str]) -> int:
    """How many of the numbers 1 to 70 begin a heading as 第N条, its caption before it or not."""
    found = (_ARTICLE.match(unicodedata.normalize("NFKC", heading)) for heading in headings)
    return len({int(match[1]) for match in found if match is not None} & set(range(1, 71)))


def least_processor_seconds(work: Callable[[], object]) -> float:
    """The least processor time of several rounds, after one that loads everything."""
    work()
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def by_unstructured(interpreter: str) -> dict[str, object]:
    """Seconds, elements, characters, titles and the articles among them, in a process of its own."""
    command = [interpreter, "-W", "ignore", "-c", UNSTRUCTURED, str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=True)
    seen = json.loads(done.stdout.splitlines()[-1])
    titles = seen.pop("titles")
    return {**seen, "headings": len(titles), "articles": articles_in(titles)}


def main() -> None:
    """Measures, prints one line."""
    if not FILE.exists():
        print(json.dumps({"benchmark": "pdf", "not_measured": f"{FILE.name} is not here: set SHARED_DATA"}))
        return

    def to_chunks() -> int:
        parsed = parse_file(FILE, relative_path=FILE.name, limits=ParseLimits())
        return len(make_chunks(parsed, path=FILE.name))

    raw_seconds, our_seconds = least_processor_seconds(raw_text), least_processor_seconds(to_chunks)
    parsed = parse_file(FILE, relative_path=FILE.name, limits=ParseLimits())
    headings = [parsed.text[e.start : e.end] for e in parsed.elements if e.kind is ElementKind.HEADING]
    line: dict[str, object] = {
        "benchmark": "pdf",
        "pages": parsed.pages,
        "chunks": to_chunks(),
        "processor_seconds": round(our_seconds, 3),
        "raw_text_processor_seconds": round(raw_seconds, 3),
        "to_raw_text": round(our_seconds / raw_seconds, 2),
        "goal_to_raw_text": GOAL_TO_RAW_TEXT,
        "articles_of_70": articles_in(headings),
        "headings": len(headings),
    }
    meets_goals = our_seconds <= GOAL_TO_RAW_TEXT * raw_seconds and articles_in(headings) == 70
    interpreter = os.environ.get(INTERPRETER)
    if interpreter is None:
        line["unstructured"] = f"not measured: {INTERPRETER} names no interpreter (see the file's head)"
        print(f"bench_pdf: unstructured is not measured, {INTERPRETER} is not set", file=sys.stderr)
    else:
        other = by_unstructured(interpreter)
        seconds, articles = float(str(other["seconds"])), int(str(other["articles"]))
        line |= {
            "unstructured_processor_seconds": round(seconds, 2),
            "unstructured_elements": other["elements"],
            "unstructured_articles_of_70": articles,
            "unstructured_headings": other["headings"],
            "faster_than_unstructured": round(seconds / our_seconds, 1),
            "goal_faster_than_unstructured": GOAL_TO_UNSTRUCTURED,
        }
        is_faster = seconds >= GOAL_TO_UNSTRUCTURED * our_seconds
        is_clearer = len(headings) * max(articles, 1) < int(str(other["headings"])) * articles_in(headings)
        meets_goals = meets_goals and is_faster and is_clearer
    print(json.dumps({**line, "meets_goals": meets_goals}, ensure_ascii=False))


if __name__ == "__main__":
    main()
