"""Releases for administrators: which one answers, drafts beside it, publishing with its checks, going back, a canary."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from assistant.errors import Language
from assistant.wire_releases import (
    CanaryOut,
    ReleaseDetailOut,
    ReleaseOut,
    ReleasesOut,
    ReleaseWorkOut,
    StandingOut,
)
from ui import parts
from ui.client import ProblemError
from ui.formats import moment
from ui.listing import show_table
from ui.screens.documents import show_problem
from ui.visit import Visit
from ui.words import releases as words
from ui.words import say

ADDRESS: Final = "/admin/releases"
WATCH_SECONDS: Final = 2.0
REST_SECONDS: Final = 30.0


def show(visit: Visit) -> None:
    """Draw the screen."""
    language = visit.language
    st.html(parts.heading(words.TITLE, words.INTRO, language=language))
    try:
        found = visit.client.call(ReleasesOut, "GET", ADDRESS)
        _show_standing(found.standing, visit)
        is_busy = found.work is not None and found.work.state == "running"
        st.fragment(_show_work, run_every=WATCH_SECONDS if is_busy else REST_SECONDS)(visit)
        show_table(
            [_row(one, visit) for one in found.releases], name="releases", language=language, empty=words.NO_RELEASES
        )
        chosen = _chosen(found, visit)
        if chosen is not None:
            _show_release(chosen, visit)
            _show_actions(chosen, found.standing, visit)
        _show_draft(chosen, visit)
        _show_history(found, visit)
    except ProblemError as error:
        show_problem(error, language)


def _show_standing(standing: StandingOut, visit: Visit) -> None:
    language = visit.language
    left, right = st.columns(2)
    left.metric(say(words.ANSWERS, language), standing.release_id or say(words.FOLDER_ANSWERS, language))
    right.metric(say(words.FORMER, language), standing.former_id or say(words.NONE, language))
    if standing.former_id is not None and right.button(
        say(words.ROLL_BACK, language), key="release_rollback", icon=":material/undo:"
    ):
        now = visit.client.call(StandingOut, "POST", f"{ADDRESS}/rollback", body={"why": ""})
        st.toast(say(words.ROLLED_BACK, language, release_id=now.release_id))
        st.rerun()


def _show_work(visit: Visit) -> None:
    """What the API is busy with; drawn again by itself, and the whole page once it is done."""
    try:
        work = visit.client.call(ReleasesOut, "GET", ADDRESS).work
    except ProblemError as error:
        show_problem(error, visit.language)
        return
    was_running = st.session_state.get("release_running", False)
    st.session_state.release_running = work is not None and work.state == "running"
    if was_running and not st.session_state.release_running:
        st.rerun()
    if work is not None:
        _tell_work(work, visit)


def _tell_work(work: ReleaseWorkOut, visit: Visit) -> None:
    language = visit.language
    if work.state == "running":
        step = say(words.STEPS.get(work.step, words.STEPS[""]), language)
        st.info(say(words.RUNNING, language, release_id=work.release_id, by=work.by, step=step))
    elif work.state == "done":
        st.success(say(words.DONE, language, release_id=work.release_id))
    else:
        title = say(words.REFUSED, language, release_id=work.release_id)
        st.html(parts.warning_box(title, [work.message or "", work.hint or ""], language=language))


def _row(one: ReleaseOut, visit: Visit) -> dict[str, Any]:
    language = visit.language
    return {
        say(words.RELEASE, language): one.release_id,
        say(words.STATE, language): say(words.STATES[one.state], language),
        say(words.WHEN, language): moment(one.created_at, language, timezone=visit.timezone),
        say(words.WHO, language): one.created_by,
        say(words.WHY, language): one.why,
        say(words.WINDOW, language): one.num_ctx,
        say(words.TEMPERATURE, language): one.temperature,
        say(words.EVALUATED, language): one.is_evaluated,
    }


def _chosen(found: ReleasesOut, visit: Visit) -> ReleaseDetailOut | None:
    if not found.releases:
        return None
    names = [one.release_id for one in found.releases]
    chosen = st.selectbox(say(words.CHOOSE, visit.language), names, key="release_chosen", width=420)
    return visit.client.call(ReleaseDetailOut, "GET", f"{ADDRESS}/{chosen}")


def _show_release(release: ReleaseDetailOut, visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.DIFFERENCES, language))
    plain = {name: value for name, value in release.differences.items() if name != "SYSTEM"}
    rows = [
        {
            say(words.VALUE, language): name,
            say(words.BEFORE, language): str(value[0]),
            say(words.AFTER, language): str(value[1]),
        }
        for name, value in plain.items()
    ]
    if rows:
        st.dataframe(rows, hide_index=True, width="stretch")
    if "SYSTEM" in release.differences:
        st.code("\n".join(release.differences["SYSTEM"]), language="diff")
    if not release.differences:
        st.caption(say(words.SAME, language))
    with st.expander(say(words.TEXT, language)):
        st.code(release.modelfile, language=None)
    _show_comparison(release, visit)


def _show_comparison(release: ReleaseDetailOut, visit: Visit) -> None:
    language, found = visit.language, release.evaluation
    if found is None:
        st.caption(say(words.NOT_COMPARED, language, release_id=release.release_id))
        return
    with st.expander(say(words.COMPARISON, language), expanded=True):
        counts = ("questions", "citations_gained", "citations_lost", "now_refuses", "now_answers")
        st.markdown(say(words.SUMS, language, **{name: found["sums"][name] for name in counts}))
        rows = [
            {
                say(words.QUESTION, language): row["question"],
                say(words.BEFORE, language): (row["published"] or {}).get("answer", ""),
                say(words.AFTER, language): row["draft"]["answer"],
                say(words.CITATIONS, language): " ".join(
                    [*(f"+{place}" for place in row.get("gained", ())), *(f"−{place}" for place in row.get("lost", ()))]
                ),
                say(words.FLIP, language): say(words.FLIPS[row["flipped"]], language) if row.get("flipped") else "",
            }
            for row in found["questions"]
        ]
        show_table(rows, name="comparison", language=language)


def _show_actions(release: ReleaseDetailOut, standing: StandingOut, visit: Visit) -> None:
    language = visit.language
    why = st.text_input(say(words.REASON, language), key="release_why", max_chars=500)
    if st.button(say(words.PUBLISH, language), key="release_publish", icon=":material/publish:", type="primary"):
        visit.client.call(ReleaseWorkOut, "POST", f"{ADDRESS}/{release.release_id}/publish", body={"why": why})
        st.session_state.release_running = True
        st.rerun()
    with st.expander(say(words.CANARY, language), expanded=standing.canary_id is not None):
        _show_canary(release, standing, visit)


def _show_canary(release: ReleaseDetailOut, standing: StandingOut, visit: Visit) -> None:
    language = visit.language
    percent = st.slider(say(words.PERCENT, language), 1, 100, standing.canary_percent or 10, key="release_percent")
    start, end = st.columns(2)
    wanted = None
    if start.button(say(words.START_CANARY, language), key="release_canary"):
        wanted = {"release_id": release.release_id, "percent": percent}
        st.session_state.release_running = True
    if standing.canary_id is not None and end.button(say(words.END_CANARY, language), key="release_canary_end"):
        wanted = {"release_id": standing.canary_id, "percent": 0}
    if wanted is not None:
        visit.client.call(CanaryOut, "PUT", f"{ADDRESS}/canary", body=wanted)
        st.rerun()
    if standing.canary_id is not None:
        st.caption(say(words.USES, language))
        rows = [
            {say(words.RELEASE, language): use.release_id}
            | {say(text, language): getattr(use, name) for name, text in words.COUNTS.items()}
            for use in visit.client.call(CanaryOut, "GET", f"{ADDRESS}/canary").uses
        ]
        show_table(rows, name="canary", language=language)


def _show_draft(base: ReleaseDetailOut | None, visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.NEW, language))
    st.caption(say(words.NEW_HINT, language))
    with st.form(f"release_draft_{base.release_id if base is not None else ''}", border=False):
        system = st.text_area(
            say(words.SYSTEM, language), base.system if base else "", key=_key("draft_system", base), height=200
        )
        given = {"system": system, **_draft_numbers(base, language), **_draft_doubt(base, language)}
        why = st.text_input(say(words.REASON, language), key=_key("draft_why", base), max_chars=500)
        is_kept = st.form_submit_button(say(words.KEEP, language), icon=":material/save:")
    if is_kept:
        made = visit.client.call(ReleaseDetailOut, "POST", ADDRESS, body=_changed(base, given) | {"why": why})
        st.toast(say(words.KEPT, language, release_id=made.release_id))
        st.rerun()


def _key(field: str, base: ReleaseDetailOut | None) -> str:
    """A field of each base is a field of its own; under one key it would keep what the base chosen before said."""
    return field if base is None else f"{field}_{base.release_id}"


def _draft_numbers(base: ReleaseDetailOut | None, language: Language) -> dict[str, Any]:
    columns = st.columns(3)
    return {
        "num_ctx": columns[0].number_input(
            say(words.WINDOW, language),
            0,
            1_048_576,
            (base and base.num_ctx) or 0,
            step=1024,
            key=_key("draft_num_ctx", base),
        ),
        "temperature": columns[1].number_input(
            say(words.TEMPERATURE, language),
            0.0,
            2.0,
            float((base and base.temperature) or 0.0),
            key=_key("draft_temperature", base),
        ),
        "top_k": columns[2].number_input(
            say(words.TOP_K, language), 0, 100_000, (base and base.top_k) or 0, key=_key("draft_top_k", base)
        ),
        "passages": columns[0].number_input(
            say(words.PASSAGES, language), 0, 50, (base and base.passages) or 0, key=_key("draft_passages", base)
        ),
        "meaning": columns[1].number_input(
            say(words.MEANING, language),
            0.0,
            4.0,
            base.meaning if base else None,
            step=0.1,
            key=_key("draft_meaning", base),
        ),
        "words": columns[2].number_input(
            say(words.WORDS, language), 0.0, 4.0, base.words if base else None, step=0.1, key=_key("draft_words", base)
        ),
    }


def _draft_doubt(base: ReleaseDetailOut | None, language: Language) -> dict[str, Any]:
    """Whether the model is asked first, and from which doubt on a question is refused; without a base nothing is filled in."""
    asks_first = st.toggle(
        say(words.ASKS_FIRST, language),
        base.asks_first if base else False,
        key=_key("draft_asks_first", base),
        help=say(words.ASKS_FIRST_HINT, language),
    )
    limits: dict[str, Any] = {"asks_first": asks_first}
    for column, (name, text) in zip(st.columns(2), words.REFUSES_FROM.items(), strict=True):
        limits[name] = column.number_input(
            say(text, language),
            0.01,
            1.0,
            getattr(base, name) if base else None,
            step=0.01,
            key=_key(f"draft_{name}", base),
        )
    return limits


def _changed(base: ReleaseDetailOut | None, given: dict[str, Any]) -> dict[str, object]:
    """What is another than in the base; nothing and 0 where the base says nothing mean that it goes on saying nothing."""
    body: dict[str, object] = {} if base is None else {"base": base.release_id}
    for name, value in given.items():
        known = getattr(base, name, None)
        if value != known and (value or known):
            body[name] = value
    return body


def _show_history(found: ReleasesOut, visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.HISTORY, language))
    rows = [
        {
            say(words.WHEN, language): moment(event.at, language, timezone=visit.timezone),
            say(words.WHO, language): event.actor,
            say(words.DONE_WHAT, language): say(words.ACTS[event.act], language)
            if event.act in words.ACTS
            else event.act,
            say(words.RELEASE, language): event.release_id,
            say(words.WHY, language): event.why,
        }
        for event in found.events
    ]
    show_table(rows, name="history", language=language)
