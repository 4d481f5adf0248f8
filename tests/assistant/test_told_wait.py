"""The wait that is told: off by so much in short loads, known from earlier answers, longer where people keep coming."""

from __future__ import annotations

import pytest

from assistant.line import Crowd
from benchmarks.bench_told_wait import errors
from tests.assistant.test_admission import Hall

PEOPLE, APPS = Crowd.PEOPLE, Crowd.APPS


@pytest.mark.parametrize("lengths", ["short", "even", "skewed"])
@pytest.mark.parametrize(("load", "seeds"), [("loop_200", (11,)), ("burst_20_people", (11, 12, 13, 14))])
def test_the_wait_is_foreseen_in_short_loads_too(load: str, seeds: tuple[int, ...], lengths: str) -> None:
    off, _ = errors(load, lengths, seeds=seeds)
    assert off <= 0.3


def test_a_new_process_knows_from_earlier_answers_how_long_one_takes() -> None:
    hall = Hall()
    for seconds in (2.0, 4.0, 6.0):
        hall.admission.lines[0].learn(seconds)
    hall.arrive("ben")
    assert hall.admission.lines[0].outlook(hall.arrive("aiko")).wait_seconds == 4.0


def test_apps_are_told_to_wait_longer_where_people_keep_coming() -> None:
    def told(*, people_ask_on: bool) -> float:
        hall = Hall()
        for number in range(40):
            hall.answer(hall.arrive(f"user-{number}" if people_ask_on else "first", PEOPLE if people_ask_on else APPS))
        hall.arrive("ben")
        for number in range(3):
            hall.arrive(f"person-{number}")
        hall.arrive("app-0", APPS)
        return hall.admission.lines[0].outlook(hall.arrive("app-1", APPS)).wait_seconds

    assert told(people_ask_on=False) == pytest.approx(5.0, abs=1.0)
    assert told(people_ask_on=True) > 8.0
