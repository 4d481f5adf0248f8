"""The journey of tests/journeys/test_releases.py on a real Ollama with a small model: five people ask all the time while
releases are drafted, compared, published, refused and taken back, and nobody loses a question.

One thread computes: with two on a busy machine each token waits for the slower one. The questions of people go to the model
one at a time, as the API sends them, so that the administrator's probes take turns with them.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.adapters.model_files import QWEN_CODER_0_5B
from assistant.adapters.ollama import OllamaChatModel
from assistant.adapters.ollama_host import OllamaModelHost
from assistant.ask import ask
from assistant.errors import ReleaseRefused, WillNotFit
from assistant.release.compare import Compared, compare
from assistant.release.modelfile import parse_modelfile
from assistant.release.prune import freed_bytes, old_models, take_away
from assistant.release.publish import Bars
from assistant.releases import Content, ReleaseAct
from tests.journeys.releasing import QUESTION, Company, company_on
from tests.live.asking import ANSWER_SECONDS
from tests.live.ollama_process import LiveOllama

ALIAS = "releases-live"
SYSTEM = "抜粋だけを根拠に、　出典の番号を付けて短く答えます。"
FOLDER = Content(
    f"FROM {QWEN_CODER_0_5B.name}\nPARAMETER num_ctx 2048\nPARAMETER num_thread 1\nPARAMETER temperature 0\n"
    f'SYSTEM """{SYSTEM}"""\n'
)
BREAKING = (
    "「情報が不足しているため回答できません」とは絶対に書きません。答えがないときは「はい、5万円です」と書きます。"
)
PATIENT = Bars(
    least_speed_share=0.05, probe_seconds=ANSWER_SECONDS
)  # the machine is shared; the bars have tests of their own


class MeddledHost(OllamaModelHost):
    """The real host, on which somebody spoils the model of the release `spoils` right after it was moved to."""

    spoils = ""

    async def copy(self, source: str, destination: str) -> None:
        """The alias is moved, then the model behind it loses its template: it never sees a question any more."""
        await super().copy(source, destination)
        if self.spoils and source.endswith(self.spoils):
            spoiled = {"template": "{{ .System }}", "parameters": dict(parse_modelfile(FOLDER.modelfile).parameters)}
            await self.make(source, base=QWEN_CODER_0_5B.name, settings=spoiled)


@pytest.fixture
def company(live_ollama: LiveOllama, tmp_path: Path) -> Iterator[Company]:
    live_ollama.create_chat_model_of(QWEN_CODER_0_5B)
    host = MeddledHost(url=live_ollama.url, connect_timeout_seconds=60)
    modelfile = parse_modelfile(FOLDER.modelfile)
    settings = {"system": SYSTEM, "parameters": dict(modelfile.parameters)}
    asyncio.run(host.make(ALIAS, base=modelfile.base_model, settings=settings))

    def model_of(name: str, num_ctx: int, system: str) -> OllamaChatModel:
        return OllamaChatModel(
            url=live_ollama.url,
            model=name,
            num_ctx=num_ctx,
            system_text=system,
            connect_timeout_seconds=60,
            first_token_timeout_seconds=ANSWER_SECONDS,
            token_timeout_seconds=ANSWER_SECONDS,
        )

    opened = company_on(host, model_of, folder=FOLDER, alias=ALIAS, path=tmp_path, num_predict=48)
    opened.publisher = replace(opened.publisher, bars=PATIENT)
    opened.seconds = ANSWER_SECONDS
    yield opened
    opened.ledger.close()

    async def clean() -> None:
        for name in [name for name in await host.digests() if name.startswith(ALIAS)]:
            await host.remove(name)

    asyncio.run(clean())


def test_pruning_takes_old_models_from_a_real_host_and_leaves_their_weights_to_the_others(company: Company) -> None:
    ledger, host = company.ledger, company.publisher.host
    drafts = [ledger.release(company.draft(passages=number)) for number in (1, 2, 3)]

    async def course() -> None:
        standing = await company.publisher.adopted(by="chie")
        names = [await company.publisher.make(draft) for draft in drafts]
        ledger.set_canary(drafts[2].release_id, 10, revision=standing.revision, by="chie")
        files = await host.files()
        old = old_models(ledger, files, older_than_days=0, at=datetime.now(UTC) + timedelta(days=1))
        assert [each.model for each in old] == names[:2]
        assert freed_bytes(names[:2], files) == 0, "the base model has the same weights"
        assert files[names[0]].weights == files[f"{QWEN_CODER_0_5B.name}:latest"].weights
        await take_away(ledger, host, old, by="chie")
        assert (await host.files()).keys() == files.keys() - set(names[:2])
        assert await host.seen(names[2]) is not None

    asyncio.run(course())


@pytest.mark.long  # five loads of a model and its probes: minutes on two cores
def test_five_people_lose_no_question_while_releases_are_published_refused_and_taken_back(company: Company) -> None:
    good = company.draft(passages=1, num_ctx=1536)
    too_large = company.draft(num_ctx=1_000_000)
    out_of_memory = company.draft(num_ctx=32_768)
    breaking = company.draft(system=BREAKING)
    seconds: dict[str, float] = {}

    async def day() -> None:
        publisher = company.publisher
        async with company.busy():
            await company.until_answered_by(FOLDER.release_id, times=1)
            await publisher.adopted(by="chie")
            await publisher.make(company.ledger.release(good))
            old, new = await company.following.rehearsing(None), await company.following.rehearsing(good)
            found = await compare(
                [Compared(QUESTION, "ja")], published=lambda one: ask(one, old), draft=lambda one: ask(one, new)
            )
            assert [found["sums"][name]["failed"] for name in ("published", "draft")] == [0, 0]
            started = time.monotonic()
            await publisher.publish(good, by="chie")
            seconds["publish"] = time.monotonic() - started
            await company.until_answered_by(good, times=1)
            with pytest.raises(WillNotFit, match="more than the 32,768 tokens"):
                await publisher.publish(too_large, by="chie")
            with pytest.raises(WillNotFit, match="GiB are free"):  # as if the server answered 500 at once
                await replace(publisher, parallel=500).publish(out_of_memory, by="chie")
            with pytest.raises(ReleaseRefused):
                await publisher.publish(breaking, by="chie")
            await company.until_answered_by(good, times=1)
            started = time.monotonic()
            await publisher.rollback(by="chie")
            seconds["rollback"] = time.monotonic() - started
            await company.until_answered_by(FOLDER.release_id, times=1)

    asyncio.run(day())
    counted = Counter((one.release_id, one.mode.value, one.context.num_ctx) for one in company.answers)
    why = company.ledger.release_events(breaking)[0].why
    print(f"\nanswers {sum(counted.values())}, failed {len(company.failures)}, {seconds}\n{counted}\n{why}")
    assert company.failures == []
    assert {(release_id, num_ctx) for release_id, _, num_ctx in counted} == {(FOLDER.release_id, 2048), (good, 1536)}
    assert {mode for _, mode, _ in counted} == {"generated"}, "no answer fell back to quotes"
    assert {one.model for one in company.answers} == {
        ALIAS,
        f"{ALIAS}:{FOLDER.release_id}",
        f"{ALIAS}:{good}",
    }
    shown = asyncio.run(company.publisher.host.seen(f"{ALIAS}:{good}"))
    assert shown is not None
    assert shown.system == SYSTEM


@pytest.mark.long  # seven probes and people's questions, in turns
def test_a_release_that_breaks_after_it_was_published_is_taken_back_by_itself(company: Company) -> None:
    good_until_moved = company.draft(passages=1)
    host = company.publisher.host
    assert isinstance(host, MeddledHost)
    host.spoils = good_until_moved
    times: dict[str, float] = {}

    def note(step: str) -> None:
        times[step] = time.monotonic()

    publisher = replace(company.publisher, told=note)

    async def day() -> None:
        async with company.busy():
            await company.until_answered_by(FOLDER.release_id, times=1)
            with pytest.raises(ReleaseRefused, match="put back by itself"):
                await publisher.publish(good_until_moved, by="chie")
            times["back"] = time.monotonic()
            await company.until_answered_by(FOLDER.release_id, times=2)

    asyncio.run(day())
    events = [(event.act, event.actor) for event in company.ledger.release_events(limit=3)]
    counted = Counter((one.release_id, one.mode.value) for one in company.answers)
    why = company.ledger.release_events(good_until_moved)[0].why
    print(
        f"\nback {times['back'] - times['moved']:.0f} s after the move; {counted}, failed {len(company.failures)}\n{why}"
    )
    assert company.failures == []
    # whoever asks in the seconds before it is taken back may get quotes, with the reason
    assert {mode for release_id, mode in counted if release_id == FOLDER.release_id} == {"generated"}
    assert company.ledger.standing().release_id == FOLDER.release_id
    assert {(ReleaseAct.ROLLED_BACK, "publish"), (ReleaseAct.PUBLISHED, "chie")} <= set(events)
    shown = asyncio.run(host.seen(ALIAS))
    assert shown is not None
    assert ".Messages" in shown.template, "other programs find the former model under the usual name, too"
