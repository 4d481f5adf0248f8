"""Memory of models, for administrators: whether one fits, how long a window people need, and what it costs beside a cloud."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from assistant.wire_capacity import CapacityOut, PartOut, PlanOfMemoryOut
from assistant.wire_questions import CostOut
from ui import admin_calls, calls, memory_chart, parts
from ui import system_parts as pieces
from ui.client import ProblemError
from ui.formats import number, percent
from ui.listing import show_table
from ui.numbers import show_numbers
from ui.screens.documents import show_problem
from ui.visit import Visit
from ui.words import capacity as words
from ui.words import say
from ui.words import use as use_words

KV_TYPES: Final = ("f16", "q8_0", "q4_0")
DAYS: Final = 30
GIB: Final = 1 << 30


def show(visit: Visit) -> None:
    """Draw the screen."""
    language = visit.language
    st.html(parts.heading(words.TITLE, words.INTRO, language=language))
    try:
        known = admin_calls.capacity(visit.client)
        wanted = _wanted(known, visit)
        _show_plan_or_why_not(wanted, visit)
        _show_cost(visit)
    except ProblemError as error:
        show_problem(error, language)


def _wanted(known: CapacityOut, visit: Visit) -> dict[str, Any]:
    """What is to be planned, as the API's query; everything begins with the present settings."""
    language = visit.language
    if known.models_problem is not None:
        st.caption(say(words.OLLAMA_AWAY, language))
    installed = {model.name: model.is_installed for model in known.models}
    chat = ["", *(model.name for model in known.models if not model.is_embedder)]
    beside = ["", "none", *(model.name for model in known.models if model.is_embedder is not False)]

    def shown(name: str, configured: str) -> str:
        if name == "":
            usual = say(words.NO_EMBEDDER, language) if configured == "none" else configured
            return say(words.CONFIGURED, language, name=usual)
        if name == "none":
            return say(words.NO_EMBEDDER, language)
        return say(words.INSTALLED, language, name=name) if installed[name] else name

    left, right = st.columns(2)
    model = left.selectbox(
        say(words.MODEL, language), chat, key="capacity_model", format_func=lambda name: shown(name, known.model)
    )
    embedder = right.selectbox(
        say(words.EMBEDDER, language),
        beside,
        key="capacity_embedder",
        format_func=lambda name: shown(name, known.embedder),
    )
    one, two, three = st.columns(3)
    four, five, six = st.columns(3)
    gib = one.number_input(
        say(words.GPU_GIB, language),
        0.0,
        4096.0,
        0.0,
        1.0,
        key="capacity_gib",
        format="%g",
        help=say(words.GPU_HELP, language),
    )
    cards = two.number_input(say(words.GPUS, language), 1, 16, max(len(known.gpus), 1), key="capacity_gpus")
    num_ctx = three.number_input(
        say(words.NUM_CTX, language), 256, 1_048_576, known.num_ctx, step=1024, key="capacity_num_ctx"
    )
    parallel = four.number_input(say(words.PARALLEL, language), 1, 64, min(known.parallel, 64), key="capacity_parallel")
    kv_type = five.selectbox(say(words.KV_TYPE, language), KV_TYPES, index=1, key="capacity_kv")
    flash = six.selectbox(
        say(words.FLASH, language),
        list(words.FLASHES),
        key="capacity_flash",
        format_func=lambda flash: say(words.FLASHES[flash], language),
    )
    _say_what_is_seen(known, visit)
    wanted = {"model": model, "num_ctx": str(num_ctx), "parallel": str(parallel), "kv_type": kv_type}
    wanted |= {"flash_attention": flash} | ({"embedder": embedder} if embedder else {})
    return wanted | ({"gpu_gib": [f"{max(gib, 0.5):g}"] * cards} if gib else {})


def _say_what_is_seen(known: CapacityOut, visit: Visit) -> None:
    language = visit.language
    if known.gpu_problem is not None:
        st.warning(known.gpu_problem, icon=":material/warning:")
    elif known.gpus:
        cards = ", ".join(
            say(words.CARD, language, name=parts.unmarked(card.name), size=_gib(card.total_bytes))
            for card in known.gpus
        )
        st.caption(say(words.SEEN, language, cards=cards))
    else:
        st.caption(say(words.NOT_SEEN, language, size=_gib(known.machine_bytes)))


def _show_plan_or_why_not(wanted: dict[str, Any], visit: Visit) -> None:
    """The plan and the advice, or why there is none; what was chosen stays above to be changed."""
    try:
        found = admin_calls.plan(visit.client, wanted)
    except ProblemError as error:
        st.html(parts.problem(error.problem, language=visit.language, retry_after_seconds=None, is_partial=False))
        return
    _show_verdict(found, visit)
    _show_parts(found, visit)
    _show_windows(found, visit)
    _show_advice(wanted, visit)


