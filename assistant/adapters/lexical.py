"""The one door to tantivy: full-text indexes in folders, one for each generation; one writing process, many readers.

    text -> index_terms (assistant/spellings.py) -> joined by blanks -> fields title and body, split at blanks -> BM25

tantivy was picked because it searches a million chunks in 9 ms without a server and lets other processes read while one
writes. The terms are ours, so its query language never sees what people type.
This room must not know documents, rights or vectors.
"""

from __future__ import annotations

import hashlib
import math
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import anyio.to_thread
import structlog
import tantivy

from assistant.errors import StoreDamaged, StoreUnavailable, Text
from assistant.ports import Holders
from assistant.reach import Reach, version_of
from assistant.spellings import TERMS_ID, guessed_terms, index_terms, question_terms
from assistant.text import lexical_terms, query_weight

_log = structlog.get_logger(__name__)

_TITLE_BOOST = (
    0.5  # the body has the title in front too; 2 lowered nDCG@10 by .01 to .08 (docs/lab-notes.md, 2026-11-26)
)
_QUERY_TERMS = 256  # distinct ones; the rarest of a longer question are kept (2,000 terms: 25 ms, 256: 3 ms)
_TERM_CHARACTERS = 100  # of longer ones the beginning counts, on both sides: tantivy drops terms of 64 KiB
_NAMED_VERSIONS = 1_000  # at 100,000 chunks: 50 take 2.5 ms, 500 take 4, 2,500 take 8; asking for more 4 to 11
_SPARE = 1.3  # more hits than the share in reach asks for: documents in reach are not spread evenly
_MORE = 8  # times as many when they were not enough
_WRITER_BYTES = 30_000_000
_LOCK_WAIT_SECONDS = 5.0
_LOCK_PAUSE_SECONDS = 0.05
_LOCK_SIGN = "LockBusy"
_OTHER_LAYOUT_SIGN = "schema does not match"
_FULL_BYTES = 1 << 20  # less than the smallest commit needs beside what the writer leaves behind
_FILE_SYSTEM_SIGNS = ("PermissionDenied", "StorageFull", "ReadOnlyFilesystem", "QuotaExceeded")
_WRITTEN_ANEW = Text(
    ja="次の取り込み(`ingest run`、`ingest watch`)が台帳から自動で作り直します。すぐに直すには `ingest rebuild` を実行してください。",
    en="The next ingestion (`ingest run`, `ingest watch`) writes it anew from the ledger by itself; `ingest rebuild` does it now.",
)


class TantivyLexicalIndex:
    """tantivy indexes, each in a folder of its own below `root`; see ports.LexicalIndex. Made on first writing."""

    def __init__(self, root: Path, *, lock_wait_seconds: float = _LOCK_WAIT_SECONDS) -> None:
        self._root = root
        self._lock_wait_seconds = lock_wait_seconds
        self._folders: dict[str, _Folder] = {}

    def write(self, index_name: str, *, add: Iterable[tuple[str, str, str]], delete: Iterable[str]) -> None:
        """Deletes ids, then adds (chunk_id, title, text), in one commit. Raises StoreUnavailable; then nothing changed."""
        self._folder(index_name).write(add=add, delete=delete)

    def all_ids(self, index_name: str) -> Iterator[str]:
        """Every id stored (50,000 in 0.07 s). Raises StoreUnavailable."""
        yield from self._folder(index_name).all_ids()

    def drop(self, index_name: str) -> None:
        """Removes the index, a damaged one too. Raises StoreUnavailable while another process writes it."""
        self._folder(index_name).remove()

    async def search(
        self, index_name: str, text: str, *, limit: int, reach: Reach | None = None
    ) -> list[tuple[str, float]]:
        """Chunk ids with BM25 score above 0, best first; `reach` leaves all others out. Raises StoreUnavailable."""
        folder = self._folder(index_name)
        return await anyio.to_thread.run_sync(folder.search, text, limit, reach, abandon_on_cancel=True)

    def holders(self, index_name: str, texts: Iterable[str]) -> Holders:
        """How rare each text is (180 terms in 0.3 ms). Raises StoreUnavailable."""
        return self._folder(index_name).holders(texts)

    def adopt(self, index_name: str) -> None:
        """Takes over the one index that lay in `root` itself up to 0.1.0, as that of a generation.

        Killed or done twice at once, it ends in the same place: `meta.json`, by which an index is known, moves last.
        """
        folder = self._root / index_name
        with self._folder(index_name).mapped():
            if not (self._root / "meta.json").is_file():
                return
            folder.mkdir(exist_ok=True)
            files = [entry for entry in self._root.iterdir() if entry.is_file()]
            for entry in sorted(files, key=lambda entry: entry.name == "meta.json"):
                with suppress(FileNotFoundError):  # another process of the deployment was quicker
                    entry.replace(folder / entry.name)

    def _folder(self, index_name: str) -> _Folder:
        if index_name not in self._folders:
            made = _Folder(self._root / index_name, lock_wait_seconds=self._lock_wait_seconds)
            self._folders.setdefault(index_name, made)
        return self._folders[index_name]


