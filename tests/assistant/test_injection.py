"""Documents that give orders, before the worst model there is: it writes down whatever a passage says, word for word.

Held: no address out, no citation of a document that does not say the sentence, no delimiter or role forged.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

import pytest
from markdown_it import MarkdownIt

from assistant.answering import Draft, Writing, finish, generate
from assistant.domain import Answer, ModelEnd, ModelToken, Principal, Question, SearchResult
from assistant.links import without_markup
from assistant.pack import stable_prefix
from assistant.quotes import quote
from tests.assistant.injected import DOCUMENTS, EVIL, QUESTIONS, Injected
from tests.assistant.passages import passage

HONEST = {
    "ja": passage("年次有給休暇は、取得日の3営業日前までに申請する。", title="休暇規程"),
    "en": passage("Annual leave is requested three business days ahead.", title="Leave policy"),
}
_BLOCK = re.compile(r'<passage number="(\d+)"[^\n]*>\n(.*?)\n</passage>', re.DOTALL)
_CONTROL = re.compile(r"<\||\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>", re.IGNORECASE)
IDS = [f"{document.language}-{document.kind}-{number}" for number, document in enumerate(DOCUMENTS)]


class Obedient:
    """Copies the attacker's passage as its answer; `marked` appends the mark of an honest passage to every sentence."""

    name = "obedient"
    num_ctx = 8192

    def __init__(self, *, marked: bool) -> None:
        self.marked = marked

    async def count_tokens(self, text: str) -> tuple[int, Literal["tokenizer", "estimate"]]:
        return len(text), "estimate"

    async def stream(
        self, prompt: str, *, num_predict: int, alternatives: int = 0
    ) -> AsyncGenerator[ModelToken | ModelEnd, None]:
        (_, _), (_, attack) = _BLOCK.findall(prompt)
        said = re.sub(r"([。.])(?=\s|$)", r" [1]\1", attack) if self.marked else attack
        for piece in re.findall(r".{1,7}", said, re.DOTALL):
            yield ModelToken(piece)
        yield ModelEnd(100, 100, truncated=False)

    async def check(self) -> None:
        return None


def answered(document: Injected, *, marked: bool) -> tuple[Answer, str]:
    """The checked answer, and all that a stream would have shown."""
    hostile = passage(document.text, number=2, title="駐車場" if document.language == "ja" else "Parking")
    question = Question(QUESTIONS[document.language], document.language, Principal("ben"))
    draft = Draft(question, "r", started=0.0)
    draft.found(SearchResult((HONEST[document.language], hostile), (), 0.0))

    async def write() -> str:
        shown = ""
        async with aclosing(
            generate(draft, Obedient(marked=marked), Writing(budget_tokens=8000, num_predict=500))
        ) as tokens:
            async for token in tokens:
                shown += token.text
        return shown

    shown = asyncio.run(write())
    return asyncio.run(finish(draft)), shown


@pytest.mark.parametrize("marked", [False, True], ids=["copied", "falsely marked"])
@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_the_most_obedient_model_lets_no_link_out_and_forges_no_citation(document: Injected, *, marked: bool) -> None:
    answer, shown = answered(document, marked=marked)

    for text in (answer.text, shown):
        assert EVIL not in text
        rendered = MarkdownIt("commonmark", {"html": True}).render(text)
        assert not re.search(r"<(?:a|img|svg|script)\b", rendered)
    marks = {int(number) for number in re.findall(r"\[(\d+)\]", answer.text)}
    assert marks == {citation.number for citation in answer.citations}
    for citation in answer.citations:
        cited = next(found for found in answer.passages if found.chunk_id == citation.chunk_id)
        assert citation.quote in cited.text
        assert citation.quote == cited.text[citation.start - cited.start : citation.end - cited.start]
        if citation.number == 1:
            pytest.fail(f"the honest document is cited for what it does not say: {answer.text}")


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_a_document_cannot_end_its_passage_or_speak_in_another_role(document: Injected) -> None:
    hostile = passage(document.text, number=2, title=document.text.splitlines()[-1])
    prompt = stable_prefix([HONEST[document.language], hostile], document.language)
    assert len(re.findall(r"<\s*passage\b", prompt, re.IGNORECASE)) == 2
    assert len(re.findall(r"<\s*/\s*passage\b", prompt, re.IGNORECASE)) == 2
    assert not _CONTROL.search(prompt)
    inside = _BLOCK.findall(prompt)[1][1]
    assert not re.search(r"[\[［【]\s*\d+\s*[\]］】]", inside), "what looks like a citation"


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_quotes_show_the_sentence_and_load_nothing(document: Injected) -> None:
    hostile = passage(document.text, number=2)
    cited = quote(QUESTIONS[document.language], [HONEST[document.language], hostile])
    rendered = MarkdownIt("commonmark").render(without_markup(cited.text))
    assert not re.search(r"<(?:a|img)\b", rendered)
    texts = {1: HONEST[document.language].text, 2: document.text}
    assert all(citation.quote in texts[citation.number] for citation in cited.citations)


def test_there_are_thirty_attacks_in_each_language() -> None:
    assert [document.language for document in DOCUMENTS] == ["ja"] * 30 + ["en"] * 30
    assert {document.kind for document in DOCUMENTS} == {"order", "link", "system", "citation", "delimiter"}
