"""A plan as a picture: bars of memory over num_ctx for each KV type, and the line that is there. With load_report.py the one
door to matplotlib.

SVG, since it stays sharp, is small, and its text stays text: the reader's own fonts draw Japanese, which matplotlib's do
not have.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from assistant.errors import Language, Text
from assistant.release.capacity import Plan, table
from assistant.release.capacity_words import PARTS, parts_of
from assistant.release.vram import KV_TYPES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GIB = 1 << 30
_COLOURS = {"weights": "#4C6FA5", "kv": "#E0A03B", "compute": "#6FA56B", "embedder": "#9A77B0", "overhead": "#A9A9A9"}
_BAR_WIDTH = 0.8


@contextmanager
def svg_chart(
    *, panels: int, width: float = 11.0, height: float = 4.2, sharey: bool = True
) -> Iterator[tuple[Any, io.StringIO]]:
    """(axes side by side, where the SVG is when the block has ended). The same input gives the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    options: Any = {"svg.fonttype": "none", "svg.hashsalt": "capacity", "font.family": "sans-serif", "font.size": 9}
    target = io.StringIO()
    with mpl.rc_context(options), warnings.catch_warnings():
        # Only widths are guessed from its own fonts, which lack Japanese; the reader's draw the text.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure.subplots(1, panels, sharey=sharey, squeeze=False)[0], target
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})


def plan_picture(found: Plan, language: Language) -> str:
    """The picture as the text of an SVG file."""
    rows = list(table(found.wish, found.room))
    with svg_chart(panels=len(KV_TYPES)) as (axes, target):
        for kv_type, panel in zip(KV_TYPES, axes, strict=True):
            _draw(panel, [(tokens, plans[kv_type]) for tokens, plans in rows], language)
            panel.set_title(f"KV {kv_type}")
            panel.axhline(found.room.total_bytes / _GIB, color="#B03030", linewidth=1.4)
        axes[0].set_ylabel("GiB")
        highest = max(plan.total_bytes for _, plans in rows for plan in plans.values())
        axes[0].set_ylim(0, 1.08 * min(max(highest, found.room.total_bytes), 2 * found.room.total_bytes) / _GIB)
        axes[-1].legend(loc="upper left", frameon=False)
        load = found.wish.load
        title = Text(
            ja=f"{found.wish.model.name}: 同時 {load.parallel}。赤い線が今あるメモリ",
            en=f"{found.wish.model.name}: {load.parallel} at once. The red line is the memory there is",
        )
        axes[0].figure.suptitle(title.in_language(language))
    return target.getvalue()


def _draw(panel: Axes, plans: list[tuple[int, Plan]], language: Language) -> None:
    places = range(len(plans))
    below = [0.0] * len(plans)
    for name in PARTS:
        heights = [parts_of(plan)[name] / _GIB for _, plan in plans]
        if any(heights):
            label = PARTS[name].in_language(language)
            panel.bar(places, heights, _BAR_WIDTH, bottom=below, label=label, color=_COLOURS[name])
            below = [low + height for low, height in zip(below, heights, strict=True)]
    panel.set_xticks(list(places), [f"{tokens:,}" for tokens, _ in plans], rotation=45)
    panel.set_xlabel("num_ctx")
    panel.spines[["top", "right"]].set_visible(False)
