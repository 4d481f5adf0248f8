"""Which model for this memory, this language and this work, with the reasons. Pure.

    work -> candidates, best first -> plan() of each -> the first that fits is chosen; what was passed over says why

For chat models "better" is the publisher's own order of size within a family that is made for the work: this room
measures no answers. What a model really does with your documents is `assistant evaluate`'s to say. For embedders it says
what is known of the language, and what was measured on your documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from assistant.errors import Text
from assistant.fuse import UNFIT_BELOW
from assistant.generation import Generation
from assistant.model_facts import ModelFacts
from assistant.release.capacity import Plan, Room, Verdict, Wish, plan
from assistant.release.vram import Load


class Work(StrEnum):
    """What people want of it."""

    JAPANESE = "japanese"
    ENGLISH = "english"
    CODING = "coding"
    EMBEDDINGS = "embeddings"


_CANDIDATES: Final[Mapping[Work, tuple[str, ...]]] = {
    Work.JAPANESE: (
        "qwen2.5:32b-instruct-q4_K_M",
        "gemma3:27b-it-q4_K_M",
        "qwen2.5:14b-instruct-q4_K_M",
        "gemma3:12b-it-q4_K_M",
        "qwen2.5:7b-instruct-q4_K_M",
        "gemma3:4b-it-q4_K_M",
        "qwen2.5:3b-instruct-q4_K_M",
    ),
    Work.ENGLISH: (
        "llama3.1:70b-instruct-q4_K_M",
        "mistral-small:24b-instruct-2501-q4_K_M",
        "phi4:14b-q4_K_M",
        "llama3.1:8b-instruct-q4_K_M",
        "mistral:7b-instruct-v0.3-q4_K_M",
        "qwen2.5:3b-instruct-q4_K_M",
    ),
    Work.CODING: (
        "qwen2.5:32b-instruct-q4_K_M",
        "qwen2.5-coder:14b-instruct-q4_K_M",
        "qwen2.5-coder:7b-instruct-q4_K_M",
        "qwen2.5-coder:1.5b-instruct-q4_K_M",
    ),
}

FAMILY_REASONS: Final[Mapping[str, Text]] = {
    "qwen2.5-coder": Text(ja="コードのために学習された系列", en="a family trained for code by its publisher"),
    "qwen2.5": Text(
        ja="公開元が日本語を含む 29 言語を挙げている", en="its publisher names 29 languages, Japanese among them"
    ),
    "gemma3": Text(
        ja="公開元が 140 以上の言語を挙げ、語彙が日本語に細かい",
        en="its publisher names over 140 languages; its vocabulary is fine for Japanese",
    ),
    "llama3.1": Text(
        ja="公開元が挙げる 8 言語に日本語はない", en="Japanese is not among the 8 languages that its publisher names"
    ),
    "mistral": Text(ja="英語と欧州の言語が中心", en="English and European languages above all"),
    "mistral-small": Text(ja="英語と欧州の言語が中心", en="English and European languages above all"),
    "phi4": Text(ja="学習データはおもに英語", en="trained mostly on English"),
}
"""By the start of the name up to the colon; from the publishers' model cards."""


@dataclass(frozen=True)
class Candidate:
    """One model with its plan. `is_chosen` for the first that fits."""

    plan: Plan
    reason: Text
    is_chosen: bool = False


@dataclass(frozen=True)
class EmbedderChoice:
    """One embedder: whether it reads Japanese, what it takes, and what is known of it. `setting` makes it the next one."""

    name: str
    reads_japanese: bool
    remark: Text
    setting: str
    size_bytes: int


