"""1,000 questions of 50 users in three crowds at a model that answers four at once: who is served when, and what was told.

    20 people, 20 apps, 10 background users, each with one to three questions open -> API -> stub model, 4 at once

Every user asks the next question as soon as one is answered, without a pause, so that the line never gets short. Goals: in
each crowd max/min of what its users were served (when the first of them has all its answers) <= 1.5; p95 of people's waits <= 1/3
of that of apps; nothing lost; the wait that was told first is off by <= 30 % (median). Prints one JSON line.
QUESTIONS= changes the number.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field

from assistant.adapters.ledger import Ledger
from assistant.line import Crowd
from benchmarks.loaded_deployment import Asked, Loaded, asked, loaded_deployment
from tests.journeys.deployment import PROXY_SECRET

QUESTIONS = int(os.environ.get("QUESTIONS", "1000"))
CROWDS = {Crowd.PEOPLE: (20, 0.48), Crowd.APPS: (20, 0.40), Crowd.BACKGROUND: (10, 0.12)}
"""Users, and share of the questions."""
PARALLEL = 4
TEXTS = (
    "有給休暇はいつまでに申請しますか?",
    "病気休暇には診断書が必要ですか?",
    "慶弔休暇は何日ですか?",
    "育児休業はいつまで取れますか?",
    "半日の有給休暇は取れますか?",
)
LEAST_SECONDS = 0.5
"""Shorter waits are not judged: told in tenths of a second, they are off by their rounding."""
GOALS = {"share": 1.5, "people_to_apps": 1 / 3, "lost": 0, "error": 0.3}


@dataclass
class User:
    """One user and what became of their questions."""

    name: str
    crowd: Crowd
    headers: dict[str, str]
    open_at_once: int
    left: int
    answers: list[Asked] = field(default_factory=list)
    refused: int = 0


def made_users(ledger: Ledger) -> list[User]:
    """People by the proxy's header, apps by keys; every third has one, two or three questions open."""
    users = []
    for crowd, (many, share) in CROWDS.items():
        for number in range(many):
            name = f"{crowd.value}{number}"
            headers = {"X-Forwarded-User": name, "X-Proxy-Secret": PROXY_SECRET}
            if crowd is not Crowd.PEOPLE:
                headers = {"Authorization": "Bearer " + ledger.create_key(name, scopes=["ask"])}
            if crowd is Crowd.BACKGROUND:
                headers["X-Priority"] = "background"
            users.append(User(name, crowd, headers, 1 + number % 3, round(QUESTIONS * share / many)))
    return users


async def keeps_asking(here: Loaded, user: User) -> None:
    """One of the questions that a user has open, again and again until all are asked."""
    while user.left > 0:
        user.left -= 1
        text = TEXTS[(user.left + len(user.name)) % len(TEXTS)]
        while True:
            seen = await asked(here.deployment.api_url, user.headers, text, path="/ask")
            if seen.status != 429:
                break
            user.refused += 1
            await asyncio.sleep(seen.retry_after or 1.0)
        user.answers.append(seen)


async def everybody(here: Loaded, users: list[User]) -> None:
    """All users at once."""
    await asyncio.gather(*[keeps_asking(here, user) for user in users for _ in range(user.open_at_once)])


def share_of(users: list[User]) -> float:
    """Max/min of answers in a crowd at the moment at which the first of its users has all of them."""
    first_done = min(max(answer.ended_at for answer in user.answers) for user in users)
    counts = [sum(answer.ended_at <= first_done for answer in user.answers) for user in users]
    return max(counts) / max(1, min(counts))


def main() -> None:
    """Asks everything and prints the line."""
    settings = {"MODEL_PARALLEL": str(PARALLEL), "QUEUE_LIMIT": "200"}
    with loaded_deployment(
        users=["nobody"], settings=settings, tokens_per_second=60.0, prefill_seconds=0.2, parallel=PARALLEL
    ) as here:
        ledger = Ledger.open(f"sqlite:///{here.deployment.folder / 'var' / 'ledger.db'}")
        users = made_users(ledger)
        ledger.close()
        asyncio.run(asked(here.deployment.api_url, users[0].headers, TEXTS[0], path="/ask"))
        started = time.monotonic()
        asyncio.run(everybody(here, users))
        seconds = time.monotonic() - started
    answers = [answer for user in users for answer in user.answers]
    waits = {crowd: [a.queue_seconds for u in users if u.crowd == crowd for a in u.answers] for crowd in CROWDS}
    p95 = {crowd: statistics.quantiles(each, n=20)[-1] for crowd, each in waits.items()}
    errors = [
        abs(answer.queued[0][2] - answer.queue_seconds) / answer.queue_seconds
        for answer in answers
        if answer.queued and answer.queue_seconds >= LEAST_SECONDS
    ]
    shares = {crowd: share_of([user for user in users if user.crowd == crowd]) for crowd in CROWDS}
    ends = Counter(answer.end for answer in answers)
    lost = len(answers) - ends["finished"]
    to_apps = p95[Crowd.PEOPLE] / p95[Crowd.APPS]
    error = statistics.median(errors)
    print(
        json.dumps(
            {
                "benchmark": "fairness",
                "questions": len(answers),
                "users": len(users),
                "model_parallel": PARALLEL,
                "seconds": round(seconds, 1),
                "lost": lost,
                "refused": sum(user.refused for user in users),
                **{f"{crowd}_share_max_to_min": round(share, 2) for crowd, share in shares.items()},
                **{f"{crowd}_wait_p95_seconds": round(each, 1) for crowd, each in p95.items()},
                "people_to_apps_p95": round(to_apps, 3),
                "told_waits": len(errors),
                "told_error_median": round(error, 3),
                "goals": {name: round(value, 3) for name, value in GOALS.items()},
                "meets_goal": lost <= GOALS["lost"]
                and max(shares.values()) <= GOALS["share"]
                and to_apps <= GOALS["people_to_apps"]
                and error <= GOALS["error"],
            }
        )
    )


if __name__ == "__main__":
    main()
