"""What answers cost here and in a cloud: the formula by hand, and its limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.consumption import percentile
from assistant.release.cost import Prices, Used, cost_of

PRICES = Prices(
    currency="JPY",
    cloud_prompt_per_million=500.0,
    cloud_answer_per_million=2000.0,
    busy_watts=300.0,
    idle_watts=50.0,
    electricity_per_kwh=30.0,
    hardware_price=365_250.0,
    hardware_years=1.0,
)
USED = Used(days=10, prompt_tokens=20_000_000, answer_tokens=1_000_000, busy_seconds=36_000)


def test_the_cost_is_what_the_formula_gives_by_hand() -> None:
    cost = cost_of(USED, PRICES)
    assert cost.cloud == pytest.approx(12_000)
    assert cost.electricity == pytest.approx((50 * 240 + 250 * 10) / 1000 * 30)
    assert cost.hardware == pytest.approx(10_000)
    assert cost.own == pytest.approx(10_435)
    assert cost.saving == pytest.approx(1 - 10_435 / 12_000)


def test_at_the_even_point_both_cost_the_same() -> None:
    even = cost_of(USED, PRICES).even_tokens_per_day
    assert even is not None
    factor = even / (21_000_000 / 10)
    scaled = replace(
        USED,
        prompt_tokens=round(USED.prompt_tokens * factor),
        answer_tokens=round(USED.answer_tokens * factor),
        busy_seconds=USED.busy_seconds * factor,
    )
    assert cost_of(scaled, PRICES).saving == pytest.approx(0, abs=1e-4)


def test_nothing_asked_and_a_free_cloud_are_no_division_by_zero() -> None:
    nothing = cost_of(Used(10, 0, 0, 0.0), PRICES)
    assert (nothing.cloud, nothing.saving, nothing.even_tokens_per_day) == (0.0, None, None)
    free = cost_of(USED, replace(PRICES, cloud_prompt_per_million=0, cloud_answer_per_million=0))
    assert (free.saving, free.even_tokens_per_day) == (None, None)


def test_a_machine_is_never_busy_for_longer_than_the_days_looked_at() -> None:
    cost = cost_of(replace(USED, busy_seconds=1e12), PRICES)
    assert cost.electricity == pytest.approx(300 * 240 / 1000 * 30)


def test_percentiles_are_values_that_were_measured() -> None:
    assert (percentile([], 0.5), percentile([3.0], 0.95), percentile([4, 1, 3, 2], 0.5)) == (None, 3.0, 2)
    assert percentile(range(1, 101), 0.95) == 95
