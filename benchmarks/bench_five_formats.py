"""One text in five formats beside its Markdown: what share of its characters does each parser bring back?

The text is the OWASP Top 10 2017 in Japanese, all chapters in one. LibreOffice makes docx, odt and pdf of the page that
markdown-it makes of it; html is that page, txt the Markdown as it stands. Share: length of the longest common subsequence
of both texts (NFKC, without white space), over the length of the Markdown's own text (without its marks, addresses of
links and comments), so that lost words count, and words in a wrong order, too. Goal: 97 % in the worst format.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import unicodedata
from pathlib import Path

from bs4 import BeautifulSoup, Comment
from markdown_it import MarkdownIt
from rapidfuzz.distance import LCSseq

from ingest.parsers import ParseLimits, parse_file

SHARED_DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
CHAPTERS = SHARED_DATA / "owasp_top10_ja" / "2017"
GOAL_SHARE = 0.97
LONGEST_SECONDS = 300
_PAGE = (
    '<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>{title}</title></head><body>{body}</body></html>'
)


def squeezed(text: str) -> str:
    """NFKC without white space."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def make_formats(markdown: str, folder: Path) -> dict[str, Path]:
    """The five files, by format."""
    page = _PAGE.format(title="OWASP Top 10 2017", body=MarkdownIt("commonmark").enable("table").render(markdown))
    made = {name: folder / f"owasp.{name}" for name in ("html", "txt", "docx", "odt", "pdf")}
    made["html"].write_text(page, encoding="utf-8")
    made["txt"].write_text(markdown, encoding="utf-8")
    for target, export in (("odt", "odt:writer8"), ("docx", "docx:MS Word 2007 XML"), ("pdf", "pdf:writer_pdf_Export")):
        source = made["html"] if target == "odt" else made["odt"]
        command = ["soffice", "--headless", "--norestore", f"-env:UserInstallation={(folder / 'profile').as_uri()}"]
        command += ["--infilter=HTML (StarWriter)"] if target == "odt" else []
        command += ["--convert-to", export, "--outdir", str(folder), str(source)]
        subprocess.run(command, capture_output=True, timeout=LONGEST_SECONDS, check=True)
    return made


def text_of(markdown: str) -> str:
    """The words of a Markdown text without its marks."""
    soup = BeautifulSoup(MarkdownIt("commonmark").enable("table").render(markdown), "lxml")
    for comment in soup.find_all(string=lambda words: isinstance(words, Comment)):
        comment.extract()
    return squeezed(soup.get_text())


def share_of(wanted: str, path: Path) -> float:
    """Share of the wanted characters that are in the parsed text in their order, 0 to 1."""
    parsed = parse_file(path, relative_path=path.name, limits=ParseLimits())
    found = squeezed(" ".join(parsed.text[element.start : element.end] for element in parsed.elements))
    return LCSseq.similarity(wanted, found) / len(wanted)


def main(folder: Path) -> None:
    """Makes the files, measures, prints one line."""
    if not CHAPTERS.is_dir():
        print(json.dumps({"benchmark": "five_formats", "not_measured": "owasp_top10_ja is not here: set SHARED_DATA"}))
        return
    markdown = "\n\n".join(path.read_text(encoding="utf-8") for path in sorted(CHAPTERS.glob("*.md")))
    wanted = text_of(markdown)
    shares = {name: round(share_of(wanted, path), 4) for name, path in make_formats(markdown, folder).items()}
    line = {"benchmark": "five_formats", "characters": len(wanted), "shares": shares, "worst": min(shares.values())}
    print(json.dumps({**line, "goal": GOAL_SHARE, "meets_goals": min(shares.values()) >= GOAL_SHARE}))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        main(Path(place))
