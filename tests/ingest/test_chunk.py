from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from assistant.domain import Chunk, Element, ElementKind, ParsedDocument
from assistant.text import is_readable
from ingest.chunk import CHUNKER_ID, heading_words, make_chunks
from tests.ingest.reading import read, read_text, shared

SENTENCE = "年次有給休暇は、取得日の三営業日前までに申請しなければならない。"


LONGEST_OVERLAP = 80


def is_one_sentence(shared_words: str) -> bool:
    words = shared_words.strip()
    return words.endswith(("。", "！", "？", ".", "!", "?", "」", "）")) and "。" not in words[:-2]


def chunks_of(parsed: ParsedDocument, *, wanted: int = 500, limit: int = 1000) -> list[Chunk]:
    """Chunks, with the promises of the chunker checked."""
    chunks = make_chunks(parsed, path="a.md", wanted_characters=wanted, limit_characters=limit)
    position = 0
    covered: set[int] = set()
    for number, chunk in enumerate(chunks):
        assert chunk.ordinal == number
        assert position - LONGEST_OVERLAP <= chunk.start < chunk.end > position
        assert chunk.text == parsed.text[chunk.start : chunk.end]
        assert is_readable(chunk.text)
        assert chunk.start >= position or is_one_sentence(parsed.text[chunk.start : position])
        assert chunk.text == chunk.text.strip()
        assert len(chunk.embedding_text) <= limit
        assert chunk.embedding_text.endswith(chunk.text)
        position = chunk.end
        covered.update(range(chunk.start, chunk.end))
    left_out = [
        parsed.text[i]
        for element in parsed.elements
        if is_readable(parsed.text[element.start : element.end])
        for i in range(element.start, element.end)
        if i not in covered and not parsed.text[i].isspace()
    ]
    assert left_out == []
    return chunks


