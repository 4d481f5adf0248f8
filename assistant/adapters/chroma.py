"""The one door to Chroma: vectors by text hash on a Chroma server, one collection for each index.

    writing   (sync)  -> chromadb.HttpClient -> /api/v2
    reading   (sync)  -> httpx               -> /api/v2 .../get, count   (importing chromadb takes a second and 35 MB, and
    asking    (async) -> httpx               -> /api/v2 .../query         its async client leaves a connection open in
                                                                          every event loop it has seen)

Only vectors and hashes of texts go in: text, names and rights stay in the ledger. The directory belongs to the server alone; two
processes on it corrupt it. Collection is Chroma's word and stays in this file.
"""

from __future__ import annotations

import os
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import structlog

from assistant.adapters.model_http import HTTPX_ERRORS, async_client, sync_client
from assistant.errors import EmbedderMismatch, StoreDamaged, StoreError, StoreUnavailable, Text
from assistant.ports import Vectors
from assistant.reach import version_of

_log = structlog.get_logger(__name__)

CHROMA_ENVIRONMENT = {"RUST_LOG": "warn"}
"""For the server's process: it writes several lines for every request otherwise."""

_BATCH_VECTORS = 500  # the vendor advises 50 to 250, and refuses 5,461
_PAGE_IDS = 5_000
_DATABASE_PATH = "/api/v2/tenants/default_tenant/databases/default_database"
_OF_TEXTS = "-texts"
"""Ends the name of a collection that has a vector for each text. One with a vector for each chunk, as versions before had it,
has the bare name, and is asked as long as it is there: the ingestion that writes the new one deletes its chunks last."""
_COSINE = {"hnsw": {"space": "cosine"}}  # the default, l2, does not fit unit vectors' similarity

_HINT = Text(
    ja="`assistant up --only chroma` で起動するか、ASSISTANT_CHROMA_URL を確かめてください。",
    en="Start it with `assistant up --only chroma`, or check ASSISTANT_CHROMA_URL.",
)
_REBUILD_HINT = Text(ja="`ingest rebuild` を実行してください。", en="Run `ingest rebuild`.")

_DAMAGE_SIGNS = ("hnsw segment reader", "hnsw segment writer", "hnsw index", "deserializing pickle")
"""What Chroma 1.5 says of a collection whose files were half written when it was killed; it never gets over it by itself.
A full disk gives the second sign, too, and therefore goes first."""
_FULL_DISK_SIGNS = ("no space left", "disk is full", "database or disk is full", "disk quota")


class Meaning(Enum):
    """What an error of Chroma means for us."""

    NOT_NOW = "not now"  # trying again can help
    NEVER = "never"  # the same request will be refused again
    ABSENT = "absent"  # no such collection


MEANINGS: dict[str, Meaning] = {
    "InvalidDimension": Meaning.NEVER,
    "InvalidArgumentError": Meaning.NEVER,
    "IDAlreadyExists": Meaning.NEVER,
    "DuplicateID": Meaning.NEVER,
    "InvalidUUID": Meaning.NEVER,
    "InvalidHTTPVersion": Meaning.NEVER,
    "AuthorizationError": Meaning.NEVER,
    "AuthError": Meaning.NEVER,
    "NotFoundError": Meaning.ABSENT,
    "BatchSizeExceededError": Meaning.NEVER,
    "VersionMismatchError": Meaning.NEVER,
    "UniqueConstraintError": Meaning.NOT_NOW,  # two processes made the collection at once
    "RateLimitError": Meaning.NOT_NOW,
    "QuotaError": Meaning.NEVER,
    "InternalError": Meaning.NOT_NOW,
    "ChromaError": Meaning.NOT_NOW,
}
"""By the name that the server gives in its answers (the keys of chromadb.errors.error_types)."""


def chroma_command(*, path: Path, host: str, port: int) -> list[str]:
    """The command of the Chroma server, from this Python's own environment; give it CHROMA_ENVIRONMENT."""
    executable = Path(sys.executable).with_name("chroma")
    return [str(executable), "run", "--path", str(path), "--host", host, "--port", str(port)]


