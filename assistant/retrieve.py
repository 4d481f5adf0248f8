"""Question -> passages: dense and lexical candidates side by side, fused by rank, re-read from the ledger, ranked anew.

    vectors ─┐            ledger                rerank.py               fold.py
             ├─ fuse.py ────────▶ 50 candidates ─────────▶ in order ────────────▶ neighbours joined, newest first
    words ───┘

The text of a passage and the right to read it come from the ledger alone, so a stale index can neither leak nor
resurrect anything. A leg that is away is announced by a notice; only when both are away is it an error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from assistant.admission import Admission, crowd_of, user_of
from assistant.candidates import DEPTH, MOST_TIED, Held, Hits, by_meaning
from assistant.domain import Candidate, Filters, Notice, Passage, Principal, Question, SearchResult
from assistant.embedders import Embedders
from assistant.errors import (
    AssistantError,
    EmbedderMismatch,
    EmbedderUnavailable,
    EmbedderUnfit,
    ModelError,
    StoreUnavailable,
    Text,
)
from assistant.fold import fold
from assistant.fuse import Ranking, fuse, weight_of_fitness
from assistant.generation import Generation
from assistant.languages import AskedElsewhere, asked_elsewhere, is_in_other_language, is_japanese
from assistant.ports import AskLedger, Embedder, LexicalIndex, Reranker, VectorIndex
from assistant.reach import Reach
from assistant.releases import Tuning
from assistant.rerank import ranked
from assistant.text import is_readable
from assistant.ties import before_tie, best_first, through_tie

READ_MORE = 10
"""Passages read beyond those wanted, in place of ones that have just been taken out of reach."""

POOL = 50
"""Passages read from the ledger to be ranked anew; 30 found a little less, 100 nothing more (docs/lab-notes.md, 2026-11-26)."""


DEPTH_ELSEWHERE = 50
"""Hits for the question as if asked in the other language that enter the fusion; twice as many found nothing more
(docs/lab-notes.md, 2026-11-27)."""


@dataclass(frozen=True)
class Indexes:
    """Where candidates come from, and what is held of it between questions. Without `embedders`, every generation is
    asked with the one embedder."""

    ledger: AskLedger
    embedder: Embedder
    vectors: VectorIndex
    lexical: LexicalIndex
    embedders: Embedders | None = None
    held: Held = field(default_factory=Held)
    reranker: Reranker | None = None
    searches: Admission | None = None
    """How many are searched for at once, each in a fair order; None: without bound."""
    tuning: Tuning = field(default_factory=Tuning)
    """What the release makes the two searches count for."""

    def standing(self) -> tuple[Generation | None, Embedder]:
        """The generation that answers come from just now, and its embedder. Reads the ledger: never on the event loop."""
        generation = self.ledger.active_generation()
        if generation is None or self.embedders is None:
            return generation, self.embedder
        return generation, self.embedders.of(generation)


@dataclass(frozen=True)
class Near:
    """What the search by meaning found: nearest to the question, and nearest to it as if asked in the other language."""

    hits: Hits = field(default_factory=list)
    elsewhere: Hits = field(default_factory=list)
    asked: AskedElsewhere | None = None

    def meanings(self, passages: Sequence[Passage], *, than_japanese: bool) -> dict[str, float]:
        """Cosines by chunk id; of passages in the other language those that their like in the question's own would have."""
        known = _positive(self.hits)
        if self.asked is None:
            return known
        there = _positive(self.elsewhere)
        for passage in passages:
            if is_in_other_language(passage.text, than_japanese=than_japanese):
                if passage.chunk_id in there:
                    known[passage.chunk_id] = self.asked.meaning(there[passage.chunk_id])
                elif passage.chunk_id in known:
                    known[passage.chunk_id] = self.asked.meaning_apart(known[passage.chunk_id])
        return known


async def search(question: Question, indexes: Indexes, *, limit: int) -> SearchResult:
    """At most `limit` passages that the asking principal may read, after waiting for a turn.

    Raises StoreUnavailable when no index answers, Overloaded when too many wait to be searched for.
    """
    if not is_readable(question.text):
        return SearchResult((), (), 0.0)
    asked_by, filters = question.principal, question.filters
    if indexes.searches is None:
        return await retrieve(question.text, indexes, principal=asked_by, filters=filters, limit=limit)
    with indexes.searches.turn(user_of(asked_by), crowd_of(asked_by)) as turn:
        while await turn.outlook() is not None:
            continue  # searches are short: nobody is told of this wait
        found = await retrieve(question.text, indexes, principal=asked_by, filters=filters, limit=limit)
        turn.leave(is_whole=True)
    return found


