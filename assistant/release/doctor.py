"""Looks at everything a deployment needs and says what was seen, why it counts and what to do.

readiness (asked of the stores) ─┐
Seen (looked at, release/examining) ├─▶ findings, never "ok" without having looked
ledger, indexes                  ─┘
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.domain import DependencyState
from assistant.embedders import Embedders
from assistant.errors import AssistantError, Text
from assistant.fuse import weight_of_fitness
from assistant.generation import EmbedderSpec, Generation
from assistant.ports import Embedder
from assistant.release.examining import doors, gpu, models, upkeep
from assistant.release.examining.finding import Finding, of_dependency, ok, plain, unchecked
from assistant.release.examining.look import Seen, Site
from assistant.release.examining.models import Wanted
from assistant.release.examining.ollama_log import killed_in

COMMANDS = {
    "ledger": "assistant doctor",
    "vectors": "assistant up --only chroma",
    "canary": "assistant canary check --json",
    "users_file": "assistant users sync --dry-run",
    "release": "assistant release show",
}
"""Where the hint of a dependency names a command in its sentence alone."""


@dataclass(frozen=True)
class Facts:
    """What the ledger says, for checks that compare the machine with it. Empty times: nothing there.

    `release_id` is the published release, empty while the folder answers; `num_ctx` is its window, and `models` are names that
    it and a canary have on the model server.
    """

    newest: str = ""
    documents: int = 0
    backup_made_at: str = ""
    backup_place: str = ""
    release_id: str = ""
    num_ctx: int | None = None
    models: tuple[str, ...] = ()


def of_readiness(states: Sequence[DependencyState]) -> list[Finding]:
    """What the stores answered, as findings."""
    findings = [of_dependency(state) for state in states]
    return [
        replace(finding, command=COMMANDS.get(finding.name, "")) if finding.state in ("warn", "fail") else finding
        for finding in findings
    ]


def of_machine(seen: Seen, site: Site, facts: Facts) -> list[Finding]:
    """Every check of what was looked at."""
    cards = gpu.gpus_of(seen.smi)
    has_gpu = bool(cards) or any(vendor.strip() == gpu.NVIDIA for vendor in seen.vendors)
    return [
        gpu.gpu_driver(seen.smi, vendors=seen.vendors),
        gpu.container_toolkit(seen.docker, has_gpu=has_gpu),
        *_of_addresses(seen, site),
        *(
            _of_ollama(seen, _wanted(site, facts), gpus=len(cards), has_gpu=has_gpu)
            if site.ollama_url is not None
            else []
        ),
        doors.exposed_ports(site.ports, seen.listening, seen.published, is_container=seen.is_container),
        doors.passwords(proxy_secret=site.proxy_secret, database_url=site.database_url, htpasswd=seen.htpasswd),
        doors.certificate(
            seen.certificate, seen.key, key_mode=seen.key_mode, now=seen.now, folder=str(site.tls_folder)
        ),
        doors.nginx(seen.nginx),
        upkeep.clock(seen.timedatectl, facts.newest, seen.now),
        upkeep.disk(seen.free),
        upkeep.ocr(seen.tesseract),
        upkeep.backup(facts.backup_made_at, place=facts.backup_place, documents=facts.documents, now=seen.now),
    ]


def _of_addresses(seen: Seen, site: Site) -> list[Finding]:
    urls = {
        "ollama": (site.ollama_url, "version"),
        "chroma": (site.chroma_url, "heartbeat"),
        "api": (site.api_url, "ok"),
    }
    return [
        doors.address(part, url, seen.addresses[part], is_container=seen.is_container, sign=sign)
        for part, (url, sign) in urls.items()
        if url is not None and part in seen.addresses
    ]


def _wanted(site: Site, facts: Facts) -> Wanted:
    """What is asked of Ollama: once a release is published its window counts, and not the folder's."""
    if not facts.release_id:
        return site.wanted
    return replace(
        site.wanted,
        num_ctx=facts.num_ctx or site.wanted.num_ctx,
        create_command=f"assistant release publish {facts.release_id}",
        aliases=facts.models,
    )


