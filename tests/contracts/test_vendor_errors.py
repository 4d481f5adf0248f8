"""Every exception that a vendor defines has a meaning at its door: a new one fails here before it reaches a person."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType

import chromadb.errors
import httpx
import langchain_ollama
import langchain_ollama.chat_models
import ollama
import pytest
import tantivy

from assistant.adapters.chroma import MEANINGS, ChromaVectorIndex
from assistant.adapters.model_http import HTTPX_ERRORS, ModelServer, trouble_of
from assistant.adapters.ollama import OllamaChatModel, vendor_errors
from assistant.errors import EmbedderUnavailable, ModelError, StoreError, Text

SERVER = ModelServer(Text(ja="試験", en="test"), "http://127.0.0.1:9", Text(ja="起動", en="start"))

OUR_OWN_MISTAKES = {
    httpx.StreamError, httpx.StreamConsumed, httpx.StreamClosed, httpx.ResponseNotRead, httpx.RequestNotRead,
    httpx.CookieConflict,
}  # fmt: skip
"""Raised only by wrong use of httpx: they must surface as defects, not as a server that is away."""


def exceptions_of(vendor: ModuleType) -> set[type[Exception]]:
    """All exception classes that the vendor's modules define."""
    names = [vendor.__name__]
    if hasattr(vendor, "__path__"):
        names += [each.name for each in pkgutil.walk_packages(vendor.__path__, f"{vendor.__name__}.")]
    classes = [
        member
        for name in names
        if not name.endswith("__main__")
        for _, member in inspect.getmembers(importlib.import_module(name), inspect.isclass)
    ]
    return {each for each in classes if issubclass(each, Exception) and each.__module__.startswith(vendor.__name__)}


def made(kind: type[Exception]) -> Exception:
    """An instance of the class, whatever it wants to know."""
    if issubclass(kind, httpx.HTTPStatusError):
        request = httpx.Request("GET", SERVER.url)
        return kind("status", request=request, response=httpx.Response(500, request=request))
    return kind("words")


@pytest.mark.parametrize("kind", sorted(exceptions_of(httpx) - OUR_OWN_MISTAKES, key=lambda each: each.__name__))
def test_every_exception_of_httpx_is_a_trouble_with_an_error_for_models_and_embedders(kind: type[Exception]) -> None:
    error = made(kind)

    assert isinstance(error, HTTPX_ERRORS)
    assert trouble_of(error)
    assert isinstance(SERVER.model_error(error, limit_seconds=1.0), ModelError)
    assert isinstance(SERVER.embedder_error(error), EmbedderUnavailable)


def test_mistakes_in_using_httpx_are_not_taken_for_a_server_that_is_away() -> None:
    assert not [kind for kind in OUR_OWN_MISTAKES if issubclass(kind, HTTPX_ERRORS)]


@pytest.mark.parametrize("kind", sorted(exceptions_of(ollama), key=lambda each: each.__name__))
@pytest.mark.parametrize("has_begun", [False, True])
def test_every_exception_of_ollamas_client_is_a_model_error(kind: type[Exception], *, has_begun: bool) -> None:
    model = OllamaChatModel(url=SERVER.url, model="m", num_ctx=512)

    assert issubclass(kind, vendor_errors())
    assert isinstance(model.error_of(made(kind), has_begun=has_begun), ModelError)


def test_langchain_ollama_has_no_exceptions_of_its_own_and_raises_none_of_langchains_model_errors() -> None:
    assert exceptions_of(langchain_ollama) == set()
    source = inspect.getsource(langchain_ollama.chat_models)
    assert "raise OutputParserException" in source
    for name in (
        "ModelTimeoutError",
        "ModelNotFoundError",
        "ModelConnectionError",
        "ContextOverflowError",
        "ModelError",
    ):
        assert name not in source


def test_every_exception_of_chroma_has_a_meaning() -> None:
    assert set(chromadb.errors.error_types) == set(MEANINGS)
    assert exceptions_of(chromadb.errors) == set(chromadb.errors.error_types.values())


@pytest.mark.parametrize("name", sorted(chromadb.errors.error_types))
def test_every_exception_of_chroma_becomes_a_store_error(name: str) -> None:
    index = ChromaVectorIndex(url=SERVER.url)

    with pytest.raises(StoreError) as caught, index._mapped():
        raise chromadb.errors.error_types[name]("words of the vendor")

    assert "words of the vendor" not in caught.value.describe("en")


def test_tantivy_has_no_exceptions_of_its_own() -> None:
    assert exceptions_of(tantivy) == set()
