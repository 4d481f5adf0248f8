"""How everything on the screen looks: one sheet, for light and dark, wide and narrow, and paper; and in which language it is
read aloud."""

from __future__ import annotations

from typing import Final

from assistant.errors import Language, Text
from ui.words import say, uploads

# Streamlit's page says that it is English, so that a screen reader would read Japanese with an English voice. These are the
# only scripts of ours: constants, whose hashes stand in nginx's policy (nginx/security_headers.conf; a test recomputes them).
LANGUAGE_SCRIPTS: Final[dict[Language, str]] = {
    "ja": 'document.documentElement.lang = "ja"',
    "en": 'document.documentElement.lang = "en"',
}


# Streamlit's uploader speaks English and cannot be told otherwise. The sheet hides its words, from screen readers as well,
# and shows these in their place: a property of the sheet, and what stands in it.
PLACED_WORDS: Final[dict[str, Text]] = {
    "--ca-upload-button": uploads.UPLOADS_BUTTON,
    "--ca-upload-hint": uploads.UPLOADS_HINT,
    "--ca-upload-drop": uploads.UPLOADS_DROP,
    "--ca-upload-not-taken": uploads.UPLOADS_NOT_TAKEN,
}

# Places on a page that the sheet can name: Streamlit takes `style` away from what is put into a page.
STEPS_DOWN: Final = 20


def step_down(share: float) -> int:
    """The step at or above a place that is `share` of a page (0 to 1) down."""
    return min(int(share * STEPS_DOWN), STEPS_DOWN - 1)


def language_html(language: Language) -> str:
    """Tells the browser the page's language; takes no room."""
    return f'<span class="ca-language"></span><script>{LANGUAGE_SCRIPTS[language]}</script>'


def sheet(language: Language) -> str:
    """Everything's look, with the words that the sheet itself shows."""
    placed = " ".join(f'{name}: "{say(text, language)}";' for name, text in PLACED_WORDS.items())
    down = " ".join(f".ca-down-{step} {{ top: {step / STEPS_DOWN:.0%}; }}" for step in range(STEPS_DOWN))
    return STYLE.replace("</style>", f":root {{ {placed} }}\n{down}\n</style>")


