"""Memory of the ingesting process while it reads much: flat, and at most 600 MB beside the parser process.

`bench_memory.py [MEGABYTES]` (100; the goal is about 1,000) makes mixed files of that size in a temporary folder, as a
file server holds them: most bytes are pictures in PDF, Word and PowerPoint files, the rest tables and text. One process
ingests them (real parser process, ledger, Chroma server, tantivy; an embedder that costs nothing), another looks at its
memory every half second. Prints one JSON line: the most resident memory, and of the process's own memory the mean of each
tenth and the growth from the middle third to the last. Pages of files that are mapped (the full-text index, which grows
with the folder) are resident, but not its own: the system takes them back whenever it wants.
"""

from __future__ import annotations

import io
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

GOAL_MEGABYTES = 600
GOAL_GROWTH = 1.05
PICTURE_BYTES = 2_500_000
MIB = 1 << 20


def words(chance: random.Random, count: int) -> str:
    """Sentences that no other file holds."""
    said = ("倉庫", "棚", "荷物", "届出", "係", "期限", "warehouse", "shelf", "notice", "holiday")
    return "".join(
        f"{chance.choice(said)}{chance.randrange(10**7)}は{chance.randrange(100)}日前に届け出る。" for _ in range(count)
    )


def picture(chance: random.Random) -> io.BytesIO:
    """A picture that does not compress."""
    from PIL import Image

    side = int((PICTURE_BYTES / 3) ** 0.5)
    image = Image.frombytes("RGB", (side, side), chance.randbytes(side * side * 3))
    content = io.BytesIO()
    image.save(content, "PNG")
    content.seek(0)
    return content


def write_pdf(path: Path, chance: random.Random) -> None:
    """Pages of text, and two with pictures."""
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path))
    for page in range(12):
        for line in range(30):
            canvas.drawString(60, 780 - 22 * line, f"Rule {chance.randrange(10**7)}: give notice {line} days before.")
        if page < 2:
            canvas.drawImage(ImageReader(picture(chance)), 60, 60, 60, 60)
        canvas.showPage()
    canvas.save()


def write_docx(path: Path, chance: random.Random) -> None:
    """Paragraphs and a picture."""
    from docx import Document

    document = Document()
    for number in range(10):
        document.add_heading(f"第{number}条 {chance.randrange(10**7)}", 1)
        document.add_paragraph(words(chance, 12))
    document.add_picture(picture(chance))
    document.save(str(path))


def write_pptx(path: Path, chance: random.Random) -> None:
    """Slides and a picture."""
    from pptx import Presentation

    slides = Presentation()
    for _ in range(6):
        slide = slides.slides.add_slide(slides.slide_layouts[1])
        slide.shapes.title.text = f"棚 {chance.randrange(10**7)}"
        slide.placeholders[1].text = words(chance, 6)
    slide.shapes.add_picture(picture(chance), 0, 0)
    slides.save(str(path))


