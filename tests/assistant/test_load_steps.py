"""What a measurement under load means: the knee, the people at the target, and when another server pays."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from assistant.release.load_report import findings_lines, read_steps, report_object, report_page, report_picture
from assistant.release.load_steps import (
    Advice,
    Sample,
    Step,
    findings,
    has_had_enough,
    quantile,
)


def step(users: int, *, first: float, wait: float = 0.0, per_minute: float = 60.0, lost: int = 0) -> Step:
    """Twenty questions of which `lost` were turned away; each answer has 100 pieces, written in 5 s."""
    good = Sample("answered", first + 5, first, wait, pieces=100, writing_seconds=5.0)
    samples = (good,) * (20 - lost) + (Sample("turned_away", 0.1, code="429"),) * lost
    return Step(users, 60 * (20 - lost) / per_minute, samples)


GROWING = [step(1, first=1, per_minute=10), step(2, first=1.2, per_minute=20), step(4, first=2, per_minute=38)]
FULL = [*GROWING, step(8, first=8, wait=6, per_minute=39), step(16, first=20, wait=18, per_minute=40)]


def test_the_knee_is_where_more_users_bring_no_more_answers() -> None:
    assert findings(FULL, target_seconds=5, wanted=10, parallel=4).knee_users == 4
    assert findings(GROWING, target_seconds=5, wanted=4, parallel=4).knee_users is None


def test_people_are_those_of_the_last_step_within_the_target_and_the_line_to_the_next() -> None:
    found = findings(FULL, target_seconds=5, wanted=10, parallel=4)
    assert found.people == 4
    assert found.people_about == 6  # half of the way from 2 s to 8 s
    assert found.most_answers_per_minute == pytest.approx(40)


def test_a_good_step_behind_a_bad_one_is_luck() -> None:
    lucky = [step(1, first=1), step(2, first=9), step(4, first=1)]
    assert findings(lucky, target_seconds=5, wanted=4, parallel=4).people == 1


def test_no_move_is_called_for_where_the_people_are_served() -> None:
    assert findings(FULL, target_seconds=5, wanted=5, parallel=4).advice is Advice.STAY


def test_ten_users_alone_are_no_reason_to_move() -> None:
    fine = [step(users, first=1, per_minute=10 * users) for users in (1, 2, 4, 8, 16, 32)]
    assert findings(fine, target_seconds=5, wanted=30, parallel=4).advice is Advice.STAY


def test_too_few_steps_are_told_instead_of_guessed_from() -> None:
    assert findings(GROWING, target_seconds=5, wanted=10, parallel=4).advice is Advice.MEASURE_MORE


def test_questions_without_an_answer_are_mended_first() -> None:
    lossy = [*GROWING, step(8, first=3, lost=5)]
    found = findings(lossy, target_seconds=5, wanted=10, parallel=4)
    assert found.advice is Advice.MEND
    assert "5 of 20" in found.reason.en
    assert found.people == 4


def test_a_slow_prompt_is_no_reason_for_another_server() -> None:
    slow = [step(1, first=4), step(2, first=9, wait=1)]
    assert findings(slow, target_seconds=5, wanted=10, parallel=4).advice is Advice.ELSEWHERE


def test_more_at_once_is_tried_before_a_move_and_a_move_pays_where_that_brought_nothing() -> None:
    assert findings(FULL, target_seconds=5, wanted=10, parallel=2).advice is Advice.RAISE_PARALLEL
    same = findings(FULL, target_seconds=5, wanted=10, parallel=8, former=FULL)
    assert same.advice is Advice.MOVE
    slower = [replace(each, seconds=2 * each.seconds) for each in FULL]
    assert findings(FULL, target_seconds=5, wanted=10, parallel=8, former=slower).advice is Advice.RAISE_PARALLEL


def test_a_full_server_that_answers_all_at_once_is_worth_a_move() -> None:
    assert findings(FULL, target_seconds=5, wanted=8, parallel=8).advice is Advice.MOVE


def test_larger_steps_are_left_out_once_the_machine_is_far_beyond_the_target() -> None:
    assert not has_had_enough([], target_seconds=5)
    assert not has_had_enough(GROWING, target_seconds=5)
    assert has_had_enough([step(1, first=31)], target_seconds=5)
    assert has_had_enough([step(1, first=1, lost=11)], target_seconds=5)
    assert has_had_enough([Step(1, 1.0, (Sample("failed", 1.0, code="503"),))], target_seconds=5)


def test_a_quantile_is_a_value_that_was_seen() -> None:
    assert quantile([], 0.5) is None
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([float(number) for number in range(1, 101)], 0.95) == 95.0


def test_tokens_a_second_are_of_one_answer_and_of_all() -> None:
    seen = step(2, first=1, per_minute=60)
    assert seen.tokens_per_second_each == 20
    assert seen.tokens_per_second == pytest.approx(100)


def test_an_answer_in_quotes_is_no_answer_of_the_model() -> None:
    quotes = Step(1, 10.0, (Sample("quotes", 1.0, 1.0, code="model_unavailable"),))
    assert quotes.first_token_seconds(0.95) is None
    assert quotes.answers_per_minute == 0
    assert quotes.is_troubled


def test_a_report_holds_the_figures_and_can_be_compared_with_later() -> None:
    found = findings(FULL, target_seconds=5, wanted=10, parallel=2)
    kept = json.loads(json.dumps(report_object(FULL, found, {"model": "m"})))
    assert read_steps(kept) == FULL
    page = report_page(FULL, found, kept["about"], picture="report.svg", language="en")
    assert "**4 people at p95 <= 5 s (about 6, on a line between the steps)**" in page
    assert "| 8 | 20 | 20 | 0 | 0 | 0 | 8.00 / 8.00 s | 6.00 / 6.00 s |" in page
    assert "![How many people it serves](report.svg)" in page


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_chart_and_the_lines_are_in_both_languages(language: str) -> None:
    chosen = "ja" if language == "ja" else "en"
    found = findings(FULL, target_seconds=5, wanted=10, parallel=2)
    words = " ".join(ElementTree.fromstring(report_picture(FULL, found, chosen)).itertext())  # noqa: S314 - our own
    assert ("トークン/秒" in words) == (language == "ja")
    assert ("vLLM への移行" in " ".join(findings_lines(found, chosen))) == (language == "ja")
