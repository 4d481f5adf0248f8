"""Measures load and fairness, counts what tests of the door tried, and keeps the figures in docs/reference/limits.json; `make
docs` makes the page of them.

    make limits [ONLY=streams,fairness,tests]

Every process runs with real-time priority (`chrt -r 1`) where that is allowed, so that other work on the machine is not measured
with it; whether it was, and how busy the machine was, is kept beside the figures. The page is made from the file alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from defusedxml import ElementTree

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs/reference/limits.json"
BENCHMARKS: dict[str, dict[str, str]] = {
    "streams": {},
    "screen": {},
    "fairness": {},
    "fairness_of_200": {"QUESTIONS": "200"},
    "told_wait": {},
    "hang_up": {},
    "attacks": {},
    "existence": {},
}
"""What is set for each; `_of_…` is no part of the benchmark's name."""
TESTS = {
    "attacks": ["tests/compose/test_nginx_attacks.py"],
    "paths": ["tests/compose/test_stack_runs.py::test_no_trick_with_a_path_opens_another_file"],
    "secrets": [
        "tests/compose/test_stack_runs.py::test_no_secret_and_no_question_is_in_a_log_an_error_or_the_counters"
    ],
    "schemathesis": ["tests/api/test_schemathesis.py"],
    "naughty": ["tests/api/test_naughty_texts.py"],
    "access": ["tests/api/test_access.py"],
    "restart": ["tests/api/test_restart.py", "-k", "restarted"],
}
"""What is run for each row, and counted: the tests, and what they say by `record_property`."""
NAMES = (*BENCHMARKS, "tests")
REAL_TIME = ["chrt", "-r", "1"]


def main() -> None:
    """Runs each benchmark and puts its line into the file."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--only", default=",".join(NAMES))
    is_real_time = subprocess.run([*REAL_TIME, "true"], capture_output=True, check=False).returncode == 0
    for name in arguments.parse_args().only.split(","):
        load = round(os.getloadavg()[0], 1)
        line = counted() if name == "tests" else measured(name, is_real_time=is_real_time)
        line |= {
            "cores": os.cpu_count(),
            "real_time_priority": is_real_time and name != "tests",
            "load_before": load,
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
        }
        keep(name, line)


def measured(name: str, *, is_real_time: bool) -> dict[str, Any]:
    """The line of a benchmark."""
    script = f"benchmarks/bench_{name.partition('_of_')[0]}.py"
    command = [*(REAL_TIME if is_real_time else []), sys.executable, script]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | BENCHMARKS[name]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    line: dict[str, Any] = json.loads(done.stdout)
    return line


def counted() -> dict[str, Any]:
    """For each row the tests that ran, failed and were left out, and the sums of what they recorded; a failure stops nothing."""
    line: dict[str, Any] = {}
    for name, words in TESTS.items():
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            options = ["-q", "-p", "no:cacheprovider", f"--basetemp={folder}/tests", f"--junitxml={report}"]
            subprocess.run([sys.executable, "-m", "pytest", *options, *words], cwd=ROOT, check=False)
            (suite,) = ElementTree.parse(report).getroot().findall("testsuite")
        counts = Counter(tests=int(suite.attrib["tests"]), skipped=int(suite.attrib["skipped"]))
        counts["failed"] = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
        for said in suite.iter("property"):
            counts[said.attrib["name"]] += int(said.attrib["value"])
        line[name] = dict(counts)
    return line


def keep(name: str, line: dict[str, Any]) -> None:
    """Writes one benchmark's figures into the file, in the order of NAMES."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    kept[name] = line
    ordered = {each: kept[each] for each in (*NAMES, *kept) if each in kept}
    KEPT.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