EMBEDDER_CHOICES: Final = (
    EmbedderChoice(
        "bge-m3",
        reads_japanese=True,
        remark=Text(
            ja="日本語と英語、1,024 次元、8,192 トークン。一部の GPU で使えない数値が出ることがある(Ollama 0.17)",
            en="Japanese and English, 1,024 dimensions, 8,192 tokens; on some cards single texts give no usable numbers (0.17)",
        ),
        setting="ASSISTANT_EMBED_MODEL=bge-m3",
        size_bytes=1_160_000_000,
    ),
    EmbedderChoice(
        "nomic-embed-text-v2-moe",
        reads_japanese=True,
        remark=Text(
            ja="約 100 言語、768 次元。512 トークンまでなので、長い文は半分ずつになる",
            en="about 100 languages, 768 dimensions; 512 tokens, so longer texts are embedded in halves",
        ),
        setting="ASSISTANT_EMBED_MODEL=nomic-embed-text-v2-moe",
        size_bytes=957_000_000,
    ),
    EmbedderChoice(
        "multilingual-e5-small (embedded)",
        reads_japanese=True,
        remark=Text(
            ja="製品に入っている。GPU も Ollama も要らない。384 次元",
            en="comes with the product; needs neither GPU nor Ollama. 384 dimensions",
        ),
        setting="ASSISTANT_EMBEDDER=embedded",
        size_bytes=0,
    ),
    EmbedderChoice(
        "nomic-embed-text",
        reads_japanese=False,
        remark=Text(
            ja="日本語は読めない。日本語の文ではトークンの 38〜40 % が「不明」になる。英語の文書だけなら使える",
            en="cannot read Japanese: 38 to 40 % of the tokens of Japanese text are unknown to it. Fine for English documents alone",
        ),
        setting="ASSISTANT_EMBED_MODEL=nomic-embed-text",
        size_bytes=274_000_000,
    ),
)
"""Sizes: the files on Ollama's library. Unknown tokens: docs/lab-notes.md, measured on JSQuAD."""


@dataclass(frozen=True)
class EmbedderAdvice:
    """What to embed with. `measured` is the share of probe questions found by meaning alone, by language, 0 to 1."""

    current: str
    measured: Mapping[str, float]
    unfit: tuple[str, ...]
    chunks: int
    choices: tuple[EmbedderChoice, ...] = EMBEDDER_CHOICES
    steps: tuple[Text, ...] = field(default=())


def choose(
    work: Work, room: Room, load: Load, known: Mapping[str, ModelFacts], *, embedder: ModelFacts | None
) -> list[Candidate]:
    """Every candidate for the work, best first; the first that fits wholly is chosen, if any does."""
    found: list[Candidate] = []
    for name in _CANDIDATES[work]:
        made = plan(Wish(known[name], load, embedder, load.num_ctx), room)
        is_first = made.verdict is Verdict.FITS and not any(candidate.is_chosen for candidate in found)
        found.append(Candidate(made, _reason(name, work), is_chosen=is_first))
    return found


def _reason(name: str, work: Work) -> Text:
    family = name.split(":", maxsplit=1)[0]
    if work is Work.CODING and family == "qwen2.5":
        return Text(
            ja="コード専用ではないが、いちばん大きく、日本語の指示も読める",
            en="not for code alone, but the largest, and it reads instructions in Japanese",
        )
    return FAMILY_REASONS[family]


def advise_embedder(
    *, current: str, reads_japanese: bool, generation: Generation | None, chunks: int
) -> EmbedderAdvice:
    """What is known and measured of the present embedder, and what a change takes.

    Measured beats known: a language whose fitness is below `fuse.UNFIT_BELOW` is searched by words alone.
    """
    measured = dict(generation.fitness) if generation is not None else {}
    unfit = {language for language, share in measured.items() if share < UNFIT_BELOW}
    if not measured and not reads_japanese:
        unfit.add("ja")
    advice = EmbedderAdvice(current, measured, tuple(sorted(unfit)), chunks)
    return replace(advice, steps=_steps(chunks))


def _steps(chunks: int) -> tuple[Text, ...]:
    return (
        Text(ja="1. .env に上の行を書く", en="1. Put the line into .env"),
        Text(
            ja="2. モデルを入れる(`ollama pull`)。docker compose なら up -d --wait が行う",
            en="2. Get the model (`ollama pull`); with docker compose, up -d --wait does",
        ),
        Text(
            ja=f"3. `ingest rebuild`: {chunks:,} チャンクを新しいモデルで 1 回ずつ埋め込み、今の索引の隣に作る。"
            "その間も回答は今のモデルで続き(両方のモデルの分のメモリが要る)、最後に比べて、悪くなければ切り替わる",
            en=f"3. `ingest rebuild`: embeds {chunks:,} chunks once with the new model, beside the present index. Answers go on "
            "with the present model (memory for both is needed); at the end both are compared, and it switches unless worse",
        ),
        Text(ja="4. 戻すのは `ingest rollback`(すぐ)", en="4. Back: `ingest rollback`, at once"),
    )
