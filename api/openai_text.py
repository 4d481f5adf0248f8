"""An answer as running text for clients that show nothing else: marks kept true while streaming, sources at the end.

A stream cannot be taken back, so marks to passages that were never found are left out before they are sent. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from assistant.domain import Answer, Citation
from assistant.errors import Language
from assistant.marks import MARK, NUMBERS, numbers_in

_OPENING = re.compile(r"[\[［【〔]")
_CLOSING = re.compile(r"[\]］】〕]")
_NUMBERS = re.compile(NUMBERS, re.IGNORECASE)
_MARKS_AND_BLANKS = re.compile(rf"{MARK.pattern}|\s")
HELD_CHARACTERS = 96
"""Longest bracket that may turn out to be a mark, with a label before each of eight numbers; a longer one is ordinary text."""


class StreamedText:
    """The answer's text as sent so far. Holds an open bracket back until it is plain whether it is a mark."""

    def __init__(self) -> None:
        self.passage_count = 0
        self._sent: list[str] = []
        self._held = ""

    def add(self, text: str) -> str:
        """What may be sent now that the model has written `text`."""
        pending, place, may_close = self._held + text, 0, True
        pieces: list[str] = []
        while opening := _OPENING.search(pending, place):
            closing = _CLOSING.search(pending, opening.end()) if may_close else None
            may_close = closing is not None
            pieces.append(pending[place : opening.start()])
            place = opening.start()
            if closing is not None:
                inside = pending[opening.end() : closing.start()]
                pieces.append(self._mark(inside, otherwise=pending[place : closing.end()]))
                place = closing.end()
            elif len(pending) - place > HELD_CHARACTERS:
                pieces.append(opening[0])
                place = opening.end()
            else:
                break
        else:
            pieces.append(pending[place:])
            place = len(pending)
        self._held = pending[place:]
        ready = "".join(pieces)
        self._sent.append(ready)
        return ready

    def finish(self, answer: Answer) -> str:
        """What is still to be sent so that the checked answer has been said: nothing, its rest, or a correction.

        A mark that was said and did not hold is corrected too; one that was added is in the list of sources alone.
        """
        said = "".join(self._sent)
        rest = self._held
        if not (said + rest).strip():
            return answer.text
        wrong = Counter(MARK.findall(said + rest)) - Counter(MARK.findall(answer.text))
        if _bare(answer.text) in _bare(said + rest) and not wrong:
            return rest
        label = "確認後の回答:" if answer.language == "ja" else "Answer after checking:"
        return f"{rest}\n\n{label}\n{answer.text}"

    def _mark(self, inside: str, *, otherwise: str) -> str:
        numbers = _NUMBERS.fullmatch(inside)
        if numbers is None:
            return otherwise
        known = [n for n in numbers_in(inside) if 1 <= n <= self.passage_count]
        return "".join(f"[{n}]" for n in dict.fromkeys(known))


def _bare(text: str) -> str:
    return _MARKS_AND_BLANKS.sub("", text)


def sources_of(citations: Sequence[Citation], *, language: Language) -> str:
    """The list of sources to put under an answer: number, title, path, page; empty without citations."""
    if not citations:
        return ""
    lines = [f"[{c.number}] {c.title} ({c.path}{_page(c.page, language)})" for c in citations]
    return "\n\n" + "\n".join(["出典:" if language == "ja" else "Sources:", *lines])


def _page(page: int | None, language: Language) -> str:
    if page is None:
        return ""
    return f" {page}ページ" if language == "ja" else f" p. {page}"
