"""What of a model's stream is meant for people: no thinking aloud, no control characters, no half characters. Pure.

    pieces ─▶ Spoken ─▶ pieces without <think>…</think>, held back while a tag or a character may still be unfinished

Reasoning models write their thoughts first, and a server that was started without the right parser passes them on. They are
no answer: they weigh what is not so, and may hold the agreed refusal or marks.
"""

from __future__ import annotations

import re
import unicodedata

_TAG = re.compile(r"<(/?)(think|thinking|thought|reasoning)>", re.IGNORECASE)
_UNFINISHED_TAG = re.compile(r"</?[a-z]{0,9}\Z", re.IGNORECASE)
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the direction of what is read, also of what follows the answer."""


class Spoken:
    """One answer's stream; `is_taken_back` says that all that was shown so far turned out to be a thought."""

    def __init__(self) -> None:
        self._pending = ""
        self._is_thinking = False
        self._has_spoken = False
        self.is_taken_back = False

    def add(self, piece: str) -> str:
        """What may be shown now that the model has written `piece`."""
        text, held = _whole_characters(self._pending + piece)
        unfinished = _UNFINISHED_TAG.search(text)
        place = unfinished.start() if unfinished else len(text)
        self._pending = text[place:] + held
        return self._shown(text[:place])

    def rest(self) -> str:
        """What was held back until the end."""
        text, _ = _whole_characters(self._pending)
        self._pending = ""
        return self._shown(text)

    def _shown(self, text: str) -> str:
        """The text outside thoughts. A closing tag without an opening one ends a thought that began with the answer:
        some templates write the opening tag into the prompt."""
        shown, position = "", 0
        self.is_taken_back = False
        for tag in _TAG.finditer(text):
            shown += "" if self._is_thinking else text[position : tag.start()]
            position = tag.end()
            if tag[1] and not self._is_thinking:
                shown, self.is_taken_back = "", True
            self._is_thinking = not tag[1]
        shown += "" if self._is_thinking else text[position:]
        if self.is_taken_back or not self._has_spoken:
            shown = shown.lstrip()
            self._has_spoken = bool(shown)
        return shown


def _whole_characters(text: str) -> tuple[str, str]:
    """The text for people, and the first half of a character whose second half may come with the next piece."""
    held = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
    whole = text[: len(text) - len(held)]
    if whole.isascii() and whole.isprintable():
        return whole, held
    joined = whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return "".join(c for c in joined if c in "\n\t" or (unicodedata.category(c) != "Cc" and c not in _OVERRIDES)), held
