"""What a question, its answer and its sources look like.

Functions return HTML made of our own tags and escaped text (ui/markup.py), for `st.html`. They know wire shapes and
words; they call neither Streamlit nor the API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.errors import Language, Text
from assistant.wire import AnswerOut, CitationOut, PassageOut
from ui.markup import answer_html, mark_html, passage_html, plain_html
from ui.parts import worded
from ui.turns import Turn
from ui.words import asking, say, sources


def question(text: str) -> str:
    """The question as asked."""
    return f'<div class="ca-question" role="heading" aria-level="2">{plain_html(text)}</div>'


def understood(rewritten: str | None, *, language: Language) -> str:
    """How a follow-up was understood from the conversation; nothing for a question that stood alone."""
    if rewritten is None:
        return ""
    return f'<p class="ca-muted">{plain_html(say(asking.UNDERSTOOD_AS, language, question=rewritten))}</p>'


def status(sentence: str) -> str:
    """What is going on now; disappears when the script is stopped."""
    return f'<div class="ca-status ca-when-running" role="status">{plain_html(sentence)}</div>'


def stopped(language: Language, *, is_live: bool, note: Text = asking.STOPPED) -> str:
    """The note under a stopped answer. `is_live` while the answer still runs: shown only once the script is stopped."""
    live = " ca-when-stopped" if is_live else ""
    return f'<div class="ca-box ca-notice{live}" lang="{language}"><p>{worded(note, language)}</p></div>'


def partial_answer(text: str, anchors: Mapping[int, str]) -> str:
    """What the model has written so far; only marks that are checked already are links."""
    return f'<div class="ca-answer">{answer_html(text, anchors=anchors)}</div>' if text else ""


def answer(given: AnswerOut, anchors: Mapping[int, str], *, language: Language, looked: str = "") -> str:
    """The whole answer in its kind: generated, quoted or refused, with its notices and a line about its making.

    `looked` tells under a refusal where was looked; see `looked_through`.
    """
    if given.refused:
        return _refusal(given, language, looked) + _notices(given, language) + _foot(given, language)
    doubts = [(n.start, n.end, n.message) for n in given.notices if n.start is not None and n.end is not None]
    body = _quoted(given, anchors)
    if not body:
        body = answer_html(given.answer, anchors=anchors, doubts=doubts)
    label = _quotes_label(given, language) if given.mode == "quotes" else ""
    return (
        f'{label}<div class="ca-answer" lang="{given.language}">{body}</div>'
        f"{_notices(given, language)}{_foot(given, language)}"
    )


def source(
    citation: CitationOut,
    passage: PassageOut | None,
    anchors: Mapping[int, str],
    *,
    language: Language,
    links_to: str | None,
) -> str:
    """A numbered source, which opens its passage with the quote highlighted. `links_to`: see `_original`."""
    return _card(
        citation,
        body=f'<div class="ca-text">{_quote_in_context(citation, passage, anchors)}</div>',
        number=citation.number,
        language=language,
        links_to=links_to,
    )


def found(
    passages: Sequence[PassageOut],
    *,
    title: Text,
    is_open: bool,
    language: Language,
    links_to: str | None,
) -> str:
    """The passages that were found, in rank order, under `title` with their count."""
    cards = "".join(
        _card(
            passage,
            body=f'<div class="ca-text">{passage_html(passage.text)}</div>',
            number=None,
            language=language,
            links_to=links_to,
        )
        for passage in passages
    )
    heading = plain_html(say(title, language, count=len(passages)))
    return (
        f'<details class="ca-more"{" open" if is_open else ""}>'
        f'<summary class="ca-side-title">{heading}</summary>{cards}</details>'
    )


def _card(
    shown: CitationOut | PassageOut, *, body: str, number: int | None, language: Language, links_to: str | None
) -> str:
    page = f" · {say(sources.PAGE, language, page=shown.page)}" if shown.page is not None else ""
    label = say(sources.SOURCE, language, number=number) if number is not None else ""
    badge = f'<span class="ca-number" aria-label="{plain_html(label)}">{number}</span>' if number is not None else ""
    # Closed, a card tells its last heading, which sets it apart from other passages of the file; open, the way there.
    last = shown.heading_path[-1] if shown.heading_path else ""
    section = f'<span class="ca-place ca-section">{plain_html(last)}</span>' if last not in {"", shown.title} else ""
    way = f'<span class="ca-place">{plain_html(" › ".join(shown.heading_path))}</span>' if last else ""
    is_old = isinstance(shown, CitationOut) and not shown.is_current
    old = f'<span class="ca-badge">{worded(sources.NOT_CURRENT, language)}</span>' if is_old else ""
    return (
        f'<details class="ca-source"><summary>{badge}<span><span class="ca-name">{plain_html(shown.title)}</span>'
        f'{section}<span class="ca-place ca-path">{plain_html(shown.path + page)}</span>{old}</span></summary>'
        f'<div class="ca-body">{way}{body}{_original(shown.url, language=language, links_to=links_to)}</div></details>'
    )


def _quote_in_context(citation: CitationOut, passage: PassageOut | None, anchors: Mapping[int, str]) -> str:
    """The passage with the quote highlighted at its place, or the quote alone where the passage is not at hand."""
    mark_id = anchors.get(citation.number, "")
    if passage is not None and passage.version_id == citation.version_id:
        start = citation.start - passage.start
        end = start + len(citation.quote)
        if start >= 0 and passage.text[start:end] == citation.quote:
            return passage_html(passage.text, start=start, end=end, mark_id=mark_id)
    return passage_html(citation.quote, start=0, end=len(citation.quote), mark_id=mark_id)


def _original(url: str, *, language: Language, links_to: str | None) -> str:
    """A link to the source file through `links_to`, the API's place behind the proxy; none without a proxy.

    Without a proxy the browser could not prove who asks, and the API would rightly refuse the file.
    """
    if links_to is None or not url.startswith("/documents/"):
        return ""
    return f'<a href="{plain_html(links_to + url)}" target="_blank">{worded(sources.OPEN_ORIGINAL, language)}</a>'


def _refusal(given: AnswerOut, language: Language, looked: str) -> str:
    hint = asking.REFUSED_HINTS.get(given.reason or "")
    title = asking.NO_QUESTION_TITLE if given.reason == "unreadable_question" else asking.REFUSED_TITLE
    return (
        f'<div class="ca-box ca-refusal" lang="{given.language}">'
        f'<p class="ca-box-title">{worded(title, language)}</p><p>{plain_html(given.answer)}</p>'
        + (f'<p class="ca-muted">{worded(hint, language)}</p>' if hint is not None else "")
        + f"{looked}</div>"
    )


def _quoted(given: AnswerOut, anchors: Mapping[int, str]) -> str:
    """The quotations one under the other, letter by letter; nothing where the answer is not made of its citations."""
    if given.mode != "quotes":
        return ""
    places = [(given.answer.find(f"「{cited.quote}」 [{cited.number}]"), cited) for cited in given.citations]
    if any(place < 0 for place, _ in places):
        return ""
    return "".join(
        f'<blockquote><p class="ca-quote">{plain_html(cited.quote)} {mark_html(cited.number, anchors)}</p></blockquote>'
        for _, cited in sorted(places, key=lambda placed: placed[0])
    )


def _quotes_label(given: AnswerOut, language: Language) -> str:
    note = asking.QUOTES_MODEL_AWAY if given.reason == "model_unavailable" else asking.QUOTES_NOTE
    return (
        f'<div class="ca-box ca-quotes" lang="{language}">'
        f'<p class="ca-box-title">{worded(asking.QUOTES_TITLE, language)}</p><p class="ca-muted">{worded(note, language)}</p></div>'
    )


def _notices(given: AnswerOut, language: Language) -> str:
    sentences = list(dict.fromkeys(notice.message for notice in given.notices))
    if not sentences:
        return ""
    if len(sentences) == 1:
        said = f"<p>{plain_html(sentences[0])}</p>"
    else:
        said = "<ul>" + "".join(f"<li>{plain_html(sentence)}</li>" for sentence in sentences) + "</ul>"
    return f'<div class="ca-box ca-notice"><p class="ca-box-title">{worded(asking.NOTICES, language)}</p>{said}</div>'


def _foot(given: AnswerOut, language: Language) -> str:
    """Who answered and in what time, and how much of what was found did not fit."""
    text = asking.ANSWERED_BY if given.mode == "generated" and not given.refused else asking.FINISHED_IN
    line = say(text, language, model=given.model, seconds=f"{max(0.1, given.timings.total_seconds):.1f}")
    if given.context.passages_dropped:
        line += " · " + say(asking.DROPPED, language, count=given.context.passages_dropped)
    return f'<p class="ca-foot">{plain_html(line)}</p>'


def looked_through(turn: Turn, *, language: Language) -> str:
    """Under a refusal: what was looked for and where, how much came near, and whom to ask."""
    places = [*turn.wish.folders, *([turn.wish.document_title] if turn.wish.document_id else [])]
    where = "\u3001".join(places) if places else say(asking.EVERYWHERE, language)
    lines = [
        say(asking.LOOKED_FOR, language, question=turn.rewritten or turn.question),
        say(asking.LOOKED_IN, language, places=where),
        say(asking.NEAREST, language, count=len(turn.passages or [])),
    ]
    shown = "".join(f"<li>{plain_html(line)}</li>" for line in lines)
    owners = "".join(
        f"<li>{plain_html(say(asking.OWNER_OF, language, owner=owner, folder=folder or '/'))}</li>"
        for folder, owner in turn.owners or []
    )
    people = f'<p class="ca-box-title">{worded(asking.ASK_PEOPLE, language)}</p><ul>{owners}</ul>' if owners else ""
    return f'<div class="ca-looked" lang="{language}"><ul>{shown}</ul>{people}</div>'


def warned_earlier(turn: Turn, *, language: Language) -> str:
    """Says of an answer from the history that it had notes: their words are not kept."""
    if not turn.is_from_history or turn.answer is None or not turn.answer.warnings:
        return ""
    return f'<p class="ca-foot" lang="{language}">{worded(asking.WARNED_EARLIER, language)}</p>'


def news(*, language: Language) -> str:
    """The head over questions that can be answered now."""
    return (
        f'<div class="ca-box ca-news" role="status" lang="{language}">'
        f'<p class="ca-box-title">{worded(asking.NEWS, language)}</p></div>'
    )
