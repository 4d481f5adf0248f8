"""Makes a release the one that answers, or leaves everything as it is and says why.

    make under a name of its own ▶ is it what was asked for? ▶ does it fit? ▶ load ▶ whole window, whole on the GPU?
       ▶ three probes beside the published one's ▶ one row of the ledger moves ▶ once more ▶ (back by itself)

Nobody waits for it: the former model stays under its own name, questions under way end there, and the next ones read the
row. Only a release with another window makes the server load its file anew, which questions wait for. Must not know
settings, HTTP or any vendor.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from assistant.errors import (
    AssistantError,
    ModelError,
    NothingToRollBackTo,
    ReleaseConflict,
    ReleaseRefused,
    StoreUnavailable,
    Text,
)
from assistant.ports import ModelHost, ReleaseLedger
from assistant.release.checks import check_loaded, check_made, check_memory, refused
from assistant.release.content import differences, host_settings
from assistant.release.modelfile import Modelfile, parse_modelfile
from assistant.release.parameters import RUNNER_PARAMETERS
from assistant.release.probes import ANSWER_TOKENS, PROBES, Probe
from assistant.releases import Content, LoadedModel, Release, ReleaseAct, Standing, Tried

Value = TypeVar("Value")


def _say_nothing(step: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Bars:
    """What a release must not be worse than. Speed is the model's own, without waiting: a busy machine halves it, so the bar
    is a third of the published one's. `probe_seconds`: reading a short prompt and writing two lines."""

    least_speed_share: float = 1 / 3
    probe_seconds: float = 120.0


@dataclass(frozen=True)
class Prepared:
    """A release whose model lies on the host, is loaded, and has passed its checks; `seen` is what was found."""

    release: Release
    model: str
    seen: Mapping[str, Any]


