"""Two models: places and lines apart, and a question that goes from one line to the other."""

from __future__ import annotations

from tests.assistant.test_admission import Hall


def test_each_model_has_places_and_a_line_of_its_own() -> None:
    hall = Hall(parallel=2, second_parallel=1)
    first = [hall.arrive(user) for user in ("aiko", "ben", "chie")]
    others = [hall.arrive_at(1, user) for user in ("dan", "eri")]
    assert [turn.state for turn in first] == ["holding", "holding", "in line"]
    assert [turn.state for turn in others] == ["holding", "in line"]
    assert (hall.admission.parallel, hall.admission.active, hall.admission.waiting) == (3, 3, 2)
    hall.answer(others[0])
    assert (first[2].state, others[1].state) == ("in line", "holding")


def test_whoever_goes_to_the_other_models_line_frees_the_place_and_keeps_what_was_waited() -> None:
    hall = Hall(second_parallel=1)
    aiko, ben = hall.arrive("aiko"), hall.arrive("ben")
    chie = hall.arrive_at(1, "chie")
    hall.clock = 3.0
    aiko.line_up(1)
    assert (ben.state, aiko.state) == ("holding", "in line")
    hall.clock = 5.0
    chie.leave()
    assert (aiko.state, aiko.waited_seconds, ben.waited_seconds) == ("holding", 2.0, 3.0)
    aiko.leave()
    aiko.line_up()
    assert (aiko.state, hall.admission.present) == ("gone", 1)


def test_a_slow_model_makes_nobody_wait_longer_for_the_other() -> None:
    hall = Hall(second_parallel=1)
    for _ in range(3):
        hall.answer(hall.arrive_at(1, "dan"), seconds=100.0)
        hall.answer(hall.arrive("ben"), seconds=2.0)
    hall.arrive("ben")
    hall.arrive_at(1, "dan")
    assert hall.admission.lines[0].outlook(hall.arrive("aiko")).wait_seconds == 2.0
    assert hall.admission.lines[1].outlook(hall.arrive_at(1, "eri")).wait_seconds == 100.0
