"""Keys, users and the audit, for administrators. A new key is shown once: in the tab that made it, until it is hidden."""

from __future__ import annotations

import json
from typing import Any, Final

import streamlit as st
from pydantic import ValidationError

from assistant.audit import Act
from assistant.wire_people import AuditEntryOut, AuditOut, KeyIn, KeyOut, KeysOut, UserOut, UsersOut
from ui import admin_calls as calls
from ui import parts
from ui.client import ProblemError
from ui.formats import day, moment, number
from ui.listing import show_table
from ui.screens.documents import show_problem
from ui.visit import Visit
from ui.words import people as words
from ui.words import say

MOST_ENTRIES: Final = 500
DEFAULT_DAYS: Final = 90
DISABLED_TOML: Final = "[users.ben]\ndisabled = true"


def show(visit: Visit) -> None:
    """Draw the screen."""
    language = visit.language
    st.html(parts.heading(words.TITLE, words.INTRO, language=language))
    try:
        keys, users = calls.keys(visit.client), calls.users(visit.client)
        _show_keys(keys, users, visit)
        _show_users(users, visit)
        _show_audit(visit)
    except ProblemError as error:
        show_problem(error, language)


def _show_keys(found: KeysOut, users: UsersOut, visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.KEYS, language))
    _show_made(visit)
    show_table([_key_row(key, visit) for key in found.keys], name="keys", language=language, empty=words.NO_KEYS)
    living = [key.name for key in found.keys if key.state == "active"]
    if living:
        _show_revoking(living, visit)
    with st.expander(say(words.NEW_KEY, language), expanded=not found.keys, icon=":material/key:"):
        _show_form(found, users, visit)


def _show_made(visit: Visit) -> None:
    """The key that was just made; it stands in this tab's memory alone."""
    made = st.session_state.get("people_made")
    if made is None:
        return
    language = visit.language
    with st.container(border=True):
        st.success(say(words.MADE, language, name=parts.unmarked(made[0])), icon=":material/key:")
        st.code(made[1], language=None, wrap_lines=True)
        if st.button(say(words.HIDE, language), key="people_hide", icon=":material/visibility_off:"):
            del st.session_state.people_made
            st.rerun()


def _key_row(key: KeyOut, visit: Visit) -> dict[str, Any]:
    language = visit.language
    used = moment(key.last_used_at or "", language, timezone=visit.timezone)
    return {
        say(words.NAME, language): key.name,
        say(words.STATE, language): say(words.STATES[key.state], language),
        say(words.PREFIX, language): f"{key.prefix}…",
        say(words.SCOPES, language): ", ".join(key.scopes),
        say(words.GROUPS, language): ", ".join(key.groups),
        say(words.EXPIRES, language): day(key.expires_at or "", language, timezone=visit.timezone)
        or say(words.NO_END, language),
        say(words.LAST_USED, language): used or say(words.NOT_USED, language),
        say(words.OWNER, language): key.owner or "",
        say(words.RATE, language): key.questions_per_minute,
        say(words.CREATED, language): day(key.created_at, language, timezone=visit.timezone),
    }


def _show_revoking(living: list[str], visit: Visit) -> None:
    language = visit.language
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(say(words.REVOKE_WHICH, language), living, key="people_revoke_which", width=320)
        if st.button(say(words.REVOKE, language), key="people_revoke", icon=":material/block:"):
            st.session_state.people_revoking = name
    if name is not None and st.session_state.get("people_revoking") == name:
        st.warning(say(words.REVOKE_SURE, language, name=parts.unmarked(name)), icon=":material/warning:")
        if st.button(say(words.REVOKE, language), key="people_revoke_sure", type="primary"):
            del st.session_state.people_revoking
            try:
                calls.revoke_key(visit.client, name)
            except ProblemError as error:
                _show_refusal(error, visit)
                return
            st.toast(say(words.REVOKED, language, name=parts.unmarked(name)))
            st.rerun()


def _show_form(found: KeysOut, users: UsersOut, visit: Visit) -> None:
    language = visit.language
    owners = ["", *(user.name for user in users.users if not user.is_disabled)]
    usual = [scope for scope in ("ask", "documents") if scope in found.scopes]
    with st.form("people_key", border=False, clear_on_submit=False):
        left, right = st.columns(2)
        name = left.text_input(
            say(words.NAME, language), key="key_name", max_chars=64, help=say(words.KEY_NAME_HELP, language)
        )
        scopes = right.multiselect(
            say(words.SCOPES, language),
            found.scopes,
            default=usual,
            key="key_scopes",
            placeholder=say(words.CHOOSE, language),
            format_func=lambda scope: say(words.SCOPE_NAMES[scope], language) if scope in words.SCOPE_NAMES else scope,
        )
        groups = left.multiselect(
            say(words.GROUPS, language),
            found.groups,
            key="key_groups",
            placeholder=say(words.CHOOSE, language),
            help=say(words.GROUPS_HELP, language),
        )
        owner = right.selectbox(
            say(words.OWNER, language),
            owners,
            key="key_owner",
            format_func=lambda owner: owner or say(words.NO_OWNER, language),
            help=say(words.OWNER_HELP, language),
        )
        days = left.number_input(say(words.DAYS, language), 0, 3650, DEFAULT_DAYS, key="key_days")
        rate = right.number_input(say(words.RATE_HELP, language), 0, 100_000, 0, key="key_rate")
        is_sent = st.form_submit_button(say(words.MAKE, language), type="primary", icon=":material/add:")
    if not is_sent:
        return
    if not scopes:
        st.error(say(words.NO_SCOPE, language))
        return
    try:
        wanted = KeyIn.model_validate(
            {
                "name": (name or "").strip(),
                "scopes": scopes,
                "groups": groups,
                "owner": owner or None,
                "days": days or None,
                "questions_per_minute": rate or None,
            }
        )
    except ValidationError:
        st.error(say(words.NAME_WRONG, language))
        return
    try:
        made = calls.make_key(visit.client, wanted)
    except ProblemError as error:
        _show_refusal(error, visit)
        return
    st.session_state.people_made = (made.made.name, made.key)
    st.rerun()


