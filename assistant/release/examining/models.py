"""Ollama's models: version, template, embedder, window, memory, who evicts whom, downloads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from assistant.errors import Text
from assistant.release.examining.finding import Finding, ok, plain, unchecked
from assistant.release.examining.ollama_log import OllamaLog

LEAST_VERSION = (0, 17, 1)
"""CVE-2026-7482 is mended in it."""
BARE_TEMPLATES = ("", "{{ .Prompt }}", "{{.Prompt}}")
"""Ollama's stand-in for a model file without a chat template: the SYSTEM is dropped."""
RELOAD_SPAN = timedelta(minutes=10)
MANY_LOADS = 3
"""Loads of one model within the span that are no accident: a model that stays is loaded once."""
STALE_DOWNLOAD = timedelta(minutes=10)
"""Ollama itself gives up a part after some seconds without a byte, and begins it again."""
MODELS_NEEDED = 2
NO_LOG = Text(
    ja="Ollama のログが見えません(--ollama-log で渡せます)。",
    en="Ollama's log is not to be seen (--ollama-log FILE names it).",
)


@dataclass(frozen=True)
class Wanted:
    """What the deployment asks of Ollama; None where another server or none does that work.

    `aliases` are other names of the chat model: Ollama tells of a loaded one by the name that loaded it first.
    """

    chat_model: str | None
    embed_model: str | None
    num_ctx: int | None
    create_command: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The models that must be there together."""
        return [name for name in (self.chat_model, self.embed_model) if name is not None]


def ollama_version(version: str | None) -> Finding:
    """`version` as `/api/version` tells it; None: no answer."""
    if version is None:
        return unchecked("ollama_version", Text(ja="Ollama が応答しません。", en="Ollama does not answer."))
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if len(numbers) < len(LEAST_VERSION) or numbers == (0, 0, 0):
        return unchecked(
            "ollama_version",
            Text(
                ja=f"版が分かりません({version})。自分でビルドしたものです。",
                en=f"It does not say which ({version}): an own build.",
            ),
        )
    if numbers < LEAST_VERSION:
        return Finding(
            "ollama_version", "fail", plain(version),
            Text(ja="0.17.7 にしてください。", en="Take 0.17.7."),
            "docker compose build --pull ollama && docker compose up -d ollama",
        )  # fmt: skip
    return ok("ollama_version", plain(version))


def chat_template(show: Mapping[str, Any] | None, *, model: str) -> Finding:
    """`show` is the answer of `/api/show`; None: no answer, or no such model."""
    if show is None:
        return _no_model("chat_template", model)
    capabilities = show.get("capabilities")
    has_renderer = bool(show.get("renderer")) or "\nRENDERER " in str(show.get("modelfile", ""))
    if capabilities is not None and "completion" not in capabilities:
        return Finding(
            "chat_template", "fail",
            Text(ja=f"{model} は対話用のモデルではありません。", en=f"{model} is no model for chat ({', '.join(capabilities)})."),
            Text(ja="ASSISTANT_CHAT_MODEL を確かめてください。", en="Check ASSISTANT_CHAT_MODEL."),
        )  # fmt: skip
    if str(show.get("template", "")).strip() in BARE_TEMPLATES and not has_renderer:
        return Finding(
            "chat_template", "fail",
            Text(ja=f"{model} に対話の雛形がありません。", en=f"{model} has no chat template."),
            Text(
                ja="Modelfile の FROM を雛形のあるモデルにするか、TEMPLATE を書いて作り直してください。",
                en="Name a model with a template in the Modelfile's FROM, or write TEMPLATE, and create it anew.",
            ),
            f"ollama show --modelfile {model} | grep TEMPLATE",
        )  # fmt: skip
    return ok("chat_template", Text(ja=f"{model} に雛形があります。", en=f"{model} has one."))


def embed_model(show: Mapping[str, Any] | None, *, model: str) -> Finding:
    """Whether the model makes vectors for searching; a chat model answers `/api/embed` without a word of warning."""
    if show is None:
        return _no_model("embed_model", model)
    capabilities = show.get("capabilities")
    pools = any(str(key).endswith(".pooling_type") for key in show.get("model_info") or {})
    if capabilities is None and not pools:
        return unchecked(
            "embed_model", Text(ja="Ollama が種類を言いません。", en="Ollama does not say what kind it is.")
        )
    if pools or "embedding" in (capabilities or ()):
        return ok("embed_model", plain(model))
    return Finding(
        "embed_model", "fail",
        Text(ja=f"{model} は回答用のモデルです。", en=f"{model} is a chat model."),
        Text(
            ja="ASSISTANT_EMBED_MODEL を埋め込み用のモデルにし、作り直してください。",
            en="Set ASSISTANT_EMBED_MODEL to an embedding model and build the indexes anew.",
        ),
        "ollama pull bge-m3\ningest rebuild",
    )  # fmt: skip


def num_ctx(
    wanted: Wanted, show: Mapping[str, Any] | None, running: Sequence[Mapping[str, Any]] | None, log: OllamaLog | None
) -> Finding:
    """Whether everybody means the same window: Modelfile, the model on the server, what is loaded, and what was."""
    if wanted.chat_model is None or wanted.num_ctx is None or show is None:
        return _no_model("num_ctx", wanted.chat_model or "-")
    told = _parameter(show, "num_ctx")
    if told != wanted.num_ctx:
        return Finding(
            "num_ctx", "fail",
            Text(
                ja=f"Modelfile は {wanted.num_ctx}、サーバーの {wanted.chat_model} は {told or '指定なし'} です。",
                en=f"The Modelfile says {wanted.num_ctx}, {wanted.chat_model} on the server {told or 'nothing'}.",
            ),
            Text(ja="モデルを作り直してください。", en="Create the model anew."),
            wanted.create_command,
        )  # fmt: skip
    loaded = _loaded_window(running, [wanted.chat_model, *wanted.aliases])
    if loaded is not None and loaded != wanted.num_ctx:
        return Finding(
            "num_ctx", "fail",
            Text(
                ja=f"今は {loaded} で読み込まれています({wanted.num_ctx} のはずです)。",
                en=f"It is loaded with {loaded} just now, and should be with {wanted.num_ctx}.",
            ),
            Text(
                ja="ほかのプログラムが別の num_ctx で呼んでいます。その指定をやめさせてください。",
                en="Another program calls it with a num_ctx of its own; make that program leave it out.",
            ),
            "ollama ps",
        )  # fmt: skip
    recent = log.loads_within(RELOAD_SPAN) if log is not None and log.loads else []
    if len({load.blob for load in recent}) == 1 and len(recent) >= MANY_LOADS:
        return Finding(
            "num_ctx", "warn",
            Text(
                ja=f"同じモデルが 10 分に {len(recent)} 回読み込まれました。",
                en=f"The same model was loaded {len(recent)} times within 10 minutes.",
            ),
            Text(
                ja="ほかのプログラムが別の num_ctx か num_batch で呼んでいます。",
                en="Another program calls it with another num_ctx or num_batch.",
            ),
            "ollama ps",
        )  # fmt: skip
    return ok("num_ctx", plain(f"{wanted.num_ctx}" + (" (loaded)" if loaded else "")))


def models_evict(
    wanted: Wanted,
    running: Sequence[Mapping[str, Any]] | None,
    settings: Mapping[str, str],
    log: OllamaLog | None,
) -> Finding:
    """Whether the models that are needed together fit beside each other."""
    needed = len(wanted.names)
    if needed < MODELS_NEEDED:
        return unchecked(
            "models_evict", Text(ja="Ollama に要るモデルは一つまでです。", en="At most one model is asked of Ollama.")
        )
    most = settings.get("OLLAMA_MAX_LOADED_MODELS", "")
    if most.isdigit() and 0 < int(most) < needed:
        return Finding(
            "models_evict", "fail", plain(f"OLLAMA_MAX_LOADED_MODELS={most}"),
            Text(
                ja=f"{needed} 以上にして Ollama を起動し直してください。",
                en=f"Set it to {needed} or more and restart Ollama.",
            ),
            "docker compose up -d ollama",
        )  # fmt: skip
    recent = log.loads_within(RELOAD_SPAN) if log is not None and log.loads else []
    blobs = [load.blob for load in recent]
    if len(set(blobs)) > 1 and max(blobs.count(blob) for blob in blobs) >= MANY_LOADS:
        return Finding(
            "models_evict", "fail",
            Text(
                ja=f"10 分に {len(set(blobs))} 個のモデルが合わせて {len(blobs)} 回読み込まれました。",
                en=f"{len(set(blobs))} models were loaded {len(blobs)} times within 10 minutes.",
            ),
            Text(
                ja="GPU のメモリーが足りないか、ほかのプログラムが三つ目のモデルを使っています。",
                en="They do not fit into the GPU together, or another program uses a third one.",
            ),
            "ollama ps",
        )  # fmt: skip
    others = [
        str(row["name"]) for row in running or () if not _is_one_of(str(row["name"]), [*wanted.names, *wanted.aliases])
    ]
    if others and len(running or ()) > needed:
        return Finding(
            "models_evict", "warn", plain(", ".join(others)),
            Text(
                ja="このほかのモデルも読み込まれています。メモリーが足りなければ追い出し合います。",
                en="Other models are loaded as well; where memory ends they evict ours.",
            ),
            "\n".join(f"ollama stop {name}" for name in others),
        )  # fmt: skip
    if log is None and not most and len(running or ()) < needed:
        return unchecked("models_evict", NO_LOG)
    loaded = ", ".join(str(row["name"]) for row in running or ()) or "-"
    return ok("models_evict", plain(f"{loaded}; OLLAMA_MAX_LOADED_MODELS={most or '?'}"))


def flash_attention(settings: Mapping[str, str], log: OllamaLog | None) -> Finding:
    """`settings` are Ollama's, of its log or its container."""
    kind = settings.get("OLLAMA_KV_CACHE_TYPE", "")
    if not settings:
        return unchecked("flash_attention", NO_LOG)
    seen = plain(
        f"OLLAMA_KV_CACHE_TYPE={kind or 'f16'}, OLLAMA_FLASH_ATTENTION={settings.get('OLLAMA_FLASH_ATTENTION', '')}"
    )
    is_on = settings.get("OLLAMA_FLASH_ATTENTION", "").lower() in ("1", "true", "t")
    if kind in ("", "f16") or (is_on and not (log is not None and log.is_without_flash)):
        return ok("flash_attention", seen)
    if log is not None and log.loads and not log.is_without_flash:
        return ok("flash_attention", seen)  # models that bring it along were loaded, and none of them complained
    return Finding(
        "flash_attention", "fail", seen,
        Text(
            ja="OLLAMA_FLASH_ATTENTION=1 にして Ollama を起動し直してください。",
            en="Set OLLAMA_FLASH_ATTENTION=1 and restart Ollama.",
        ),
        "docker compose up -d ollama",
    )  # fmt: skip


