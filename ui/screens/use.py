"""Use and cost, for administrators: questions by day, how fast answers come, the folders they rest on, own cost and a cloud's."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from assistant.wire_admin import DayOut, UsageOut
from assistant.wire_questions import CostOut, PricesShape, UseOut
from ui import calls, charts, parts
from ui.client import ProblemError
from ui.formats import number, percent
from ui.listing import show_table
from ui.screens.documents import show_problem
from ui.visit import Visit
from ui.words import say
from ui.words import use as words

DAYS: Final = (7, 30, 90, 365)


def show(visit: Visit) -> None:
    """Draw the screen."""
    language = visit.language
    st.html(parts.heading(words.TITLE, words.INTRO, language=language))
    days = st.selectbox(say(words.DAYS, language), DAYS, index=1, key="use_days", width=200)
    try:
        usage, use = calls.usage(visit.client, days=days), calls.use(visit.client, days=days)
        if not usage.questions:
            st.info(say(words.NONE, language))
        else:
            _show_numbers(usage, use, visit)
            _show_days(usage.days, use, visit)
            _show_folders(use, visit)
        _show_cost(use, visit)
    except ProblemError as error:
        show_problem(error, language)


def _show_numbers(usage: UsageOut, use: UseOut, visit: Visit) -> None:
    language = visit.language
    shown = (
        (words.QUESTIONS, usage.questions),
        (words.REFUSED, usage.refused),
        (words.QUOTED, usage.quotes),
        (words.HELPED, usage.up),
        (words.DID_NOT_HELP, usage.down),
        (words.ASKERS, use.askers),
    )
    for column, (label, value) in zip(st.columns(len(shown)), shown, strict=True):
        column.metric(say(label, language), number(value))


def _show_days(days: list[DayOut], use: UseOut, visit: Visit) -> None:
    language = visit.language
    ordered = days[::-1]
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(say(words.BY_DAY, language))
        charts.days(
            {
                say(words.ANSWERED, language): {one.day: one.questions - one.refused for one in ordered},
                say(words.REFUSED, language): {one.day: one.refused for one in ordered},
            },
            up=say(words.NUMBER, language),
        )
    with right:
        st.subheader(say(words.SPEED, language))
        times = use.times[::-1]
        charts.days(
            {
                say(words.MIDDLE, language): {one.day: one.first_token_p50 for one in times},
                say(words.SLOW, language): {one.day: one.first_token_p95 for one in times},
                say(words.WAIT_SLOW, language): {one.day: one.wait_p95 for one in times},
            },
            up=say(words.SECONDS, language),
            is_line=True,
        )
    by_day = {one.day: one for one in use.times}
    rows: list[dict[str, object]] = []
    for one in days:
        row: dict[str, object] = {
            say(words.DAY, language): one.day,
            say(words.QUESTIONS, language): one.questions,
            say(words.REFUSED, language): one.refused,
            say(words.ASKERS, language): one.askers,
            say(words.HELPED, language): one.up,
            say(words.DID_NOT_HELP, language): one.down,
        }
        measured = by_day.get(one.day)
        if measured is not None:
            row |= {
                say(words.MIDDLE, language): _rounded(measured.first_token_p50),
                say(words.SLOW, language): _rounded(measured.first_token_p95),
                say(words.WAIT_MIDDLE, language): _rounded(measured.wait_p50),
                say(words.WAIT_SLOW, language): _rounded(measured.wait_p95),
            }
        rows.append(row)
    show_table(rows, name="days", language=language)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def _show_folders(use: UseOut, visit: Visit) -> None:
    language = visit.language
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(say(words.FOLDERS, language))
        rows = [{say(words.FOLDER, language): one.name, say(words.CITED, language): one.count} for one in use.folders]
        show_table(rows, name="folders", language=language)
    with right:
        st.subheader(say(words.PEOPLE, language))
        if use.people:
            people = [
                {say(words.PERSON, language): one.name, say(words.QUESTIONS, language): one.count} for one in use.people
            ]
            show_table(people, name="people", language=language)
        else:
            st.caption(say(words.PEOPLE_HIDDEN, language))


def _show_cost(use: UseOut, visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.COST, language))
    st.caption(say(words.COST_INTRO, language))
    st.caption(
        say(
            words.TOKENS,
            language,
            prompt=number(use.prompt_tokens),
            answer=number(use.answer_tokens),
            hours=number(use.busy_seconds / 3600, digits=1),
        )
    )
    if use.cost is not None and use.prices is not None:
        _show_money(use.cost, use.prices.currency, visit)
    else:
        st.info(say(words.ENTER_PRICES, language))
    with st.expander(say(words.PRICES, language), expanded=use.prices is None):
        _show_form(use.prices, visit)


def _show_money(cost: CostOut, currency: str, visit: Visit) -> None:
    language = visit.language
    money = (
        (words.CLOUD, cost.cloud),
        (words.OWN, cost.own),
        (words.ELECTRICITY, cost.electricity),
        (words.HARDWARE, cost.hardware),
    )
    columns = st.columns(len(money) + 1)
    for column, (label, value) in zip(columns, money, strict=False):
        column.metric(say(label, language), parts.money(value, currency))
    if cost.saving is not None:
        columns[-1].metric(say(words.SAVING, language), percent(cost.saving))
    if cost.even_tokens_per_day is not None:
        st.caption(say(words.EVEN, language, tokens=number(cost.even_tokens_per_day)))
    elif cost.cloud:
        st.caption(say(words.NEVER_EVEN, language))


def _show_form(prices: PricesShape | None, visit: Visit) -> None:
    language = visit.language
    known: dict[str, Any] = prices.model_dump() if prices is not None else {"currency": "JPY", "hardware_years": 4.0}
    labels = {
        "cloud_prompt_per_million": words.CLOUD_PROMPT,
        "cloud_answer_per_million": words.CLOUD_ANSWER,
        "busy_watts": words.BUSY_WATTS,
        "idle_watts": words.IDLE_WATTS,
        "electricity_per_kwh": words.KWH,
        "hardware_price": words.MACHINE,
        "hardware_years": words.YEARS,
    }
    with st.form("prices", border=False):
        currency = st.text_input(say(words.CURRENCY, language), value=known["currency"], max_chars=8)
        columns = st.columns(2)
        entered = {
            name: columns[place % 2].number_input(
                say(label, language),
                min_value=0.1 if name == "hardware_years" else 0.0,
                value=float(known.get(name, 0.0)),
                key=f"price-{name}",
            )
            for place, (name, label) in enumerate(labels.items())
        }
        if st.form_submit_button(say(words.SAVE_PRICES, language), type="primary"):
            calls.keep_prices(visit.client, PricesShape(currency=(currency or "").strip() or "JPY", **entered))
            st.rerun()
