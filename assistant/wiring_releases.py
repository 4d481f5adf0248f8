"""Settings -> what releases need: the host of their models, who publishes, and the pipeline that answers with one.

wiring_models.py builds the chat models.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from assistant.adapters.ledger import Ledger
from assistant.ask import Pipeline
from assistant.backends import SecondModel
from assistant.errors import ReleaseError, Text
from assistant.pack import prompt_budget
from assistant.ports import ModelHost
from assistant.release.content import read_content
from assistant.release.modelfile import parse_modelfile
from assistant.release.publish import Bars, Publisher, reloads
from assistant.releases import Release, Standing
from assistant.settings import Settings
from assistant.wiring_models import chat_models


def open_host(settings: Settings) -> ModelHost | None:
    """Where releases' models are made; None where a model server is sent SYSTEM and sampling with each question."""
    if settings.answers != "ollama":
        return None
    from assistant.adapters.ollama_host import OllamaModelHost

    return OllamaModelHost(url=settings.ollama_url, connect_timeout_seconds=settings.connect_timeout_seconds)


def publisher_of(
    settings: Settings, ledger: Ledger, *, bars: Bars | None = None, told: Callable[[str], None] = lambda step: None
) -> Publisher:
    """Who makes releases answer. Raises ReleaseError where no model host makes models, SettingsError, ModelfileInvalid."""
    host = open_host(settings)
    if host is None:
        raise ReleaseError(
            Text(
                ja=f"ASSISTANT_ANSWERS={settings.answers} では、リリースの公開は使えません。",
                en=f"With ASSISTANT_ANSWERS={settings.answers} no release can be published.",
            ),
            Text(
                ja="modelfiles/ を直して API を起動し直してください。公開は Ollama で使えます。",
                en="Change modelfiles/ and start the API again; publishing works with Ollama.",
            ),
        )
    return Publisher(
        ledger,
        host,
        alias=settings.chat_model,
        folder=read_content(settings.modelfile),
        parallel=settings.model_parallel,
        window=settings.num_ctx,
        bars=bars or Bars(),
        told=told,
    )


def pipeline_of(release: Release, settings: Settings, folder: Pipeline) -> Pipeline:
    """What answers with a release: the folder's pipeline with its models, window, passages and weights."""
    modelfile = parse_modelfile(release.content.modelfile)
    tuning = release.content.tuning
    # The setting only pins the folder's window: what is published has the window that was checked.
    pinned = {"num_ctx": None} if settings.answers == "ollama" and modelfile.num_ctx else {}
    own = settings.model_copy(update={"chat_model": release.model or settings.chat_model, **pinned})
    models = chat_models(own, modelfile)
    return replace(
        folder,
        indexes=replace(folder.indexes, tuning=tuning),
        model=models.first,
        second=None if models.second is None else SecondModel(models.second, settings.second.share_percent),
        release_id=release.release_id,
        budget_tokens=prompt_budget(
            num_ctx=models.num_ctx, num_predict=settings.num_predict, prompt_limit_tokens=settings.prompt_limit_tokens
        ),
        passages_limit=tuning.passages or settings.passages_limit,
        asks_first=tuning.asks_first,
        refuses_from=tuning.refuses_from(),
    )


async def start_canary(
    settings: Settings, ledger: Ledger, chosen: Release, *, percent: int, by: str, told: Callable[[str], None]
) -> Standing:
    """The standing with the canary. Raises ReleaseError for one that would make the server load anew all the time."""
    publisher = publisher_of(settings, ledger, told=told)
    standing = await publisher.adopted(by=by)
    if percent and standing.release_id is not None:
        published = await asyncio.to_thread(ledger.release, standing.release_id)
        if reloads(published.content, chosen.content):
            raise ReleaseError(
                Text(
                    ja="窓(num_ctx など)が公開中と違うため、質問のたびにモデルが読み直されます。",
                    en="Its window (num_ctx or the like) is another: the model would be loaded anew between questions.",
                ),
                Text(
                    ja="num_ctx を揃えた下書きで試すか、`assistant release evaluate` で比べてください。",
                    en="Try a draft with the same num_ctx, or compare with `assistant release evaluate`.",
                ),
            )
        await publisher.prepare(chosen, standing)
    return await asyncio.to_thread(
        ledger.set_canary, chosen.release_id, percent, revision=standing.revision, by=by
    )  # fmt: skip
