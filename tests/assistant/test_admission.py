"""The line in front of the model, in virtual time: order, shares, bounds, forecasts, places that come back."""

from __future__ import annotations

import asyncio
import heapq
import math
import random
import statistics
from collections import Counter
from contextlib import ExitStack

import pytest

from assistant.admission import AGAIN_SECONDS, Admission, Turn, crowd_of
from assistant.domain import Principal, Queued
from assistant.errors import Overloaded
from assistant.line import FIRST_GUESS_SECONDS, FORESEEN, SHARES, Crowd

PEOPLE, APPS, BACKGROUND = Crowd.PEOPLE, Crowd.APPS, Crowd.BACKGROUND


class Hall:
    """An admission whose clock stands still unless it is moved, and the turns in it."""

    def __init__(self, **given: int) -> None:
        self.clock = 0.0
        self._open = ExitStack()
        self.admission = Admission(**({"parallel": 1, "queue_limit": 1000} | given), now=lambda: self.clock)  # type: ignore[arg-type]

    def arrive(self, user: str, crowd: Crowd = PEOPLE) -> Turn:
        """Somebody who is in line, or holds a place already."""
        return self.arrive_at(0, user, crowd)

    def arrive_at(self, line: int, user: str, crowd: Crowd = PEOPLE) -> Turn:
        """The same in front of one of several models."""
        turn = self._open.enter_context(self.admission.turn(user, crowd))
        turn.line_up(line)
        return turn

    def answer(self, turn: Turn, seconds: float = 1.0) -> None:
        """Time goes on, and the turn's answer is whole."""
        assert turn.state == "holding"
        self.clock += seconds
        turn.leave(is_whole=True)

    def served(self, turns: list[Turn]) -> list[Turn]:
        """The turns in the order in which they get the one place."""
        order = []
        while holding := [turn for turn in turns if turn.state == "holding"]:
            order.append(holding[0])
            self.answer(holding[0])
        return order


def test_one_users_questions_are_served_in_the_order_of_their_arrival() -> None:
    hall = Hall()
    turns = [hall.arrive("ben") for _ in range(5)]
    assert hall.served(turns) == turns


def test_users_take_turns_however_many_questions_one_of_them_brings() -> None:
    hall = Hall()
    turns = [hall.arrive("ben") for _ in range(6)] + [hall.arrive(user) for user in ("aiko", "aiko", "chie")]
    users = [turn.user for turn in hall.served(turns)]
    assert users == ["ben", "aiko", "chie", "ben", "aiko", "ben", "ben", "ben", "ben"]


def test_whoever_asks_one_at_a_time_is_not_overtaken_by_whoever_asks_many_nor_the_other_way_round() -> None:
    hall = Hall()
    turns = [hall.arrive("many") for _ in range(40)] + [hall.arrive("one")]
    counts: Counter[str] = Counter()
    for _ in range(30):
        turn = next(turn for turn in turns if turn.state == "holding")
        counts[turn.user] += 1
        if turn.user == "one":
            hall.clock += 1.0
            turn.leave(is_whole=True)
            turns.append(hall.arrive("one"))
        else:
            hall.answer(turn)
    assert counts["one"] == pytest.approx(counts["many"], abs=1)


def test_crowds_share_the_places_by_their_weights_and_none_starves() -> None:
    hall = Hall()
    turns = [hall.arrive(f"{crowd}-{n % 7}", crowd) for crowd in Crowd for n in range(100)]
    counts = Counter(turn.crowd for turn in hall.served(turns)[: 2 * sum(SHARES.values())])
    assert counts == {crowd: pytest.approx(2 * share, abs=1) for crowd, share in SHARES.items()}


def test_a_person_is_served_before_all_apps_that_came_earlier() -> None:
    hall = Hall()
    running, *waiting = [hall.arrive(f"app-{n}", APPS) for n in range(20)]
    person = hall.arrive("ben")
    hall.answer(running)
    assert person.state == "holding"
    assert {turn.state for turn in waiting} == {"in line"}