def _show_refusal(error: ProblemError, visit: Visit) -> None:
    """Why it was not done, beside what was pressed; the rest of the screen stays."""
    st.html(parts.problem(error.problem, language=visit.language, retry_after_seconds=None, is_partial=False))


def _show_users(found: UsersOut, visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.USERS, language))
    kept = words.KEPT_IN_FILE if found.is_in_file else words.KEPT_IN_LEDGER
    st.caption(say(kept, language, file=parts.unmarked(found.file)))
    if found.known_users_only:
        st.caption(say(words.KNOWN_ONLY, language))
    if found.is_in_file:
        st.code(DISABLED_TOML, language="toml")
    show_table([_user_row(user, visit) for user in found.users], name="users", language=language, empty=words.NO_USERS)
    others = [user for user in found.users if visit.me is None or user.name != visit.me.name]
    if found.is_in_file or not others:
        return
    by_name = {user.name: user for user in others}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(say(words.WHICH_USER, language), list(by_name), key="people_user", width=320)
        user = by_name[chosen]
        label, icon = (words.ENABLE, ":material/lock_open:") if user.is_disabled else (words.DISABLE, ":material/lock:")
        if st.button(say(label, language), key="people_user_state", icon=icon):
            try:
                changed = calls.set_user_state(visit.client, user.name, is_disabled=not user.is_disabled)
            except ProblemError as error:
                _show_refusal(error, visit)
                return
            done = words.IS_DISABLED if changed.is_disabled else words.IS_ENABLED
            st.toast(say(done, language, name=parts.unmarked(user.name)))
            st.rerun()


def _user_row(user: UserOut, visit: Visit) -> dict[str, Any]:
    language = visit.language
    return {
        say(words.NAME, language): user.name,
        say(words.DISPLAY_NAME, language): user.display_name,
        say(words.GROUPS, language): ", ".join(user.groups),
        say(words.STATE, language): say(words.DISABLED if user.is_disabled else words.ENABLED, language),
    }


def _show_audit(visit: Visit) -> None:
    """Asked for by the button alone: each look is an entry, and a page is drawn again at every click."""
    language = visit.language
    st.subheader(say(words.AUDIT, language))
    st.caption(say(words.AUDIT_HINT, language))
    with st.form("people_audit", border=False):
        columns = st.columns(4)
        actor = columns[0].text_input(
            say(words.WHO, language), key="audit_actor", max_chars=200, help=say(words.WHO_HELP, language)
        )
        act = columns[1].selectbox(
            say(words.ACT, language),
            ["", *(act.value for act in Act)],
            key="audit_act",
            format_func=lambda act: _act(act, visit),
        )
        since = columns[2].date_input(say(words.FROM, language), None, key="audit_since", format="YYYY-MM-DD")
        until = columns[3].date_input(say(words.TO, language), None, key="audit_until", format="YYYY-MM-DD")
        is_sent = st.form_submit_button(say(words.LOOK, language), icon=":material/search:")
    if is_sent:
        st.session_state.people_entries = calls.audit(
            visit.client,
            actor=(actor or "").strip(),
            act=act or "",
            since=str(since or ""),
            until=str(until or ""),
            limit=str(MOST_ENTRIES),
        )
    found: AuditOut | None = st.session_state.get("people_entries")
    if found is None:
        return
    kept = (
        say(words.KEPT_FOR, language, days=number(found.keep_days)),
        say(words.QUESTIONS_KEPT[found.questions], language),
    )
    st.caption(" ".join(kept))
    rows = [_entry_row(entry, visit, has_questions=found.questions == "text") for entry in found.entries]
    show_table(rows, name="audit", language=language, empty=words.NO_ENTRIES)
    if found.next is not None:
        st.caption(say(words.MORE, language, count=number(len(found.entries))))


def _act(act: str, visit: Visit) -> str:
    """The act in words; one that has none yet as the audit calls it."""
    if not act:
        return say(words.ANY_ACT, visit.language)
    return say(words.ACTS[act], visit.language) if act in words.ACTS else act


def _entry_row(entry: AuditEntryOut, visit: Visit, *, has_questions: bool) -> dict[str, Any]:
    language = visit.language
    row = {
        say(words.WHEN, language): moment(entry.at, language, timezone=visit.timezone),
        say(words.WHO, language): entry.actor,
        say(words.ACT, language): _act(entry.act, visit),
        say(words.SUBJECT, language): entry.subject,
        say(words.VIA, language): say(words.VIAS[entry.via], language) if entry.via in words.VIAS else entry.via,
    }
    if has_questions:
        row[say(words.QUESTION, language)] = entry.question or ""
    return row | {
        say(words.DOCUMENTS, language): " ".join(entry.documents),
        say(words.DETAILS, language): json.dumps(entry.details, ensure_ascii=False) if entry.details else "",
        say(words.REQUEST, language): entry.request_id,
    }
