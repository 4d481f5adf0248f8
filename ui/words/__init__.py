"""Every word of the screen in Japanese and English: one table for each screen, and `say` for all of them.

Nothing is drawn here, and no other file of the screen holds a sentence (a test looks). What the API says (answers, notices,
problems) comes in the right language already.
"""

from __future__ import annotations

from typing import Final

from assistant.errors import Language, Text

LANGUAGE_NAMES: Final[dict[Language, str]] = {"ja": "日本語", "en": "English"}
"""Each language in its own name, the same whatever the screen speaks."""


def say(text: Text, language: Language, **values: object) -> str:
    """`text` in `language` with `{name}` replaced by `values`; raises KeyError if a value is missing."""
    sentence = text.in_language(language)
    return sentence.format(**values) if values else sentence


def language_of(locale: str | None) -> Language:
    """The screen's language for a browser's locale such as `ja-JP`; anything but Japanese reads English."""
    return "ja" if (locale or "").lower().split("-")[0].split("_")[0] == "ja" else "en"