@pytest.mark.parametrize(("idle", "busy"), [(APPS, PEOPLE), (PEOPLE, APPS)])
def test_what_a_crowd_did_not_use_while_nobody_of_it_waited_is_not_saved_up(idle: Crowd, busy: Crowd) -> None:
    hall = Hall()
    for _ in range(500):
        hall.answer(hall.arrive("before", busy))
    turns = [hall.arrive(f"{crowd}-{n % 5}", crowd) for n in range(60) for crowd in (busy, idle)]
    counts = Counter(turn.crowd for turn in hall.served(turns)[:40])
    assert counts[PEOPLE] == pytest.approx(4 * counts[APPS], abs=4)


def test_a_user_never_holds_more_places_than_allowed_even_when_others_are_free() -> None:
    hall = Hall(parallel=4, user_running=2)
    turns = [hall.arrive("ben") for _ in range(4)]
    assert [turn.state for turn in turns] == ["holding", "holding", "in line", "in line"]
    assert hall.arrive("aiko").state == "holding"
    hall.answer(turns[0])
    assert turns[2].state == "holding"


def test_a_users_own_bound_is_told_as_theirs_with_the_time_of_their_next_ending() -> None:
    hall = Hall(parallel=2, user_running=1, user_waiting=1)
    hall.answer(hall.arrive("aiko"), seconds=6.0)
    hall.arrive("ben")
    hall.arrive("ben")
    hall.clock += 2.0
    with pytest.raises(Overloaded) as refused:
        hall.arrive("ben")
    assert refused.value.is_own
    assert refused.value.retry_after_seconds == pytest.approx(4.0)
    assert hall.arrive("chie").state == "holding"


def test_the_machines_bound_gives_everybody_who_is_refused_a_later_time_than_the_one_before() -> None:
    hall = Hall(parallel=2, queue_limit=2)
    for user in ("a", "b"):
        hall.answer(hall.arrive(user), seconds=8.0)
    for user in "abcd":
        hall.arrive(user)
    hall.clock += 3.0
    told = []
    for user in "efgh":
        with pytest.raises(Overloaded) as refused:
            hall.arrive(user)
        assert not refused.value.is_own
        told.append(refused.value.retry_after_seconds)
    assert told == [pytest.approx(5.0), pytest.approx(5.0), pytest.approx(13.0), pytest.approx(13.0)]
    hall.clock += 13.5
    with pytest.raises(Overloaded) as refused:
        hall.arrive("e")
    assert refused.value.retry_after_seconds < 10.0, "promises that have passed are forgotten"


def test_whoever_is_let_in_is_counted_before_they_line_up() -> None:
    hall = Hall(parallel=1, queue_limit=1)
    with hall.admission.turn("ben", PEOPLE), hall.admission.turn("aiko", PEOPLE):
        assert (hall.admission.present, hall.admission.waiting, hall.admission.active) == (2, 0, 0)
        with pytest.raises(Overloaded):
            hall.arrive("chie")
    assert hall.arrive("chie").state == "holding"


def test_a_running_answer_counts_with_what_it_still_takes() -> None:
    hall = Hall()
    hall.answer(hall.arrive("ben"), seconds=20.0)
    hall.arrive("ben")
    hall.clock += 15.0
    waiting = hall.arrive("aiko")
    assert hall.admission.lines[0].outlook(waiting) == Queued(position=1, wait_seconds=5.0)


def test_before_any_answer_has_been_timed_a_guess_is_told() -> None:
    hall = Hall()
    hall.arrive("ben")
    assert hall.admission.lines[0].outlook(hall.arrive("aiko")).wait_seconds == FIRST_GUESS_SECONDS


def test_an_answer_that_is_overdue_is_not_said_to_end_at_once() -> None:
    hall = Hall()
    hall.answer(hall.arrive("ben"), seconds=2.0)
    hall.arrive("ben")
    hall.clock += 60.0
    assert hall.admission.lines[0].outlook(hall.arrive("aiko")).wait_seconds >= 20.0


def test_only_whole_answers_teach_the_pace() -> None:
    hall = Hall()
    hall.answer(hall.arrive("ben"), seconds=8.0)
    aborted = hall.arrive("ben")
    hall.clock += 100.0
    aborted.leave()
    hall.arrive("ben")
    assert hall.admission.lines[0].outlook(hall.arrive("aiko")).wait_seconds == 8.0


