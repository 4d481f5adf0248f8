"""Memory by window as stacked bars, with the memory that there is as a line. The same numbers stand in a table beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import altair as alt
import streamlit as st

HEIGHT_PIXELS: Final = 280
# Told apart on light and on dark ground; neighbours differ in lightness, for people who see red and green alike.
COLOURS: Final = ("#3d84a8", "#c77d0a", "#7a9a3c", "#8a6fae", "#7a7f87")


def windows(
    rows: Sequence[tuple[str, Mapping[str, float]]], *, room_gib: float, across: str, up: str, limit: str
) -> None:
    """One bar for each (window, GiB by part), parts on top of each other; a dashed line at `room_gib`, which `limit` names.

    Bars are cut at twice the memory: beyond that, how much too large is no use to anybody, and the others would vanish.
    """
    names = list(dict.fromkeys(name for _, parts in rows for name in parts))
    values = [
        {"window": window, "part": name, "order": names.index(name), "gib": size}
        for window, parts in rows
        for name, size in parts.items()
    ]
    highest = max((sum(parts.values()) for _, parts in rows), default=0.0)
    top = 1.08 * min(max(highest, room_gib), 2 * room_gib)
    bars = (
        alt.Chart(alt.InlineData(values))
        .mark_bar(clip=True)
        .encode(
            x=alt.X(
                "window:N",
                sort=[window for window, _ in rows],
                title=across,
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y("gib:Q", title=up, stack="zero", scale=alt.Scale(domain=[0, top])),
            order=alt.Order("order:Q"),
            color=alt.Color(
                "part:N",
                title=None,
                sort=names,
                scale=alt.Scale(domain=names, range=list(COLOURS[: len(names)])),
                legend=alt.Legend(orient="top", columns=2),
            ),
            tooltip=["window:N", alt.Tooltip("part:N", title=" "), alt.Tooltip("gib:Q", title=up, format=".2f")],
        )
    )
    line = (
        alt.Chart(alt.InlineData([{"gib": room_gib, "name": limit}]))
        .mark_rule(color="#b3372f", strokeDash=[5, 4], size=2)
        .encode(y="gib:Q", tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("gib:Q", title=up, format=".2f")])
    )
    st.altair_chart((bars + line).properties(height=HEIGHT_PIXELS), width="stretch")
