"""langchain-openai: `python ask_langchain.py URL KEY SLOW_URL` prints what it saw as JSON."""

from __future__ import annotations

import json
import sys

import openai
from langchain_openai import ChatOpenAI

QUESTION = "有給休暇の期限は?"


def model(url: str, key: str) -> ChatOpenAI:
    """The assistant as LangChain's chat model."""
    return ChatOpenAI(model="company-assistant", base_url=url + "/v1", api_key=key, max_retries=0, stream_usage=True)


def main(url: str, key: str, slow_url: str) -> None:
    """Asks whole, as a stream, with a wrong key, and leaves a stream in its middle."""
    answer = model(url, key).invoke(QUESTION)
    chunks = list(model(url, key).stream(QUESTION))
    try:
        model(url, "ca_wrong").invoke(QUESTION)
    except openai.AuthenticationError as error:
        refused = error.code
    stream = model(slow_url, key).stream(QUESTION)
    first = next(piece.content for piece in stream if piece.content)
    stream.close()
    usage = answer.usage_metadata
    seen = {
        "answer": answer.content,
        "streamed": "".join(chunk.content for chunk in chunks),
        "usage": [usage["input_tokens"], usage["output_tokens"]],
        "streamed_usage": next(c.usage_metadata["output_tokens"] for c in chunks if c.usage_metadata),
        "refused": refused,
        "first": first,
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
