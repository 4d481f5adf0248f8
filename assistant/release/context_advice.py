"""How long a window the questions really need, from the prompts that were sent, and what another one costs. Pure.

    prompt sizes (tokens, counted by the model) + tokens kept for the answer -> window that is enough for most -> memory

A window that is too long costs memory for every question at once; one that is too short leaves passages out, silently for
the person who asks (`context.passages_dropped` says it). Both are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assistant.errors import Language, Text
from assistant.model_facts import ModelFacts
from assistant.release.load_steps import quantile
from assistant.release.vram import KvType, kv_bytes

LEAST_PROMPTS: Final = 50
"""With fewer, the largest twentieth is two prompts."""
STEP_TOKENS: Final = 1024
_SHARE: Final = 0.95
_FULL: Final = 0.95
"""A prompt of more than this of its room had no room for another passage."""
_MANY: Final = 0.05
_GIB: Final = 1 << 30


class Window(StrEnum):
    """What to do with num_ctx."""

    KEEP = "keep"
    SHORTEN = "shorten"
    LENGTHEN = "lengthen"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ContextAdvice:
    """`needed_tokens` is enough for 95 % of the questions, answer included; `full_share` of them filled their room.

    `saved_bytes` of KV cache for each question at once, negative for a longer window.
    """

    advice: Window
    questions: int
    median_tokens: int
    needed_tokens: int
    num_ctx: int
    proposed_num_ctx: int
    full_share: float
    saved_bytes: int
    kv_type: KvType


def advise_context(
    prompts: Sequence[int], *, num_ctx: int, num_predict: int, room_tokens: int, model: ModelFacts, kv_type: KvType
) -> ContextAdvice:
    """`prompts` in tokens, one of each question; `room_tokens` is what a prompt may have at most now."""
    full = sum(size >= _FULL * room_tokens for size in prompts) / len(prompts) if prompts else 0.0
    needed = int(quantile(prompts, _SHARE) or 0) + num_predict
    proposed = math.ceil(needed / STEP_TOKENS) * STEP_TOKENS
    if len(prompts) < LEAST_PROMPTS:
        advice, proposed = Window.UNKNOWN, num_ctx
    elif full > _MANY:
        longer = math.ceil(num_ctx * 1.5 / STEP_TOKENS) * STEP_TOKENS
        advice, proposed = Window.LENGTHEN, min(longer, model.context_length or longer)
    elif proposed < num_ctx:
        advice = Window.SHORTEN
    else:
        advice, proposed = Window.KEEP, num_ctx
    each = [kv_bytes(model, tokens, parallel=1, kv_type=kv_type) for tokens in (num_ctx, proposed)]
    return ContextAdvice(
        advice,
        len(prompts),
        int(quantile(prompts, 0.5) or 0),
        needed,
        num_ctx,
        proposed,
        full,
        each[0] - each[1],
        kv_type,
    )


def context_lines(found: ContextAdvice, language: Language) -> Iterator[str]:
    """What was seen, and what to do."""
    if found.advice is Window.UNKNOWN:
        yield Text(
            ja=f"質問がまだ {found.questions} 件です。{LEAST_PROMPTS} 件から助言します。",
            en=f"Only {found.questions} questions so far; there is advice from {LEAST_PROMPTS} on.",
        ).in_language(language)
        return
    yield Text(
        ja=f"{found.questions:,} 件の質問の 95 % は {found.needed_tokens:,} トークンで足ります(回答の分を含む。"
        f"プロンプトの中央値 {found.median_tokens:,})。",
        en=f"95 % of {found.questions:,} questions need {found.needed_tokens:,} tokens, the answer included "
        f"(median prompt {found.median_tokens:,}).",
    ).in_language(language)
    memory = f"{abs(found.saved_bytes) / _GIB:.2f} GiB"
    change = f"{found.num_ctx:,} → {found.proposed_num_ctx:,}"
    if found.advice is Window.SHORTEN:
        yield Text(
            ja=f"→ num_ctx {change}: 同時 1 件あたり {memory} 空きます(KV {found.kv_type})。残りの質問では、"
            "切れるのではなく、下位の抜粋が外れます。Modelfile と OLLAMA_CONTEXT_LENGTH を一緒に変えてください。",
            en=f"→ num_ctx {change} saves {memory} a slot (KV {found.kv_type}). The other questions lose their lowest passages; "
            "nothing is cut. Change the Modelfile and OLLAMA_CONTEXT_LENGTH together.",
        ).in_language(language)
    elif found.advice is Window.LENGTHEN:
        yield Text(
            ja=f"→ {found.full_share:.0%} の質問が窓を使い切り、抜粋が外れた可能性があります。num_ctx {change} には同時 1 件あたり "
            f"{memory} 要ります(KV {found.kv_type})。収まるかは `assistant capacity plan --num-ctx {found.proposed_num_ctx}`。",
            en=f"→ {found.full_share:.0%} of the questions fill the window, so passages may be left out. num_ctx {change} takes "
            f"{memory} a slot (KV {found.kv_type}). Does it fit: `assistant capacity plan --num-ctx {found.proposed_num_ctx}`.",
        ).in_language(language)
    else:
        yield Text(
            ja=f"→ num_ctx {found.num_ctx:,} のままで合っています。",
            en=f"→ num_ctx {found.num_ctx:,} is right as it is.",
        ).in_language(language)