class _Folder:
    """One index in one folder."""

    def __init__(self, folder: Path, *, lock_wait_seconds: float) -> None:
        self._folder = folder
        self._lock_wait_seconds = lock_wait_seconds
        self._schema = _schema()
        self._index: Any = None
        self._opening = threading.Lock()

    def write(self, *, add: Iterable[tuple[str, str, str]], delete: Iterable[str]) -> None:
        """Deletes ids, then adds (chunk_id, title, text), in one commit. Raises StoreUnavailable; then nothing changed."""
        with self.mapped(), self._writer() as writer:
            for chunk_id in delete:
                writer.delete_documents_by_term("chunk_id", chunk_id)
            for chunk_id, title, text in add:
                writer.delete_documents_by_term("chunk_id", chunk_id)
                writer.add_document(_entry(chunk_id, title, text))
            writer.commit()

    def all_ids(self) -> list[str]:
        """Every id stored."""
        with self.mapped():
            if not self._folder.exists():
                return []
            searcher = self._searcher()
            hits = searcher.search(tantivy.Query.all_query(), limit=max(1, searcher.num_docs), count=False).hits
            return [str(searcher.doc(address)["chunk_id"][0]) for _, address in hits]

    def remove(self) -> None:
        """Removes the folder, unless another process is writing into it."""
        try:
            with self.mapped():
                if not self._folder.exists():
                    return
                with self._writer():  # nobody else is writing
                    pass
        except StoreUnavailable as error:
            if not error.permanent:
                raise
        with self.mapped(), self._opening:
            self._index = None
            shutil.rmtree(self._folder)

    def search(self, text: str, limit: int, reach: Reach | None) -> list[tuple[str, float]]:
        """Chunk ids with BM25 score above 0, best first; `reach` leaves all others out."""
        terms = list(dict.fromkeys(term[:_TERM_CHARACTERS] for term in question_terms(text)))
        if limit < 1 or not terms or (reach is not None and not reach.versions):
            return []
        with self.mapped():
            if not self._folder.exists():
                return []
            searcher = self._searcher()
            if len(terms) > _QUERY_TERMS:
                terms = _rarest(terms, searcher)
            terms += _guessed(text, terms, searcher)
            hits = _hits(searcher, self._schema, self._query(terms), limit=limit, reach=reach)
            return [(str(searcher.doc(address)["chunk_id"][0]), float(score)) for score, address in hits if score > 0]

    def holders(self, texts: Iterable[str]) -> Holders:
        """For each text the count of entries that hold the rarest of its terms."""
        terms_of = {text: [term[:_TERM_CHARACTERS] for term in lexical_terms(text)] for text in texts}
        with self.mapped():
            if not self._folder.exists():
                return Holders(0, dict.fromkeys(terms_of, 0))
            searcher = self._searcher()
            of_term = {
                term: searcher.doc_freq("body", term)
                for term in {term for terms in terms_of.values() for term in terms}
            }
            entries = searcher.num_docs
        return Holders(
            entries, {text: min((of_term[term] for term in terms), default=0) for text, terms in terms_of.items()}
        )

    def _query(self, terms: list[str]) -> Any:
        query = tantivy.Query
        should = tantivy.Occur.Should
        weighted = [
            (should, query.boost_query(query.term_query(self._schema, field, term), boost * query_weight(term)))
            for field, boost in (("body", 1.0), ("title", _TITLE_BOOST))
            for term in terms
        ]
        return query.boolean_query(weighted)

    def _searcher(self) -> Any:
        """A view of what is committed now, by whichever process (reloading takes 0.02 ms)."""
        index = self._opened()
        index.reload()
        return index.searcher()

    def _opened(self) -> Any:
        with self._opening:
            if self._index is None or not (self._folder / "meta.json").is_file():
                self._index = self._open()
            return self._index

    def _open(self) -> Any:
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self._folder / "meta.json").is_file() and any(self._folder.glob("*.store")):
            raise ValueError("meta.json is missing beside stored data")  # tantivy would silently begin an empty index
        index = tantivy.Index(self._schema, path=str(self._folder))
        index.config_reader(reload_policy="manual")
        return index

    @contextmanager
    def _writer(self) -> Iterator[Any]:
        """A writer that gives its lock back at the end; what its user did not commit leaves no trace."""
        writer = self._locked_writer()
        try:
            yield writer
        finally:
            writer.wait_merging_threads()

    def _locked_writer(self) -> Any:
        give_up_at = time.monotonic() + self._lock_wait_seconds
        while True:
            try:
                return self._opened().writer(heap_size=_WRITER_BYTES, num_threads=1)
            except ValueError as error:
                if _LOCK_SIGN not in str(error) or time.monotonic() > give_up_at:
                    raise
            time.sleep(_LOCK_PAUSE_SECONDS)

    @contextmanager
    def mapped(self) -> Iterator[None]:
        """tantivy's and the file system's errors as ours."""
        try:
            yield
        except (ValueError, RuntimeError) as error:  # all that tantivy raises
            self._forget()
            raise self._error_of(error) from error
        except OSError as error:
            self._forget()
            raise self._unusable(error) from error

    def _forget(self) -> None:
        with self._opening:
            self._index = None

    def _error_of(self, error: Exception) -> StoreUnavailable:
        words = str(error)
        if _LOCK_SIGN in words:
            return _locked()
        if _OTHER_LAYOUT_SIGN in words:
            return self._outdated()
        is_the_disk = any(sign in words for sign in _FILE_SYSTEM_SIGNS) or self._is_disk_full()
        return self._unusable(error) if is_the_disk else self._damaged(error)

    def _is_disk_full(self) -> bool:
        """Whether nothing can be written any more: what tantivy says then depends on which of its threads met it first."""
        place = self._folder if self._folder.exists() else self._folder.parent
        return place.exists() and shutil.disk_usage(place).free < _FULL_BYTES

    def _damaged(self, error: Exception) -> StoreUnavailable:
        _log.warning("lexical_index_damaged", folder=str(self._folder), words=str(error)[:300])
        return StoreDamaged(
            Text(
                ja=f"全文索引(フォルダ {self._folder})が壊れています。",
                en=f"The full-text index in {self._folder} is damaged.",
            ),
            _WRITTEN_ANEW,
            index="lexical",
        )

    def _outdated(self) -> StoreUnavailable:
        """Nothing is lost, and an upgrade is no accident; what has to be done is the same as after one."""
        _log.warning("lexical_index_of_another_release", folder=str(self._folder))
        return StoreDamaged(
            Text(
                ja=f"全文索引(フォルダ {self._folder})は別の版のこの製品で作られており、作り直すまで語では探せません。",
                en=f"The full-text index in {self._folder} was made by another release of this product; until it is written "
                "anew, words are not searched.",
            ),
            _WRITTEN_ANEW,
            index="lexical",
        )

    def _unusable(self, error: Exception) -> StoreUnavailable:
        _log.warning("lexical_index_unusable", folder=str(self._folder), problem=str(error))
        return StoreUnavailable(
            Text(
                ja=f"全文索引のフォルダ {self._folder} を読み書きできません。",
                en=f"The folder {self._folder} of the full-text index cannot be read or written.",
            ),
            Text(ja="権限と空き容量を確かめてください。", en="Check its permissions and the free space."),
        )


