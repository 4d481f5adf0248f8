"""Markdown, plain text, CSV and JSON: what is stored is the file's own characters."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from assistant.domain import ElementKind
from assistant.errors import FailureReason, UnsupportedDocument
from ingest.parsers import ParseLimits
from tests.ingest.reading import headings, read, read_text, reason_of, shared, texts

MARKDOWN = """---
title: 休暇規程
redirect_from:
  - /old/
---

# 休暇の取り方 {#top}

最初の段落。
同じ段落の二行目。

Setext heading
--------------

* 一つ目
  * その中
* 二つ目

## 表 ##

| 区分 | 日数 |
| --- | --- |
| 年次 | 10 |
| 特別 | 5 |

```python
# this is no heading
print("x")
```

<!-- 見えない注記 -->
"""


def test_markdown_headings_keep_their_levels_and_lose_their_marks(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.md", MARKDOWN)
    assert headings(parsed) == [(1, "休暇の取り方 {#top}"), (2, "Setext heading"), (2, "表")]
    assert parsed.title == "休暇規程"


def test_markdown_text_is_literally_the_file_and_front_matter_and_comments_are_no_elements(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.md", MARKDOWN)
    assert parsed.text == MARKDOWN
    assert "最初の段落。\n同じ段落の二行目。" in texts(parsed)
    assert texts(parsed, ElementKind.LIST_ITEM) == ["* 一つ目\n  * その中", "* 二つ目"]
    joined = "\n".join(texts(parsed))
    assert "redirect_from" not in joined
    assert "見えない注記" not in joined
    assert "# this is no heading" in joined


def test_a_markdown_table_knows_its_header_row(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.md", MARKDOWN)
    table = next(e for e in parsed.elements if e.kind is ElementKind.TABLE)
    assert table.header == "| 区分 | 日数 |"
    assert parsed.text[table.start : table.end].endswith("| 特別 | 5 |")


def test_a_markdown_file_of_front_matter_alone_is_searchable_by_it(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.md", "---\ntitle: Org chart\nredirect_to: https://example.com/chart\n---\n")
    assert parsed.title == "Org chart"
    assert "https://example.com/chart" in texts(parsed)[0]


def test_front_matter_that_is_no_yaml_still_gives_the_title(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.md", "---\ntitle: Travel: policy\n  - broken: [\n---\n\nBody text.\n")
    assert parsed.title == "Travel: policy"


def test_windows_line_ends_become_one_newline(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.md", "# 見出し\r\n\r\n本文です。\r\n")
    assert parsed.text == "# 見出し\n\n本文です。\n"


PLAIN = """慶弔見舞金規程

第１章　総則

（目的）
第１条　この規程は、社員及びその家族の慶弔及び災害に際して会社が支給する
　　　　見舞金について定める。

（対象者）
第２条　この規程は、第５条の規定により、正社員に適用する。

