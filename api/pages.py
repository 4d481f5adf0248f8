"""The few pages that the API itself shows to people: before they are signed in and after they left. No script, no image."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

from assistant.errors import Language, Text

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body {{ font: 1rem/1.6 sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1rem; color-scheme: light dark; }}
</style></head><body><main><h1>{title}</h1>{sentences}<p><a href="{address}">{link}</a></p></main></body></html>
"""


def page(
    title: str, sentences: list[str], link: Text, address: str, *, language: Language, status: int
) -> HTMLResponse:
    """A heading, sentences, and one link."""
    content = _PAGE.format(
        language=language,
        title=escape(title),
        sentences="".join(f"<p>{escape(sentence)}</p>" for sentence in sentences),
        address=escape(address),
        link=escape(link.in_language(language)),
    )
    return HTMLResponse(content, status, headers={"Cache-Control": "no-store"})
