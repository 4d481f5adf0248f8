"""A table on the screen with its own download, and what stands there when it is empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from assistant.errors import Language, Text
from ui.tables import csv_bytes
from ui.words import say, tables


def show_table(
    rows: Sequence[Mapping[str, object]], *, name: str, language: Language, empty: Text = tables.NOTHING
) -> None:
    """The rows under the names of the first one; `name` is the downloaded file's, without its ending."""
    if not rows:
        st.caption(say(empty, language))
        return
    st.dataframe([dict(row) for row in rows], hide_index=True, width="stretch", placeholder="")
    st.download_button(
        say(tables.DOWNLOAD, language),
        data=csv_bytes(rows),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"csv-{name}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )
