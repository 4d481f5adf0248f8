"""The estimate follows what the server counts, and says when it was more than a twentieth off."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from assistant.adapters.model_http import token_count
from assistant.adapters.token_estimate import TokenEstimator

PROMPT = "有給休暇は取得日の3営業日前までに申請する。" * 40


def test_a_count_within_a_twentieth_is_not_logged() -> None:
    estimator = TokenEstimator("m")
    expected = round((estimator.estimate(PROMPT) - 16) / 1.05 + 16)
    with capture_logs() as logs:
        estimator.observe(PROMPT, prompt_tokens=round(expected * 1.03))
    assert logs == []


@pytest.mark.parametrize("share", [0.7, 1.3])
def test_a_difference_over_a_twentieth_is_logged_and_corrected_for_that_model(share: float) -> None:
    estimator, other = TokenEstimator("m"), TokenEstimator("other")
    before = estimator.estimate(PROMPT)
    counted = round(before / 1.05 * share)
    with capture_logs() as logs:
        estimator.observe(PROMPT, prompt_tokens=counted)
    (entry,) = logs
    assert entry["event"] == "token_estimate_corrected"
    assert (entry["model"], entry["prompt_tokens"]) == ("m", counted)
    assert abs(estimator.estimate(PROMPT) / 1.05 - counted) < abs(before / 1.05 - counted)
    assert other.estimate(PROMPT) == before


def test_after_a_few_answers_the_estimate_is_within_a_twentieth_and_not_below() -> None:
    estimator = TokenEstimator("m")
    counted = round(estimator.estimate(PROMPT) * 0.75)
    for _ in range(12):
        estimator.observe(PROMPT, prompt_tokens=counted)
    assert counted <= estimator.estimate(PROMPT) <= counted * 1.12


def test_a_short_prompt_teaches_nothing() -> None:
    estimator = TokenEstimator("m")
    before = estimator.estimate(PROMPT)
    estimator.observe("短い", prompt_tokens=90)
    assert estimator.estimate(PROMPT) == before


@pytest.mark.parametrize("value", [None, True, 0, -5, 12.7, "900", "x", 10**30, [900]])
def test_a_count_that_cannot_be_one_is_no_count(value: object) -> None:
    assert token_count(value) is None


def test_a_servers_count_is_taken_as_it_is() -> None:
    assert token_count(900) == 900