def _locked() -> StoreUnavailable:
    return StoreUnavailable(
        Text(ja="別のプロセスが全文索引に書き込み中です。", en="Another process is writing the full-text index."),
        Text(
            ja="取り込み(`ingest`)が二重に動いていないか確かめ、終わってから再実行してください。",
            en="Check that `ingest` does not run twice, and try again when it has finished.",
        ),
    )


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("chunk_id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("version", stored=False, indexed=True, fast=True)
    builder.add_text_field("title", stored=False, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("body", stored=False, tokenizer_name="whitespace", index_option="freq")
    # Holds nothing: by its name tantivy tells an index that was made of other terms.
    builder.add_integer_field(f"terms_{TERMS_ID}", stored=False, indexed=False)
    return builder.build()


def _entry(chunk_id: str, title: str, text: str) -> Any:
    version = _number_of(version_of(chunk_id))
    return tantivy.Document(chunk_id=chunk_id, version=version, title=_terms(title), body=_terms(text))


def _number_of(version_id: str) -> int:
    """A number for the version: tantivy gives numbers of many hits back at once, texts one by one (10 us each)."""
    return int.from_bytes(hashlib.sha256(version_id.encode()).digest()[:8], signed=True)


@lru_cache(maxsize=64)
def _numbers_of(reach: Reach) -> frozenset[int]:
    return frozenset(map(_number_of, reach.versions))


def _hits(searcher: Any, schema: Any, query: Any, *, limit: int, reach: Reach | None) -> list[Any]:
    """The best hits, of those in reach.

    Few versions are a condition of the query; with many, every hit would be scored, so more hits are asked for and those
    out of reach dropped, until enough are left or there are no more.
    """
    if reach is None or reach.share >= 1.0:
        return list(searcher.search(query, limit=limit, count=False).hits)
    numbers = _numbers_of(reach)
    if len(numbers) <= _NAMED_VERSIONS:
        named = tantivy.Query.const_score_query(tantivy.Query.term_set_query(schema, "version", list(numbers)), 0.0)
        both = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, named)])
        return list(searcher.search(both, limit=limit, count=False).hits)
    asked = math.ceil(_SPARE * limit / reach.share)
    while True:
        hits = searcher.search(query, limit=asked, count=False).hits
        versions = searcher.fast_field_values("version", [address for _, address in hits])
        left = [hit for hit, version in zip(hits, versions, strict=True) if version in numbers]
        if len(left) >= limit or len(hits) < asked:
            return left[:limit]
        asked *= _MORE


def _terms(text: str) -> str:
    return " ".join(term[:_TERM_CHARACTERS] for term in index_terms(text))


def _guessed(text: str, terms: list[str], searcher: Any) -> list[str]:
    """Other terms that the question may mean, as far as the index holds them; see spellings.guessed_terms."""
    return [
        term
        for term, instead_of in guessed_terms(text).items()
        if term not in terms
        and searcher.doc_freq("body", term)
        and not (instead_of and searcher.doc_freq("body", instead_of))
    ]


def _rarest(terms: list[str], searcher: Any) -> list[str]:
    """The terms that tell most: those that fewest chunks hold, and at least one."""
    counts = {term: searcher.doc_freq("body", term) for term in terms}
    known = [term for term in terms if counts[term]]
    return sorted(known, key=lambda term: counts[term])[:_QUERY_TERMS] or terms[:_QUERY_TERMS]
