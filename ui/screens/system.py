"""The system's state, for administrators: queue, models in memory, the release that answers, and the doctor's check-up."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import streamlit as st

from assistant.wire_system import CheckupOut, FindingOut, RunningModelOut, SystemOut
from ui import admin_calls as calls
from ui import parts
from ui import system_parts as pieces
from ui.client import ProblemError
from ui.formats import moment, number, percent, size
from ui.listing import show_table
from ui.numbers import show_numbers
from ui.screens.documents import show_problem
from ui.visit import Visit
from ui.words import say
from ui.words import system as words

WATCH_SECONDS: Final = 1.0


def show(visit: Visit) -> None:
    """Draw the screen."""
    language = visit.language
    st.html(parts.heading(words.TITLE, words.INTRO, language=language))
    st.button(say(words.REFRESH, language), key="system_refresh", icon=":material/refresh:", type="tertiary")
    try:
        found = calls.system(visit.client)
        checkup = calls.checkup(visit.client)
    except ProblemError as error:
        show_problem(error, language)
        return
    _show_numbers(found, visit)
    _show_queue(found, visit)
    _show_models(found, visit)
    _show_doctor(checkup, visit)


def _show_numbers(found: SystemOut, visit: Visit) -> None:
    language = visit.language
    waiting = sum(line.people + line.apps + line.background for line in found.lines)
    shown = (
        (
            words.ANSWERING,
            say(
                words.OF_PLACES,
                language,
                count=sum(line.answering for line in found.lines),
                places=sum(line.parallel for line in found.lines),
            ),
        ),
        (words.IN_LINE, number(waiting)),
        (words.PACE, say(words.SECONDS, language, seconds=number(found.lines[0].pace_seconds, digits=1))),
        (words.PRESENT, say(words.OF_PLACES, language, count=found.present, places=found.most_present)),
    )
    show_numbers([(say(label, language), value) for label, value in shown])
    published = moment(found.published_at or "", language, timezone=visit.timezone)
    release = found.release_id or say(words.FOLDER_ANSWERS, language)
    facts = {
        say(words.RELEASE, language): release
        + (f" ({say(words.PUBLISHED, language, when=published)})" if found.release_id and published else ""),
        say(words.CHAT_MODEL, language): say(words.QUOTES, language)
        if found.answers == "quotes"
        else found.release_model or found.chat_model,
        say(words.EMBEDDER, language): found.embedder or say(words.NO_GENERATION, language),
        say(words.VERSION, language): found.version,
    }
    st.html(pieces.facts(facts, language=language))


def _show_queue(found: SystemOut, visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.QUEUE, language))
    rows = [
        {
            say(words.MODEL, language): line.model,
            say(words.ANSWERING, language): line.answering,
            say(words.PLACES, language): line.parallel,
            say(words.PEOPLE, language): line.people,
            say(words.APPS, language): line.apps,
            say(words.BACKGROUND, language): line.background,
            say(words.PACE_SECONDS, language): line.pace_seconds,
            say(words.BREAKER, language): say(words.BREAKERS[line.breaker], language),
        }
        for line in found.lines
    ]
    show_table(rows, name="queue", language=language)


def _show_models(found: SystemOut, visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.LOADED, language))
    if found.models_problem is not None:
        st.html(parts.warning_box(say(words.MODELS_AWAY, language), [found.models_problem], language=language))
        return
    if found.models is None:
        st.caption(say(words.NOT_TOLD, language))
        return
    if any(0 < model.vram_bytes < model.size_bytes for model in found.models):
        st.warning(say(words.PARTLY, language), icon=":material/warning:")
    rows = [_model_row(model, visit) for model in found.models]
    show_table(rows, name="models", language=language, empty=words.NONE_LOADED)


def _model_row(model: RunningModelOut, visit: Visit) -> dict[str, Any]:
    language = visit.language
    share = model.vram_bytes / model.size_bytes if model.size_bytes else 0.0
    return {
        say(words.MODEL, language): model.name,
        say(words.NUM_CTX, language): model.num_ctx,
        say(words.SIZE, language): size(model.size_bytes),
        say(words.ON_GPU, language): percent(share),
        say(words.UNTIL, language): moment(model.until, language, timezone=visit.timezone)
        if model.until is not None
        else say(words.STAYS, language),
    }


def _show_doctor(checkup: CheckupOut, visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.DOCTOR, language))
    st.caption(say(words.DOCTOR_HINT, language))
    is_running = checkup.state == "running"
    if st.button(
        say(words.EXAMINE, language),
        key="system_examine",
        icon=":material/stethoscope:",
        type="primary",
        disabled=is_running,
    ):
        try:
            calls.examine(visit.client)
        except ProblemError as error:
            show_problem(error, language)
            return
        st.rerun()
    if is_running:
        st.fragment(_watch, run_every=WATCH_SECONDS)(visit)
    elif checkup.state == "never":
        st.info(say(words.NEVER, language))
    elif checkup.state == "failed":
        sentences = [checkup.problem or "", say(words.FAILED_HINT, language)]
        st.html(parts.warning_box(say(words.FAILED, language), sentences, language=language))
    if checkup.findings:
        _show_findings(checkup, visit)


def _watch(visit: Visit) -> None:
    """Says since when the doctor looks; the whole page is drawn again once it has ended."""
    language = visit.language
    try:
        checkup = calls.checkup(visit.client)
    except ProblemError as error:
        show_problem(error, language)
        return
    if checkup.state != "running":
        st.rerun()
    when = moment(checkup.started_at or "", language, timezone=visit.timezone)
    st.html(pieces.status(say(words.EXAMINING, language, by=checkup.by, when=when), language=language))


def _show_findings(checkup: CheckupOut, visit: Visit) -> None:
    language, found = visit.language, checkup.findings
    counts: Counter[str] = Counter(finding.state for finding in found)
    if checkup.ended_at is not None and checkup.state == "done":
        when = moment(checkup.ended_at, language, timezone=visit.timezone)
        st.caption(say(words.LAST, language, when=when, by=checkup.by))
    show_numbers([(say(label, language), number(counts.get(state, 0))) for state, label in words.STATES.items()])
    worst = [finding for finding in found if finding.state in ("fail", "warn")]
    if not worst:
        st.success(say(words.ALL_WELL, language), icon=":material/check_circle:")
    for finding in worst:
        _show_finding(finding, visit)
    for kind, title in (("unchecked", words.UNCHECKED_TITLE), ("ok", words.OK_TITLE)):
        some = [finding for finding in found if finding.state == kind]
        if some:
            with st.expander(say(title, language, count=len(some))):
                rows = [_finding_row(finding, visit) for finding in some]
                show_table(rows, name=f"doctor-{kind}", language=language)
    with st.expander(say(words.ALL_CHECKS, language)):
        show_table([_finding_row(finding, visit) for finding in found], name="doctor", language=language)


def _show_finding(finding: FindingOut, visit: Visit) -> None:
    """What was seen, why it matters, what to do; the command stands apart, to be copied."""
    language = visit.language
    title = say(words.TITLE_OF, language, state=say(words.STATES[finding.state], language), title=finding.title)
    sentences = [say(words.SAW, language, seen=finding.seen), finding.why, finding.hint]
    st.html(pieces.finding_box(title, sentences, is_bad=finding.state == "fail", language=language))
    if finding.command:
        st.code(finding.command, language="bash", wrap_lines=True)


def _finding_row(finding: FindingOut, visit: Visit) -> dict[str, Any]:
    language = visit.language
    return {
        say(words.STATE, language): say(words.STATES[finding.state], language),
        say(words.CHECK, language): finding.title,
        say(words.SEEN, language): finding.seen,
        say(words.WHY, language): finding.why,
        say(words.WHAT_TO_DO, language): finding.hint,
        say(words.COMMAND, language): finding.command,
    }