@dataclass(frozen=True)
class Publisher:
    """What publishing needs. `alias` is the model's name for other programs; `folder` is what answers while no release is
    published. `window`: num_ctx is pinned by a setting, and a release must have the same."""

    ledger: ReleaseLedger
    host: ModelHost
    alias: str
    folder: Content
    parallel: int = 1
    window: int | None = None
    bars: Bars = field(default_factory=Bars)
    told: Callable[[str], None] = _say_nothing

    async def publish(self, release_id: str, *, by: str, why: str = "") -> Standing:
        """The new standing. Raises ReleaseRefused, WillNotFit, ModelError, ReleaseConflict: then what answered goes on."""
        standing = await self.adopted(by=by)
        release = await _off_loop(self.ledger.release, release_id)
        try:
            prepared = await self.prepare(release, standing)
        except (StoreUnavailable, ReleaseConflict):
            raise
        except AssistantError as error:
            await _off_loop(self.ledger.note_refused, release_id, by=by, why=error.message.en, details=_words(error))
            await self._restore(standing)
            raise
        former = None if standing.release_id is None else await _off_loop(self.ledger.release, standing.release_id)
        act = ReleaseAct.MENDED if standing.release_id == release_id else ReleaseAct.PUBLISHED
        changed = differences(None if former is None else former.content, release.content)
        details = {"differences": changed, **prepared.seen}
        moved = await _off_loop(
            self.ledger.move, release_id, revision=standing.revision, act=act, by=by, why=why, details=details
        )
        self.told("moved")
        await self._confirm(prepared, moved, former)
        return moved

    async def adopted(self, *, by: str) -> Standing:
        """The standing; before the first release, what answers now is noted as one, under a name of its own."""
        standing = await _off_loop(self.ledger.standing)
        if standing.release_id is not None or await self.host.seen(self.alias) is None:
            return standing
        name = self.model_name(self.folder.release_id)
        await self.host.copy(self.alias, name)
        digests = await self.host.digests()
        return await _off_loop(self.ledger.adopt, self.folder, model=name, digest=digests.get(name, ""), by=by)

    def model_name(self, release_id: str) -> str:
        """The release's own name on the host, e.g. company-assistant:r_3f2a9c1d5e7b8046."""
        return f"{self.alias.rpartition('/')[0] + '/' if '/' in self.alias else ''}{_bare(self.alias)}:{release_id}"

    async def make(self, release: Release) -> str:
        """The name of the release's model, made anew and compared with what was asked for. Raises ReleaseRefused, ..."""
        modelfile = parse_modelfile(release.content.modelfile)
        self._check_window(modelfile)
        name = self.model_name(release.release_id)
        self.told("make")
        made = await self.host.make(name, base=modelfile.base_model, settings=host_settings(modelfile))
        check_made(modelfile, made)
        await _off_loop(self.ledger.note_made, release.release_id, model=name, digest=made.digest)
        return name

    async def prepare(self, release: Release, standing: Standing) -> Prepared:
        """Makes, loads and tries the release. Raises ReleaseRefused, WillNotFit, ModelError, ModelMissing."""
        modelfile = parse_modelfile(release.content.modelfile)
        name = await self.make(release)
        published = None if standing.release_id is None else await _off_loop(self.ledger.release, standing.release_id)
        model_now = None if published is None else published.model
        await self._check_memory(modelfile, name, None if model_now is None else await self.host.loaded(model_now))
        before, former_tries = await self._former(model_now)
        self.told("load")
        loaded = await self.host.load(name)
        placed = check_loaded(modelfile, loaded, before=before)
        self.told("probes")
        tries = await self._tries(name, former_tries)
        probes = {probe.name: _shown(tried) for probe, tried in zip(PROBES, tries, strict=True)}
        return Prepared(
            release, name, {"placed": placed, "num_ctx": loaded.num_ctx, "bytes": loaded.bytes, "probes": probes}
        )

    async def rollback(self, *, by: str, why: str = "") -> Standing:
        """The former release answers again; its model lies on the host still. Raises NothingToRollBackTo, ReleaseConflict."""
        standing = await _off_loop(self.ledger.standing)
        if standing.former_id is None:
            raise NothingToRollBackTo(
                Text(ja="戻れる前のリリースがありません。", en="There is no former release to go back to."),
                Text(ja="`assistant release list` で確かめてください。", en="Look with `assistant release list`."),
            )
        former = await _off_loop(self.ledger.release, standing.former_id)
        return await self._go_back(former, standing, by=by, why=why)

    async def _go_back(self, former: Release, standing: Standing, *, by: str, why: str) -> Standing:
        problem = ""
        try:
            name = former.model or self.model_name(former.release_id)
            if await self.host.seen(name) is None:
                name = await self.make(former)
        except ModelError as error:  # the row is moved all the same: a host that is away answers nobody anyhow
            problem, name = error.message.en, ""
        details = {"host": problem} if problem else {}
        moved = await _off_loop(
            self.ledger.move,
            former.release_id,
            revision=standing.revision,
            act=ReleaseAct.ROLLED_BACK,
            by=by,
            why=why,
            details=details,
        )
        if name:
            await self._alias(name)
        return moved

    async def _former(self, model: str | None) -> tuple[LoadedModel | None, list[Tried]]:
        """How the published model lies in memory, and how it answers the probes: before another one takes its place."""
        if model is None or await self.host.seen(model) is None:
            return None, []
        loaded = await self.host.load(model)
        return loaded, [await self._try(model, probe) for probe in PROBES]

    async def _tries(self, model: str, former: Sequence[Tried]) -> list[Tried]:
        """The model's answers, each judged before the next is asked. Raises ReleaseRefused."""
        tries: list[Tried] = []
        for number, probe in enumerate(PROBES):
            tries.append(await self._try(model, probe))
            self._judge(probe, tries[-1], former[number] if former else None)
        if former:
            self._compare(tries, former)
        return tries

    async def _try(self, model: str, probe: Probe) -> Tried:
        return await self.host.try_out(model, probe.prompt, num_predict=ANSWER_TOKENS)

    async def _check_memory(self, modelfile: Modelfile, name: str, before: LoadedModel | None) -> None:
        """Where the machine's memory can be seen and is what counts. On a GPU what was loaded tells, and it alone."""
        free_bytes, made = self.host.free_bytes(), await self.host.seen(name)
        on_gpu = before is not None and before.gpu_bytes > 0
        grows = before is None or (modelfile.num_ctx or 0) > before.num_ctx
        if free_bytes is not None and made is not None and modelfile.num_ctx and grows and not on_gpu:
            check_memory(
                made, num_ctx=modelfile.num_ctx, parallel=self.parallel, free_bytes=free_bytes, before=before
            )  # fmt: skip

    def _check_window(self, modelfile: Modelfile) -> None:
        if modelfile.num_ctx is None or (self.window is not None and modelfile.num_ctx != self.window):
            raise refused(
                f"num_ctx {modelfile.num_ctx or '(なし)'} では公開できません。",
                f"It cannot be published with num_ctx {modelfile.num_ctx or '(none)'}.",
                Text(
                    ja="Modelfile に PARAMETER num_ctx を書き、ASSISTANT_NUM_CTX は空にしてください。",
                    en="Write PARAMETER num_ctx into the Modelfile, and leave ASSISTANT_NUM_CTX empty.",
                ),
            )

    def _judge(self, probe: Probe, tried: Tried, former: Tried | None) -> None:
        """Returns when nothing got worse. What the published one gets wrong as well is no reason to keep it."""
        problem = probe.problem(tried)
        if problem is not None and (former is None or probe.problem(former) is None):
            raise refused(f"試験の質問 {probe.name}: {problem.ja}", f"Probe {probe.name}: {problem.en}", _SYSTEM_HINT)
        writing = tried.answer_tokens / tried.tokens_per_second if tried.tokens_per_second else 0.0
        seconds = tried.first_token_seconds + writing
        if seconds > self.bars.probe_seconds:
            raise refused(
                f"試験の質問 {probe.name} に {seconds:.0f} 秒かかりました(上限 {self.bars.probe_seconds:g} 秒)。",
                f"Probe {probe.name} took {seconds:.0f} s; the bar is {self.bars.probe_seconds:g} s.",
                _SLOW_HINT,
            )

    def _compare(self, tries: Sequence[Tried], former: Sequence[Tried]) -> None:
        cited, before = (
            sum(probe.cites(each) for probe, each in zip(PROBES, some, strict=True)) for some in (tries, former)
        )
        if cited < before:
            raise refused(
                "試験の質問で、出典の番号を書かなくなりました。",
                "In the probes it no longer writes the numbers of its sources.",
                _SYSTEM_HINT,
            )
        speed, usual = (max(each.tokens_per_second for each in some) for some in (tries, former))
        if speed < usual * self.bars.least_speed_share:
            raise refused(
                f"毎秒 {speed:g} トークンで、公開中の {usual:g} より遅すぎます。",
                f"It writes {speed:g} tokens a second, too slow beside the published one's {usual:g}.",
                _SLOW_HINT,
            )

    async def _confirm(self, prepared: Prepared, moved: Standing, former: Release | None) -> None:
        """Once more after the move; goes back by itself when the model does not answer any more. Raises ReleaseRefused."""
        await self._alias(prepared.model)
        probe = PROBES[0]
        try:
            tried = await self._try(prepared.model, probe)
            said_before = prepared.seen["probes"][probe.name]["text"]
            problem = probe.problem(tried) if tried.text != said_before else None
        except AssistantError as error:
            problem = error.message
        if problem is None:
            return
        if former is not None and former.release_id != prepared.release.release_id:
            await self._go_back(former, moved, by="publish", why=problem.en)
            await _off_loop(
                self.ledger.note_refused, prepared.release.release_id, by="publish", why=problem.en, details={}
            )
        raise ReleaseRefused(
            Text(
                ja=f"公開のあとで答えられなくなったため、自動で元に戻しました: {problem.ja}",
                en=f"After publishing it no longer answered, so the former one was put back by itself: {problem.en}",
            ),
            Text(ja="Ollama のログを確かめてください。", en="Look into Ollama's log."),
        )

    async def _restore(self, standing: Standing) -> None:
        """The published model is in memory again before somebody has to wait for it; away, it is loaded by a question."""
        if standing.release_id is None:
            return
        try:
            published = await _off_loop(self.ledger.release, standing.release_id)
            if published.model is not None:
                await self.host.load(published.model)
        except AssistantError:
            self.told("not restored")

    async def _alias(self, model: str) -> None:
        """Other programs find the release under the usual name; what answers does not depend on it."""
        try:
            await self.host.copy(model, self.alias)
        except ModelError:
            self.told("alias not moved")


