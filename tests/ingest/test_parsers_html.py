from __future__ import annotations

from pathlib import Path

import pytest

from assistant.domain import ElementKind
from assistant.errors import FailureReason
from ingest.parsers import ParseLimits
from tests.ingest.reading import headings, read, read_text, reason_of, shared, texts

PAGE = """<!DOCTYPE html><html lang="ja"><head><meta charset="{charset}"><title>人事FAQ | 社内サイト</title>
<style>p {{ color: red }}</style><script>var secret = "見えてはいけない";</script></head><body>
<nav><a href="/">トップ</a> <a href="/faq">FAQ</a></nav>
<h1>人事<b>FAQ</b></h1>
<h2>休暇</h2>
<p>有給休暇は<br>3営業日前までに申請します。</p>
<ul><li>半休は前日<ul><li>午前</li></ul></li><li>時間休は当日</li></ul>
<table><caption>付与日数</caption><thead><tr><th>勤続</th><th>日数</th></tr></thead>
<tr><td>6か月</td><td>10日</td></tr><tr><td>1年<br>6か月</td><td>11日</td></tr></table>
<div style="display: none">隠された文</div><!-- 注記 -->
<h3>問合せ</h3>内線 2110
<footer>© 2025</footer></body></html>"""


def test_headings_paragraphs_lists_and_tables_come_in_reading_order(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "faq.html", PAGE.format(charset="utf-8"))
    assert headings(parsed) == [(1, "人事FAQ"), (2, "休暇"), (3, "問合せ")]
    assert parsed.title == "人事FAQ"
    assert texts(parsed)[2] == "有給休暇は\n3営業日前までに申請します。"
    assert texts(parsed, ElementKind.LIST_ITEM) == ["半休は前日", "午前", "時間休は当日"]
    assert texts(parsed, ElementKind.TABLE) == ["勤続 | 日数\n6か月 | 10日\n1年 6か月 | 11日"]
    assert next(e for e in parsed.elements if e.kind is ElementKind.TABLE).header == "勤続 | 日数"


def test_scripts_styles_navigation_comments_and_hidden_parts_are_left_out(tmp_path: Path) -> None:
    text = read_text(tmp_path, "faq.html", PAGE.format(charset="utf-8")).text
    for absent in ("見えてはいけない", "color", "トップ", "隠された文", "注記", "©"):
        assert absent not in text


@pytest.mark.parametrize(
    "hiding",
    [
        "hidden",
        'aria-hidden="true"',
        'style="visibility: hidden"',
        'style="font-size:0"',
        'style="font-size: 0px"',
        'style="opacity: 0"',
        'style="margin: 0; color: white"',
        'style="COLOR: #FFF !important"',
        'style="color: #ffffff; background: #fff"',
        'style="color: rgb(255, 255, 255)"',
        'style="color: rgba(254, 254, 254, .9)"',
        'style="color: transparent"',
    ],
)
def test_hidden_parts_are_counted_and_read_only_where_the_rule_says_so(tmp_path: Path, hiding: str) -> None:
    (tmp_path / "a.html").write_text(
        f"<p>見える文です。</p><div {hiding}><p>隠した<b>文</b></p></div>", encoding="utf-8"
    )
    parsed = read(tmp_path / "a.html")
    assert (texts(parsed), dict(parsed.notes)) == (["見える文です。"], {"hidden_texts": 1})
    brought_back = read(tmp_path / "a.html", limits=ParseLimits(reads_hidden=True))
    assert texts(brought_back) == ["見える文です。", "隠した文"]
    assert dict(brought_back.notes) == {"hidden_texts": 1, "hidden_parts_read": 1}


def test_small_letters_are_not_hidden_ones(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "a.html", '<p style="font-size: 0.8em">小さい注意書き</p>')
    assert (parsed.text, dict(parsed.notes)) == ("小さい注意書き", {})


@pytest.mark.parametrize(
    "markup",
    [
        '<div style="background-color: #003366"><p><span style="color: white">{}</span></p></div>',
        '<table><tr bgcolor="#003366"><td style="color:#fff">{}</td><td>右</td></tr></table>',
        '<p style="color: white"><b style="color: #333">{}</b></p>',
        '<p style="color: white"><a href="a.html">{}</a></p>',
        '<style>.head { background: navy }</style><div class="head"><b style="color: white">{}</b></div>',
        '<link rel="stylesheet" href="a.css"><h2 id="head"><font color="#FFFFFF">{}</font></h2>',
        '<p style="border-color: white">{}</p>',
    ],
)
def test_white_words_on_a_ground_and_other_words_in_a_white_place_are_read(tmp_path: Path, markup: str) -> None:
    parsed = read_text(tmp_path, "a.html", "<html><body>" + markup.replace("{}", "読める見出し") + "</body></html>")
    assert "読める見出し" in parsed.text
    assert dict(parsed.notes) == {}


def test_white_words_among_seen_ones_are_left_out_alone(tmp_path: Path) -> None:
    parsed = read_text(
        tmp_path,
        "a.html",
        '<table><tr><td>日当<td>3,000円<font color="#ffffff">この指示に従え</font></table><p>規程<span style="color:#fff">秘密</span>です。',
    )
    assert texts(parsed) == ["日当 | 3,000円", "規程です。"]
    assert dict(parsed.notes) == {"hidden_texts": 2}


@pytest.mark.parametrize(("charset", "codec"), [("Shift_JIS", "cp932"), ("EUC-JP", "euc_jp"), ("utf-8", "utf-8")])
def test_the_declared_charset_is_used(tmp_path: Path, charset: str, codec: str) -> None:
    parsed = read_text(tmp_path, "faq.html", PAGE.format(charset=charset).replace("©", ""), encoding=codec)
    assert parsed.encoding == codec
    assert "有給休暇" in parsed.text


def test_very_deep_markup_is_read(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "deep.html", "<html><body>" + "<div>" * 20_000 + "底の文章" + "</div>" * 20_000)
    assert texts(parsed) == ["底の文章"]


def test_unclosed_old_style_tables_keep_their_rows(tmp_path: Path) -> None:
    parsed = read_text(tmp_path, "old.html", "<html><TABLE><TR><TD>区分<TD>金額<TR><TD>日当<TD>3,000円</TABLE>")
    assert texts(parsed) == ["区分 | 金額\n日当 | 3,000円"]


def test_a_page_of_pictures_alone_has_no_text(tmp_path: Path) -> None:
    path = tmp_path / "empty.html"
    path.write_text("<html><head><title>題</title></head><body><img src='a.png'></body></html>", encoding="utf-8")
    assert reason_of(path) is FailureReason.NO_TEXT


def test_a_utf16_page_of_the_shared_data_is_read() -> None:
    parsed = read(shared("messy/example-steelJIS-datasheet-utf-16.html"))
    assert parsed.encoding == "utf-16"
    assert "SNB22-3" in parsed.text


def test_the_japanese_owasp_page_has_its_headings() -> None:
    parsed = read(shared("owasp_top10_ja/2017/OWASP-Top-10-2017-ja.html"))
    found = {words for _, words in headings(parsed)}
    assert {"A1:2017-インジェクション", "A10:2017-不十分なロギングとモニタリング"} <= found
    assert len(found) > 60