def test_positions_follow_the_order_of_service_not_of_arrival() -> None:
    hall = Hall()
    hall.arrive("app-0", APPS)
    first, second = hall.arrive("app-1", APPS), hall.arrive("app-2", APPS)
    person = hall.arrive("ben")
    positions = [hall.admission.lines[0].outlook(turn).position for turn in (person, first, second)]
    assert positions == [1, 2, 3]


def test_a_line_longer_than_what_is_played_through_is_still_told_a_rising_wait() -> None:
    hall = Hall(parallel=4)
    turns = [hall.arrive(f"user-{number}") for number in range(FORESEEN + 104)]
    told = [hall.admission.lines[0].outlook(turn) for turn in turns[4:]]
    assert [each.position for each in told] == list(range(1, FORESEEN + 101))
    waits = [each.wait_seconds for each in told]
    assert waits == sorted(waits)


def test_a_turn_that_leaves_gives_its_place_or_its_place_in_line_to_the_next() -> None:
    hall = Hall(parallel=1)
    running, second, third = (hall.arrive(user) for user in ("a", "b", "c"))
    second.leave()
    second.leave()
    running.leave()
    assert third.state == "holding"
    assert (hall.admission.active, hall.admission.waiting, hall.admission.present) == (1, 0, 1)


def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    async def waits_and_is_cancelled() -> tuple[int, int]:
        admission = Admission(parallel=1, queue_limit=4)

        async def ask() -> None:
            with admission.turn("ben", PEOPLE) as turn:
                while await turn.outlook() is not None:
                    pass

        with admission.turn("aiko", PEOPLE) as held:
            assert await held.outlook() is None
            task = asyncio.create_task(ask())
            for _ in range(3):
                await asyncio.sleep(0)
            assert admission.waiting == 1
            task.cancel()
            await asyncio.wait({task})
            return admission.waiting, admission.present

    assert asyncio.run(waits_and_is_cancelled()) == (0, 1)


def test_whoever_waits_hears_of_every_step_forward_then_that_it_is_their_turn_and_then_has_the_place() -> None:
    async def heard() -> list[int | None]:
        admission = Admission(parallel=1, queue_limit=4)
        with admission.turn("a", PEOPLE) as first, admission.turn("b", PEOPLE) as second:
            first.line_up()
            second.line_up()
            with admission.turn("c", PEOPLE) as third:
                steps = []
                for leaves in (first, second, None, None):
                    outlook = await third.outlook()
                    steps.append(outlook.position if outlook is not None else None)
                    if leaves is not None:
                        leaves.leave()
                return steps

    assert asyncio.run(heard()) == [2, 1, 0, None]


def test_nobody_is_told_more_often_than_a_screen_can_use_however_fast_the_line_moves() -> None:
    hall = Hall(parallel=1)
    running = [hall.arrive(f"user-{number}") for number in range(40)]
    last = hall.arrive("last")

    async def told() -> list[Queued]:
        found = []

        async def listen() -> None:
            while (outlook := await last.outlook()) is not None:
                found.append(outlook)

        task = asyncio.create_task(listen())
        for turn in running:
            await asyncio.sleep(0)
            hall.answer(turn, seconds=AGAIN_SECONDS / 4)
        await task
        return found

    positions = [each.position for each in asyncio.run(told())]
    assert positions[0] == 40
    assert positions == sorted(positions, reverse=True)
    assert len(positions) <= 40 / 4 + 2
    assert positions[-1] == 0


def test_whoever_gets_a_place_at_once_is_told_nothing() -> None:
    assert asyncio.run(Hall().arrive("ben").outlook()) is None


@pytest.mark.parametrize(
    ("via", "is_background", "crowd"),
    [("proxy", False, PEOPLE), ("cli", False, PEOPLE), ("key", False, APPS), ("key", True, BACKGROUND)],
)
def test_who_lines_up_where_follows_from_how_they_came_in(via: str, is_background: bool, crowd: Crowd) -> None:
    principal = Principal("ben", via=via)  # type: ignore[arg-type]
    assert crowd_of(principal, is_background=is_background) == crowd


