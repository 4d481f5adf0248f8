"""Measures the public sets and keeps the figures in docs/reference/quality.json; `make docs` makes the page of them.

    make quality DATA=../shared/data [SETS=lawqa_jp,clapnq] [WORK=folder]

Needs no chat model, only the embedder of the settings (ASSISTANT_EMBEDDER=embedded needs no server at all). The page is
made from the file alone, so that its freshness can be checked without running a model.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs/reference/quality.json"
SETS = ("jsquad", "lawqa_jp", "lawqa_jp_choices", "anthropic_docs", "clapnq", "commerce_ja_en", "commerce_en_ja")
GOLDEN = "golden"
KEPT_PARTS = (
    "questions", "documents", "chunks", "metrics", "intervals", "p50_ms", "p95_ms", "by_half", "by_language_pair",
    "by_kind", "baselines", "embedder", "fitness", "answers", "model",
)  # fmt: skip


def main() -> None:
    """Runs `assistant evaluate` on each set and merges the figures into the file."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--work", type=Path, required=True, help="folder for the sets and their deployments")
    arguments.add_argument("--sets", default=",".join((*SETS, GOLDEN)))
    chosen = arguments.parse_args()
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
    kept[name] = {part: found[part] for part in KEPT_PARTS if found.get(part) is not None}
    ordered = {each: kept[each] for each in (*SETS, GOLDEN) if each in kept}
    KEPT.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
