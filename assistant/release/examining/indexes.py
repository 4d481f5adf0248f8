"""Whether both indexes hold what the ledger says: counts, ids, and some vectors compared number by number."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from assistant.errors import Text
from assistant.generation import Generation
from assistant.ports import LexicalIndex, VectorIndex, Vectors
from assistant.release.examining.finding import Finding, ok, plain

ALL_IDS_BELOW = 20_000
"""So many ids are compared one by one (about a second); of more, the count and a sample."""
SAMPLE = 64
LEAST_COSINE = 0.999
"""The ledger keeps half precision: its vectors differ from the index's by less than a hundredth of this."""
MEND = "ingest mend"


class IndexedLedger(Protocol):
    """What comparing needs of the ledger."""

    def live_chunk_ids(self, *, is_beside: bool = ...) -> set[str]:
        """Ids of all chunks that answers may come from."""

    def live_texts(self, *, is_beside: bool = ...) -> set[str]:
        """Hashes of their texts."""

    def refused_texts(self, embedder_id: str) -> set[str]:
        """Texts that the embedder refuses, which are in no vector index."""

    def read_vectors(self, embedder_id: str, text_hashes: Sequence[str]) -> Mapping[str, Vectors]:
        """Vectors of texts, as the ledger keeps them."""


@dataclass(frozen=True)
class Compared:
    """How far the indexes are from the ledger. `differing` of `sampled` vectors are not the ledger's."""

    chunks: int
    vectors_missing: int
    vectors_surplus: int
    words_missing: int
    words_surplus: int
    sampled: int
    differing: int

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not (
            self.vectors_missing or self.vectors_surplus or self.words_missing or self.words_surplus or self.differing
        )


def compare_indexes(
    ledger: IndexedLedger, vectors: VectorIndex, lexical: LexicalIndex, generation: Generation
) -> Compared:
    """Looks at both indexes of the generation. Raises StoreUnavailable."""
    truth = ledger.live_chunk_ids()
    words = set(lexical.all_ids(generation.index_name))
    embedded = ledger.live_texts() - ledger.refused_texts(generation.embedder_id)
    sample = random.Random(0).sample(sorted(embedded), min(SAMPLE, len(embedded)))  # noqa: S311  guards nothing
    stored = vectors.read(generation.index_name, sample)
    if len(truth) < ALL_IDS_BELOW:
        there = set(vectors.all_ids(generation.index_name))
        missing, surplus = len(embedded - there), len(there - embedded)
    else:
        count = vectors.count(generation.index_name)
        missing, surplus = max(len(sample) - len(stored), len(embedded) - count, 0), max(count - len(embedded), 0)
    kept = ledger.read_vectors(generation.embedder_id, list(stored))
    return Compared(
        chunks=len(truth),
        vectors_missing=missing,
        vectors_surplus=surplus,
        words_missing=len(truth - words),
        words_surplus=len(words - truth),
        sampled=len(stored),
        differing=sum(
            text not in kept or _cosine(vector, kept[text]) < LEAST_COSINE for text, vector in stored.items()
        ),
    )


def _cosine(one: Vectors, other: Vectors) -> float:
    if one.shape != other.shape:
        return 0.0
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other) or 1.0))


def indexes(compared: Compared) -> Finding:
    """What was compared, as a finding."""
    if compared.is_equal:
        return ok(
            "indexes",
            Text(
                ja=f"{compared.chunks:,} 断片が一致し、ベクトル {compared.sampled} 本も同じです。",
                en=f"{compared.chunks:,} chunks agree, and {compared.sampled} sampled vectors are the same.",
            ),
        )
    told = {
        "vectors missing": compared.vectors_missing,
        "vectors surplus": compared.vectors_surplus,
        "words missing": compared.words_missing,
        "words surplus": compared.words_surplus,
        f"of {compared.sampled} vectors another": compared.differing,
    }
    return Finding(
        "indexes", "fail", plain(", ".join(f"{words}: {count:,}" for words, count in told.items() if count)),
        Text(
            ja="台帳から書き直してください。埋め込みはやり直しません。"
            if not compared.differing
            else "違うベクトルは Chroma の入れ替えで起きます。索引を落として書き直してください。",
            en="Write them anew from the ledger; nothing is embedded again."
            if not compared.differing
            else "Another Chroma than ours was filled. Have the index dropped and written anew.",
        ),
        MEND if not compared.differing else f"{MEND} --anew",
    )  # fmt: skip
