"""Vectors: /api/embed and /api/embeddings. Knows no chat.

A vector is a bag of hashed features, so that texts that share words or pairs of Japanese characters are near each
other. As with nomic-embed-text on 0.17 letters keep their case and a word with a capital letter is the same unknown
word as any other such word. The task prefixes ("search_query: ", …) count a little.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import math
import os
import re
import signal
import time
from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.stubs.ollama.binding import EMBED_FIELDS, EMBEDDINGS_FIELDS, bound, merged_options
from tests.stubs.ollama.prompt import TOO_LONG
from tests.stubs.ollama.runners import Runner
from tests.stubs.ollama.state import Call, Refusal
from tests.stubs.ollama.stub import Stub
from tests.stubs.ollama.tokens import SPECIAL_TOKENS, word_pieces

PREFIX = re.compile(r"(search_document|search_query|clustering|classification): ")
JAPANESE_RUN = re.compile(r"[ぁ-ゖァ-ヺー一-龥々]+")
WORD = re.compile(r"[A-Za-zÀ-ÿ0-9]+")
HIRAGANA = re.compile(r"[ぁ-ゖ]")
KANJI = re.compile(r"[一-龥々]")
FREQUENT_WORDS = frozenset(
    re.findall(
        r"\w+", "a an and are as at be by do for from how i in is it my of on or that the to was what when with you"
    )
)
PAIR_WEIGHTS = (1.0, 0.4, 0.1)
"""Weight of a pair of Japanese characters with none, one, two hiragana."""
KANJI_WEIGHT = 0.25
STEM_CHARACTERS = 5
STEM_WEIGHT = 0.5
FREQUENT_WEIGHT = 0.1
PREFIX_WEIGHT = 0.3
START_WEIGHT = 0.4
"""Length of the part that all vectors share, spread over all dimensions: no text, however short or cut, is a zero vector."""
PLACES_PER_FEATURE = 4
RAW_LENGTH = 17.5
"""Length of a vector before normalising, as the old route returns it."""
NAN_TEXT = "failed to encode response: json: unsupported value: NaN"
MISSING = 'model "{}" not found, try pulling it first'

Vector = NDArray[np.float32]


async def embed(stub: Stub, call: Call) -> None:
    """POST /api/embed."""
    await call.reply.json(await embedded(stub, call, bound(call.body, EMBED_FIELDS, struct="EmbedRequest")))


async def embedded(stub: Stub, call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a checked /api/embed request; one bad text fails all."""
    started = time.perf_counter_ns()
    texts = _texts(body.get("input"))
    model = stub.model(body.get("model"), missing=MISSING)
    options = merged_options(model.parameters, body.get("options"))
    async with stub.runners.using(model, options=options, keep_alive_seconds=body.get("keep_alive")) as runner:
        load_nanoseconds = time.perf_counter_ns() - started
        if not texts:
            return {"model": body["model"], "embeddings": []}
        vectors: list[list[float]] = []
        tokens = 0
        async with runner.slot():
            for text in texts:
                vector, count = await _one(stub, call, runner, text=text, truncate=body.get("truncate", True))
                tokens += count
                vectors.append(_numbers(_normalised(vector, dimensions=body.get("dimensions", 0))))
    return {
        "model": body["model"],
        "embeddings": vectors,
        "total_duration": time.perf_counter_ns() - started,
        "load_duration": max(1, load_nanoseconds),
        "prompt_eval_count": tokens,
    }


async def embeddings(stub: Stub, call: Call) -> None:
    """POST /api/embeddings: the old route, one text, not normalised."""
    body = bound(call.body, EMBEDDINGS_FIELDS, struct="EmbeddingRequest")
    model = stub.model(body.get("model"), missing=MISSING)
    options = merged_options(model.parameters, body.get("options"))
    async with stub.runners.using(model, options=options, keep_alive_seconds=body.get("keep_alive")) as runner:
        if not body.get("prompt"):
            await call.reply.json({"embedding": []})
            return
        async with runner.slot():
            try:
                vector, _ = await _one(stub, call, runner, text=body["prompt"], truncate=False)
            except Refusal as refusal:
                raise Refusal(500, refusal.text) from refusal
    await call.reply.json({"embedding": _numbers(vector)})


