"""A row of large numbers with their names, which breaks into as many rows as a narrow screen needs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st


def show_numbers(named: Sequence[tuple[str, str]]) -> None:
    """Each name with its value, as they are: in the reader's words."""
    with st.container(horizontal=True, gap="medium"):
        for name, value in named:
            st.metric(name, value, width="content")
