"""What answers cost here and what the same tokens would cost in a cloud: computed from what was measured, never claimed.

    cloud       = prompt tokens / 1e6 x price of a million + answer tokens / 1e6 x price of a million
    electricity = (idle W x hours + (busy W - idle W) x busy hours) / 1000 x price of a kWh
    hardware    = price / years, for the days looked at (a year has 365.25)
    own         = electricity + hardware
    saving      = 1 - own / cloud            (negative where the cloud would have been cheaper)

Tokens are the ledger's, counted by the model. Busy hours are the seconds between place and end of all answers, one after
another: with several at once the machine was busy for less, so the own cost is an upper bound. Work of administrators, the
room and cooling are not in it. All money is in one currency, which the administrator names. Pure; knows no database.
"""

from __future__ import annotations

from dataclasses import dataclass

DAYS_OF_A_YEAR = 365.25
HOURS_OF_A_DAY = 24.0


@dataclass(frozen=True)
class Prices:
    """What an administrator enters: money in `currency`, power in watts, `hardware_years` until it is written off."""

    currency: str
    cloud_prompt_per_million: float
    cloud_answer_per_million: float
    busy_watts: float
    idle_watts: float
    electricity_per_kwh: float
    hardware_price: float
    hardware_years: float


@dataclass(frozen=True)
class Used:
    """What was measured in `days` days: tokens, and the seconds that answers held the model."""

    days: float
    prompt_tokens: int
    answer_tokens: int
    busy_seconds: float


@dataclass(frozen=True)
class Cost:
    """Money of the days looked at. `saving` is a share of the cloud's price; None where the cloud would cost nothing.

    `even_tokens_per_day` is the number of tokens a day (prompt and answer as they were mixed) from which on the own machine
    is cheaper; None where nothing was asked, or electricity alone costs more than the cloud.
    """

    cloud: float
    electricity: float
    hardware: float
    own: float
    saving: float | None
    even_tokens_per_day: float | None


def cost_of(used: Used, prices: Prices) -> Cost:
    """The cost of what was used, at these prices. All values are finite for finite prices and `hardware_years` above 0."""
    cloud = (
        used.prompt_tokens * prices.cloud_prompt_per_million + used.answer_tokens * prices.cloud_answer_per_million
    ) / 1e6
    hours = used.days * HOURS_OF_A_DAY
    busy_hours = min(used.busy_seconds / 3600.0, hours)
    idle_kwh = prices.idle_watts * hours / 1000.0
    busy_kwh = max(prices.busy_watts - prices.idle_watts, 0.0) * busy_hours / 1000.0
    electricity = (idle_kwh + busy_kwh) * prices.electricity_per_kwh
    hardware = prices.hardware_price / prices.hardware_years / DAYS_OF_A_YEAR * used.days
    own = electricity + hardware
    tokens = used.prompt_tokens + used.answer_tokens
    even: float | None = None
    if tokens and used.days:
        fixed_per_day = (idle_kwh * prices.electricity_per_kwh + hardware) / used.days
        gain_per_token = (cloud - busy_kwh * prices.electricity_per_kwh) / tokens
        even = fixed_per_day / gain_per_token if gain_per_token > 0 else None
    return Cost(cloud, electricity, hardware, own, 1.0 - own / cloud if cloud else None, even)