def vector_of(text: str, dimension: int) -> Vector:
    """The text's vector, of length RAW_LENGTH."""
    vector = _start(dimension).copy()
    for feature, weight in _features(text).items():
        for place, sign in _places(feature, dimension):
            vector[place] += sign * weight
    scaled: Vector = vector * np.float32(RAW_LENGTH / max(float(np.linalg.norm(vector)), 1e-12))
    return scaled


async def _one(stub: Stub, call: Call, runner: Runner, *, text: str, truncate: bool) -> tuple[Vector, int]:
    if stub.faults.take(call.path, ("kill",)):
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(stub.settings.embed_seconds_per_text)
    if stub.faults.spoils(text):
        raise Refusal(500, NAN_TEXT)
    count = len(word_pieces(text)) + SPECIAL_TOKENS
    if count > runner.num_ctx:
        if not truncate:
            raise Refusal(400, TOO_LONG)
        text = " ".join(word_pieces(text)[: runner.num_ctx - SPECIAL_TOKENS])
        count = runner.num_ctx
    return vector_of(text, runner.model.weights.embedding_length), count


def _texts(given: Any) -> list[str]:
    if isinstance(given, str):
        return [given] if given else []
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise Refusal(400, "invalid input type")
    return given


def _features(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    prefix = PREFIX.match(text)
    if prefix:
        found[prefix[0]] = PREFIX_WEIGHT
        text = text[prefix.end() :]
    counts: Counter[str] = Counter()
    weights: dict[str, float] = {}
    for run in JAPANESE_RUN.findall(text):
        for first, second in itertools.pairwise(run):
            counts[first + second] += 1
            weights[first + second] = PAIR_WEIGHTS[len(HIRAGANA.findall(first + second))]
        for kanji in KANJI.findall(run):
            counts[kanji] += 1
            weights[kanji] = KANJI_WEIGHT
    for word in WORD.findall(text):
        feature = word if word == word.lower() else "[UNK]"
        counts[feature] += 1
        weights[feature] = FREQUENT_WEIGHT if feature in FREQUENT_WORDS else 1.0
        if len(feature) > STEM_CHARACTERS:
            counts[f"{feature[:STEM_CHARACTERS]}-"] += 1
            weights[f"{feature[:STEM_CHARACTERS]}-"] = STEM_WEIGHT
    return found | {feature: weights[feature] * (1 + math.log(count)) for feature, count in counts.items()}


@lru_cache(maxsize=4)
def _start(dimension: int) -> Vector:
    drawn = np.random.default_rng(dimension).standard_normal(dimension).astype(np.float32)
    start: Vector = drawn * np.float32(START_WEIGHT / np.linalg.norm(drawn))
    return start


@lru_cache(maxsize=100_000)
def _places(feature: str, dimension: int) -> tuple[tuple[int, float], ...]:
    """Where in the vector a feature goes, and with which sign."""
    digest = hashlib.blake2b(feature.encode(), digest_size=4 * PLACES_PER_FEATURE).digest()
    numbers = (int.from_bytes(digest[4 * index : 4 * index + 4]) for index in range(PLACES_PER_FEATURE))
    return tuple((number // 2 % dimension, 1.0 if number % 2 else -1.0) for number in numbers)


def _normalised(vector: Vector, *, dimensions: int) -> Vector:
    cut = vector[:dimensions] if 0 < dimensions < len(vector) else vector
    unit: Vector = cut / max(float(np.linalg.norm(cut)), 1e-12)
    return unit


def _numbers(vector: Vector) -> list[float]:
    return [float(f"{number:.8g}") for number in vector.tolist()]
