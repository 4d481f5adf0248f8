"""Ingestion for administrators: folders, runs as they go, what cannot be read and what to do, how well scans and the embedder
read."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from assistant.errors import Language
from assistant.wire import JobOut
from assistant.wire_admin import FolderOut, IngestionOut, TroubledOut
from assistant.wire_library import JobDetailOut
from ui import calls, charts, parts
from ui.client import ProblemError
from ui.formats import moment, number, size
from ui.listing import show_table
from ui.screens.documents import reason_words, show_problem
from ui.visit import Visit
from ui.words import ingestion as words
from ui.words import receipts, say

WATCH_SECONDS: Final = 2.0
REST_SECONDS: Final = 15.0
UNFIT_BELOW: Final = 0.7
UNDER_WAY: Final = frozenset({"queued", "running"})


def show(visit: Visit) -> None:
    """Draw the screen."""
    language = visit.language
    st.html(parts.heading(words.TITLE, words.INTRO, language=language))
    try:
        folders = calls.folders(visit.client).folders
        found = calls.ingestion(visit.client)
        _show_folders(folders, visit)
        is_busy = any(job.state in UNDER_WAY for job in calls.jobs(visit.client).jobs)
        st.subheader(say(words.RUNS, language))
        st.fragment(_show_runs, run_every=WATCH_SECONDS if is_busy else REST_SECONDS)(visit)
        _show_trouble(found, visit)
        _show_quality(found, visit)
    except ProblemError as error:
        show_problem(error, language)


def _show_folders(folders: list[FolderOut], visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.FOLDERS, language))
    show_table(
        [_folder_row(folder, visit) for folder in folders], name="folders", language=language, empty=words.NO_FOLDERS
    )
    for folder in folders:
        waiting = folder.last_job.counts.get("deletions_waiting", 0) if folder.last_job is not None else 0
        if waiting:
            st.warning(say(words.DELETIONS_WAITING, language, folder=folder.folder, count=waiting))
    if not folders:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            say(words.CHOOSE_FOLDER, language), [folder.folder for folder in folders], key="ingestion_folder", width=260
        )
        for kind, label, icon in (
            ("plan", words.PLAN, ":material/preview:"),
            ("run", words.RUN, ":material/play_arrow:"),
            ("retry", words.RETRY, ":material/replay:"),
        ):
            if st.button(say(label, language), key=f"ingestion_{kind}", icon=icon):
                job = calls.ask_for_job(visit.client, kind, chosen)
                if kind == "plan":
                    st.session_state.planned_job = job.job_id
                st.toast(say(words.ASKED_FOR, language))


def _folder_row(folder: FolderOut, visit: Visit) -> dict[str, Any]:
    language, counts, last = visit.language, folder.documents, folder.last_job
    return {
        say(words.FOLDER, language): folder.folder,
        say(words.SEARCHABLE, language): counts.get("indexed", 0),
        say(words.TO_LOOK_AT, language): counts.get("warn", 0),
        say(words.FAILED, language): counts.get("failed", 0),
        say(words.PENDING, language): counts.get("pending", 0),
        say(words.LEFT_OUT, language): counts.get("skipped", 0),
        say(words.LAST_RUN, language): moment((last and last.finished_at) or "", language, timezone=visit.timezone),
        say(words.LAST_RESULT, language): say(words.STATES[last.state], language) if last is not None else "",
        say(words.PLACE, language): folder.root,
    }


def _show_runs(visit: Visit) -> None:
    """Runs under way, the plan that was asked for, and the latest runs; drawn again by itself."""
    language = visit.language
    try:
        jobs = calls.jobs(visit.client).jobs
        plan_id = st.session_state.get("planned_job")
        plan = calls.job(visit.client, plan_id) if plan_id else None
    except ProblemError as error:
        show_problem(error, language)
        return
    for job in jobs:
        if job.state == "running":
            done, total = job.counts.get("done", 0), job.counts.get("total", 0)
            share = min(done / total, 1.0) if total else 0.0
            st.progress(share, text=say(words.RUNNING, language, **_named(job, language), done=done, total=total))
        elif job.state == "queued":
            st.progress(0.0, text=say(words.QUEUED, language, **_named(job, language)))
    if plan is not None and plan.result is not None:
        _show_plan(plan, visit)
    show_table([_job_row(job, visit) for job in jobs], name="runs", language=language, empty=words.NO_RUNS)


def _named(job: JobOut, language: Language) -> dict[str, str]:
    kind = say(words.KINDS[job.kind], language) if job.kind in words.KINDS else job.kind
    return {"kind": kind, "folder": job.folder.rstrip("/").rpartition("/")[2]}


def _job_row(job: JobOut, visit: Visit) -> dict[str, Any]:
    language, named = visit.language, _named(job, visit.language)
    lines = (job.error or "").splitlines()
    return {
        say(words.STARTED, language): moment(job.started_at or job.created_at, language, timezone=visit.timezone),
        say(words.KIND, language): named["kind"],
        say(words.FOLDER, language): named["folder"],
        say(words.STATE, language): say(words.STATES[job.state], language),
        say(words.ADDED, language): job.counts.get("add"),
        say(words.CHANGED, language): job.counts.get("change"),
        say(words.DELETED, language): job.counts.get("delete"),
        say(words.FAILED, language): job.counts.get("failed"),
        say(words.BY, language): job.requested_by,
        say(words.ERROR, language): (lines[0] if language == "ja" else lines[-1]) if lines else "",
    }


def _show_plan(plan: JobDetailOut, visit: Visit) -> None:
    language, found = visit.language, plan.result
    if found is None:
        return
    when = moment(plan.finished_at or "", language, timezone=visit.timezone)
    with st.container(border=True):
        st.html(parts.side_title_of(say(words.PLAN_TITLE, language, when=when), language=language))
        counted = {kind: found.counts.get(kind, 0) for kind in words.PLAN_KINDS}
        if not any(counted.values()):
            st.caption(say(words.PLAN_NOTHING, language))
            return
        time_words = (
            say(words.PLAN_UNKNOWN_TIME, language)
            if found.seconds is None
            else say(words.PLAN_TIME, language, minutes=number(max(found.seconds / 60, 0.1), digits=1))
        )
        st.caption(
            say(words.PLAN_READ, language, files=number(found.read_files), size=size(found.read_bytes))
            + " "
            + time_words
        )
        rows = [
            {
                say(words.KIND, language): say(words.PLAN_KINDS[kind], language),
                say(words.FILE, language): file.path,
                say(words.NOTE, language): file.note or "",
            }
            for kind, files in found.files.items()
            if kind in words.PLAN_KINDS
            for file in files
        ]
        show_table(rows, name="plan", language=language)
        more = sum(counted.values()) - len(rows)
        if more > 0:
            st.caption(say(words.PLAN_MORE, language, count=number(more)))


def _show_trouble(found: IngestionOut, visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.FAILURES, language))
    if not found.failures:
        st.caption(say(words.NO_FAILURES, language))
    for one in found.failures:
        _show_one(one, reason_words(one.code, language), None, visit, name="failures")
    st.subheader(say(words.WARNINGS, language))
    if not found.warnings:
        st.caption(say(words.NO_WARNINGS, language))
    for one in found.warnings:
        known = receipts.WARNINGS.get(one.code)
        hint = say(known, language) if known is not None else None
        _show_one(one, hint or one.code, hint, visit, name="warnings")


def _show_one(one: TroubledOut, title: str, hint: str | None, visit: Visit, *, name: str) -> None:
    """One reason with its files; what to do stands above them, once."""
    language = visit.language
    with st.expander(say(words.COUNTED, language, name=title, count=number(one.count))):
        first = next((file.detail for file in one.files if file.detail), None)
        if hint is None and first is not None:
            st.info(first)
        rows = [
            {
                say(words.FOLDER, language): file.folder,
                say(words.FILE, language): file.path,
                say(words.TRIES, language): file.attempts,
                say(words.WHAT_TO_DO, language): file.detail or "",
            }
            for file in one.files
        ]
        if rows:
            show_table(rows, name=f"{name}-{one.code}", language=language)
        hidden = one.count - len(one.files)
        if hidden > 0:
            st.caption(say(words.NOT_NAMED if len(rows) < 50 else words.PLAN_MORE, language, count=number(hidden)))


def _show_quality(found: IngestionOut, visit: Visit) -> None:
    language = visit.language
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(say(words.SCANS, language), help=say(words.SCANS_HELP, language))
        if any(found.pages_by_tenth):
            labels = [f"{tenth * 10}-{tenth * 10 + 9}" for tenth in range(9)] + ["90-100"]
            charts.bars(
                dict(zip(labels, found.pages_by_tenth, strict=True)),
                across=say(words.CERTAINTY, language),
                up=say(words.PAGES, language),
            )
            st.caption(say(words.WORST_PAGES, language))
            rows = [
                {
                    say(words.FILE, language): page.path,
                    say(words.PAGE, language): page.page,
                    say(words.CERTAINTY, language): round(page.confidence, 1),
                }
                for page in found.worst_pages
            ]
            show_table(rows, name="scanned-pages", language=language)
        else:
            st.caption(say(words.NO_SCANS, language))
    with right:
        st.subheader(say(words.FITNESS, language), help=say(words.FITNESS_HELP, language))
        if found.fitness:
            charts.bars(
                {_spoken(one.language, language): one.share for one in found.fitness},
                across=say(words.LANGUAGE, language),
                up=say(words.FOUND_SHARE, language),
                is_share=True,
                line_at=UNFIT_BELOW,
            )
        else:
            st.caption(say(words.NO_FITNESS, language))
        if found.embedder is not None:
            st.caption(say(words.EMBEDDER, language, embedder=found.embedder))


def _spoken(code: str, language: Language) -> str:
    return say(words.LANGUAGES[code], language) if code in words.LANGUAGES else code