STYLE: Final = """<style>
.stMainBlockContainer { max-width: 78rem; padding-top: 4rem; padding-bottom: 4rem; }
.stHtml { line-height: 1.75; overflow-wrap: anywhere; }
.stHtml p, .stHtml ul, .stHtml ol, .stHtml pre, .stHtml table { margin: 0 0 .75rem; }
.stHtml ul, .stHtml ol { padding-left: 1.5rem; }
.ca-muted, .ca-status, .ca-foot, .ca-place { color: color-mix(in srgb, currentColor 72%, transparent); }
/* Streamlit's own grey has a contrast of 4.0 to 1, its green and red of 2.3 and 3.2; 4.5 is the least for many eyes (WCAG 1.4.3). */
[data-testid="stCaptionContainer"] { opacity: 1 !important; }
[data-testid="stCaptionContainer"] p { color: color-mix(in srgb, currentColor 74%, transparent); }
.stCode .token.deleted { color: color-mix(in srgb, var(--ca-bad) 60%, currentColor) !important; }
.stCode .token.inserted { color: color-mix(in srgb, #2e8b57 60%, currentColor) !important; }
.stPopover button[aria-expanded="true"] { color: inherit !important; }
.stButton button[kind="tertiary"] p { text-align: left; }
.stHtml a:not(.ca-mark) { color: color-mix(in srgb, var(--ca-accent) 70%, currentColor); }
/* White on the dark theme's primary colour has a contrast of 2.2 to 1; on the light theme's it has 5.6. */
[data-testid^="stBaseButton-primary"]:not(:disabled) { background: var(--ca-accent); border-color: var(--ca-accent); }
[data-testid="stMultiSelectTagsContainer"] :has(> span[title]) { background: var(--ca-accent) !important; }
.stElementContainer:has(.ca-language) { display: none; }
.stMainBlockContainer h3 { font-size: 1.3rem; }
.ca-intro h1 { font-size: 1.75rem; line-height: 1.3; margin: 0; padding: 0 0 .25rem; }
.ca-intro { margin-top: 1rem; }
.ca-question { font-size: 1.2rem; font-weight: 600; margin: 1.25rem 0 .25rem; padding: .75rem 1rem;
  border-radius: .75rem; background: color-mix(in srgb, currentColor 6%, transparent); white-space: pre-wrap; line-height: 1.6; }
.ca-status { display: flex; gap: .6rem; align-items: baseline; font-size: .9rem; margin-bottom: .75rem; }
.ca-status::before { content: ""; flex: none; width: .6rem; height: .6rem; border-radius: 50%;
  background: var(--ca-accent); animation: ca-pulse 1.4s ease-in-out infinite; }
@keyframes ca-pulse { 50% { opacity: .25; } }
@media (prefers-reduced-motion: reduce) { .ca-status::before { animation: none; } }
:root { --ca-accent: #2f6f8f; --ca-mark: #ffe9a3; --ca-warn: #b26a00; --ca-bad: #b3372f; }
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
.ca-good { --ca-tone: #2e8b57; }
.ca-facts { display: grid; padding: 0 !important; grid-template-columns: max-content 1fr; gap: .35rem 1rem; margin: 0 0 1rem; font-size: .92rem; }
.ca-facts dt { color: color-mix(in srgb, currentColor 72%, transparent); } .ca-facts dd { margin: 0; }
.ca-indexed { --ca-tone: #2e8b57; } .ca-warn { --ca-tone: var(--ca-warn); } .ca-failed { --ca-tone: var(--ca-bad); }
[data-testid="stNavSectionHeader"] { font-weight: 600; color: inherit; }
.ca-documents { width: 100%; border-collapse: collapse; }
.ca-documents th { text-align: left; font-weight: 600; }
.ca-documents th, .ca-documents td { padding: .55rem .5rem; vertical-align: top;
  border: 0; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.ca-documents td:nth-child(3), .ca-documents th:nth-child(3) { white-space: nowrap; }
.ca-small { font-size: .85rem; } .ca-large { font-size: 1.15rem; }
.ca-flag { display: inline-block; position: relative; min-width: 1.1em; margin: 0 .2em; padding: 0 .3em; text-align: center;
  font-size: .75em; font-weight: 700; border-radius: 1em; cursor: help; color: #fff; background: #8a5200; }
.ca-flag::before { content: "!"; }
.ca-flag:hover::after, .ca-flag:focus::after { content: attr(data-note); position: absolute; z-index: 5; left: -1rem; top: 1.8em;
  width: max-content; max-width: min(20rem, 70vw); padding: .5rem .7rem; border-radius: .4rem; font-size: .85rem; font-weight: 400;
  text-align: left; line-height: 1.5; color: #fff; background: #4a3000; }
.ca-looked { font-size: .92rem; } .ca-looked ul { padding-left: 1.2rem; }
.ca-news { --ca-tone: #2e8b57; }
.ca-good { color: color-mix(in srgb, #2e8b57 60%, currentColor); }
.ca-view { max-height: 65vh; overflow-y: auto; border: 1px solid color-mix(in srgb, currentColor 22%, transparent); border-radius: .3rem; }
.ca-frame { position: relative; }
.ca-here { position: absolute; width: 1px; height: 1px; scroll-margin: 20vh; scroll-initial-target: nearest; }
.ca-page { display: block; width: 100%; background: #fff; }
.ca-sheet { max-height: 60vh; overflow-y: auto; padding: .75rem 1rem; border-radius: .5rem;
  border: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
.ca-cited { margin: 0 0 .75rem; padding: .4rem .9rem; white-space: pre-wrap; border-left: .25rem solid var(--ca-mark); }
[data-testid="stFileUploaderDropzone"] button [data-testid="stMarkdownContainer"],
[data-testid="stFileUploaderDropzoneInstructions"] > *,
[data-testid="stFileUploaderDropzone"] > div:has(> span:only-child) > span,
[data-testid="stFileChip"] > [role="alert"] { display: none; }
[data-testid="stFileChip"][aria-invalid="true"]::after { content: var(--ca-upload-not-taken); font-size: .875rem; }
[data-testid="stFileUploaderDropzone"] button:has([data-testid="stMarkdownContainer"])::after {
  content: var(--ca-upload-button); font-size: .875rem; margin-left: .4rem; }
[data-testid="stFileUploaderDropzoneInstructions"]::after { content: var(--ca-upload-hint); font-size: .875rem;
  color: color-mix(in srgb, currentColor 74%, transparent); }
[data-testid="stFileUploaderDropzone"] > div:has(> span:only-child)::after { content: var(--ca-upload-drop); font-weight: 600; }
@media print {
  [data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stChatInput"], .stButton, .stPopover, .stFeedback { display: none !important; }
  .stMainBlockContainer { max-width: none; padding: 0; }
  .stApp, .stMain, [data-testid="stAppViewContainer"] { position: static !important; overflow: visible !important; height: auto !important; }
  .stHorizontalBlock { flex-direction: column !important; }
  .ca-source, .ca-box { break-inside: avoid; }
  .ca-view { max-height: none; overflow: visible; }
}
/* What a stopped run leaves behind is drawn before it stops: shown as soon as the script no longer runs. */
.stApp .ca-when-stopped { display: none; }
.stApp [class*="st-key-stopped-"] { display: none; }
.stApp[data-test-script-state="notRunning"] [class*="st-key-stopped-"] { display: flex; }
.stApp[data-test-script-state="notRunning"] :is(.ca-when-running, [class*="st-key-stop-"]) { display: none; }
.stApp[data-test-script-state="notRunning"] .ca-when-stopped { display: block; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding-left: 1rem; padding-right: 1rem; }
  .ca-question { font-size: 1.1rem; }
  .ca-documents td:nth-child(3), .ca-documents th:nth-child(3) { display: none; }
}
</style>"""
