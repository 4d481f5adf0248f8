"""Measures the public sets and keeps the figures in docs/reference/quality.json; `make docs` makes the page of them.

    make quality DATA=../shared/data [SETS=lawqa_jp,clapnq] [WORK=folder]
    python scripts/write_quality.py --answers RUN.json [RUN.json ...] --of clapnq --model NAME

The first needs no chat model, only the embedder of the settings (ASSISTANT_EMBEDDER=embedded needs no server at all). The
second keeps what `assistant evaluate --json` said with a chat model, of parts of a set where the whole takes hours, with
`asks_first` off, or on with both limits at 1, so that the model was asked for its doubt and none was obeyed.
The page is made from the file alone, so that its freshness can be checked without running a model.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.grammar import language_of
from assistant.release.grades import Grade, sum_up
from assistant.release.question_sets import Asked

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs/reference/quality.json"
SETS = (
    "jsquad", "lawqa_jp", "lawqa_jp_choices", "anthropic_docs", "clapnq", "commerce_ja_en", "commerce_en_ja", "commerce_mixed",
)  # fmt: skip
GOLDEN = "golden"
KEPT_PARTS = (
    "questions", "documents", "chunks", "metrics", "intervals", "p50_ms", "p95_ms", "by_half", "by_language_pair",
    "by_kind", "baselines", "embedder", "fitness", "answers", "model",
)  # fmt: skip


def main() -> None:
    """Runs `assistant evaluate` on each set and merges the figures into the file."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path)
    arguments.add_argument("--work", type=Path, help="folder for the sets and their deployments")
    arguments.add_argument("--sets", default=",".join((*SETS, GOLDEN)))
    arguments.add_argument("--answers", type=Path, nargs="+", help="runs with a chat model, to be kept together")
    arguments.add_argument("--of", choices=(*SETS, GOLDEN), help="the set that they are of")
    arguments.add_argument("--model", help="the chat model that answered")
    chosen = arguments.parse_args()
    if chosen.answers:
        if not chosen.of or not chosen.model:
            arguments.error("--answers needs --of and --model")
        runs = [json.loads(path.read_text(encoding="utf-8")) for path in chosen.answers]
        problem = no_parts(chosen.of, runs)
        if problem:
            arguments.error(problem)
        keep_answers(chosen.of, {"model": chosen.model, **together(runs)})
        return
    if not chosen.data or not chosen.work:
        arguments.error("--data and --work are needed")
    for name in chosen.sets.split(","):
        command = [str(Path(sys.executable).with_name("assistant")), "evaluate", "--retrieval-only", "--json"]
        command += ["--baselines", "--keep", str(chosen.work / "deployments" / name)]
        if name == GOLDEN:
            command += [str(ROOT / "modelfiles/golden"), "--documents", str(ROOT / "examples")]
        else:
            folder = chosen.work / "sets" / name
            convert = [sys.executable, "-m", "benchmarks.beir_sets", "--data", str(chosen.data), "--only", name]
            subprocess.run([*convert, "--out", str(folder.parent)], cwd=ROOT, check=True)
            command += [str(folder)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
        keep(name, json.loads(done.stdout))


def keep(name: str, found: dict[str, Any]) -> None:
    """Writes the sums of one run into the file; single questions stay out of it."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    answers = kept.get(name, {}).get("answers")
    kept[name] = {part: found[part] for part in KEPT_PARTS if found.get(part) is not None}
    if answers is not None:
        kept[name].setdefault("answers", answers)
    write(kept)


def keep_answers(name: str, answers: dict[str, Any]) -> None:
    """Puts the sums of answers beside what the set's search gave."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    kept[name]["answers"] = answers
    write(kept)


def no_parts(name: str, runs: Sequence[dict[str, Any]]) -> str:
    """Why these runs cannot be summed as answers of one set; "" when they can."""
    if name not in (json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}):
        return f"{name} was not searched yet: run `make quality SETS={name}` first"
    if not all("answers" in run for run in runs):
        return "a run asked no model (--retrieval-only)"
    asked = [key for run in runs for key in run["per_question"]]
    if len(set(asked)) < len(asked):
        return "two runs asked the same question: it would count once"
    return ""


def together(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The sums over the answers of several runs of different questions, as one run would have given them; see
    release/grades.py."""
    rows = {key: row for run in runs for key, row in run["per_question"].items()}
    asked = {
        key: Asked(
            key,
            row["question"],
            language_of(row["question"]),
            dict.fromkeys(row["relevant"], 1),
            references=("",) if row.get("has_words", True) else (),
            must_refuse=row.get("must_refuse", not row["relevant"]),
        )
        for key, row in rows.items()
    }
    grades = {
        key: Grade(**row["answer"] | {"notices": tuple(row["answer"]["notices"])}) if "answer" in row else None
        for key, row in rows.items()
    }
    return sum_up(asked, grades)


def write(kept: dict[str, Any]) -> None:
    """The file, sets in their order."""
    ordered = {each: kept[each] for each in (*SETS, GOLDEN) if each in kept}
    KEPT.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
