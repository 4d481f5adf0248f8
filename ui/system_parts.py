"""Pieces of the screens of the system, of people and of capacity: HTML of our own tags and escaped text, for `st.html`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assistant.errors import Language
from ui.markup import plain_html


def facts(named: Mapping[str, str], *, language: Language) -> str:
    """Names and values, one below the other."""
    rows = "".join(f"<dt>{plain_html(name)}</dt><dd>{plain_html(value)}</dd>" for name, value in named.items())
    return f'<dl class="ca-facts" lang="{language}">{rows}</dl>'


def status(sentence: str, *, language: Language) -> str:
    """What is under way, read aloud when it changes."""
    return f'<div class="ca-status" role="status" lang="{language}">{plain_html(sentence)}</div>'


def small(sentence: str, *, language: Language) -> str:
    """A remark in which an address stays text: Markdown would make a link of it."""
    return f'<p class="ca-foot" lang="{language}">{plain_html(sentence)}</p>'


def finding_box(title: str, sentences: Sequence[str], *, is_bad: bool, language: Language) -> str:
    """What was found: red where it fails, amber where it needs a look; empty sentences are left out."""
    kind = "ca-problem" if is_bad else "ca-notice"
    paragraphs = "".join(f"<p>{_with_commands(sentence)}</p>" for sentence in sentences if sentence)
    return f'<div class="ca-box {kind}" lang="{language}"><p class="ca-box-title">{plain_html(title)}</p>{paragraphs}</div>'


def verdict_box(title: str, sentences: Sequence[str], kind: str, *, language: Language) -> str:
    """A verdict: `fits` green, `spills` amber, `too_large` red, `plain` grey; without a title the sentences alone."""
    head = f'<p class="ca-box-title">{plain_html(title)}</p>' if title else ""
    paragraphs = "".join(f"<p>{_with_commands(sentence)}</p>" for sentence in sentences if sentence)
    tone = {"fits": "ca-news", "spills": "ca-notice", "too_large": "ca-problem"}.get(kind, "ca-refusal")
    return f'<div class="ca-box {tone}" role="status" lang="{language}">{head}{paragraphs}</div>'


def _with_commands(sentence: str) -> str:
    """The sentence, escaped; what stands between backticks is a command."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", plain_html(sentence))