def reloads(one: Content, other: Content) -> bool:
    """Whether the server loads its file anew between questions to these two: same weights, another window or the like."""
    first, second = (parse_modelfile(content.modelfile) for content in (one, other))
    if first.base_model != second.base_model:
        return False
    return any(first.parameters.get(name) != second.parameters.get(name) for name in RUNNER_PARAMETERS)


async def _off_loop(read: Callable[..., Value], *arguments: Any, **named: Any) -> Value:
    """The ledger is asked in a thread: other people's answers go on meanwhile."""
    return await asyncio.to_thread(read, *arguments, **named)


def _bare(alias: str) -> str:
    return re.sub(r":.*$", "", alias.rpartition("/")[2])


def _shown(tried: Tried) -> dict[str, Any]:
    return {
        "text": tried.text,
        "first_token_seconds": tried.first_token_seconds,
        "tokens_per_second": tried.tokens_per_second,
    }


def _words(error: AssistantError) -> dict[str, Any]:
    """An error as the history keeps it, in both languages."""
    return {
        "code": error.code,
        "message": {"ja": error.message.ja, "en": error.message.en},
        "hint": {"ja": error.hint.ja, "en": error.hint.en},
    }


_SYSTEM_HINT = Text(
    ja="SYSTEM とパラメーターを見直してください。`assistant release evaluate` が質問ごとに比べます。",
    en="Look at SYSTEM and the parameters. `assistant release evaluate` compares question by question.",
)
_SLOW_HINT = Text(
    ja="より小さいモデルか num_ctx にするか、GPU に載っているか `ollama ps` で確かめてください。",
    en="Use a smaller model or num_ctx, or see with `ollama ps` whether it is on the GPU.",
)
