"""Where candidates come from: what the principal can reach, and the hits by meaning and by words within that.

                        ┌ wide:   the index, asked for more than needed; hits out of reach dropped ┐
    ledger ─▶ reach ─▶ ─┤                                        too few left │                    ├─▶ hits in reach
                        └ narrow: every vector in reach compared, exactly ◀───┘────────────────────┘

The index cannot filter well: at 100,000 chunks its own filter takes 60 to 340 ms where 3 ms are needed without one
(retrieval facts 1.6). What is kept between questions is a copy of the ledger that is dropped when the ledger says so; the
right to read a passage is checked once more when its text is read. This room must not know texts.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from assistant.domain import Filters, Principal
from assistant.errors import EmbedderMismatch, Text
from assistant.generation import Generation
from assistant.ports import AskLedger, VectorIndex, Vectors, VersionVectors
from assistant.reach import Reach
from assistant.ties import SAME, through_tie

Hits = list[tuple[str, float]]

DEPTH = 100
"""Hits of each ranking that enter the fusion, those equal to the last of them besides."""
MOST_TIED = 400
"""Hits of a ranking at most where many are equal; which ones of more equals come is an accident."""
NARROW_SHARE = 0.25
"""Below this share of all chunks the index would have to be asked for more than 500 hits, which takes longer than
comparing every vector in reach."""
SCAN_NUMBERS = 10_000_000
"""Numbers compared at most in one exact scan (26,000 vectors of 384): 5 ms."""
LAST_RESORT_NUMBERS = 4 * SCAN_NUMBERS
"""The same where the index was asked, but too few of its hits are in reach: 20 ms."""
LEAST_HITS = 400
"""Hits asked of the vector index at least, because it looks only as far around as it is asked for: of 100,000 vectors 100
hits found 94 % of the exact first ten, 400 found 99 % and took 2 ms longer (docs/lab-notes.md, 2026-11-26)."""
LEAST_HITS_OF_TWO = 250
"""The same for each of two vectors: what one ranking misses the other often has."""
MOST_HITS = 1_000
"""Hits asked of the vector index at most: 9 ms at 100,000 vectors."""
SPARE = 1.3
"""More hits than the share alone asks for, because documents in reach are not spread evenly."""
SPARE_PART = 4
"""A quarter more texts than wanted are looked up at once: 125 take 1 ms in a ledger of 100,000 chunks."""
HELD_BYTES = 256 * 1024 * 1024
"""Vectors kept in memory: all of 170,000 chunks with 384 numbers."""
HELD_TEXTS = 50_000
"""Texts whose chunks are kept: about 15 MB. Of a smaller library none is looked up twice before something changes in it."""
HELD_VERSIONS = 200_000
"""Versions named by all kept reaches together: about 30 MB."""


class Held:
    """What one process keeps between questions: reaches, and vectors of versions; thread-safe."""

    def __init__(self, *, most_bytes: int = HELD_BYTES, most_versions: int = HELD_VERSIONS) -> None:
        self._most_bytes = most_bytes
        self._most_versions = most_versions
        self._token = ""
        self._reaches: OrderedDict[tuple[frozenset[str], Filters], Reach] = OrderedDict()
        self._chunks: dict[str, list[str]] = {}
        self._vectors: OrderedDict[tuple[str, str], VersionVectors] = OrderedDict()
        self._bytes = 0
        self._turn = threading.Lock()

    def reach_of(self, ledger: AskLedger, *, principal: Principal, filters: Filters) -> Reach:
        """What the principal can reach now. Raises StoreUnavailable."""
        token = ledger.reach_token()
        key = (principal.groups, filters)
        with self._turn:
            if token != self._token:
                self._reaches.clear()
                self._chunks.clear()
                self._token = token
            known = self._reaches.get(key)
            if known is not None:
                self._reaches.move_to_end(key)
                return known
        reach = ledger.read_reach(principal=principal, filters=filters)
        with self._turn:
            if token and token == self._token:
                self._reaches[key] = reach
                while (
                    len(self._reaches) > 1
                    and sum(len(r.versions) for r in self._reaches.values()) > self._most_versions
                ):
                    self._reaches.popitem(last=False)
        return reach

    def chunks_of(self, ledger: AskLedger, text_hashes: Sequence[str]) -> dict[str, list[str]]:
        """The chunks of these texts, whoever may read them; kept as long as no reach changes. Raises StoreUnavailable."""
        with self._turn:
            token = self._token
            found = {name: self._chunks[name] for name in text_hashes if name in self._chunks}
        missing = [name for name in text_hashes if name not in found]
        read = ledger.chunks_of_texts(missing) if missing else {}
        with self._turn:
            if token and token == self._token:
                if len(self._chunks) + len(read) > HELD_TEXTS:
                    self._chunks.clear()
                self._chunks.update(read)
        return found | read

    def nearest(
        self, ledger: AskLedger, embedder_id: str, reach: Reach, vectors: Vectors, *, limits: Sequence[int]
    ) -> list[Hits]:
        """For each row of `vectors` the nearest chunks of all in reach, exactly, with cosine similarity, best first: as many as
        its limit, and those equal to the last one.

        Raises StoreUnavailable.
        """
        blocks = self._blocks(ledger, embedder_id, reach)
        if not blocks:
            return [[] for _ in limits]
        queries = np.ascontiguousarray(vectors.T, dtype=np.float32)
        scores = np.concatenate([block.vectors @ queries for block in blocks])
        return [_ranked(blocks, column, limit) for column, limit in zip(scores.T, limits, strict=True)]

    def _blocks(self, ledger: AskLedger, embedder_id: str, reach: Reach) -> list[VersionVectors]:
        with self._turn:
            held = {version_id: self._vectors.get((embedder_id, version_id)) for version_id in reach.versions}
        missing = [version_id for version_id, block in held.items() if block is None]
        for block in ledger.version_vectors(embedder_id, missing) if missing else ():
            held[block.version_id] = block
        blocks = [block for block in held.values() if block is not None]
        with self._turn:
            for block in blocks:
                self._keep((embedder_id, block.version_id), block)
        return blocks

    def _keep(self, key: tuple[str, str], block: VersionVectors) -> None:
        if key not in self._vectors:
            self._vectors[key] = block
            self._bytes += block.vectors.nbytes
        self._vectors.move_to_end(key)
        while self._bytes > self._most_bytes and len(self._vectors) > 1:
            self._bytes -= self._vectors.popitem(last=False)[1].vectors.nbytes


def _ranked(blocks: Sequence[VersionVectors], scores: Vectors, limit: int) -> Hits:
    ends = np.cumsum([len(block.chunk_ids) for block in blocks])
    limit = min(limit, len(scores))
    last = float(np.partition(scores, -limit)[-limit])
    nearest = np.flatnonzero(scores >= last - SAME * abs(last))
    ranked = nearest[np.argsort(-scores[nearest], kind="stable")][:MOST_TIED]
    hits = []
    for row, number in zip(ranked.tolist(), np.searchsorted(ends, ranked, side="right").tolist(), strict=True):
        block = blocks[number]
        hits.append((block.chunk_ids[row - int(ends[number]) + len(block.chunk_ids)], min(1.0, float(scores[row]))))
    return hits


async def by_meaning(
    vectors: Vectors,
    held: Held,
    *,
    ledger: AskLedger,
    index: VectorIndex,
    generation: Generation,
    reach: Reach,
    depths: Sequence[int] = (DEPTH,),
) -> list[Hits]:
    """For each row of `vectors` the nearest chunks in reach, best first: as many as its depth, and those equal to the last.

    Raises StoreUnavailable, EmbedderMismatch.
    """
    if not reach.chunks:
        return [[] for _ in depths]
    numbers = reach.chunks * generation.dimension
    if reach.share >= NARROW_SHARE or numbers > SCAN_NUMBERS:
        least = LEAST_HITS if len(depths) == 1 else LEAST_HITS_OF_TWO
        asked = min(MOST_HITS, max(least, math.ceil(SPARE * max(depths) / reach.share)))
        rankings = await index.search(generation.index_name, vectors, limit=asked)
        left = await asyncio.to_thread(_each_in_reach, partial(held.chunks_of, ledger), rankings, reach, limits=depths)
        is_enough = all(
            len(found) >= min(depth, reach.chunks) or len(hits) < asked
            for found, hits, depth in zip(left, rankings, depths, strict=True)
        )
        if is_enough or numbers > LAST_RESORT_NUMBERS:
            return left
    if vectors.shape[1] != generation.dimension:
        raise EmbedderMismatch(
            _OTHER_LENGTH, Text(ja="`ingest rebuild` を実行してください。", en="Run `ingest rebuild`.")
        )
    return await asyncio.to_thread(held.nearest, ledger, generation.embedder_id, reach, vectors, limits=depths)


def _each_in_reach(
    chunks_of: Callable[[Sequence[str]], Mapping[str, Sequence[str]]],
    rankings: Sequence[Hits],
    reach: Reach,
    *,
    limits: Sequence[int],
) -> list[Hits]:
    """`in_reach` of each ranking; what the most of them need is looked up at once."""
    looked_up = list(zip(rankings, (_at_once(limit, reach) for limit in limits), strict=True))
    known = chunks_of(list({name: None for hits, count in looked_up for name, _ in hits[:count]}))

    def still(names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        missing = [name for name in names if name not in known]
        return known if not missing else {**known, **chunks_of(missing)}

    return [in_reach(still, hits, reach, limit=limit)[:MOST_TIED] for hits, limit in zip(rankings, limits, strict=True)]


def _at_once(limit: int, reach: Reach) -> int:
    """Texts to look up for so many chunks in reach: some more than their share asks for."""
    return math.ceil((limit + limit / SPARE_PART) / max(reach.share, NARROW_SHARE))


def in_reach(
    chunks_of: Callable[[Sequence[str]], Mapping[str, Sequence[str]]],
    hits: Sequence[tuple[str, float]],
    reach: Reach,
    *,
    limit: int,
) -> Hits:
    """The chunks in reach that have the texts of these hits, best first: `limit`, and those equal to the last.

    The index names each text once, whoever may read it; `chunks_of` says which chunks have it. What it does not know as a text
    is a chunk: the indexes of a former version named those, until the next ingestion writes them anew.
    """
    found: Hits = []
    at_once = _at_once(limit, reach)
    for start in range(0, len(hits), at_once):
        some = hits[start : start + at_once]
        chunks = chunks_of([name for name, _ in some])
        found += [(one, score) for name, score in some for one in chunks.get(name, [name]) if reach.holds(one)]
        first = through_tie(found, limit)
        if len(first) < len(found):
            return first
    return found


_OTHER_LENGTH = Text(
    ja="質問のベクトルの長さが索引と合いません。索引は別の埋め込みモデルで作られています。",
    en="The length of the question's vector does not fit the index, which was built with another embedder.",
)