def write_xlsx(path: Path, chance: random.Random) -> None:
    """A table of 20,000 rows."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("棚卸")
    sheet.append(["番号", "品名", "棚", "数"])
    for row in range(20_000):
        sheet.append([row, f"部品{chance.randrange(10**7)}", f"棚{chance.randrange(1000)}", chance.randrange(100)])
    book.save(str(path))


def write_csv(path: Path, chance: random.Random) -> None:
    """A table of 10,000 lines."""
    rows = [f"{row},部品{chance.randrange(10**7)},棚{chance.randrange(1000)}\n" for row in range(10_000)]
    path.write_text("番号,品名,棚\n" + "".join(rows), encoding="utf-8")


def write_text(path: Path, chance: random.Random) -> None:
    """Some pages of Markdown."""
    parts = [f"## 第{n}条 {chance.randrange(10**7)}\n\n{words(chance, 15)}" for n in range(20)]
    path.write_text("# 規程\n\n" + "\n\n".join(parts), encoding="utf-8")


KINDS: tuple[tuple[str, int, Callable[[Path, random.Random], None]], ...] = (
    ("pdf", 4, write_pdf),
    ("docx", 4, write_docx),
    ("pptx", 2, write_pptx),
    ("md", 4, write_text),
)
TABLES: tuple[tuple[str, Callable[[Path, random.Random], None]], ...] = (("xlsx", write_xlsx), ("csv", write_csv))


def write_files(folder: Path, megabytes: int) -> None:
    """Mixed files of about that many megabytes; a large table of each kind for every 100."""
    chance = random.Random(1)
    kinds = [(ending, write) for ending, times, write in KINDS for _ in range(times)]
    written, number, tables = 0, 0, 0
    while written < megabytes * MIB:
        is_table = written >= tables * 50 * MIB
        ending, write = TABLES[tables % 2] if is_table else chance.choice(kinds)
        tables += int(is_table)
        path = folder / f"{number % 40:02d}" / f"{number}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, chance)
        written += path.stat().st_size
        number += 1


def ingest(place: Path, chroma_url: str) -> None:
    """What the watched process does."""
    from assistant.adapters.chroma import ChromaVectorIndex
    from assistant.adapters.fake import FakeEmbedder
    from assistant.adapters.ledger import Ledger
    from assistant.adapters.lexical import TantivyLexicalIndex
    from ingest.guard import ParserProcess
    from ingest.index_sync import Stores
    from ingest.memory import share_arenas
    from ingest.pipeline import Run

    share_arenas()
    ledger = Ledger.open(f"sqlite:///{place}/ledger.db")
    lexical = TantivyLexicalIndex(place / "lexical")
    stores = Stores(ledger, FakeEmbedder(dimension=64), ChromaVectorIndex(url=chroma_url), lexical)
    with ParserProcess(timeout_seconds=300, memory_bytes=3 << 30, file_limit_bytes=200 << 20) as parser:
        counts = Run(stores, parser).run(place / "documents").counts
    print(json.dumps({name: counts[name] for name in ("done", "chunks", "failed", "bytes")}))


def main() -> None:
    """Makes the files, watches, prints the line."""
    from tests.contracts.conftest import ChromaServer, free_port

    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        subprocess.run([sys.executable, __file__, "--write", str(place / "documents"), str(megabytes)], check=True)
        server = ChromaServer(place / "chroma", free_port())
        server.start()
        try:
            started = time.perf_counter()
            command = [sys.executable, __file__, "--ingest", str(place), server.url]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                seen = _watched(process)
                assert process.stdout is not None
                counts = json.loads(process.stdout.read().splitlines()[-1])
            seconds = time.perf_counter() - started
        finally:
            server.stop()
    print(json.dumps({"benchmark": "memory", **counts, "seconds": round(seconds), **_line(seen)}))


def _watched(process: subprocess.Popen[str]) -> list[tuple[float, float]]:
    """(resident, own) megabytes of the process alone, its children left out."""
    watched, seen = psutil.Process(process.pid), []
    while process.poll() is None:
        try:
            memory = watched.memory_info()
            seen.append((memory.rss / MIB, (memory.rss - memory.shared) / MIB))
        except psutil.NoSuchProcess:
            break
        time.sleep(0.5)
    return seen


def _line(seen: list[tuple[float, float]]) -> dict[str, object]:
    own = [its for _, its in seen]
    third, tenth = len(own) // 3, max(1, len(own) // 10)
    middle, last = statistics.mean(own[third : 2 * third]), statistics.mean(own[2 * third :])
    return {
        "most_megabytes": round(max(resident for resident, _ in seen)),
        "own_by_tenth_megabytes": [round(statistics.mean(own[at : at + tenth])) for at in range(0, len(own), tenth)],
        "middle_third_megabytes": round(middle),
        "last_third_megabytes": round(last),
        "growth": round(last / middle, 3),
        "goal_growth": GOAL_GROWTH,
        "goal_megabytes": GOAL_MEGABYTES,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write_files(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1:2] == ["--ingest"]:
        os.nice(10)
        ingest(Path(sys.argv[2]), sys.argv[3])
    else:
        main()
