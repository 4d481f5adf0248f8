"""Charts by Streamlit's own Altair, in the screen's colours. The same numbers stand in a table beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import altair as alt
import streamlit as st

HEIGHT_PIXELS: Final = 220
# Told apart on light and on dark ground, and by people who see red and green alike.
COLOURS: Final = ("#3d84a8", "#c77d0a", "#7a7f87")


def bars(
    values: Mapping[str, float], *, across: str, up: str, is_share: bool = False, line_at: float | None = None
) -> None:
    """One bar for each label in the given order; `line_at` marks a limit. `across` and `up` name the axes."""
    data = alt.InlineData([{"label": label, "value": value} for label, value in values.items()])
    if is_share:
        upwards = alt.Y("value:Q", title=up, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    else:
        upwards = alt.Y("value:Q", title=up, axis=alt.Axis(format="d", tickMinStep=1))
    chart: Any = (
        alt.Chart(data)
        .mark_bar(color=COLOURS[0])
        .encode(
            x=alt.X("label:N", sort=None, title=across, axis=alt.Axis(labelAngle=0)),
            y=upwards,
            tooltip=[
                alt.Tooltip("label:N", title=across),
                alt.Tooltip("value:Q", title=up, format=".0%" if is_share else ","),
            ],
        )
    )
    if line_at is not None:
        limit = alt.Chart(alt.InlineData([{"value": line_at}])).mark_rule(color=COLOURS[1], strokeDash=[4, 4])
        chart = chart + limit.encode(y="value:Q")
    st.altair_chart(chart.properties(height=HEIGHT_PIXELS), width="stretch")


def days(series: Mapping[str, Mapping[str, float | None]], *, up: str, is_line: bool = False) -> None:
    """Each series' value by day: bars on top of each other, or lines. Days without a value are left out."""
    values = [
        {"day": day, "series": name, "value": value}
        for name, by_day in series.items()
        for day, value in by_day.items()
        if value is not None
    ]
    chart = alt.Chart(alt.InlineData(values))
    marked = chart.mark_line(point=True) if is_line else chart.mark_bar()
    drawn = marked.encode(
        x=alt.X("day:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("value:Q", title=up, axis=alt.Axis() if is_line else alt.Axis(tickMinStep=1)),
        color=alt.Color(
            "series:N",
            title=None,
            sort=list(series),
            scale=alt.Scale(domain=list(series), range=list(COLOURS[: len(series)])),
            legend=alt.Legend(orient="top", columns=1 if is_line else 0, labelLimit=0),
        ),
        tooltip=["day:O", alt.Tooltip("series:N", title=" "), alt.Tooltip("value:Q", title=up, format=",.1f")],
    )
    st.altair_chart(drawn.properties(height=HEIGHT_PIXELS), width="stretch")