def _show_verdict(found: PlanOfMemoryOut, visit: Visit) -> None:
    language = visit.language
    name = found.room_name or say(words.ENTERED if found.is_gpu else words.THIS_MACHINE, language)
    sentences = [
        say(words.SUM, language, total=_gib(found.total_bytes), room=_gib(found.room_bytes), name=name),
        say(words.LACKS, language, lacks=_gib(found.spread_bytes - found.free_bytes))
        if found.verdict == "too_large"
        else say(words.LEFT, language, free=_gib(found.free_bytes), spread=_gib(found.spread_bytes)),
        *found.notices,
    ]
    st.html(pieces.verdict_box(say(words.NAMES[found.verdict], language), sentences, found.verdict, language=language))
    shown = (
        (say(words.TOTAL, language), _gib(found.total_bytes)),
        (say(words.FREE, language), _gib(found.free_bytes)),
        (
            say(words.LARGEST_WINDOW, language, count=found.parallel),
            number(found.largest_num_ctx) if found.largest_num_ctx else say(words.NOTHING_FITS, language),
        ),
        (
            say(words.LARGEST_PARALLEL, language, tokens=number(found.num_ctx)),
            number(found.largest_parallel) if found.largest_parallel else say(words.NOTHING_FITS, language),
        ),
    )
    show_numbers(shown)


def _show_parts(found: PlanOfMemoryOut, visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.PARTS, language))
    rows = [
        {say(words.PART, language): part.title, say(words.SIZE_GIB, language): round(part.size_bytes / GIB, 2)}
        for part in found.parts
        if part.size_bytes
    ]
    total = {
        say(words.PART, language): say(words.TOTAL, language),
        say(words.SIZE_GIB, language): round(found.total_bytes / GIB, 2),
    }
    show_table([*rows, total], name="parts", language=language)
    st.html(pieces.small(say(words.SOURCE, language, source=found.source), language=language))


def _show_windows(found: PlanOfMemoryOut, visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.BY_WINDOW, language))
    bars = [
        (number(row.num_ctx), _heights(cell.parts))
        for row in found.table
        for cell in row.cells
        if cell.kv_type == found.kv_type
    ]
    memory_chart.windows(
        bars,
        room_gib=found.room_bytes / GIB,
        across=say(words.NUM_CTX, language),
        up=say(words.SIZE_GIB, language),
        limit=say(words.MEMORY_LINE, language),
    )
    st.caption(say(words.CHART, language, kv_type=found.kv_type, count=found.parallel))
    rows = [
        {
            say(words.NUM_CTX, language): row.num_ctx,
            **{
                cell.kv_type: say(
                    words.CELL,
                    language,
                    size=_gib(cell.total_bytes),
                    mark=say(words.MARKS[cell.verdict], language),
                )
                for cell in row.cells
            },
        }
        for row in found.table
    ]
    show_table(rows, name="windows", language=language)


def _heights(some: list[PartOut]) -> dict[str, float]:
    return {part.title: round(part.size_bytes / GIB, 3) for part in some if part.size_bytes}


def _show_advice(wanted: dict[str, Any], visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.ADVICE, language))
    st.caption(say(words.ADVICE_FROM, language))
    found = admin_calls.advice(visit.client, model=wanted["model"], kv_type=wanted["kv_type"], days=DAYS)
    kind = "fits" if found.advice == "keep" else "plain" if found.advice == "unknown" else "spills"
    st.html(pieces.verdict_box("", found.lines, kind, language=language))


def _show_cost(visit: Visit) -> None:
    language = visit.language
    st.subheader(say(words.COST, language))
    found = calls.use(visit.client, days=DAYS)
    if found.cost is None or found.prices is None:
        st.info(say(words.NO_PRICES, language))
    else:
        _show_money(found.cost, found.prices.currency, visit)


def _show_money(cost: CostOut, currency: str, visit: Visit) -> None:
    language = visit.language
    shown = [
        (use_words.OWN, parts.money(cost.own, currency)),
        (use_words.CLOUD, parts.money(cost.cloud, currency)),
        *([(use_words.SAVING, percent(cost.saving))] if cost.saving is not None else []),
    ]
    show_numbers([(say(label, language), value) for label, value in shown])
    if cost.even_tokens_per_day is not None:
        st.caption(say(use_words.EVEN, language, tokens=number(cost.even_tokens_per_day)))


def _gib(size_bytes: int) -> str:
    """As 1.25 GiB, the unit of model servers."""
    return f"{size_bytes / GIB:,.2f} GiB"
