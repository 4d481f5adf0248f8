"""How everything on the screen looks: the one layout file.

Functions return HTML made of our own tags and escaped text (ui/markup.py), for `st.html`. They know wire shapes and
words; they call neither Streamlit nor the API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from assistant.errors import FailureReason, Language, Text
from assistant.wire import AnswerOut, CitationOut, DocumentOut, PassageOut, Problem
from ui import words
from ui.markup import answer_html, mark_html, passage_html, plain_html

STYLE: Final = """<style>
.stMainBlockContainer { max-width: 78rem; padding-top: 4rem; padding-bottom: 4rem; }
.stHtml { line-height: 1.75; overflow-wrap: anywhere; }
.stHtml p, .stHtml ul, .stHtml ol, .stHtml pre, .stHtml table { margin: 0 0 .75rem; }
.stHtml ul, .stHtml ol { padding-left: 1.5rem; }
.ca-muted, .ca-status, .ca-foot, .ca-place { color: color-mix(in srgb, currentColor 72%, transparent); }
.ca-intro h1 { font-size: 1.75rem; line-height: 1.3; margin: 0; padding: 0 0 .25rem; }
.ca-intro { margin-top: 1rem; }
.ca-question { font-size: 1.2rem; font-weight: 600; margin: 1.25rem 0 .25rem; padding: .75rem 1rem;
  border-radius: .75rem; background: color-mix(in srgb, currentColor 6%, transparent); white-space: pre-wrap; line-height: 1.6; }
.ca-status { display: flex; gap: .6rem; align-items: baseline; font-size: .9rem; margin-bottom: .75rem; }
.ca-status::before { content: ""; flex: none; width: .6rem; height: .6rem; border-radius: 50%;
  background: var(--ca-accent); animation: ca-pulse 1.4s ease-in-out infinite; }
