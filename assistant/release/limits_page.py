"""docs/reference/limits.md from the figures that `make limits` kept: what was measured, beside what was aimed at. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Row = tuple[str, str, str, bool]
"""What, the figure, the goal, whether it is met."""


def limits_page(kept: dict[str, Any]) -> str:
    """The page; `kept` are the benchmarks' lines by name."""
    lines = [
        "# Limits",
        "",
        "What one machine was seen to bear, the askers on the same machine, with a stub in the model's place that writes at an",
        "even pace. Measured by `make limits`. Why the line is as it is:",
        "[0015](../decisions/0015-a-fair-line-before-the-model.md).",
        "",
        "| what | measured | goal | met |",
        "|---|---|---|---|",
    ]
    for name, rows in _ROWS.items():
        if name in kept:
            lines += [
                f"| {what} | {figure} | {goal} | {'yes' if met else 'NO'} |"
                for what, figure, goal, met in rows(kept[name])
            ]
    lines += ["", "How it was measured:", ""]
    for name, found in kept.items():
        priority = "real-time priority" if found["real_time_priority"] else "ordinary priority"
        how = "the tests named in `scripts/write_limits.py`" if name == "tests" else f"`bench_{name}`"
        lines.append(
            f"- {how}: {found['date']}, {found['cores']} cores, {priority}, load of the machine before: "
            f"{found['load_before']}"
        )
    return "\n".join(lines) + "\n"


def _streams(found: dict[str, Any]) -> list[Row]:
    through = f"{found['streams']} streams of {found['tokens_per_second_each']:g} tokens a second through nginx"
    worst = found["worst_gap_p95_ms"]
    return [
        (f"{through}: streams that did not end well", str(found["errors"]), "0", found["errors"] == 0),
        (
            "the same: longest pause between two tokens of a stream, p95 of the streams",
            f"{worst:g} ms (50 ms are the model's)",
            f"<= {found['goal_ms']:g} ms",
            worst <= found["goal_ms"],
        ),
        ("the same: processor time of the API for a token", f"{found['api_cpu_ms_per_token']:g} ms", "-", True),
    ]


def _screen(found: dict[str, Any]) -> list[Row]:
    goals, core = found["goals"], found["core_share"]
    return [
        (
            "a page of the screen opened anew in Chromium through nginx, to the question box, p95",
            f"{found['paint_p95_seconds']:g} s",
            f"<= {goals['paint_seconds']:g} s",
            found["paint_p95_seconds"] <= goals["paint_seconds"],
        ),
        (
            "a click on a page with an answer, nothing asked of the API, p95",
            f"{found['interaction_p95_ms']:g} ms",
            f"<= {goals['interaction_ms']:g} ms",
            found["interaction_p95_ms"] <= goals["interaction_ms"],
        ),
        (
            f"memory of the screen for each of {found['pages']} open pages beyond the first",
            f"{found['page_mb']:g} MB",
            f"<= {goals['page_mb']:g} MB",
            found["page_mb"] <= goals["page_mb"],
        ),
        (
            f"{found['pages']} pages that stream an answer at once: processor of the screen",
            f"{100 * core:.0f} % of a core",
            f"<= {100 * goals['core_share']:.0f} %",
            core <= goals["core_share"],
        ),
    ]


def _fairness(found: dict[str, Any]) -> list[Row]:
    goals = found["goals"]
    asked = f"{found['questions']:,} questions of {found['users']} users, {found['model_parallel']} answered at once"
    rows: list[Row] = [(f"{asked}: lost", str(found["lost"]), "0", found["lost"] <= goals["lost"])]
    for crowd in ("people", "apps", "background"):
        share = found[f"{crowd}_share_max_to_min"]
        rows.append(
            (
                f"the same: most to least served, {crowd}",
                f"{share:g}",
                f"<= {goals['share']:g}",
                share <= goals["share"],
            )
        )
    waits = " / ".join(f"{found[f'{crowd}_wait_p95_seconds']:g}" for crowd in ("people", "apps", "background"))
    ratio, error = found["people_to_apps_p95"], found["told_error_median"]
    return [
        *rows,
        ("the same: p95 of the wait, people / apps / background", f"{waits} s", "-", True),
        (
            "the same: p95 of people's waits to that of apps",
            f"{ratio:.2f}",
            f"<= {goals['people_to_apps']:.2f}",
            ratio <= goals["people_to_apps"],
        ),
        (
            f"the same: the wait first told is off by (median of {found['told_waits']})",
            f"{100 * error:.0f} %",
            f"<= {100 * goals['error']:.0f} %",
            error <= goals["error"],
        ),
    ]


def _fairness_of_few(found: dict[str, Any]) -> list[Row]:
    error, goal = found["told_error_median"], found["goals"]["error"]
    what = f"{found['questions']:,} questions of the same users: the wait first told is off by (median of {found['told_waits']})"
    return [(what, f"{100 * error:.0f} %", f"<= {100 * goal:.0f} %", error <= goal)]


