"""What several screens are made of: heads, boxes for problems, links.

Functions return HTML made of our own tags and escaped text (ui/markup.py), for `st.html`. They know wire shapes and
words; they call neither Streamlit nor the API. What an answer looks like is in ui/answer_parts.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from assistant.errors import Language, Text
from assistant.wire import Problem
from ui.markup import plain_html, visible
from ui.words import problems, say


def heading(title: Text, sentence: Text, *, language: Language) -> str:
    """The head of a screen."""
    return (
        f'<div class="ca-intro" lang="{language}"><h1>{worded(title, language)}</h1>'
        f'<p class="ca-muted">{worded(sentence, language)}</p></div>'
    )


def side_title(text: Text, *, language: Language) -> str:
    """The small title over a list."""
    return f'<p class="ca-side-title" lang="{language}">{worded(text, language)}</p>'


def side_title_of(title: str, *, language: Language) -> str:
    """The same for words that were filled in already."""
    return f'<p class="ca-side-title" lang="{language}">{plain_html(title)}</p>'


def problem(said: Problem, *, language: Language, retry_after_seconds: float | None, is_partial: bool) -> str:
    """What went wrong, what to do, and the reference to quote to an administrator."""
    sentences = [said.detail, say(problems.INTERRUPTED, language) if is_partial else "", said.hint]
    if retry_after_seconds is not None:
        sentences.append(say(problems.RETRY_AFTER, language, seconds=round(retry_after_seconds)))
    return warning_box(
        said.title,
        sentences,
        language=language,
        small=say(problems.REQUEST_NUMBER, language, request_id=said.request_id) if said.request_id else "",
    )


def warning_box(title: str, sentences: Sequence[str], *, language: Language, small: str = "") -> str:
    """A clear box for errors; empty sentences are left out."""
    paragraphs = "".join(f"<p>{plain_html(sentence)}</p>" for sentence in sentences if sentence)
    foot = f'<p class="ca-foot">{plain_html(small)}</p>' if small else ""
    return (
        f'<div class="ca-box ca-problem" role="alert" lang="{language}">'
        f'<p class="ca-box-title">{plain_html(title)}</p>{paragraphs}{foot}</div>'
    )


def link(label: str, address: str) -> str:
    """A link that opens in this very tab."""
    return f'<a href="{escape(address)}" target="_self">{escape(label)}</a>'


def worded(text: Text, language: Language) -> str:
    """Words of the table, escaped."""
    return plain_html(say(text, language))


def escaped(text: str) -> str:
    """Somebody's text, for the inside of an element."""
    return plain_html(text)


def unmarked(text: str) -> str:
    """Somebody's text for a label of Streamlit, which obeys Markdown: every mark of it is a plain letter here."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()#+-.!|~$:<>" else letter for letter in visible(text))


def money(value: float, currency: str) -> str:
    """An amount with its currency, whole where it is large."""
    return f"{value:,.0f} {currency}" if abs(value) >= 100 else f"{value:,.2f} {currency}"