def test_a_thousand_questions_of_fifty_users_are_shared_fairly_and_their_waits_foreseen() -> None:
    """The benchmark's load in virtual time: closed loops of 20 people, 20 apps and 10 background users."""
    luck = random.Random(7)
    hall = Hall(parallel=4, queue_limit=200, user_running=2, user_waiting=8)
    users = [
        (f"{crowd.value}-{n}", crowd) for crowd, many in zip(Crowd, (20, 20, 10), strict=True) for n in range(many)
    ]
    left = dict.fromkeys((user for user, _ in users), 20)
    served: dict[Crowd, Counter[str]] = {crowd: Counter({u: 0 for u, c in users if c == crowd}) for crowd in Crowd}
    shares: dict[Crowd, float] = {}
    waits: dict[Crowd, list[float]] = {crowd: [] for crowd in Crowd}
    errors: list[float] = []
    told: dict[Turn, tuple[float, float]] = {}
    running: list[tuple[float, int, Turn]] = []
    crowd_of_user = dict(users)

    def ask(user: str) -> None:
        if left[user]:
            left[user] -= 1
            turn = hall.arrive(user, crowd_of_user[user])
            told[turn] = (
                hall.clock,
                hall.admission.lines[0].outlook(turn).wait_seconds if turn.state == "in line" else 0.0,
            )

    def start() -> None:
        for turn in [turn for turn in told if turn.state == "holding"]:
            asked_at, foreseen = told.pop(turn)
            waits[turn.crowd].append(hall.clock - asked_at)
            if hall.clock - asked_at > 1.0:
                errors.append(abs(foreseen - (hall.clock - asked_at)) / (hall.clock - asked_at))
            heapq.heappush(running, (hall.clock + luck.uniform(2.0, 12.0), turn.number, turn))

    for user, _ in users:
        for _ in range(1 + luck.randrange(3)):
            ask(user)
    start()
    while running:
        hall.clock, _, turn = heapq.heappop(running)
        turn.leave(is_whole=True)
        counts = served[turn.crowd]
        counts[turn.user] += 1
        if counts[turn.user] == 20:
            shares.setdefault(turn.crowd, max(counts.values()) / max(1, min(counts.values())))
        ask(turn.user)
        start()

    assert sum(counts.total() for counts in served.values()) == 1000
    assert max(shares.values()) <= 1.5
    p95 = {crowd: statistics.quantiles(each, n=20)[-1] for crowd, each in waits.items()}
    assert p95[PEOPLE] <= p95[APPS] / 3
    assert statistics.median(errors) <= 0.3


def test_callers_who_come_back_when_they_were_told_find_a_place_and_the_model_is_not_left_idle() -> None:
    """Sixty at once where twelve are let in; the others return after the whole seconds of their Retry-After."""
    luck = random.Random(3)
    hall = Hall(parallel=4, queue_limit=8)
    for number in range(20):  # so that the pace is known
        hall.answer(hall.arrive(f"before-{number}"), seconds=luck.uniform(4.0, 8.0))
    begun_at = hall.clock
    coming = [(hall.clock, number, 0) for number in range(60)]
    running: list[tuple[float, int, Turn]] = []
    returns, found_full = 0, 0
    turns: list[Turn] = []
    while coming or running:
        if running and (not coming or running[0][0] <= coming[0][0]):
            hall.clock, _, turn = heapq.heappop(running)
            turn.leave(is_whole=True)
        else:
            hall.clock, number, tries = heapq.heappop(coming)
            returns += tries > 0
            try:
                turns.append(hall.arrive(f"user-{number}"))
            except Overloaded as refused:
                found_full += tries > 0
                pause_seconds = math.ceil(refused.retry_after_seconds)
                heapq.heappush(coming, (hall.clock + pause_seconds, number, tries + 1))
        started = [turn for turn in turns if turn.state == "holding"]
        turns = [turn for turn in turns if turn.state == "in line"]
        for turn in started:
            heapq.heappush(running, (hall.clock + luck.uniform(4.0, 8.0), turn.number, turn))
    assert returns - found_full == 48, "everybody is let in in the end"
    assert found_full <= 0.2 * returns
    assert hall.clock - begun_at <= 1.2 * 60 * 6.0 / 4
