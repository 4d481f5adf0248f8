"""What a job of the ledger asks for, by its kind: a run, a retry of what is not searchable, or only a look (plan)."""

from __future__ import annotations

from pathlib import Path

from assistant.adapters.ledger.jobs import PLAN
from ingest.pipeline import Run, RunReport
from ingest.plan_shown import planned_report

RETRY = "retry"


def do_as_asked(kind: str, root: Path, run: Run) -> RunReport:
    """The report of the run over `root`; a plan writes nothing, and its report has a `result`. Raises what a run raises."""
    if kind == PLAN:
        return planned_report(run.stores.ledger, root, run.rules, settle_seconds=run.settle_seconds)
    return run.run(root, is_retrying=kind == RETRY)