def _of_ollama(seen: Seen, wanted: Wanted, *, gpus: int, has_gpu: bool) -> list[Finding]:
    settings = seen.ollama_settings
    killed = killed_in(seen.kernel.out) if seen.kernel is not None and seen.kernel.status == 0 else []
    findings = [
        gpu.gpu_in_container(seen.ollama_container, seen.smi_inside, has_gpu=has_gpu),
        models.ollama_version(seen.version),
        gpu.model_on_gpu(seen.running, gpus=gpus),
        models.flash_attention(settings, seen.log),
        models.model_memory(seen.log, killed),
        models.models_evict(wanted, seen.running, settings, seen.log),
        models.model_pull(seen.partial, seen.log, can_see=seen.can_see_models, now=seen.now),
    ]
    if wanted.chat_model is not None:
        findings.append(models.chat_template(seen.chat, model=wanted.chat_model))
        findings.append(models.num_ctx(wanted, seen.chat, seen.running, seen.log))
    if wanted.embed_model is not None:
        findings.append(models.embed_model(seen.embed, model=wanted.embed_model))
    return findings


def of_generation(generation: Generation | None, embedders: Embedders) -> list[Finding]:
    """The active generation, its embedder's fitness, and whether a rebuild is due. Asks the embedder's server."""
    try:
        embedder = embedders.configured if generation is None else embedders.of(generation)
        findings = [_generation(generation, embedder), _fitness(generation, embedder)]
    except AssistantError as error:
        return [unchecked("generation", error.message, error.hint)]
    if generation is not None and not embedders.is_configured(generation):
        findings.append(_rebuild_due(generation, embedders))
    return findings


def _rebuild_due(generation: Generation, embedders: Embedders) -> Finding:
    used, wanted = _shown(generation.embedder or embedders.spec), _shown(embedders.spec)
    return Finding(
        "rebuild_due", "warn",
        Text(ja=f"回答は {used} から、設定は {wanted} です。", en=f"answers come from {used}, {wanted} is configured"),
        Text(
            ja="設定した埋め込みモデルはまだ使われていません。`ingest rebuild` で新しい世代を作り、比べてから切り替えます。",
            en="The configured embedder is not used yet: `ingest rebuild` builds a generation with it, compares, and switches.",
        ),
        "ingest rebuild",
    )  # fmt: skip


def _shown(spec: EmbedderSpec) -> str:
    return f"{spec.kind} {spec.model}".strip()


def _generation(generation: Generation | None, embedder: Embedder) -> Finding:
    if generation is None:
        return Finding(
            "generation", "warn", Text(ja="まだ何も取り込まれていません。", en="nothing ingested yet"),
            Text(ja="`ingest run --folder フォルダ` を実行してください。", en="Run `ingest run --folder FOLDER`."),
            "ingest run --folder /srv/documents",
        )  # fmt: skip
    if generation.embedder_id != embedder.embedder_id:
        return Finding(
            "generation", "fail",
            Text(
                ja=f"{generation.embedder_id} で作られ、今は {embedder.embedder_id} です。",
                en=f"built with {generation.embedder_id}, which is {embedder.embedder_id} now",
            ),
            Text(
                ja="元のモデルに戻すか `ingest rebuild` を実行してください。",
                en="Restore the model or run `ingest rebuild`.",
            ),
            "ingest rebuild",
        )  # fmt: skip
    return ok("generation", plain(f"{generation.index_name}, {generation.dimension} dimensions"))


def _fitness(generation: Generation | None, embedder: Embedder) -> Finding:
    """By measurement on the documents where there is one, else by what is known of the model's family."""
    fitness = dict(generation.fitness) if generation is not None else {}
    measured = ", ".join(f"{language} {share:.0%}" for language, share in sorted(fitness.items()))
    seen = f"{embedder.embedder_id}; " + (
        f"probe questions found by meaning alone: {measured}" if measured else "not measured yet"
    )
    unfit = [language for language, share in sorted(fitness.items()) if weight_of_fitness(share) == 0.0]
    if not unfit and ("ja" in fitness or embedder.reads_japanese):
        return ok("embedder_fitness", plain(seen))
    return Finding(
        "embedder_fitness", "warn",
        plain(f"{seen}; questions in {' and '.join(unfit or ['ja'])} use word search only"),
        Text(
            ja="文書の言語を読める埋め込みモデル(例: bge-m3)を ASSISTANT_EMBED_MODEL に設定し、`ingest rebuild` を実行してください。",
            en="Set ASSISTANT_EMBED_MODEL to a model that reads the documents' language (e.g. bge-m3) and run `ingest rebuild`.",
        ),
        "ollama pull bge-m3\ningest rebuild",
    )  # fmt: skip