def test_a_section_is_one_chunk_with_its_headings_in_front(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.md", f"# 休暇規程\n\n## 第2章 年休\n\n### 第5条 申請\n\n{SENTENCE}\n\n{SENTENCE}\n")
    (chunk,) = chunks_of(parsed)
    assert chunk.heading_path == ("休暇規程", "第2章 年休", "第5条 申請")
    assert chunk.text.startswith("休暇規程")
    assert chunk.embedding_text.startswith("休暇規程 > 第2章 年休 > 第5条 申請\n"), "the title is not said twice"


def test_chunks_never_cross_a_heading(tmp_path: Path) -> None:
    parsed = read_text(
        tmp_path, "a.md", f"# 規程\n\n## 一\n\n{SENTENCE}\n\n## 二\n\n{SENTENCE}\n\n### 二の一\n\n{SENTENCE}\n"
    )
    assert [chunk.heading_path for chunk in chunks_of(parsed)] == [
        ("規程", "一"),
        ("規程", "二"),
        ("規程", "二", "二の一"),
    ]


def test_no_chunk_ends_with_a_heading_that_has_text_below_it(tmp_path: Path) -> None:
    long = "\n\n".join([SENTENCE * 5] * 7)
    parsed = read_text(tmp_path, "a.md", f"# 規程\n\n{long}\n\n## 短い節\n\n{SENTENCE}\n\n## 長い節\n\n{long}\n")
    ends = {e.end for e in parsed.elements if e.kind is ElementKind.HEADING}
    assert [chunk.text for chunk in chunks_of(parsed) if chunk.end in ends] == []


def test_headings_without_text_are_kept(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.md", f"# 規程\n\n{SENTENCE}\n\n## 附則\n\n## 別表\n")
    assert chunks_of(parsed)[-1].text.endswith("別表")


def test_long_japanese_paragraphs_are_cut_at_sentence_ends(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.txt", "".join(f"{n}番目の{SENTENCE}" for n in range(60)))
    chunks = chunks_of(parsed)
    assert len(chunks) > 3
    assert all(chunk.text.endswith("。") for chunk in chunks)
    starts = [0, *(chunk.end for chunk in chunks)]
    assert all(400 <= chunk.end - start <= 600 for start, chunk in zip(starts, chunks[:-1], strict=False))


def test_a_chunk_begins_with_the_sentence_that_ended_the_one_before_it(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.md", "# 規程\n\n" + "".join(f"{n}番目の{SENTENCE}" for n in range(40)))
    chunks = chunks_of(parsed)
    assert len(chunks) > 2
    for former, chunk in itertools.pairwise(chunks):
        first = chunk.text.partition("。")[0] + "。"
        assert former.text.endswith(first)
        assert chunk.start == former.end - len(first)


def test_no_sentence_is_shared_across_headings_between_rows_or_when_it_is_long(tmp_path: Path) -> None:
    rows = "\n".join(f"| 品番{n} | 部品の名前その{n} |" for n in range(80))
    long = f"{'とても長い一文が' * 12}続く。"
    text = f"# 一\n\n{SENTENCE * 9}\n\n# 二\n\n{SENTENCE}\n\n# 三\n\n| 品番 | 名前 |\n|---|---|\n{rows}\n\n# 四\n\n{long * 12}\n"
    chunks = chunks_of(read_text(tmp_path, "a.md", text))
    assert len(chunks) > 6
    assert all(former.end <= chunk.start for former, chunk in itertools.pairwise(chunks))


def test_long_english_paragraphs_are_cut_at_sentence_ends_not_at_line_ends(tmp_path: Path) -> None:
    text = " ".join(
        f"Sentence number {n} says that a visitor must sign the register at the front gate." for n in range(40)
    )
    wrapped = "\n".join(text[i : i + 80] for i in range(0, len(text), 80))
    for chunk in chunks_of(read_text(tmp_path, "a.txt", wrapped)):
        assert chunk.text.endswith(".")
        assert chunk.text.startswith("Sentence")


def test_text_without_any_blank_or_mark_is_cut_all_the_same(tmp_path: Path) -> None:
    chunks = chunks_of(read_text(tmp_path, "a.txt", "あ" * 5000))
    assert max(len(chunk.text) for chunk in chunks) <= 700
    assert "".join(chunk.text for chunk in chunks) == "あ" * 5000


def test_small_neighbours_under_one_heading_share_a_chunk(tmp_path: Path) -> None:
    items = "\n".join(f"- 持ち物その{n}" for n in range(20))
    assert len(chunks_of(read_text(tmp_path, "a.md", f"# 持ち物\n\n次のものを持参します。\n\n{items}\n"))) == 1


def test_rows_of_a_table_are_not_cut_and_the_header_is_repeated_for_the_embedder(tmp_path: Path) -> None:
    rows = [f"| 品番{n} | 部品の名前{n} | {n}00円 |" for n in range(60)]
    parsed = read_text(tmp_path, "a.md", "# 部品\n\n| 品番 | 名前 | 価格 |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    chunks = chunks_of(parsed)
    assert len(chunks) > 2
    for chunk in chunks:
        assert all(line.startswith("|") or line in ("部品", "") for line in chunk.text.splitlines())
        assert chunk.text.endswith("円 |")
        assert chunk.embedding_text.count("| 品番 | 名前 | 価格 |") == 1
        assert chunk.embedding_text.startswith("部品\n")


def test_a_very_long_title_path_is_cut_on_the_left(tmp_path: Path) -> None:
    parsed = read_text(
        tmp_path, "a.md", f"# {'長い題名' * 20}\n\n## {'長い章名' * 20}\n\n### 申請の期限\n\n{SENTENCE}\n"
    )
    prefix = chunks_of(parsed)[0].embedding_text.split("\n")[0]
    assert len(prefix) <= 120
    assert prefix.endswith("申請の期限")


def test_what_a_parser_left_out_does_not_come_back_through_a_chunk(tmp_path: Path) -> None:
    hidden = "<!-- この注記は検索にも引用にも出てはならない。社外秘の連絡先を含むため、必ず除くこと。担当 内線 0000 まで連絡してください。 -->"
    parsed = read_text(tmp_path, "a.md", f"# 案内\n\n{SENTENCE}\n\n{hidden}\n\n{SENTENCE}\n")
    assert all("社外秘" not in chunk.text for chunk in chunks_of(parsed))


def test_the_page_is_the_page_of_the_first_element() -> None:
    text = "見出し\n" + SENTENCE + "\n" + SENTENCE
    first, second = 4, 4 + len(SENTENCE) + 1
    parsed = ParsedDocument(
        "規程",
        text,
        (
            Element(ElementKind.HEADING, 0, 3, level=1, page=4),
            Element(ElementKind.TEXT, first, second - 1, page=4),
            Element(ElementKind.TEXT, second, len(text), page=5),
        ),
        "test",
        "application/pdf",
    )
    assert [chunk.page for chunk in chunks_of(parsed)] == [4]
    assert [chunk.page for chunk in chunks_of(parsed, wanted=40, limit=200)] == [4, 5]


def test_headings_in_a_path_lose_marks_of_markdown() -> None:
    assert heading_words("**手順** [一覧](a.md) `x` {#top}\n続き") == "手順 一覧 x 続き"


@pytest.mark.parametrize("seed", range(25))
def test_the_promises_hold_for_any_text(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    parts = ["# 見出し", "## 節の名前", "- 項目です", SENTENCE, SENTENCE * 9, "A plain English sentence. " * 12, "| a | b |\n|---|---|\n"
             + "| 一 | 二 |\n" * 40, "あ" * 900, "```\ncode\n```", "---", "x"]  # fmt: skip
    text = "\n\n".join(chance.choice(parts) for _ in range(chance.randint(1, 30))) + "\n\n終わり。"
    parsed = read_text(tmp_path, "a.md", text)
    chunks_of(parsed)
    chunks_of(parsed, wanted=chance.randint(80, 900), limit=1000)


def test_the_model_work_rules_become_chunks_of_the_wanted_length() -> None:
    chunks = chunks_of(read(shared("model_work_rules/001018385.pdf")))
    assert 150 < len(chunks) < 320
    leave = next(chunk for chunk in chunks if chunk.heading_path[-1] == "（年次有給休暇） 第２３条")
    assert (leave.page, leave.heading_path[-2]) == (38, "第５章 休暇等")
    assert "採用日から６か月間継続勤務し、所定労働日の８割以上出勤した労働者に対しては" in leave.text


def test_the_chunker_has_a_name_for_the_ledger() -> None:
    assert "/" in CHUNKER_ID