def model_memory(log: OllamaLog | None, killed: Sequence[str]) -> Finding:
    """`killed` are lines of the kernel that say that it ended Ollama."""
    lines = [*killed, *(log.out_of_memory if log is not None else ())]
    if lines:
        return Finding(
            "model_memory", "fail",
            Text(
                ja=f"{len(lines)} 件。最後: {lines[-1].strip()[:200]}",
                en=f"{len(lines)} lines, the last one: {lines[-1].strip()[:200]}",
            ),
            Text(
                ja="num_ctx か OLLAMA_NUM_PARALLEL を下げるか、小さいモデルにしてください。窓のメモリーは二つの積です。",
                en="Lower num_ctx or OLLAMA_NUM_PARALLEL (the window's memory is their product), or take a smaller model.",
            ),
            "nvidia-smi",
        )  # fmt: skip
    if log is None:
        return unchecked("model_memory", NO_LOG)
    return ok("model_memory", Text(ja="起動してから一度もありません。", en="Never since its last start."))


def model_pull(partial: datetime | None, log: OllamaLog | None, *, can_see: bool, now: datetime) -> Finding:
    """`partial`: when the newest half-loaded file grew last; `can_see`: whether the models folder could be looked into."""
    if log is not None and log.unreachable:
        return Finding(
            "model_pull", "fail", plain(log.unreachable[-1][:200]),
            Text(
                ja="ネットワークへの道を開くか、モデルのボリュームをほかの機械から写してください。",
                en="Open the way out for it, or copy the models' volume from another machine.",
            ),
            "docker compose logs --tail 20 ollama",
        )  # fmt: skip
    if partial is not None and now - partial > STALE_DOWNLOAD:
        return Finding(
            "model_pull", "fail",
            Text(ja=f"{partial:%Y-%m-%d %H:%M}Z から進んでいません。", en=f"It stands still since {partial:%Y-%m-%d %H:%M}Z."),
            Text(ja="もう一度始めると続きから取ります。", en="Begun again, it goes on where it stopped."),
            "docker compose restart ollama",
        )  # fmt: skip
    if partial is not None:
        stalls = len(log.stalled) if log is not None else 0
        return Finding(
            "model_pull", "warn",
            Text(ja=f"取得中です(途切れ {stalls} 回)。", en=f"One is under way ({stalls} stalls)."),
            Text(ja="終わるまで回答は引用だけです。", en="Answers are quotations until it is there."),
        )  # fmt: skip
    if not can_see:
        return unchecked(
            "model_pull", Text(ja="モデルのフォルダーが見えません。", en="The models folder is not to be seen.")
        )
    return ok("model_pull", Text(ja="途中のものはありません。", en="Nothing is half loaded."))


def _no_model(name: str, model: str) -> Finding:
    return unchecked(
        name,
        Text(
            ja=f"{model} が Ollama にないか、Ollama が応答しません。",
            en=f"{model} is not on Ollama, or it does not answer.",
        ),
    )


def _parameter(show: Mapping[str, Any], name: str) -> int | None:
    found = re.search(rf"^{name}\s+(\d+)\s*$", str(show.get("parameters") or ""), re.MULTILINE)
    return int(found[1]) if found else None


def _loaded_window(running: Sequence[Mapping[str, Any]] | None, names: Sequence[str]) -> int | None:
    return next(
        (
            int(row["context_length"])
            for row in running or ()
            if _is_one_of(str(row["name"]), names) and row.get("context_length")
        ),
        None,
    )


def _is_one_of(name: str, names: Sequence[str]) -> bool:
    def full(given: str) -> str:
        return given if ":" in given.rsplit("/", 1)[-1] else f"{given}:latest"

    return full(name) in {full(each) for each in names}
