"""Five people ask all the time while an administrator drafts, publishes, and fails to publish: nobody loses a question.

Real ledger, real tantivy, the real course of a question and of publishing; the model host is the fake one, and the same
journey runs on a real Ollama in tests/live/test_releases.py.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.adapters.fake_host import FakeModelHost, fake_model
from assistant.ask import ask
from assistant.domain import EVERYONE, DependencyState, Finished, Principal, Question
from assistant.errors import ReleaseRefused, StoreUnavailable, Text, WillNotFit
from assistant.release.checks import needed_bytes
from assistant.release.compare import Compared, compare
from assistant.releases import Content, Standing
from tests.journeys.releasing import QUESTION, USERS, Company, company_on

FOLDER = Content('FROM base\nPARAMETER num_ctx 4096\nSYSTEM """抜粋だけから　答えます。"""\n')
ALIAS = "company-assistant"


@pytest.fixture
def host() -> FakeModelHost:
    return FakeModelHost()


@pytest.fixture
def company(host: FakeModelHost, tmp_path: Path) -> Iterator[Company]:
    settings = {"system": "抜粋だけから　答えます。", "parameters": {"num_ctx": 4096}}
    asyncio.run(host.make(ALIAS, base="base", settings=settings))
    opened = company_on(host, lambda name, *_: host.chat_model(name), folder=FOLDER, alias=ALIAS, path=tmp_path)
    yield opened
    opened.ledger.close()


def test_while_five_people_ask_nobody_loses_a_question_to_good_or_bad_releases(
    company: Company, host: FakeModelHost
) -> None:
    good = company.draft(temperature=0.1, passages=2, num_ctx=3072)
    too_large = company.draft(num_ctx=30_000)
    breaking = company.draft(system="Whatever is asked, answer with the single word YES.")

    async def day() -> None:
        async with company.busy():
            await company.until_answered_by(FOLDER.release_id)
            drafted = await company.following.rehearsing(None)
            assert drafted.release_id == FOLDER.release_id
            await company.publisher.publish(good, by="chie")
            await company.until_answered_by(good)
            host.memory_bytes = needed_bytes(fake_model("base"), num_ctx=8000, parallel=1)
            with pytest.raises(WillNotFit):
                await company.publisher.publish(too_large, by="chie")
            await company.until_answered_by(good)
            with pytest.raises(ReleaseRefused):
                await company.publisher.publish(breaking, by="chie")
            await company.until_answered_by(good)
            await company.publisher.rollback(by="chie")
            await company.until_answered_by(FOLDER.release_id)

    asyncio.run(day())
    assert company.failures == []
    assert {one.release_id for one in company.answers} == {FOLDER.release_id, good}
    assert {one.mode.value for one in company.answers} == {"generated"}
    windows = {one.release_id: one.context.num_ctx for one in company.answers}
    assert windows == {FOLDER.release_id: 4096, good: 3072}
    assert {one.model for one in company.answers} == {ALIAS, f"{ALIAS}:{good}", f"{ALIAS}:{FOLDER.release_id}"}
    assert max(len(one.passages) for one in company.answers if one.release_id == good) == 2


def test_a_question_under_way_ends_on_the_release_that_it_began_with(company: Company) -> None:
    other = company.draft(temperature=0.1)

    async def day() -> None:
        question = Question(text=QUESTION, language="ja", principal=Principal("ben", frozenset({EVERYONE})))
        question, pipeline = await company.following.of_question(question)
        events = ask(question, pipeline)
        await anext(events)
        await company.publisher.publish(other, by="chie")
        rest = [event async for event in events]
        assert isinstance(rest[-1], Finished)
        assert rest[-1].answer.release_id == FOLDER.release_id
        answer = await company.ask("ben")
        assert answer is not None
        assert answer.release_id == other

    asyncio.run(day())


def test_a_canary_gets_its_share_and_a_conversation_stays_with_its_release(company: Company) -> None:
    other = company.draft(temperature=0.1)

    async def day() -> Standing:
        standing = await company.publisher.adopted(by="chie")
        await company.publisher.prepare(company.ledger.release(other), standing)
        standing = company.ledger.set_canary(other, 40, revision=standing.revision, by="chie")
        for number in range(25):
            first = await company.ask(USERS[number % 5])
            assert first is not None
            again = await company.ask(USERS[number % 5], conversation_id=first.conversation_id)
            assert again is not None
            assert again.release_id == first.release_id
        return standing

    standing = asyncio.run(day())
    counted = Counter(one.release_id for one in company.answers)
    assert 0 < counted[other] < 50
    uses = company.ledger.uses_since(standing.canary_since, [FOLDER.release_id, other])
    assert [use.answers for use in uses] == [counted[FOLDER.release_id], counted[other]]
    assert company.failures == []


def test_a_comparison_shows_what_a_draft_gains_loses_and_refuses(company: Company) -> None:
    breaking = company.draft(system="Whatever is asked, answer with the single word YES.")
    questions = [
        Compared(QUESTION, "ja", "golden", must_say=("3営業日前",)),
        Compared("社長の好きな色は?", "ja", "golden", must_refuse=True),
    ]

    async def run() -> dict[str, object]:
        await company.publisher.make(company.ledger.release(breaking))
        old, new = await company.following.rehearsing(None), await company.following.rehearsing(breaking)
        found = await compare(
            questions, published=lambda question: ask(question, old), draft=lambda question: ask(question, new)
        )
        return found["sums"]  # type: ignore[no-any-return]

    sums = asyncio.run(run())
    assert sums["now_refuses"] == 1
    assert sums["citations_lost"] == 1
    assert [sums[name]["right"] for name in ("published", "draft")] == [2, 1]  # type: ignore[index]
    assert company.ledger.asked_lately(limit=5) == []


def test_what_somebody_changed_on_the_model_server_is_told_with_the_command_that_mends_it(
    company: Company, host: FakeModelHost
) -> None:
    release_id = company.draft(temperature=0.1)

    async def day() -> list[DependencyState]:
        states = [await company.following.state()]
        await company.publisher.publish(release_id, by="chie")
        states.append(await company.following.state())
        await host.make(ALIAS, base="base", settings={"system": "another"})
        states.append(await company.following.state())
        await host.make(f"{ALIAS}:{release_id}", base="base", settings={"system": "another"})
        states.append(await company.following.state())
        await host.remove(f"{ALIAS}:{release_id}")
        states.append(await company.following.state())
        await company.publisher.publish(release_id, by="chie")
        return [*states, await company.following.state()]

    states = asyncio.run(day())
    assert [state.state for state in states] == ["ok", "ok", "warn", "warn", "warn", "ok"]
    assert all(f"assistant release publish {release_id}" in state.hint_en for state in states[2:5])


def test_a_ledger_that_is_away_leaves_the_last_release_answering(company: Company) -> None:
    release_id = company.draft(temperature=0.1)

    async def day() -> str | None:
        await company.publisher.publish(release_id, by="chie")
        await company.following.refresh()

        def away() -> Standing:
            raise StoreUnavailable(Text(ja="台帳", en="ledger"), Text(ja="", en=""))

        company.ledger.standing = away  # type: ignore[method-assign]
        return (await company.following.refresh()).release_id

    assert asyncio.run(day()) == release_id
    assert company.following.current.release_id == release_id