class ChromaVectorIndex:
    """Vectors on a Chroma server; see ports.VectorIndex."""

    def __init__(
        self,
        *,
        url: str,
        connect_timeout_seconds: float = 3.0,
        timeout_seconds: float = 60.0,
        search_timeout_seconds: float = 10.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._timeout = httpx.Timeout(timeout_seconds, connect=connect_timeout_seconds)
        self._search_timeout = httpx.Timeout(search_timeout_seconds, connect=connect_timeout_seconds)
        self._check_client = sync_client(timeout=httpx.Timeout(connect_timeout_seconds))
        self._client: Any = None
        self._collection_ids: dict[str, str] = {}

    def upsert(self, index_name: str, text_hashes: Sequence[str], vectors: Vectors) -> None:
        """Adds or replaces, in batches. Raises StoreUnavailable; EmbedderMismatch for vectors of another length."""
        rows = {text_hash: row for row, text_hash in enumerate(text_hashes)}  # Chroma refuses an id that comes twice
        ids = list(rows)
        if not ids:
            return
        with self._mapped():
            collection = self._connected().get_or_create_collection(
                index_name + _OF_TEXTS, configuration=_COSINE, embedding_function=None
            )
            for start in range(0, len(ids), _BATCH_VECTORS):
                batch = ids[start : start + _BATCH_VECTORS]
                collection.upsert(ids=batch, embeddings=vectors[[rows[text_hash] for text_hash in batch]])

    def delete(self, index_name: str, text_hashes: Sequence[str]) -> None:
        """Removes texts, in batches; unknown ones are no error. A chunk's id stands for all of them: nobody removes one
        alone. Raises StoreUnavailable."""
        with self._mapped():
            if any(name != version_of(name) for name in text_hashes):
                self._drop(index_name)
            collection = self._collection(index_name + _OF_TEXTS) if text_hashes else None
            if collection is None:
                return
            for start in range(0, len(text_hashes), _BATCH_VECTORS):
                collection.delete(ids=list(text_hashes[start : start + _BATCH_VECTORS]))

    def all_ids(self, index_name: str) -> Iterator[str]:
        """Every text hash stored, page by page, and the chunks of an index of before. Raises StoreUnavailable."""
        for name in _names(index_name):
            offset, page = 0, [""] * _PAGE_IDS
            while len(page) == _PAGE_IDS:
                told = self._told(name, "get", {"include": [], "limit": _PAGE_IDS, "offset": offset})
                page = [] if told is None else told["ids"]
                yield from page
                offset += len(page)

    def count(self, index_name: str) -> int:
        """How many texts are stored; 0 when there is no such index. Raises StoreUnavailable."""
        return sum(int(self._told(name, "count") or 0) for name in _names(index_name))

    def read(self, index_name: str, text_hashes: Sequence[str]) -> dict[str, Vectors]:
        """The stored vectors by text hash; unknown ones are missing. Raises StoreUnavailable."""
        found: dict[str, Vectors] = {}
        for start in range(0, len(text_hashes), _BATCH_VECTORS):
            batch = list(text_hashes[start : start + _BATCH_VECTORS])
            told = self._told(index_name + _OF_TEXTS, "get", {"ids": batch, "include": ["embeddings"]})
            if told is not None:
                rows = np.asarray(told["embeddings"], dtype=np.float32)
                found |= dict(zip(told["ids"], rows, strict=True))
        return found

    def drop(self, index_name: str) -> None:
        """Removes the whole index; not existing is no error. Raises StoreUnavailable."""
        with self._mapped():
            for name in _names(index_name):
                self._drop(name)

    def _drop(self, name: str) -> None:
        if self._collection(name) is not None:
            self._connected().delete_collection(name)

    def check(self) -> None:
        """Returns when the server answers. Raises StoreUnavailable."""
        try:
            response = self._check_client.get(f"{self._url}/api/v2/heartbeat")
        except HTTPX_ERRORS as error:
            raise self._away() from error
        if not response.is_success or "heartbeat" not in response.text:
            raise self._refused(response.text, permanent=False)

    async def search(self, index_name: str, vectors: Vectors, *, limit: int) -> list[list[tuple[str, float]]]:
        """For each row of `vectors` the hashes of the nearest texts with cosine similarity, best first; nothing while the
        index does not exist. One request for all: two take half as long again as one, and two requests twice as long.

        Raises StoreUnavailable; EmbedderMismatch for vectors of another length.
        """
        if limit < 1:
            return [[] for _ in vectors]
        query = {"query_embeddings": vectors.tolist(), "n_results": limit, "include": ["distances"]}
        try:
            async with async_client(timeout=self._search_timeout) as client:
                response = await self._asked(client, index_name, query)
            if response is None:
                return [[] for _ in vectors]
            found = response.json()
            return [
                [(str(text_hash), min(1.0, 1.0 - float(distance))) for text_hash, distance in zip(*one, strict=True)]
                for one in zip(found["ids"], found["distances"], strict=True)
            ]
        except HTTPX_ERRORS as error:
            raise self._away() from error
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise self._refused("not an answer of Chroma", permanent=False) from error

    async def _asked(self, client: httpx.AsyncClient, index_name: str, query: dict[str, Any]) -> httpx.Response | None:
        """The server's answer, or None when there is no such collection. Its id is remembered, and found anew when gone."""
        for _ in range(2):
            if index_name not in self._collection_ids and not await self._remember(client, index_name):
                _log.warning("vector_index_absent", index_name=index_name)
                return None
            collection_url = f"{self._url}{_DATABASE_PATH}/collections/{self._collection_ids[index_name]}"
            response = await client.post(f"{collection_url}/query", json=query)
            if not self._is_absent(response):
                return response
            del self._collection_ids[index_name]
        return None

    async def _remember(self, client: httpx.AsyncClient, index_name: str) -> bool:
        """Whether there is such an index; its id is known then."""
        for name in _names(index_name):
            response = await client.get(f"{self._url}{_DATABASE_PATH}/collections/{name}")
            if not self._is_absent(response):
                self._collection_ids[index_name] = response.json()["id"]
                return True
        return False

    def _told(self, name: str, what: str, body: dict[str, Any] | None = None) -> Any | None:
        """What the server says of a collection, or None where there is none. Raises StoreUnavailable, StoreDamaged."""
        collections = f"{self._url}{_DATABASE_PATH}/collections"
        try:
            with sync_client(timeout=self._timeout) as client:
                known = client.get(f"{collections}/{name}")
                if self._is_absent(known):
                    return None
                url = f"{collections}/{known.json()['id']}/{what}"
                response = client.get(url) if body is None else client.post(url, json=body)
                return None if self._is_absent(response) else response.json()
        except HTTPX_ERRORS as error:
            raise self._away() from error
        except (ValueError, TypeError, KeyError) as error:
            raise self._refused("not an answer of Chroma", permanent=False) from error

    def _is_absent(self, response: httpx.Response) -> bool:
        """Whether Chroma says that the collection is not there; any other refusal is raised."""
        if response.is_success:
            return False
        name, words = _said(response)
        if MEANINGS.get(name) is Meaning.ABSENT:
            return True
        raise self._error_of(name, words)

    def _collection(self, name: str) -> Any | None:
        from chromadb.errors import NotFoundError

        try:
            return self._connected().get_collection(name, embedding_function=None)
        except NotFoundError:
            return None

    def _connected(self) -> Any:
        """The vendor's client, opened on first use.

        It takes proxies from the environment, waits without limit, and raises bare exceptions for answers that are not
        Chroma's; that is mended here. The check in front keeps its opening requests from a server that is away.
        """
        if self._client is None:
            self.check()
            url = httpx.URL(self._url)
            _keep_out_of_proxies(url.host)
            import chromadb
            from chromadb.config import Settings

            quiet = Settings(anonymized_telemetry=False, chroma_http_max_keepalive_connections=0)
            is_encrypted = url.scheme == "https"
            port = url.port or (443 if is_encrypted else 80)
            client = chromadb.HttpClient(host=url.host, port=port, ssl=is_encrypted, settings=quiet)
            session: httpx.Client = client._server._session
            session.timeout = self._timeout
            session.event_hooks["response"].append(self._refuse_foreign)
            self._client = client
        return self._client

    def _refuse_foreign(self, response: httpx.Response) -> None:
        if response.is_error:
            response.read()
            name, words = _said(response)
            if name not in MEANINGS:
                raise self._refused(words, permanent=False)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        """Chroma's, httpx's and the vendor client's errors as ours."""
        from chromadb.errors import ChromaError, error_types

        try:
            yield
        except ChromaError as error:
            name = next((name for name, kind in error_types.items() if kind is type(error)), "ChromaError")
            raise self._error_of(name, error.message()) from error
        except HTTPX_ERRORS as error:
            raise self._away() from error
        except ValueError as error:  # what the client says when nobody answers, or when an answer is not JSON
            raise self._refused(str(error), permanent=False) from error

    def _error_of(self, name: str, words: str) -> StoreError:
        if "dimension" in words.lower() or name == "InvalidDimension":
            return EmbedderMismatch(
                Text(
                    ja="ベクトルの長さが索引と合いません。索引は別の埋め込みモデルで作られています。",
                    en="The vector's length does not fit the index, which was built with another embedder.",
                ),
                _REBUILD_HINT,
            )
        said = words.lower()
        if any(sign in said for sign in _DAMAGE_SIGNS) and not any(sign in said for sign in _FULL_DISK_SIGNS):
            return self._damaged(words)
        return self._refused(f"{name}: {words}", permanent=MEANINGS.get(name) is Meaning.NEVER)

    def _refused(self, words: str, *, permanent: bool) -> StoreUnavailable:
        _log.warning("chroma_refused", url=self._shown_url, words=words[:300])
        return StoreUnavailable(
            Text(
                ja=f"ベクトル索引のサーバー Chroma({self._shown_url})がエラーを返しました。",
                en=f"Chroma, the server of the vector index at {self._shown_url}, answered with an error.",
            ),
            Text(
                ja="Chroma のログを確かめてください。直らないときは `ingest rebuild` で作り直せます。",
                en="Look into Chroma's log. If it stays, `ingest rebuild` builds the index anew.",
            ),
            permanent=permanent,
        )

    def _damaged(self, words: str) -> StoreDamaged:
        _log.warning("chroma_index_damaged", url=self._shown_url, words=words[:300])
        return StoreDamaged(
            Text(
                ja="ベクトル索引が壊れていて開けません(書き込み中に Chroma が強制終了されたためです)。",
                en="The vector index is damaged and cannot be opened (Chroma was killed while it wrote).",
            ),
            Text(
                ja="次の取り込み(`ingest run`、`ingest watch`)が台帳から自動で作り直します。すぐに直すには `ingest rebuild` を実行してください。",
                en="The next ingestion (`ingest run`, `ingest watch`) writes it anew from the ledger by itself; `ingest rebuild` does it now.",
            ),
            index="vectors",
        )

    def _away(self) -> StoreUnavailable:
        return StoreUnavailable(
            Text(
                ja=f"ベクトル索引のサーバー Chroma({self._shown_url})が応答しません。",
                en=f"Chroma, the server of the vector index at {self._shown_url}, does not answer.",
            ),
            _HINT,
        )

    @property
    def _shown_url(self) -> str:
        return self._url.rsplit("@", 1)[-1]


def _names(index_name: str) -> tuple[str, str]:
    return index_name, index_name + _OF_TEXTS


def _said(response: httpx.Response) -> tuple[str, str]:
    """The name and the words of a refusal; an empty name when it is not Chroma's."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return "", f"status {response.status_code}"
    return str(body.get("error", "")), str(body.get("message", ""))


def _keep_out_of_proxies(host: str) -> None:
    if urllib.request.getproxies():
        for name in ("NO_PROXY", "no_proxy"):
            hosts = [each for each in os.environ.get(name, "").split(",") if each]
            if host not in hosts:
                os.environ[name] = ",".join([*hosts, host])