@keyframes ca-pulse { 50% { opacity: .25; } }
@media (prefers-reduced-motion: reduce) { .ca-status::before { animation: none; } }
.stApp { --ca-accent: #2f6f8f; --ca-mark: #ffe9a3; --ca-warn: #b26a00; --ca-bad: #b3372f; }
.ca-answer { font-size: 1.05rem; }
.ca-answer .ca-heading { font-weight: 600; }
.ca-answer table { border-collapse: collapse; display: block; overflow-x: auto; }
.ca-answer th, .ca-answer td { padding: .25rem .6rem;
  border: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
.ca-answer blockquote { margin: 0 0 .75rem; padding: .1rem .9rem; opacity: 1;
  border-left: .2rem solid color-mix(in srgb, currentColor 25%, transparent); color: inherit; }
.ca-answer blockquote > :last-child { margin-bottom: 0; }
.ca-quote { white-space: pre-wrap; }
.ca-answer pre { white-space: pre-wrap; padding: .6rem .8rem; border-radius: .5rem;
  background: color-mix(in srgb, currentColor 6%, transparent); }
.ca-mark { text-decoration: none !important; font-size: .8em; font-weight: 600; padding: .1em .3em; border-radius: .3em;
  color: color-mix(in srgb, var(--ca-accent) 55%, currentColor) !important;
  background: color-mix(in srgb, var(--ca-accent) 16%, transparent); }
.ca-mark:hover, .ca-mark:focus-visible { background: color-mix(in srgb, var(--ca-accent) 28%, transparent); }
.ca-doubt { text-decoration: underline wavy var(--ca-warn); text-underline-offset: .3em; }
.ca-box { border: 1px solid color-mix(in srgb, currentColor 22%, transparent); border-left: .3rem solid var(--ca-tone);
  border-radius: .5rem; padding: .75rem 1rem; margin: 0 0 .75rem;
  background: color-mix(in srgb, var(--ca-tone) 6%, transparent); }
.ca-box > :last-child { margin-bottom: 0; }
.ca-box p, .ca-box ul { margin-bottom: .35rem; }
.ca-box ul { padding-left: 1.2rem; }
.ca-notice { font-size: .92rem; line-height: 1.6; }
.ca-box-title { font-weight: 600; }
.ca-refusal { --ca-tone: #7a7f87; } .ca-quotes { --ca-tone: #5d6bb0; }
.ca-notice { --ca-tone: var(--ca-warn); } .ca-problem { --ca-tone: var(--ca-bad); }
.ca-foot { font-size: .85rem; }
.ca-side-title { font-weight: 600; margin: 0 0 .5rem !important; }
.ca-source { border-radius: .5rem; margin-bottom: .5rem;
  border: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
.ca-source > summary { cursor: pointer; padding: .55rem .75rem; display: flex; gap: .6rem; align-items: baseline;
  list-style: none; border-radius: .5rem; }
.ca-source > summary::-webkit-details-marker { display: none; }
.ca-source > summary > span:not(.ca-number) { min-width: 0; }
.ca-source > summary::after { content: ""; flex: none; align-self: center; margin: 0 .2rem 0 auto; opacity: .55;
  width: .45rem; height: .45rem; border: solid currentColor; border-width: 0 .12rem .12rem 0; transform: rotate(-45deg); }
.ca-source[open] > summary::after { transform: rotate(45deg); }
.ca-source > summary:hover { background: color-mix(in srgb, currentColor 5%, transparent); }
.ca-source:has(:target) { border-color: var(--ca-accent); box-shadow: 0 0 0 1px var(--ca-accent); }
.ca-number { flex: none; min-width: 1.6em; text-align: center; font-size: .85em; font-weight: 600; border-radius: .3em;
  color: #fff; background: var(--ca-accent); }
.ca-name { display: block; font-weight: 600; line-height: 1.45; }
.ca-place { display: block; font-size: .83rem; line-height: 1.45; }
.ca-source[open] .ca-section { display: none; }
.ca-source:not([open]) .ca-place { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.ca-badge { display: inline-block; font-size: .8rem; color: color-mix(in srgb, var(--ca-warn) 60%, currentColor);
  border: 1px solid; border-radius: .3rem;
  padding: 0 .4rem; }
.ca-body { padding: .35rem .9rem .8rem; border-top: 1px solid color-mix(in srgb, currentColor 12%, transparent); }
.ca-text { white-space: pre-wrap; font-size: .95rem; margin: .5rem 0; }
.ca-text mark { background: var(--ca-mark); color: #222; padding: .1em 0; scroll-margin: 35vh 0; }
.ca-more > summary { cursor: pointer; padding: .35rem 0; }
.ca-state { white-space: nowrap; }
.ca-state::before { content: ""; display: inline-block; width: .55rem; height: .55rem; margin-right: .5rem;
  border-radius: 50%; background: var(--ca-tone, #7a7f87); }
.ca-indexed { --ca-tone: #2e8b57; } .ca-warn { --ca-tone: var(--ca-warn); } .ca-failed { --ca-tone: var(--ca-bad); }
[data-testid="stNavSectionHeader"] { font-weight: 600; color: inherit; }
.ca-documents { width: 100%; border-collapse: collapse; }
.ca-documents th { text-align: left; font-weight: 600; }
.ca-documents th, .ca-documents td { padding: .55rem .5rem; vertical-align: top;
  border: 0; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.ca-documents td:nth-child(3), .ca-documents th:nth-child(3) { white-space: nowrap; }
/* What a stopped run leaves behind is drawn before it stops: shown as soon as the script no longer runs. */
.stApp .ca-when-stopped { display: none; }
.stApp[data-test-script-state="notRunning"] .ca-when-running { display: none; }
.stApp[data-test-script-state="notRunning"] .ca-when-stopped { display: block; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding-left: 1rem; padding-right: 1rem; }
  .ca-question { font-size: 1.1rem; }
  .ca-documents td:nth-child(3), .ca-documents th:nth-child(3) { display: none; }
}
</style>"""


def heading(title: Text, sentence: Text, *, language: Language) -> str:
    """The head of a screen."""
    return (
        f'<div class="ca-intro" lang="{language}"><h1>{_w(title, language)}</h1>'
        f'<p class="ca-muted">{_w(sentence, language)}</p></div>'
    )


def side_title(text: Text, *, language: Language) -> str:
    """The small title over a list."""
    return f'<p class="ca-side-title" lang="{language}">{_w(text, language)}</p>'


def question(text: str) -> str:
    """The question as asked."""
    return f'<div class="ca-question" role="heading" aria-level="2">{plain_html(text)}</div>'


def understood(rewritten: str | None, *, language: Language) -> str:
    """How a follow-up was understood from the conversation; nothing for a question that stood alone."""
    if rewritten is None:
        return ""
    return f'<p class="ca-muted">{plain_html(words.say(words.UNDERSTOOD_AS, language, question=rewritten))}</p>'


def status(sentence: str) -> str:
    """What is going on now; disappears when the script is stopped."""
    return f'<div class="ca-status ca-when-running" role="status">{plain_html(sentence)}</div>'


def stopped(language: Language, *, is_live: bool) -> str:
    """The note under a stopped answer. `is_live` while the answer still runs: shown only once the script is stopped."""
    live = " ca-when-stopped" if is_live else ""
    return f'<div class="ca-box ca-notice{live}" lang="{language}"><p>{_w(words.STOPPED, language)}</p></div>'


def partial_answer(text: str, anchors: Mapping[int, str]) -> str:
    """What the model has written so far; only marks that are checked already are links."""
    return f'<div class="ca-answer">{answer_html(text, anchors=anchors)}</div>' if text else ""


def answer(given: AnswerOut, anchors: Mapping[int, str], *, language: Language) -> str:
    """The whole answer in its kind: generated, quoted or refused, with its notices and a line about its making."""
    if given.refused:
        return _refusal(given, language) + _notices(given, language) + _foot(given, language)
    doubts = [(n.start, n.end) for n in given.notices if n.start is not None and n.end is not None]
    body = _quoted(given, anchors)
    if not body:
        body = answer_html(given.answer, anchors=anchors, doubts=doubts, doubt_label=words.say(words.DOUBTED, language))
    label = _quotes_label(given, language) if given.mode == "quotes" else ""
    return (
        f'{label}<div class="ca-answer" lang="{given.language}">{body}</div>'
        f"{_notices(given, language)}{_foot(given, language)}"
    )


def problem(said: Problem, *, language: Language, retry_after_seconds: float | None, is_partial: bool) -> str:
    """What went wrong, what to do, and the reference to quote to an administrator."""
    sentences = [said.detail, words.say(words.INTERRUPTED, language) if is_partial else "", said.hint]
    if retry_after_seconds is not None:
        sentences.append(words.say(words.RETRY_AFTER, language, seconds=round(retry_after_seconds)))
    return warning_box(
        said.title,
        sentences,
        language=language,
        small=words.say(words.REQUEST_NUMBER, language, request_id=said.request_id) if said.request_id else "",
    )


def warning_box(title: str, sentences: Sequence[str], *, language: Language, small: str = "") -> str:
    """A clear box for errors; empty sentences are left out."""
    paragraphs = "".join(f"<p>{plain_html(sentence)}</p>" for sentence in sentences if sentence)
    foot = f'<p class="ca-foot">{plain_html(small)}</p>' if small else ""
    return (
        f'<div class="ca-box ca-problem" role="alert" lang="{language}">'
        f'<p class="ca-box-title">{plain_html(title)}</p>{paragraphs}{foot}</div>'
    )


def sources(
    citations: Sequence[CitationOut],
    passages: Sequence[PassageOut],
    anchors: Mapping[int, str],
    *,
    language: Language,
    links_to: str | None,
) -> str:
    """The numbered sources, each opening its passage with the quote highlighted. `links_to`: see `_original`."""
    texts = {passage.chunk_id: passage for passage in passages}
    cards = "".join(
        _card(
            citation,
            body=f'<div class="ca-text">{_quote_in_context(citation, texts.get(citation.chunk_id), anchors)}</div>',
            number=citation.number,
            language=language,
            links_to=links_to,
        )
        for citation in citations
    )
    return side_title(words.SOURCES, language=language) + cards if cards else ""


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
    heading = plain_html(words.say(title, language, count=len(passages)))
    return (
        f'<details class="ca-more"{" open" if is_open else ""}>'
        f'<summary class="ca-side-title">{heading}</summary>{cards}</details>'
    )


def documents(listed: Sequence[DocumentOut], *, language: Language) -> str:
    """The table of documents: title and path, status and reason, day of the last change."""
    head = "".join(
        f'<th scope="col">{_w(text, language)}</th>'
        for text in (words.COLUMN_DOCUMENT, words.COLUMN_STATUS, words.COLUMN_CHANGED)
    )
    rows = "".join(_row(document, language) for document in listed)
    return f'<table class="ca-documents" lang="{language}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(document: DocumentOut, language: Language) -> str:
    status_text = words.STATUSES.get(document.status)
    state = words.say(status_text, language) if status_text is not None else document.status
    tone = f" ca-{document.status}" if status_text is not None else ""
    reason = ""
    if document.reason is not None:
        known = document.reason in set(FailureReason)
        why = words.say(words.FAILURES[FailureReason(document.reason)], language) if known else document.reason
        reason = f'<span class="ca-place">{plain_html(why)}</span>'
    return (
        f'<tr><td><span class="ca-name">{plain_html(document.title)}</span>'
        f'<span class="ca-place">{plain_html(document.path)}</span></td>'
        f'<td><span class="ca-state{tone}">{plain_html(state)}</span>{reason}</td>'
        f"<td>{plain_html(document.modified[:10])}</td></tr>"
    )


def _card(
    shown: CitationOut | PassageOut, *, body: str, number: int | None, language: Language, links_to: str | None
) -> str:
    page = f" · {words.say(words.PAGE, language, page=shown.page)}" if shown.page is not None else ""
    label = words.say(words.SOURCE, language, number=number) if number is not None else ""
    badge = f'<span class="ca-number" aria-label="{plain_html(label)}">{number}</span>' if number is not None else ""
    # Closed, a card tells its last heading, which sets it apart from other passages of the file; open, the way there.
    last = shown.heading_path[-1] if shown.heading_path else ""
    section = f'<span class="ca-place ca-section">{plain_html(last)}</span>' if last not in {"", shown.title} else ""
    way = f'<span class="ca-place">{plain_html(" › ".join(shown.heading_path))}</span>' if last else ""
    is_old = isinstance(shown, CitationOut) and not shown.is_current
    old = f'<span class="ca-badge">{_w(words.NOT_CURRENT, language)}</span>' if is_old else ""
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
    return f'<a href="{plain_html(links_to + url)}" target="_blank">{_w(words.OPEN_ORIGINAL, language)}</a>'


def _refusal(given: AnswerOut, language: Language) -> str:
    hint = words.REFUSED_HINTS.get(given.reason or "")
    return (
        f'<div class="ca-box ca-refusal" lang="{given.language}">'
        f'<p class="ca-box-title">{_w(words.REFUSED_TITLE, language)}</p><p>{plain_html(given.answer)}</p>'
        + (f'<p class="ca-muted">{_w(hint, language)}</p>' if hint is not None else "")
        + "</div>"
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
    note = words.QUOTES_MODEL_AWAY if given.reason == "model_unavailable" else words.QUOTES_NOTE
    return (
        f'<div class="ca-box ca-quotes" lang="{language}">'
        f'<p class="ca-box-title">{_w(words.QUOTES_TITLE, language)}</p><p class="ca-muted">{_w(note, language)}</p></div>'
    )


def _notices(given: AnswerOut, language: Language) -> str:
    sentences = list(dict.fromkeys(notice.message for notice in given.notices))
    if not sentences:
        return ""
    if len(sentences) == 1:
        said = f"<p>{plain_html(sentences[0])}</p>"
    else:
        said = "<ul>" + "".join(f"<li>{plain_html(sentence)}</li>" for sentence in sentences) + "</ul>"
    return f'<div class="ca-box ca-notice"><p class="ca-box-title">{_w(words.NOTICES, language)}</p>{said}</div>'


def _foot(given: AnswerOut, language: Language) -> str:
    """Who answered and in what time, and how much of what was found did not fit."""
    text = words.ANSWERED_BY if given.mode == "generated" and not given.refused else words.FINISHED_IN
    line = words.say(text, language, model=given.model, seconds=f"{max(0.1, given.timings.total_seconds):.1f}")
    if given.context.passages_dropped:
        line += " · " + words.say(words.DROPPED, language, count=given.context.passages_dropped)
    return f'<p class="ca-foot">{plain_html(line)}</p>'


def _w(text: Text, language: Language) -> str:
    return plain_html(words.say(text, language))


def link(label: str, address: str) -> str:
    """A link that opens in this very tab."""
    return f'<a href="{escape(address)}" target="_self">{escape(label)}</a>'
