"""PDF: text layers, headings, tables, margins, scans. Real pdfium, real tesseract, PDFs written here or shared ones."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from assistant.domain import ElementKind
from assistant.errors import FailureReason
from ingest import ocr
from ingest.parsers import ParseLimits
from tests.ingest.pdf_writing import MINCHO, Placed, grey_page, write_pdf, write_scan
from tests.ingest.reading import headings, read, reason_of, shared, texts

needs_tesseract = pytest.mark.skipif(not ocr.is_available(), reason="tesseract with Japanese data is not installed")

LONG = "会社は、業務上必要があるときは、社員に配置転換、転勤又は出向を命ずることがある。転居を伴う"
REST = "転勤の内示は、発令日の三十日前までに行う。"


def rules_page(number: int) -> list[Placed]:
    return [
        (60, 30, 8, "サンプル株式会社 社内限"),
        (60, 90, 16, f"第{number}章 異動"),
        (60, 130, 10, "（異動）"),
        (60, 150, 10, f"第{number}条 {LONG}"[:48]),
        (60, 165, 10, f"第{number}条 {LONG}"[48:] + REST),
        (60, 190, 10, "２ 前項の規定は、契約社員には適用しない。"),
        (280, 820, 8, f"- {number} -"),
    ]


def test_articles_with_captions_become_headings_and_wrapped_lines_one_paragraph(tmp_path: Path) -> None:
    parsed = read(
        write_pdf(tmp_path / "a.pdf", [[(60, 60, 24, "就業規則"), *rules_page(1)], rules_page(2), rules_page(3)])
    )
    assert parsed.title == "就業規則"
    assert [words for _, words in headings(parsed)][:5] == [
        "就業規則",
        "第1章 異動",
        "（異動） 第1条",
        "第2章 異動",
        "（異動） 第2条",
    ]
    assert LONG + REST in texts(parsed)
    assert {e.page for e in parsed.elements} == {1, 2, 3}


def test_repeated_headers_footers_and_page_numbers_are_left_out(tmp_path: Path) -> None:
    parsed = read(write_pdf(tmp_path / "a.pdf", [rules_page(number) for number in (1, 2, 3)]))
    assert "社内限" not in parsed.text
    assert "- 2 -" not in parsed.text


def test_a_table_keeps_its_rows_and_columns(tmp_path: Path) -> None:
    rows = [
        ("区分", "始業", "終業", "対象"),
        ("通常勤務", "8:45", "17:30", "本社"),
        ("工場日勤", "8:00", "16:45", "工場"),
    ]
    page: list[Placed] = [(60, 60, 10, "勤務の時刻は次の表のとおりとする。")]
    page += [(60 + 110 * c, 90 + 18 * r, 10, words) for r, row in enumerate(rows) for c, words in enumerate(row)]
    parsed = read(write_pdf(tmp_path / "a.pdf", [page]))
    table = next(e for e in parsed.elements if e.kind is ElementKind.TABLE)
    assert parsed.text[table.start : table.end] == "\n".join(" | ".join(row) for row in rows)
    assert table.header == "区分 | 始業 | 終業 | 対象"


def test_a_table_drawn_with_rules_keeps_cells_of_several_lines_and_merged_ones(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.setFont(MINCHO, 10)
    for left, top, words in (
        (66, 100, "週所定"), (66, 114, "労働日数"), (170, 100, "勤続期間"), (170, 125, "6か月"), (250, 125, "1年"),
        (250, 137, "6か月以上"), (66, 155, "4日"), (170, 155, "7日"), (250, 155, "8日"),
    ):  # fmt: skip
        canvas.drawString(left, A4[1] - top, words)
    for top, left in ((85, 60), (110, 160), (142, 60), (162, 60)):  # the first column is one cell over two rows
        canvas.line(left, A4[1] - top, 320, A4[1] - top)
    for left, top in ((60, 85), (160, 85), (240, 110), (320, 85)):  # 勤続期間 stands over two columns
        canvas.line(left, A4[1] - top, left, A4[1] - 162)
    canvas.save()
    parsed = read(tmp_path / "a.pdf")
    assert texts(parsed) == ["週所定労働日数 | 勤続期間\n週所定労働日数 | 6か月 | 1年6か月以上\n4日 | 7日 | 8日"]
    assert parsed.elements[0].header == "週所定労働日数 | 6か月 | 1年6か月以上"


def test_the_tables_of_leave_in_the_model_work_rules_are_whole() -> None:
    parsed = read(shared("model_work_rules/001018385.pdf"))
    tables = [parsed.text[e.start : e.end] for e in parsed.elements if e.kind is ElementKind.TABLE and e.page == 38]
    days = "付与日数 | 10 日 | 11 日 | 12 日 | 14 日 | 16 日 | 18 日 | 20 日"
    part_time = "3 日 | 121 日～168 日 | 5 日 | 6 日 | 6 日 | 8 日 | 9 日 | 10 日 | 11 日"
    assert [days in tables[0], part_time in tables[1]] == [True, True]


def test_boxes_and_rules_that_only_arrange_or_cut_words_make_no_table(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.setFont(MINCHO, 10)
    for row in range(4):
        canvas.drawString(60, 700 - 20 * row, f"{LEFT[:20]}  {RIGHT[:12]}")
    for at in (60, 155, 400):
        canvas.line(at, 630, at, 720)
    for at in (630, 675, 720):
        canvas.line(60, at, 400, at)
    canvas.save()
    assert ElementKind.TABLE not in {e.kind for e in read(tmp_path / "a.pdf").elements}


def test_a_sentence_with_blanks_to_fill_in_is_no_table(tmp_path: Path) -> None:
    page: list[Placed] = [
        (60, 60, 10, "採用した日から"), (180, 60, 10, "か月間を試用期間とする。"),
        (60, 76, 10, "届出は事由の生じた日から"), (220, 76, 10, "日以内に行う。"),
    ]  # fmt: skip
    parsed = read(write_pdf(tmp_path / "a.pdf", [page]))
    assert ElementKind.TABLE not in {e.kind for e in parsed.elements}


def test_contents_pages_give_no_headings(tmp_path: Path) -> None:
    contents: list[Placed] = [(60, 60, 16, "目次")]
    contents += [(60, 80 + 20 * n, 10, f"第{n}章 異動………………………{n}") for n in range(1, 6)]
    parsed = read(write_pdf(tmp_path / "a.pdf", [contents, rules_page(1)]))
    assert [words for _, words in headings(parsed)] == ["目次", "第1章 異動", "（異動） 第1条"]


def test_radicals_in_a_pdf_are_quoted_as_the_characters_that_a_reader_sees(tmp_path: Path) -> None:
    parsed = read(write_pdf(tmp_path / "a.pdf", [[(60, 60, 10, "⼈事部が⾒直しを⾏う。")]]))
    assert parsed.text == "人事部が見直しを行う。"


def test_locked_damaged_and_empty_files_are_told_apart(tmp_path: Path) -> None:
    locked = write_pdf(tmp_path / "locked.pdf", [rules_page(1)], password="open sesame")
    assert reason_of(locked) is FailureReason.ENCRYPTED
    damaged = tmp_path / "damaged.pdf"
    damaged.write_bytes(b"%PDF-1.7\n" + b"nothing of a PDF follows" * 20)
    assert reason_of(damaged) is FailureReason.CORRUPT
    assert reason_of(write_pdf(tmp_path / "empty.pdf", [[]])) is FailureReason.NO_TEXT
    many = write_pdf(tmp_path / "many.pdf", [rules_page(1)] * 3)
    assert reason_of(many, limits=ParseLimits(page_limit=2)) is FailureReason.TOO_LARGE


@needs_tesseract
def test_a_scanned_page_is_recognised_with_its_confidence_and_its_place(tmp_path: Path) -> None:
    written = write_pdf(
        tmp_path / "a.pdf", [[(60, 90, 22, "避難訓練のお知らせ"), (60, 150, 14, "集合場所は正門前の広場です。")]]
    )
    scan = write_scan(tmp_path / "scan.pdf", [grey_page(written)])
    seen: list[tuple[int, int]] = []
    from ingest.parsers import parse_file

    parsed = parse_file(
        scan, relative_path="scan.pdf", limits=ParseLimits(), on_page=lambda done, of: seen.append((done, of))
    )
    assert "避難訓練のお知らせ" in parsed.text
    assert "正門前の広場" in parsed.text
    assert parsed.notes["ocr_pages"] == 1
    assert parsed.notes["ocr_confidence_by_page"] == f"1:{parsed.notes['ocr_confidence']}"
    assert float(parsed.notes["ocr_confidence"]) > 70
    assert parsed.elements[0].page == 1
    assert seen == [(1, 1)]


@needs_tesseract
@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_page_scanned_on_its_side_is_turned(tmp_path: Path, quarter_turns: int) -> None:
    sentence = "Every visitor must sign the register at the front gate before the guard opens the door to the hall"
    lines: list[Placed] = [(60, 80 + 30 * n, 16, " ".join(sentence.split()[n : n + 8])) for n in range(8)]
    pixels = grey_page(write_pdf(tmp_path / "a.pdf", [lines]))[:1400]  # the rest of the page is empty
    scan = write_scan(tmp_path / "scan.pdf", [np.ascontiguousarray(np.rot90(pixels, k=quarter_turns))])
    assert "Every visitor must sign the register at the" in read(scan).text


@needs_tesseract
def test_a_picture_file_is_recognised_and_a_small_one_enlarged(tmp_path: Path) -> None:
    written = write_pdf(tmp_path / "a.pdf", [[(60, 90, 24, "安全第一"), (60, 160, 18, "保護帽を着用すること")]])
    for name, dpi in (("a.png", 200), ("b.jpg", 200), ("c.tiff", 100)):
        Image.fromarray(grey_page(written, dpi=dpi)).save(tmp_path / name)
        parsed = read(tmp_path / name)
        assert "保護帽を着用すること" in parsed.text, name
        assert parsed.pages == 1


@needs_tesseract
def test_a_picture_without_letters_has_no_text(tmp_path: Path) -> None:
    Image.new("L", (600, 400), "white").save(tmp_path / "white.png")
    assert reason_of(tmp_path / "white.png") is FailureReason.NO_TEXT
    (tmp_path / "cut.png").write_bytes((tmp_path / "white.png").read_bytes()[:60])
    assert reason_of(tmp_path / "cut.png") is FailureReason.CORRUPT


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000), 1).save(tmp_path / "huge.png")
    assert (tmp_path / "huge.png").stat().st_size < 1_000_000
    assert reason_of(tmp_path / "huge.png") in (FailureReason.TOO_LARGE, FailureReason.OCR_UNAVAILABLE)


def test_without_tesseract_a_scan_is_refused_with_the_command_and_a_mixed_file_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = write_pdf(tmp_path / "a.pdf", [rules_page(1)])
    scan = write_scan(tmp_path / "scan.pdf", [grey_page(written, dpi=72)])
    monkeypatch.setenv("PATH", str(tmp_path))
    ocr.is_available.cache_clear()
    try:
        assert reason_of(scan) is FailureReason.OCR_UNAVAILABLE
        with pytest.raises(Exception, match="tesseract") as caught:
            read(scan)
        assert "apt-get install tesseract-ocr" in getattr(caught.value, "hint").en  # noqa: B009
        mixed = join_pdfs(tmp_path / "mixed.pdf", [written, scan])
        assert read(mixed).notes["unread_pages"] == 1
    finally:
        monkeypatch.undo()
        ocr.is_available.cache_clear()


def join_pdfs(path: Path, parts: list[Path]) -> Path:
    import pypdfium2 as pdfium

    whole = pdfium.PdfDocument.new()
    for part in parts:
        whole.import_pages(pdfium.PdfDocument(part))
    whole.save(str(path))
    return path


def test_every_article_and_chapter_of_the_model_work_rules_is_a_heading() -> None:
    parsed = read(shared("model_work_rules/001018385.pdf"))
    assert (parsed.title, parsed.pages) == ("モデル就業規則", 93)
    found = [unicodedata.normalize("NFKC", words) for _, words in headings(parsed)]
    articles = {int(match[1]) for words in found if (match := re.match(r"(?:\([^()]*\) ?)?第 ?(\d+) ?条", words))}
    chapters = {int(match[1]) for words in found if (match := re.match(r"第 ?(\d+) ?章", words))}
    assert articles >= set(range(1, 71))
    assert chapters == set(range(1, 15))
    assert len(found) < 250, "sentences that mention an article are no headings"
    leave = next(e for e in parsed.elements if "年次有給休暇）\n第２３条" in parsed.text[e.start : e.end])
    assert leave.page == 38


def test_the_messy_pdfs_of_the_shared_data_end_in_text_or_a_named_reason() -> None:
    folder = shared("messy")
    locked = {"encrypted_aes-128", "encrypted_aes-256-r6", "encrypted_rc4-40", "password", "password_libreoffice"}
    seen = {}
    for path in sorted(folder.glob("*.pdf")):
        if path.stem in locked:
            assert reason_of(path) is FailureReason.ENCRYPTED
        elif path.stem == "pdfjs_empty":
            assert reason_of(path) is FailureReason.NO_TEXT
        elif not path.stem.startswith("ocr_test"):  # pages of nothing but OCR: test_parsers_messy.py reads them
            seen[path.stem] = read(path).text
    assert "あいうえお" in seen["pdfjs_noembed-sjis"]
    assert "わたくしといふ現象は" in seen["vertical_jo"][:40], "vertical writing is read from the right"


LEFT = (
    "就業規則は労働者が守るべき規律と労働条件の細目を定めるものであり常時十人以上の労働者を使用する使用者は作成の義務を負い、"
    "作成した規則は労働者の過半数を代表する者の意見を聴いた上で所轄の労働基準監督署長に届け出て事業場の見やすい場所に掲示する。"
)
RIGHT = (
    "賃金は通貨で直接労働者にその全額を毎月一回以上一定の期日を定めて支払うものとし賞与その他これに準ずるものはこの限りでなく、"
    "使用者は労働者が出産や疾病など非常の場合の費用に充てるために請求する場合には支払期日の前であっても賃金を支払う義務を負う。"
)
ABOVE = "この資料は紙の幅いっぱいに書かれた前書きで始まり、その下は二段に組まれている。"
BELOW = "終わりの一行はふたたび紙の幅いっぱいに書かれており、これは本文のあとに読まれる。"


def columns_page(*, gap: float, is_row_by_row: bool) -> list[Placed]:
    left, right = ([text[at : at + 20] for at in range(0, len(text), 20)] for text in (LEFT, RIGHT))
    columns = [
        [(60 + shift, 120 + 15 * row, 10, words) for row, words in enumerate(lines)]
        for shift, lines in ((0, left), (200 + gap, right))
    ]
    rows = [placed for both in zip(*columns, strict=True) for placed in both]
    body: list[Placed] = rows if is_row_by_row else [*columns[0], *columns[1]]
    return [(60, 90, 10, ABOVE), *body, (60, 140 + 15 * len(left), 10, BELOW)]


@pytest.mark.parametrize("is_row_by_row", [False, True])
@pytest.mark.parametrize("gap", [10, 20, 32])
def test_two_columns_are_read_one_after_the_other_however_they_are_drawn(
    tmp_path: Path, gap: float, is_row_by_row: bool
) -> None:
    parsed = read(write_pdf(tmp_path / "a.pdf", [columns_page(gap=gap, is_row_by_row=is_row_by_row)]))
    assert texts(parsed) == [ABOVE, LEFT, RIGHT, BELOW]


def test_three_columns_of_english_drawn_row_by_row_are_read_one_after_the_other(tmp_path: Path) -> None:
    columns = [
        [f"{name} line {row} goes on with words" for row in range(8)] for name in ("first", "second", "third")
    ]  # fmt: skip
    page: list[Placed] = [
        (50 + 175 * number, 80 + 14 * row, 9, column[row]) for row in range(8) for number, column in enumerate(columns)
    ]
    words = read(write_pdf(tmp_path / "a.pdf", [page])).text.split()
    assert [word for word in words if word in ("first", "second", "third")] == (
        ["first"] * 8 + ["second"] * 8 + ["third"] * 8
    )


def test_what_stands_at_the_top_of_a_page_but_was_drawn_last_is_read_first(tmp_path: Path) -> None:
    body: list[Placed] = [(60, 200 + 20 * n, 10, f"手順{n}では書類の写しを窓口に出してください。") for n in range(1, 7)]
    parsed = read(write_pdf(tmp_path / "a.pdf", [[*body, (60, 80, 20, "申請の手順")]]))
    assert texts(parsed)[0] == "申請の手順"


def test_a_paragraph_set_larger_than_the_rest_is_no_heading(tmp_path: Path) -> None:
    large: list[Placed] = [(60, 90 + 18 * n, 13, LEFT[30 * n : 30 * n + 30]) for n in range(5)]
    small: list[Placed] = [(60, 200 + 15 * n, 10, RIGHT[:40]) for n in range(20)]
    parsed = read(write_pdf(tmp_path / "a.pdf", [[(60, 60, 13, "はじめに"), *large, *small]]))
    assert not [words for _, words in headings(parsed) if len(words) > 60]
    assert LEFT[:110] in parsed.text


def test_large_page_numbers_are_left_out_and_large_chapter_titles_stay(tmp_path: Path) -> None:
    pages: list[list[Placed]] = [
        [(60, 60, 18, f"第{n}部 規程"), (300, 810, 18, str(n)), *[(60, 150 + 15 * r, 10, LEFT[:40]) for r in range(9)]]
        for n in range(1, 6)
    ]
    found = headings(read(write_pdf(tmp_path / "a.pdf", pages)))
    assert [words for _, words in found] == [f"第{n}部 規程" for n in range(1, 6)]


def test_what_a_bookmark_names_is_a_heading_of_its_depth(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"))
    for number, (words, depth) in enumerate((("経費の精算", 0), ("交通費の扱い", 1))):
        canvas.bookmarkPage(str(number))
        canvas.addOutlineEntry(words, str(number), level=depth)
        for line, text in enumerate((words, LEFT[:30], RIGHT[:30])):
            canvas.setFont(MINCHO, 10)
            canvas.drawString(60, 700 - 40 * line, text)
        canvas.showPage()
    canvas.save()
    (first, _), (second, _) = found = headings(read(tmp_path / "a.pdf"))
    assert [words for _, words in found] == ["経費の精算", "交通費の扱い"]
    assert second == first + 1


def test_real_documents_come_without_page_numbers_and_with_their_tables() -> None:
    for name in ("model_work_rules/001018385.pdf", "owasp_top10_ja/owasp_top10_2013_ja.pdf"):
        parsed = read(shared(name), limits=ParseLimits(reads_scans=False))
        alone = [words for words in texts(parsed) if re.fullmatch(r"[-– ]*[0-9]+[-– ]*", words)]
        assert len(alone) <= 3, f"{name}: numbers alone are cells of a calendar, {alone} are too many"
        tables = [e for e in parsed.elements if e.kind is ElementKind.TABLE]
        assert len(tables) >= 4, name
        assert all(" | " in parsed.text[e.start : e.end] for e in tables), name


def test_the_pages_of_a_real_slide_like_pdf_begin_with_their_titles() -> None:
    parsed = read(shared("owasp_top10_ja/2017/OWASP Top 10-2017(ja).pdf"))
    first = {}
    for element in parsed.elements:
        first.setdefault(element.page, parsed.text[element.start : element.end])
    assert (first[3], first[4], first[5]) == ("FW 前書き", "I 導入", "RN リリースノート")
    assert not [words for _, words in headings(parsed) if len(words) > 120]
