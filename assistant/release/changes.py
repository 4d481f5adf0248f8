"""What changed between two runs of one set, question by question. Pure, but for reading the former run's file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assistant.errors import EvaluationFailed, Text
from assistant.release.scores import RETRIEVAL

ANSWER_SCORES = ("refused", "containment", "character_f1", "valid", "right")


def read_results(file: Path) -> dict[str, Any]:
    """A former run's JSON. Raises EvaluationFailed when it is none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        found["per_question"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvaluationFailed(
            Text(ja=f"{file} は以前の測定結果ではありません。", en=f"{file} is no result of a former run."),
            Text(
                ja="`assistant evaluate SET --json > ファイル` の出力を指定してください。",
                en="Name the output of `assistant evaluate SET --json > FILE`.",
            ),
        ) from error
    return dict(found)


def changes(former: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """{metrics: {name: difference}, better: [...], worse: [...], changed: [...]}; each entry names question and scores.

    A question counts as better or worse by nDCG@10, then by the answer's containment; `changed` holds those whose other
    scores moved. Questions of one run alone are in `only_former` and `only_now`.
    """
    before, after = former["per_question"], now["per_question"]
    sorted_in: dict[str, list[dict[str, Any]]] = {"better": [], "worse": [], "changed": []}
    for key in before.keys() & after.keys():
        moved = _moved(before[key], after[key])
        if moved:
            entry = {"id": key, "question": after[key]["question"], "scores": moved}
            sorted_in[_direction(moved)].append(entry)
    return {
        "metrics": {
            name: round(value - former["metrics"][name], 4)
            for name, value in now["metrics"].items()
            if name in former["metrics"]
        },
        **{name: sorted(entries, key=lambda entry: str(entry["id"])) for name, entries in sorted_in.items()},
        "only_former": sorted(before.keys() - after.keys()),
        "only_now": sorted(after.keys() - before.keys()),
    }


def change_lines(changed: Mapping[str, Any]) -> Iterator[str]:
    """The same for people: the sums first, then a line for each question."""
    yield "changes: " + "  ".join(f"{name} {value:+.4f}" for name, value in changed["metrics"].items())
    for name in ("worse", "better", "changed"):
        for entry in changed[name]:
            scores = "  ".join(f"{score} {old} -> {new}" for score, (old, new) in entry["scores"].items())
            yield f"  {name:7} {entry['id']}: {scores}  {entry['question'][:60]!r}"
    for name in ("only_former", "only_now"):
        if changed[name]:
            yield f"  {name}: {len(changed[name])} questions"


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    pairs = {name: [before.get(name), after.get(name)] for name in RETRIEVAL}
    old, new = before.get("answer"), after.get("answer")
    if old is not None and new is not None:
        pairs |= {name: [old[name], new[name]] for name in ANSWER_SCORES}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1] and None not in pair}


def _direction(moved: Mapping[str, list[Any]]) -> str:
    for name in ("nDCG@10", "containment"):
        if name in moved:
            return "better" if moved[name][1] > moved[name][0] else "worse"
    return "changed"
