"""What every embedder promises (ports.Embedder), and what the real ones promise beyond it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import numpy as np
import pytest

from assistant.adapters.embedded import EmbeddedEmbedder
from assistant.adapters.embedding import BATCH_TEXTS, split_in_two, style_of
from assistant.adapters.ollama import OllamaEmbedder
from assistant.adapters.openai_compatible import OpenAICompatibleEmbedder
from assistant.errors import AssistantError, EmbedderUnavailable, FailureReason, ModelMissing, UnreadableDocument
from assistant.ports import Embedder
from tests.stubs.ollama.process import StubOllama, start_stub_ollama

LEAVE = "Annual leave is requested from the line manager three working days before the day off."
TRAVEL = "Train tickets and hotels of a business trip are refunded within ten days after the receipt is sent."
VPN = "The network client needs a certificate that the information systems department issues each year."


def test_vectors_have_the_embedders_dimension_and_length_1(embedder: Embedder) -> None:
    vectors = embedder.embed_documents([LEAVE, TRAVEL, VPN])

    assert vectors.shape == (3, embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)


def test_a_question_is_nearest_to_the_text_that_answers_it(embedder: Embedder) -> None:
    query = asyncio.run(embedder.embed_query("How many working days before must annual leave be requested?"))

    similarities = embedder.embed_documents([VPN, LEAVE, TRAVEL]) @ query[0]

    assert query.shape == (1, embedder.dimension)
    assert int(similarities.argmax()) == 1


def test_vectors_come_in_the_order_of_the_texts_over_batches(embedder: Embedder) -> None:
    texts = [f"Section {number}: {LEAVE if number % 2 else TRAVEL}" for number in range(2 * BATCH_TEXTS + 3)]

    together = embedder.embed_documents(texts)

    assert len(together) == len(texts)
    for number in (0, BATCH_TEXTS - 1, BATCH_TEXTS, len(texts) - 1):
        alone = embedder.embed_documents([texts[number]])
        assert int((together @ alone[0]).argmax()) == number
        np.testing.assert_allclose(together[number], alone[0], atol=1e-3)


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed_documents([]).shape == (0, embedder.dimension)


def test_empty_and_odd_texts_get_vectors(embedder: Embedder) -> None:
    odd = ["", " ", "\0", "a\0b", "\ud800", "😀👨‍👩‍👧", "\u3000", "\n\n", "ﷺ" * 200, "ＡＢＣ", "\x1b[31m"]

    vectors = embedder.embed_documents(odd)

    assert vectors.shape == (len(odd), embedder.dimension)
    assert np.isfinite(vectors).all()
    assert asyncio.run(embedder.embed_query("\ud800\0")).shape == (1, embedder.dimension)


def test_the_id_stays_the_same_and_names_the_prefixes_or_the_kind(embedder: Embedder) -> None:
    assert embedder.embedder_id == embedder.embedder_id
    assert len(embedder.embedder_id) < 200


def test_it_works_in_one_event_loop_after_another(embedder: Embedder) -> None:
    first = asyncio.run(embedder.embed_query(LEAVE))
    second = asyncio.run(embedder.embed_query(LEAVE))

    np.testing.assert_allclose(first, second, atol=1e-5)


def test_a_working_embedder_passes_its_check(embedder: Embedder) -> None:
    embedder.check()


# -- Ollama and OpenAI's protocol -------------------------------------------------------------------------------------


@pytest.fixture
def ollama(stub_ollama: StubOllama) -> OllamaEmbedder:
    return OllamaEmbedder(url=stub_ollama.url, model="nomic-embed-text")


def test_prefixes_and_lower_case_reach_ollama_and_num_ctx_never_does(
    ollama: OllamaEmbedder, stub_ollama: StubOllama
) -> None:
    ollama.embed_documents(["ＶＰＮ Guide"])
    asyncio.run(ollama.embed_query("VPN?"))

    bodies = [request["body"] for request in stub_ollama.requests("/api/embed")]
    assert [body["input"] for body in bodies] == [["search_document: vpn guide"], ["search_query: vpn?"]]
    assert all(body["truncate"] is False and "options" not in body for body in bodies)


def test_a_text_over_the_models_window_is_embedded_in_halves_and_nothing_is_cut(
    ollama: OllamaEmbedder, stub_ollama: StubOllama
) -> None:
    long_text = f"{LEAVE} " * 200

    vectors = ollama.embed_documents([TRAVEL, long_text, VPN])

    sent = [text for request in stub_ollama.requests("/api/embed") for text in request["body"]["input"]]
    parts = [text for text in sent if "annual leave" in text and len(text) < len(long_text)]
    assert sum(text.count("annual leave") for text in parts) >= 200
    assert vectors.shape == (3, ollama.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)
    assert int((vectors @ ollama.embed_documents([LEAVE])[0]).argmax()) == 1


def test_a_question_over_the_models_window_still_gets_a_vector(ollama: OllamaEmbedder) -> None:
    assert asyncio.run(ollama.embed_query("有給休暇の申請期限を教えてください。" * 300)).shape == (1, ollama.dimension)


def test_a_text_that_ollama_cannot_embed_is_a_failure_of_its_document_alone(
    ollama: OllamaEmbedder, stub_ollama: StubOllama
) -> None:
    stub_ollama.add_fault("nan", contains="spoiled")

    with pytest.raises(UnreadableDocument) as caught:
        ollama.embed_documents([LEAVE, "spoiled", TRAVEL])

    assert caught.value.reason is FailureReason.EMBEDDING_REFUSED
    assert ollama.embed_documents([LEAVE, TRAVEL]).shape == (2, ollama.dimension)


def test_a_chat_model_is_refused_as_an_embedder(stub_ollama: StubOllama) -> None:
    with pytest.raises(ModelMissing, match="no usable model company-assistant"):
        OllamaEmbedder(url=stub_ollama.url, model="company-assistant").check()


def test_a_missing_embedding_model_names_the_command_that_brings_it(stub_ollama: StubOllama) -> None:
    missing = OllamaEmbedder(url=stub_ollama.url, model="bge-m3")

    for attempt in (missing.check, lambda: missing.embedder_id, lambda: missing.embed_documents([LEAVE])):
        with pytest.raises(ModelMissing) as caught:
            attempt()
        assert "ollama pull bge-m3" in caught.value.hint.ja


@pytest.mark.parametrize("kind", [OllamaEmbedder, OpenAICompatibleEmbedder])
def test_an_embedder_that_is_away_is_unavailable_and_worth_another_try(
    kind: type[OllamaEmbedder | OpenAICompatibleEmbedder],
) -> None:
    with start_stub_ollama() as stub:
        url = stub.url
    away = kind(url=url, model="nomic-embed-text")

    with pytest.raises(EmbedderUnavailable) as caught:
        away.embed_documents([LEAVE])

    assert not caught.value.permanent
    assert url in caught.value.message.ja


@pytest.mark.parametrize("route", ["", "/v1"])
def test_a_slow_or_failing_server_is_unavailable(stub_ollama: StubOllama, route: str) -> None:
    kind = OpenAICompatibleEmbedder if route else OllamaEmbedder
    embedder = kind(url=stub_ollama.url + route, model="nomic-embed-text", timeout_seconds=0.5)
    for fault in (
        {"kind": "delay", "seconds": 2.0},
        {"kind": "status", "status": 500, "text": "no"},
        {"kind": "reset"},
    ):
        stub_ollama.add_fault(**fault)
        with pytest.raises(EmbedderUnavailable):
            embedder.embed_documents([LEAVE])
        stub_ollama.clear_faults()


def test_another_digest_or_engine_is_another_embedder() -> None:
    ids = []
    for version in ("0.17.7", "0.31.0"):
        with start_stub_ollama(version=version) as stub:
            ids.append(OllamaEmbedder(url=stub.url, model="nomic-embed-text").embedder_id)

    assert ids[0] != ids[1]
    assert all("search_document" in each and "nfkc+lower" in each for each in ids)


def test_an_openai_compatible_embedder_takes_prefixes_and_a_key(stub_ollama: StubOllama) -> None:
    embedder = OpenAICompatibleEmbedder(
        url=f"{stub_ollama.url}/v1", model="nomic-embed-text", api_key="k", query_prefix="Q: ", document_prefix=""
    )

    asyncio.run(embedder.embed_query("vpn"))

    request = stub_ollama.requests("/v1/embeddings")[0]
    assert request["body"]["input"] == ["Q: vpn"]
    assert request["headers"]["authorization"] == "Bearer k"


def test_known_families_have_their_prefixes_whatever_the_owner_and_tag() -> None:
    assert style_of("nomic-embed-text:v1.5").is_lower_case
    assert not style_of("nomic-embed-text-v2-moe:latest").is_lower_case
    assert style_of("someone/multilingual-e5-large:q8_0").query("x") == "query: x"
    assert style_of("bge-m3").query("x") == "x"


def test_a_text_is_split_at_the_sentence_end_nearest_to_its_middle() -> None:
    text = "一つ目の文です。二つ目の文です。三つ目の文です。四つ目の文です。"

    assert split_in_two(text) == (text[:16], text[16:])
    assert split_in_two("a" * 10) == ("a" * 5, "a" * 5)
    assert split_in_two("Hi. " + "a" * 100) == ("Hi. " + "a" * 48, "a" * 52)


# -- the embedded one -------------------------------------------------------------------------------------------------


def test_the_embedded_embedder_finds_a_japanese_answer_to_an_english_question() -> None:
    embedder = EmbeddedEmbedder()
    vectors = embedder.embed_documents(
        ["出張の旅費は帰社後五日以内に精算する。", "有給休暇は取得日の三営業日前までに申請する。"]
    )

    query = asyncio.run(embedder.embed_query("When do I have to request paid leave?"))

    assert int((vectors @ query[0]).argmax()) == 1


@pytest.mark.slow
def test_a_file_full_of_long_ligatures_does_not_end_the_process() -> None:
    program = "from assistant.adapters.embedded import EmbeddedEmbedder as E; print(E().embed_documents(['\\ufdfa' * 1000]).shape)"

    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert finished.stdout.strip() == "(1, 384)", (finished.returncode, finished.stderr)


@pytest.mark.slow
def test_a_question_goes_before_the_documents_that_still_wait() -> None:
    embedder = EmbeddedEmbedder()
    embedder.check()
    ended: list[str] = []

    def ingest() -> None:
        embedder.embed_documents([f"{LEAVE} {number}" * 8 for number in range(40)])
        ended.append("documents")

    thread = threading.Thread(target=ingest)
    thread.start()
    asyncio.run(embedder.embed_query(LEAVE))
    ended.append("question")
    thread.join()

    assert ended == ["question", "documents"]


def test_threads_of_the_embedded_models_sleep_while_they_wait() -> None:
    program = "import os; from assistant.adapters.embedded import EmbeddedEmbedder as E; E().check(); print(os.environ['OMP_WAIT_POLICY'])"

    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert finished.stdout.strip() == "passive"


def test_every_error_of_an_embedder_speaks_both_languages() -> None:
    with pytest.raises(AssistantError) as caught:
        OllamaEmbedder(url="http://user:secret@127.0.0.1:9", model="x").check()

    assert "secret" not in caught.value.describe("ja") + caught.value.describe("en")
    assert "Ollama" in caught.value.describe("ja")
