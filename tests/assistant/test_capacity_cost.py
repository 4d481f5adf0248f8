"""`assistant capacity cost`: measured tokens at given prices."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from assistant.__main__ import app
from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger import schema as s
from assistant.release.cost import Prices, Used, cost_of
from assistant.release.cost_words import cost_lines

PRICES = Prices(
    "JPY",
    500.0,
    2000.0,
    busy_watts=300,
    idle_watts=50,
    electricity_per_kwh=30,
    hardware_price=365_250,
    hardware_years=1,
)
ARGUMENTS = [
    "capacity",
    "cost",
    "--cloud-prompt",
    "500",
    "--cloud-answer",
    "2000",
    "--kwh",
    "30",
    "--hardware",
    "365250",
]


def test_the_sums_are_those_of_the_formula_by_hand() -> None:
    used = Used(10, 20_000_000, 1_000_000, busy_seconds=36_000)
    cost = cost_of(used, PRICES)
    assert cost.cloud == pytest.approx(12_000)
    assert cost.own == pytest.approx((50 * 240 + 250 * 10) / 1000 * 30 + 10_000)
    told = "\n".join(cost_lines(used, PRICES, cost, "en"))
    assert "13% cheaper than the cloud" in told
    assert "here: 10,435 JPY" in told


def test_a_machine_that_nobody_asks_is_told_to_cost_more() -> None:
    used = Used(10, 100_000, 10_000, busy_seconds=60)
    told = "\n".join(cost_lines(used, PRICES, cost_of(used, PRICES), "en"))
    assert "times what the cloud costs" in told
    assert "tokens a day on it is cheaper here" in told


def written(tmp_path: Path, day: str) -> None:
    """Three answers of a model and one of quotations, all of `day`."""
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    same = {
        "conversation_id": f"c{day}", "question": "q", "language": "ja", "release_id": "r", "model": "m", "notices": [],
        "refused": False, "total_seconds": 30.0, "created_at": day, "text": "有給休暇は3営業日前までに申請します。" * 5,
    }  # fmt: skip
    rows = [
        {"answer_id": f"{day}{n}", "principal": "ben", "mode": "generated", "prompt_tokens": 4000, **same}
        for n in range(3)
    ]
    rows.append({"answer_id": f"{day}q", "principal": "ben", "mode": "quotes", "prompt_tokens": 0, **same})
    conversation = {
        "conversation_id": f"c{day}", "principal": "ben", "title": "t", "created_at": day, "updated_at": day
    }  # fmt: skip
    with ledger._writing() as connection:
        connection.execute(insert(s.conversations), conversation)
        connection.execute(insert(s.answers), rows)
    ledger.close()


def test_the_command_counts_what_models_wrote_for_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_DATA_FOLDER", str(tmp_path))
    written(tmp_path, "2026-01-01T00:00:00.000Z")
    done = CliRunner().invoke(app, [*ARGUMENTS, "--days", "9000", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["questions"], told["used"]["prompt_tokens"], told["used"]["busy_seconds"]) == (3, 12_000, 90.0)
    assert 150 < told["used"]["answer_tokens"] < 450
    assert told["cost"]["own"] > told["cost"]["cloud"] > 0


def test_two_days_are_today_and_yesterday(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_DATA_FOLDER", str(tmp_path))
    for days_ago in (0, 2):
        written(tmp_path, f"{datetime.now(UTC) - timedelta(days=days_ago):%Y-%m-%d}T23:59:59.000Z")
    done = CliRunner().invoke(app, [*ARGUMENTS, "--days", "2", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["questions"] == 3
