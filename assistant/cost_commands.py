"""`assistant capacity cost`: what answering cost here, beside what the same tokens cost at a cloud's API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from assistant.adapters.token_estimate import TokenEstimator
from assistant.capacity_commands import Json, print_found
from assistant.consumption import since_day
from assistant.release.cost import Prices, Used, cost_of
from assistant.release.cost_words import cost_lines
from assistant.settings import load_settings
from assistant.terminal import caller_language, telling_errors
from assistant.wiring import open_ledger


def tell_cost(
    *,
    cloud_prompt: Annotated[float, typer.Option(min=0, help="Cloud's price of a million prompt tokens.")],
    cloud_answer: Annotated[float, typer.Option(min=0, help="Cloud's price of a million answer tokens.")],
    kwh: Annotated[float, typer.Option(min=0, help="Price of a kWh.")],
    hardware: Annotated[float, typer.Option(min=0, help="Price of the machine.")],
    years: Annotated[float, typer.Option(min=0.1, help="Years until it is written off.")] = 4.0,
    busy_watts: Annotated[float, typer.Option(min=0, help="Power while it answers, measured at the socket.")] = 400.0,
    idle_watts: Annotated[float, typer.Option(min=0, help="Power while nobody asks.")] = 80.0,
    days: Annotated[int, typer.Option(min=1, help="Questions of so many days.")] = 30,
    currency: Annotated[str, typer.Option(help="All prices are in it.")] = "JPY",
    as_json: Json = False,
) -> None:
    """What the answers of these days cost here and at a cloud's API: tokens measured, prices yours."""
    with telling_errors():
        ledger = open_ledger(load_settings())
        estimator = TokenEstimator("answers")
        questions, prompts, seconds = 0, 0, 0.0
        answers = 0
        for prompt_tokens, text, total_seconds in ledger.answers_written(since=since_day(days)):
            questions, prompts, seconds = questions + 1, prompts + prompt_tokens, seconds + total_seconds
            answers += estimator.estimate(text)
        used = Used(days, prompts, answers, seconds)
        prices = Prices(
            currency=currency,
            cloud_prompt_per_million=cloud_prompt,
            cloud_answer_per_million=cloud_answer,
            busy_watts=busy_watts,
            idle_watts=idle_watts,
            electricity_per_kwh=kwh,
            hardware_price=hardware,
            hardware_years=years,
        )
        cost = cost_of(used, prices)
        told = {"questions": questions, "used": asdict(used), "prices": asdict(prices), "cost": asdict(cost)}
        print_found(told, cost_lines(used, prices, cost, caller_language()), as_json=as_json)
