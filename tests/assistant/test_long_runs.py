"""An answer, a document or a question of one character again and again keeps nobody waiting.

A pattern that is tried anew from each character of a run takes ten seconds and more for 10,000 of them, and one that can share out
blanks in several ways takes days; what is linear takes a third of a second. The limits lie between the two.
"""

from __future__ import annotations

import time

import pytest

from api.openai_text import StreamedText
from assistant.asked import unnamed
from assistant.cite import cite
from assistant.clusters import figures_of as figures_of_question
from assistant.figures import figures_of, source_keys
from assistant.guard import unsourced
from assistant.links import LinkFilter, without_markup
from assistant.pack import unforgeable
from assistant.quotes import quote
from assistant.refusal import refuses, verdict
from assistant.rewrite import leans_on_talk
from assistant.spellings import guessed_terms, index_terms, question_terms
from assistant.spoken import Spoken
from tests.assistant.passages import passage

CHARACTERS = 10_000
ALLOWED_SECONDS = 4.0
SOURCE = passage("有給休暇は取得日の3営業日前までに申請する。宿泊費は1泊12,000円までとする。")
ANSWER = "有給休暇は取得日の3営業日前までに申請します [1]。"
RUNS = {
    "kanji numerals": "〇一二三四五六七八九十百千" * 800,
    "kanji digits": "〇" * CHARACTERS,
    "blanks": "申請" + " " * CHARACTERS + "する。",
    "line ends": "\n" * CHARACTERS,
    "letters and points": "a." * 5_000,
    "letters": "a" * CHARACTERS,
    "marks": "申請する。[1]" * 1_250,
    "sentences with figures": "".join(f"申請は{n}日前。[1]" for n in range(1_000)),
    "list": "1. 申請\n" * 1_500,
    "a link before blanks": "[a](" + " " * CHARACTERS,
    "links without an end": "[a](" * 2_500,
    "definitions of links": "[注]: " * 2_000,
    "addresses in addresses": "<" * 3_500 + "http://x" + ">" * 3_500,
    "brackets that never close": "(" * 5_000 + "]" * 5_000,
    "opening brackets": "[" * CHARACTERS,
}


@pytest.mark.parametrize("run", RUNS)
def test_a_long_run_in_an_answer_is_checked_in_a_moment(run: str) -> None:
    text = RUNS[run]
    started = time.process_time()
    spoken, links = Spoken(), LinkFilter(question="期限は?", language="ja", passages=[SOURCE])
    said = "".join(links.add(spoken.add(text[place : place + 4])) for place in range(0, len(text), 4))
    said += links.add(spoken.rest()) + links.rest()
    links.without_links(text)
    StreamedText().add(text)
    refuses(said)
    cited = cite(text, [SOURCE])
    verdict(cited)
    unnamed("MX-5000の期限は?", cited.text, cited=[SOURCE], offered=[SOURCE])
    unsourced(cited.text, [SOURCE], asked=["期限は?"])
    assert time.process_time() - started < ALLOWED_SECONDS


@pytest.mark.parametrize("run", RUNS)
def test_a_long_run_in_a_document_or_a_question_is_read_in_a_moment(run: str) -> None:
    source = passage(RUNS[run])
    started = time.process_time()
    unforgeable(source.text)
    index_terms(source.text)
    verdict(cite(ANSWER, [source]))
    unnamed("MX-5000の3日は?", ANSWER, cited=[source], offered=[source])
    unsourced(ANSWER, [source], asked=["期限は?"])
    without_markup(quote("有給休暇の期限は?", [source]).text)
    asked = source.text[:4_000]
    leans_on_talk(asked)
    question_terms(asked)
    guessed_terms(asked)
    figures_of_question(source.text)
    unnamed(asked, ANSWER, cited=[SOURCE], offered=[SOURCE])
    unsourced(ANSWER, [SOURCE], asked=[asked])
    assert time.process_time() - started < ALLOWED_SECONDS


@pytest.mark.parametrize("unit", ["円", "年", "時", "条", "日"])
def test_a_numeral_longer_than_any_number_is_no_figure_and_no_error(unit: str) -> None:
    assert figures_of("〇" * 10_000 + unit) == []
    assert "yen:3" in source_keys(["令和" + "一" * 10_000 + "年、" + "1" * 10_000 + unit + "、三円"])


@pytest.mark.parametrize("run", ["9から", "1円なら", "「…", "Step 1: ", "first, ", "| 1 ", "may 1-"])
def test_a_long_run_is_compared_with_what_a_yes_or_no_question_asks_in_a_moment(run: str) -> None:
    text = run * (CHARACTERS // len(run))
    started = time.process_time()
    unsourced(text, [passage(text[1:] + "3日")], asked=["9円や1円ですか?"])
    assert time.process_time() - started < ALLOWED_SECONDS