1. 申請書
2. 領収書
"""


def test_plain_text_articles_become_headings_with_their_captions(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.txt", PLAIN)
    assert headings(parsed) == [
        (1, "慶弔見舞金規程"),
        (3, "第１章 総則"),
        (6, "（目的） 第１条"),
        (6, "（対象者） 第２条"),
    ]
    assert "この規程は、社員及びその家族の慶弔及び災害に際して会社が支給する\n　　　　見舞金について定める。" in texts(
        parsed
    )


def test_numbered_lines_without_text_between_them_are_a_list(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.txt", PLAIN)
    assert texts(parsed, ElementKind.LIST_ITEM) == ["1. 申請書", "2. 領収書"]


def test_numbered_lines_with_text_between_them_are_headings(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.txt", "手順書\n\n1. 準備\n電源を切ります。\n\n2. 交換\nねじを外します。\n")
    assert [words for _, words in headings(parsed)] == ["手順書", "1. 準備", "2. 交換"]


def test_a_csv_keeps_its_rows_and_knows_its_header(tmp_path: Path) -> None:
    source = '氏名,部署,備考\n山田,営業部,"東京, 大阪"\n佐藤,総務部,"二行\nの備考"\n'
    parsed = read_text(tmp_path, "名簿.csv", source, encoding="cp932")
    assert parsed.encoding == "cp932"
    assert parsed.title == "名簿"
    assert {e.kind for e in parsed.elements} == {ElementKind.TABLE}
    assert {e.header for e in parsed.elements} == {"氏名,部署,備考"}
    assert '"二行\nの備考"' in parsed.text


def test_a_long_csv_is_cut_only_between_rows(tmp_path: Path) -> None:
    rows = [f'{number},"品名 {number}\n改行あり",{number * 100}' for number in range(9000)]
    parsed = read_text(tmp_path, "a.csv", "番号,品名,価格\n" + "\n".join(rows) + "\n")
    assert len(parsed.elements) > 5
    for element in parsed.elements[1:]:
        piece = parsed.text[element.start : element.end]
        assert piece.split(",")[0].isdigit()
        assert piece.count('"') % 2 == 0


def test_a_csv_with_more_rows_than_allowed_is_refused_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "1,2\n" * 50, encoding="utf-8")
    assert reason_of(path, limits=ParseLimits(cell_limit=20)) is FailureReason.TOO_LARGE


def test_text_beyond_the_limit_is_refused_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("長い文章です。" * 100, encoding="utf-8")
    assert reason_of(path, limits=ParseLimits(character_limit=100)) is FailureReason.TOO_LARGE


def test_empty_and_blank_files_have_no_text(tmp_path: Path) -> None:
    for name, content in (("a.txt", b""), ("b.md", b" \n\t\n"), ("c.csv", b",,,\n,,,\n"), ("d.txt", b"----\n====\n")):
        path = tmp_path / name
        path.write_bytes(content)
        assert reason_of(path) is FailureReason.NO_TEXT, name


def test_the_kind_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    page = b"<!DOCTYPE html><html><head><title>t</title></head><body><h1>Head</h1><p>Words here.</p></body></html>"
    (tmp_path / "page.txt").write_bytes(page)
    (tmp_path / "note.docx").write_bytes("これはただの文章です。".encode())
    assert read(tmp_path / "page.txt").media_type == "text/html"
    assert read(tmp_path / "note.docx").media_type == "text/plain"


def test_binary_files_are_refused_with_the_kinds_that_can_be_read(tmp_path: Path) -> None:
    for name, content in (
        ("a.mp4", bytes(range(256)) * 20),
        ("b.txt", b"\x00\x01\x02" * 500),
        ("c.gz", b"\x1f\x8b\x08" + bytes(99)),
    ):
        (tmp_path / name).write_bytes(content)
        assert reason_of(tmp_path / name) is FailureReason.UNSUPPORTED_TYPE, name


def test_archives_are_never_opened_and_say_how_to_have_their_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(12):
            archive.writestr(f"folder/{number}.txt", "the hidden words")
    with tarfile.open(tmp_path / "a.tar", "w") as tape:
        tape.add(__file__, arcname="a.py")
    (tmp_path / "a.docx").write_bytes((tmp_path / "a.zip").read_bytes())
    (tmp_path / "a.lzh").write_bytes(b"\x19\x2a-lh5-" + bytes(99))
    for name in ("a.zip", "a.tar", "a.lzh"):
        with pytest.raises(UnsupportedDocument) as caught:
            read(tmp_path / name)
        assert name[2:] in caught.value.message.en
        assert "Unpack" in caught.value.hint.en
        assert ("12" in caught.value.message.ja) == (name == "a.zip")
    assert reason_of(tmp_path / "a.docx") is FailureReason.CORRUPT, "it is not what its name says"


def test_the_handbook_of_the_shared_data_is_read_whole() -> None:
    pages = sorted(shared("handbook_18f").rglob("*.md"))
    assert len(pages) > 100
    untitled = []
    for page in pages:
        parsed = read(page)
        source = page.read_text(encoding="utf-8").replace("\r\n", "\n")
        assert parsed.text == source
        if parsed.title == page.stem:
            untitled.append(page.name)
    assert len(untitled) < len(pages) * 0.05, untitled


def test_every_markdown_file_of_the_shared_data_gives_elements() -> None:
    for folder in ("adobe_commerce_kb", "future_coding_standards_ja"):
        for page in sorted(shared(folder).rglob("*.md")):
            parsed = read(page)
            assert sum(map(len, texts(parsed))) > 0
