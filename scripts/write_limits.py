"""Measures load and fairness and keeps the figures in docs/reference/limits.json; `make docs` makes the page of them.

    make limits [ONLY=streams,fairness]

Every process runs with real-time priority (`chrt -r 1`) where that is allowed, so that other work on the machine is not measured
with it; whether it was, and how busy the machine was, is kept beside the figures. The page is made from the file alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs/reference/limits.json"
NAMES = ("streams", "fairness", "hang_up")
REAL_TIME = ["chrt", "-r", "1"]


def main() -> None:
    """Runs each benchmark and puts its line into the file."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--only", default=",".join(NAMES))
    is_real_time = subprocess.run([*REAL_TIME, "true"], capture_output=True, check=False).returncode == 0
    for name in arguments.parse_args().only.split(","):
        load = round(os.getloadavg()[0], 1)
        command = [*(REAL_TIME if is_real_time else []), sys.executable, f"benchmarks/bench_{name}.py"]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, check=True
        )
        line = json.loads(done.stdout)
        line |= {
            "cores": os.cpu_count(),
            "real_time_priority": is_real_time,
            "load_before": load,
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
        }
        keep(name, line)


def keep(name: str, line: dict[str, object]) -> None:
    """Writes one benchmark's figures into the file, in the order of NAMES."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    kept[name] = line
    ordered = {each: kept[each] for each in (*NAMES, *kept) if each in kept}
    KEPT.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