async def retrieve(text: str, indexes: Indexes, *, principal: Principal, filters: Filters, limit: int) -> SearchResult:
    """At most `limit` passages that the principal may read, best first, with a notice for each leg that was away.

    Raises StoreUnavailable when neither leg answers.
    """
    started = time.perf_counter()
    (generation, embedder), reach = await asyncio.to_thread(_known, indexes, principal, filters)
    if generation is None:
        return SearchResult((), (_NOTHING_INGESTED,), time.perf_counter() - started)
    indexes = replace(indexes, embedder=embedder)
    weight = dense_weight(text, generation, embedder)
    dense, lexical = await asyncio.gather(
        _dense(text, indexes, generation=generation, weight=weight, reach=reach),
        _lexical(text, indexes, generation=generation, reach=reach),
    )
    notices = [_notice_of(leg) for leg in (dense, lexical) if isinstance(leg, AssistantError)]
    if isinstance(dense, AssistantError) and isinstance(lexical, AssistantError):
        raise dense
    near = dense if isinstance(dense, Near) else Near()
    meaning, words = weight * indexes.tuning.meaning, lexical if isinstance(lexical, list) else []
    legs = ((near.hits, meaning), (near.elsewhere, meaning), (words, indexes.tuning.words))
    fused = fuse([Ranking(hits, share) for hits, share in legs])
    wanted = max(limit, POOL)
    first = through_tie(fused, wanted + READ_MORE)
    read = await asyncio.to_thread(
        indexes.ledger.read_passages, first, principal=principal, filters=filters, limit=len(first)
    )
    passages = best_first(read)[:wanted]
    meanings, strengths = near.meanings(passages, than_japanese=is_japanese(text)), _positive(words)
    pool = [Candidate(one, meanings.get(one.chunk_id), strengths.get(one.chunk_id)) for one in passages]
    trust = weight * indexes.tuning.meaning_by_words
    ordered, problem = await ranked(text, pool, meaning_weight=trust, reranker=indexes.reranker)
    folded = fold(text, ordered, limit=limit)
    notices += [*([_notice_of(problem)] if problem is not None else []), *folded.notices]
    return SearchResult(folded.passages, tuple(notices), time.perf_counter() - started)


def _positive(hits: Hits) -> dict[str, float]:
    return {chunk_id: score for chunk_id, score in hits if score > 0}


def _known(
    indexes: Indexes, principal: Principal, filters: Filters
) -> tuple[tuple[Generation | None, Embedder], Reach]:
    return indexes.standing(), indexes.held.reach_of(indexes.ledger, principal=principal, filters=filters)


def dense_weight(text: str, generation: Generation, embedder: Embedder) -> float:
    """Weight of the search by meaning for this question, 0 to 1, from what was measured of the generation in the
    question's language; where that is unknown, from what is known of the embedder's family."""
    return _weight_in("ja" if is_japanese(text) else "en", generation, embedder)


def _weight_in(language: str, generation: Generation, embedder: Embedder) -> float:
    fitness = generation.fitness.get(language)
    if fitness is not None:
        return weight_of_fitness(fitness)
    return 0.0 if language == "ja" and not embedder.reads_japanese else 1.0


async def _dense(
    text: str, indexes: Indexes, *, generation: Generation, weight: float, reach: Reach
) -> Near | AssistantError:
    try:
        if weight == 0.0:
            raise _unfit(text)
        # Naming itself, an embedder may have to ask its server: never on the event loop.
        if await asyncio.to_thread(lambda: indexes.embedder.embedder_id) != generation.embedder_id:
            raise EmbedderMismatch(
                Text(
                    ja="索引は別の埋め込みモデルで作られているため、意味検索を使わずに探しました。",
                    en="The index was built with another embedder, so the search by meaning was left out.",
                ),
                Text(ja="`ingest rebuild` を実行してください。", en="Run `ingest rebuild`."),
            )
        vector = await indexes.embedder.embed_query(text)
        search = partial(
            by_meaning,
            held=indexes.held,
            ledger=indexes.ledger,
            index=indexes.vectors,
            generation=generation,
            reach=reach,
        )
        reads_both = all(_weight_in(language, generation, indexes.embedder) for language in ("ja", "en"))
        asked = asked_elsewhere(text, vector, generation.means if reads_both else {})
        if asked is None:
            (hits,) = await search(vector)
            return Near(hits)
        both = np.concatenate([vector, asked.vector])
        hits, elsewhere = await search(both, depths=(DEPTH, DEPTH_ELSEWHERE))
        return Near(hits, elsewhere, asked)
    except (StoreUnavailable, EmbedderUnavailable, EmbedderMismatch, EmbedderUnfit, ModelError) as error:
        return error


def _unfit(text: str) -> EmbedderUnfit:
    language = Text(ja="日本語", en="Japanese") if is_japanese(text) else Text(ja="英語", en="English")
    return EmbedderUnfit(
        Text(
            ja=f"設定された埋め込みモデルは{language.ja}をよく読めないため、語の一致だけで探しました。",
            en=f"The configured embedder does not read {language.en} well enough, so only words were matched.",
        ),
        Text(
            ja=f"管理者は{language.ja}の読めるモデル(例: bge-m3)を ASSISTANT_EMBED_MODEL に設定し、`ingest rebuild` を実行してください。",
            en="An administrator should set ASSISTANT_EMBED_MODEL to one that does (e.g. bge-m3) and run `ingest rebuild`.",
        ),
    )


async def _lexical(text: str, indexes: Indexes, *, generation: Generation, reach: Reach) -> Hits | AssistantError:
    search = partial(indexes.lexical.search, generation.index_name, text, reach=reach)
    try:
        hits = await search(limit=DEPTH + 1)
        whole = before_tie(hits, DEPTH) if len(hits) > DEPTH else hits
        # The cut goes through many equals: rarely, for a question of one word. Only then more are asked for.
        return whole if len(whole) >= min(len(hits), DEPTH // 2) else through_tie(await search(limit=MOST_TIED), DEPTH)
    except StoreUnavailable as error:
        return error


def _notice_of(error: AssistantError) -> Notice:
    code = error.code if isinstance(error, EmbedderUnfit) else f"degraded_search_{error.code}"
    return Notice(code=code, message_ja=error.describe("ja"), message_en=error.describe("en"))


_NOTHING_INGESTED = Notice(
    code="nothing_ingested",
    message_ja="まだ文書が取り込まれていません。`ingest run --folder フォルダ` を実行してください。",
    message_en="No documents have been ingested yet. Run `ingest run --folder FOLDER`.",
)
