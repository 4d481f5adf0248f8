"""Whether what lies on the host, and what was loaded there, is what the release says; and whether it fits. Pure."""

from __future__ import annotations

import math
from typing import Any

from assistant.errors import ReleaseRefused, Text, WillNotFit
from assistant.release.modelfile import Modelfile
from assistant.release.vram import Load, memory_of
from assistant.releases import LoadedModel, MadeModel


def check_made(modelfile: Modelfile, made: MadeModel) -> None:
    """Returns when the model is what the Modelfile says. Raises ReleaseRefused, WillNotFit."""
    if not made.can_chat or not is_chat_template(made.template):
        raise refused(
            f"{modelfile.base_model} に会話のテンプレートがないため、SYSTEM が捨てられ、回答が終わりません。",
            f"{modelfile.base_model} has no chat template: its SYSTEM would be dropped and it would never stop.",
            Text(
                ja="Modelfile に TEMPLATE と PARAMETER stop を書くか、会話用のモデルを FROM に書いてください。",
                en="Write TEMPLATE and PARAMETER stop into the Modelfile, or name a chat model in FROM.",
            ),
        )
    if made.system != modelfile.system:
        raise refused(
            f"SYSTEM が頼んだとおりになっていません({_place(modelfile.system, made.system)})。",
            f"SYSTEM is not what was asked for ({_place(modelfile.system, made.system)}).",
            Text(
                ja="SYSTEM を空にするには、SYSTEM のないモデルを FROM に書いてください。",
                en="To have no SYSTEM, name a model without one in FROM.",
            ),
        )
    for name, value in modelfile.parameters.items():
        if not _equal(made.parameters.get(name), value):
            raise refused(
                f"{name} が {value} ではなく {made.parameters.get(name)} になっています。",
                f"{name} is {made.parameters.get(name)} instead of {value}.",
                Text(ja="Ollama のログを確かめてください。", en="Look into Ollama's log."),
            )
    num_ctx = modelfile.num_ctx
    if num_ctx is not None and made.window and num_ctx > made.window:
        raise WillNotFit(
            Text(
                ja=f"num_ctx {num_ctx:,} は、このモデルの窓 {made.window:,} トークンを超えています。",
                en=f"num_ctx {num_ctx:,} is more than the {made.window:,} tokens that this model was made for.",
            ),
            Text(ja=f"num_ctx を {made.window} 以下にしてください。", en=f"Use a num_ctx of at most {made.window}."),
        )


def is_chat_template(template: str) -> bool:
    """Whether a template tells the system text from the question; `{{ .Prompt }}` alone does not (facts 7)."""
    return ".Messages" in template or ".System" in template


def check_loaded(modelfile: Modelfile, loaded: LoadedModel, *, before: LoadedModel | None) -> str:
    """Where the model lies: `gpu` or `cpu`. Raises ReleaseRefused for another window, WillNotFit when a part of it, or all
    of what used to be on the GPU, is outside of it."""
    if modelfile.num_ctx is not None and loaded.num_ctx != modelfile.num_ctx:
        raise refused(
            f"num_ctx {modelfile.num_ctx} を頼みましたが、{loaded.num_ctx} で読み込まれました。",
            f"num_ctx {modelfile.num_ctx} was asked for, {loaded.num_ctx} was loaded.",
            Text(
                ja="Ollama のログと OLLAMA_CONTEXT_LENGTH を確かめてください。",
                en="Look into Ollama's log and at OLLAMA_CONTEXT_LENGTH.",
            ),
        )
    was_on_gpu = before is not None and before.gpu_bytes >= before.bytes > 0
    if 0 < loaded.gpu_bytes < loaded.bytes or (was_on_gpu and not loaded.gpu_bytes):
        outside = loaded.bytes - loaded.gpu_bytes
        raise WillNotFit(
            Text(
                ja=f"GPU に収まらず、{outside / 2**30:.1f} GiB が CPU 側に置かれました。",
                en=f"It does not fit on the GPU: {outside / 2**30:.1f} GiB were left to the CPU.",
            ),
            _SMALLER,
        )
    return "gpu" if loaded.gpu_bytes else "cpu"


def needed_bytes(made: MadeModel, *, num_ctx: int, parallel: int) -> int:
    """Memory for weights, cache and compute, as `assistant capacity plan` reckons it (vram.py).

    The server's KV type is not to be seen from here: f16 is the largest. With flash attention compute takes the least, so
    that nothing is refused for that part. Where the host tells no facts it is the file alone: then loading decides.
    """
    if made.facts is None:
        return made.size_bytes
    return memory_of(made.facts, Load(num_ctx, parallel, "f16", flash_attention=True)).buffers_bytes


def check_memory(made: MadeModel, *, num_ctx: int, parallel: int, free_bytes: int, before: LoadedModel | None) -> None:
    """Returns when the model fits into free memory; what the one before takes is given back. Raises WillNotFit."""
    needed = needed_bytes(made, num_ctx=num_ctx, parallel=parallel)
    free = free_bytes + (before.bytes if before is not None else 0)
    if needed > free:
        raise WillNotFit(
            Text(
                ja=f"num_ctx {num_ctx:,} × {parallel} には {needed / 2**30:.1f} GiB 要りますが、空きは {free / 2**30:.1f} GiB です。",
                en=f"num_ctx {num_ctx:,} x {parallel} needs {needed / 2**30:.1f} GiB; {free / 2**30:.1f} GiB are free.",
            ),
            _SMALLER,
        )


def refused(ja: str, en: str, hint: Text) -> ReleaseRefused:
    """The error of a release that is not published."""
    return ReleaseRefused(Text(ja=ja, en=en), hint)


def _equal(seen: Any, wanted: Any) -> bool:
    if isinstance(seen, int | float) and isinstance(wanted, int | float):
        return math.isclose(seen, wanted, rel_tol=1e-6)
    if isinstance(seen, list) and isinstance(wanted, list | tuple):
        return sorted(map(str, seen)) == sorted(map(str, wanted))  # several `stop` come back in any order
    return bool(seen == wanted)


def _place(wanted: str, seen: str) -> str:
    """Where two texts part, for people who look for an invisible character."""
    at = next((i for i, (a, b) in enumerate(zip(wanted, seen, strict=False)) if a != b), min(len(wanted), len(seen)))
    return f"{len(wanted)} / {len(seen)}, U+{ord(wanted[at]):04X} @ {at}" if at < len(wanted) else f"{len(seen)}"


_SMALLER = Text(
    ja="num_ctx を小さくするか、より小さいモデルにするか、メモリを空けてください。",
    en="Use a smaller num_ctx or a smaller model, or free some memory.",
)
