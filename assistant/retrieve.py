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
from dataclasses import dataclass, field, replace
from functools import partial

from assistant.admission import Admission, crowd_of, user_of
from assistant.candidates import DEPTH, MOST_TIED, Held, Hits, by_meaning
from assistant.domain import Candidate, Filters, Notice, Principal, Question, SearchResult
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
from assistant.ports import AskLedger, Embedder, LexicalIndex, Reranker, VectorIndex
from assistant.reach import Reach
from assistant.releases import Tuning
from assistant.rerank import ranked
from assistant.text import is_readable, japanese_share
from assistant.ties import before_tie, best_first, through_tie

READ_MORE = 10
"""Passages read beyond those wanted, in place of ones that have just been taken out of reach."""

POOL = 50
"""Passages read from the ledger to be ranked anew; 30 found a little less, 100 nothing more (docs/lab-notes.md, 2026-11-26)."""

JAPANESE_SHARE = 0.2
"""Share of Japanese letters from which an embedder that cannot read them is left out: fused with a ranking that knows
nothing, Hit@1 of word search fell from .90 to .34 (docs/lab-notes.md, 2026-11-23)."""


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
    weighted = [(dense, weight * indexes.tuning.meaning), (lexical, indexes.tuning.words)]
    fused = fuse([Ranking(leg, share) for leg, share in weighted if isinstance(leg, list)])
    wanted = max(limit, POOL)
    near = through_tie(fused, wanted + READ_MORE)
    read = await asyncio.to_thread(
        indexes.ledger.read_passages, near, principal=principal, filters=filters, limit=len(near)
    )
    passages = best_first(read)[:wanted]
    meanings, words = _scores_of(dense), _scores_of(lexical)
    pool = [Candidate(one, meanings.get(one.chunk_id), words.get(one.chunk_id)) for one in passages]
    trust = weight * indexes.tuning.meaning_by_words
    ordered, problem = await ranked(text, pool, meaning_weight=trust, reranker=indexes.reranker)
    folded = fold(text, ordered, limit=limit)
    notices += [*([_notice_of(problem)] if problem is not None else []), *folded.notices]
    return SearchResult(folded.passages, tuple(notices), time.perf_counter() - started)


def _scores_of(leg: Hits | AssistantError) -> dict[str, float]:
    return {} if isinstance(leg, AssistantError) else {chunk_id: score for chunk_id, score in leg if score > 0}


def _known(
    indexes: Indexes, principal: Principal, filters: Filters
) -> tuple[tuple[Generation | None, Embedder], Reach]:
    return indexes.standing(), indexes.held.reach_of(indexes.ledger, principal=principal, filters=filters)


def dense_weight(text: str, generation: Generation, embedder: Embedder) -> float:
    """Weight of the search by meaning for this question, 0 to 1, from what was measured of the generation in the
    question's language; where that is unknown, from what is known of the embedder's family."""
    is_japanese = japanese_share(text) >= JAPANESE_SHARE
    fitness = generation.fitness.get("ja" if is_japanese else "en")
    if fitness is not None:
        return weight_of_fitness(fitness)
    return 0.0 if is_japanese and not embedder.reads_japanese else 1.0


async def _dense(
    text: str, indexes: Indexes, *, generation: Generation, weight: float, reach: Reach
) -> Hits | AssistantError:
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
        return await by_meaning(
            vector, indexes.held, ledger=indexes.ledger, index=indexes.vectors, generation=generation, reach=reach
        )
    except (StoreUnavailable, EmbedderUnavailable, EmbedderMismatch, EmbedderUnfit, ModelError) as error:
        return error


def _unfit(text: str) -> EmbedderUnfit:
    is_japanese = japanese_share(text) >= JAPANESE_SHARE
    language = Text(ja="日本語", en="Japanese") if is_japanese else Text(ja="英語", en="English")
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
