"""LlamaIndex's OpenAILike: `python ask_llama_index.py URL KEY SLOW_URL` prints what it saw as JSON."""

from __future__ import annotations

import json
import sys

import openai
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

QUESTION = [ChatMessage(role="user", content="有給休暇の期限は?")]


def model(url: str, key: str) -> OpenAILike:
    """The assistant as LlamaIndex's chat model."""
    return OpenAILike(
        model="company-assistant",
        api_base=url + "/v1",
        api_key=key,
        is_chat_model=True,
        context_window=8192,
        max_retries=0,
    )


def main(url: str, key: str, slow_url: str) -> None:
    """Asks whole, as a stream, with a wrong key, and leaves a stream in its middle."""
    answer = model(url, key).chat(QUESTION)
    streamed = [piece.delta or "" for piece in model(url, key).stream_chat(QUESTION)]
    try:
        model(url, "ca_wrong").chat(QUESTION)
    except openai.AuthenticationError as error:
        refused = error.code
    stream = model(slow_url, key).stream_chat(QUESTION)
    first = next(piece.delta for piece in stream if piece.delta)
    stream.close()
    usage = answer.raw.usage
    seen = {
        "answer": answer.message.content,
        "streamed": "".join(streamed),
        "usage": [usage.prompt_tokens, usage.completion_tokens],
        "refused": refused,
        "first": first,
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