_LOADS = {
    "burst_20_people": ("20 people within half an answer's time", True),
    "burst_20_mixed": ("20 of people, apps and background mixed", False),
    "burst_20_cold": ("20 people, no answer ever timed", False),
    "day": ("arrivals without a plan at 80 % load", False),
}


def _told_wait(found: dict[str, Any]) -> list[Row]:
    rows = []
    for load, (words, has_goal) in _LOADS.items():
        figures = found[load]
        what = (
            f"in virtual time, {words}: the wait first told is off by (median; answers alike / of 2 to 12 s / skewed)"
        )
        told = " / ".join(f"{100 * figures[lengths]:.0f}" for lengths in ("short", "even", "skewed"))
        is_met = not has_goal or max(figures.values()) <= found["goal"]
        rows.append((what, f"{told} %", f"<= {100 * found['goal']:.0f} %" if has_goal else "-", is_met))
    return rows


def _hang_up(found: dict[str, Any]) -> list[Row]:
    goal = found["goal_ms"]
    return [
        (
            f"from hang-up to a free model, {words}, p95 of {found['times_each']}",
            f"{found[f'{name}_p95_ms']:g} ms",
            f"<= {goal:g} ms",
            found[f"{name}_p95_ms"] <= goal,
        )
        for name, words in (("writing", "in mid-answer"), ("reading_the_prompt", "while the prompt is read"))
    ]


def _existence(found: dict[str, Any]) -> list[Row]:
    goal = found["goal"]
    return [
        (
            f"{words} that may not be read, and one that never was: how often the first takes longer ({found['pairs']} of each)",
            f"{found[f'{door}_auc']:.0%} ({found[f'{door}_hidden_ms']:g} and {found[f'{door}_absent_ms']:g} ms)",
            f"50 ± {100 * goal:g} %",
            abs(found[f"{door}_auc"] - 0.5) <= goal,
        )
        for door, words in (
            ("document", "a document asked for"),
            ("search", "a search for a word of a document"),
            ("ask", "a question about a word of a document"),
        )
    ]


_ATTACKS = {
    "bodies_of_50_mb": "bodies of 50 MB",
    "ten_thousand_headers": "requests with 10,000 headers",
    "http_1_0": "of HTTP/1.0",
    "smuggled": "smuggled",
    "paths": "tricks with paths",
}


def _attacks(found: dict[str, Any]) -> list[Row]:
    kinds = ", ".join(f"{found['refused'].get(name, 0):,} {words}" for name, words in _ATTACKS.items())
    attacked, quiet, ratio = found["attacked_p95_seconds"], found["quiet_p95_seconds"], found["ratio"]
    return [
        (
            f"{found['attack_seconds']:g} s of attacks through nginx ({found['slow_senders']} senders that never finish, "
            f"{kinds}): attacks that were answered",
            str(found["answered_attacks"]),
            "0",
            found["answered_attacks"] == 0,
        ),
        (
            f"the same: of {found['questions']} questions before and {found['questions']} meanwhile, lost",
            str(found["lost"]),
            "0",
            found["lost"] == 0,
        ),
        (
            f"the same: p95 of the answers meanwhile to that before ({attacked:g} s to {quiet:g} s)",
            f"{ratio:g}",
            f"<= {found['goal_ratio']:g}",
            ratio <= found["goal_ratio"],
        ),
    ]


_SEEN: tuple[tuple[str, str, str], ...] = (
    ("attacks", "smuggled, forged, huge, slow and old requests at nginx, {tests} tests", "failed"),
    ("paths", "{tricks} tricks with paths: opened another file", "opened"),
    ("access", "{calls} calls, every address x every kind of caller: not as declared", "wrong"),
    ("schemathesis", "schemathesis, {cases:,} generated requests and {walks} walks along links: failures", "failed"),
    (
        "naughty",
        "{texts:,} naughty texts in the fields of all addresses, {requests:,} requests: answered 5xx",
        "server_errors",
    ),
    (
        "secrets",
        "{planted} planted secrets and words looked for in {places} logs, answers and counters: found",
        "found",
    ),
    (
        "restart",
        "{streams} streams while the API is restarted under load, its socket kept open: broken or refused",
        "broken",
    ),
)
"""Row by its tests: what was tried, and the count that should be 0."""


def _tests(found: dict[str, Any]) -> list[Row]:
    rows = []
    for name, words, bad in (seen for seen in _SEEN if seen[0] in found):
        counts = found[name]
        is_met = counts[bad] == counts["failed"] == counts["skipped"] == 0
        rows.append((words.format(**counts), str(counts[bad]), "0", is_met))
    return rows


_ROWS: dict[str, Callable[[dict[str, Any]], list[Row]]] = {
    "streams": _streams,
    "screen": _screen,
    "fairness": _fairness,
    "fairness_of_200": _fairness_of_few,
    "told_wait": _told_wait,
    "hang_up": _hang_up,
    "attacks": _attacks,
    "existence": _existence,
    "tests": _tests,
}
