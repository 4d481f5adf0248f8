"""From messages to the text that the model reads, and the two silent cuts on the way. Knows no HTTP.

Old messages are dropped whole until the prompt fits (system messages and the last one stay); what is still too long
is cut in its middle: the first few tokens stay, and the end.
"""

from __future__ import annotations

from typing import Any

from tests.stubs.ollama.library import Model
from tests.stubs.ollama.state import Refusal
from tests.stubs.ollama.tokens import chat_tokens

TOO_LONG = "the input length exceeds the context length"
Messages = list[dict[str, Any]]


def with_modelfile(model: Model, messages: Messages) -> Messages:
    """The Modelfile's messages and, unless the request begins with a system message of its own, its SYSTEM."""
    merged = [*model.messages, *messages]
    if messages[0].get("role") != "system" and model.system:
        merged.insert(0, {"role": "system", "content": model.system})
    return [{"role": str(each.get("role", "")).lower(), "content": each.get("content") or ""} for each in merged]


def rendered(model: Model, messages: Messages, *, num_ctx: int, truncate: bool) -> str:
    """The prompt; with truncate, old messages are dropped from the front until it fits or one is left."""
    if truncate:
        for first in range(len(messages)):
            kept = [each for each in messages[:first] if each["role"] == "system"] + messages[first:]
            text = _rendered(model.template, kept)
            if first == len(messages) - 1 or len(chat_tokens(text)) <= num_ctx:
                return text
    return _rendered(model.template, messages)


def fitted(model: Model, prompt: str, *, num_ctx: int, num_keep: int, truncate: bool) -> tuple[str, int]:
    """The prompt after the runner's cut, and its tokens; refuses a longer one with 400 where truncate is off."""
    tokens = chat_tokens(prompt)
    bos = 1 if model.weights.starts_with_bos else 0
    discard = len(tokens) + bos - num_ctx
    if discard <= 0:
        return prompt, len(tokens) + bos
    if not truncate:
        raise Refusal(400, TOO_LONG)
    keep = min(len(tokens) if num_keep < 0 else num_keep, num_ctx - 1 - bos)
    return "".join(tokens[:keep] + tokens[keep + discard :]), num_ctx


def _rendered(template: str, messages: Messages) -> str:
    """What Go's template engine makes of the templates that the stub knows; any other is "{{ .Prompt }}"."""
    joined = _same_roles_joined(messages)
    if "<|im_start|>" in template:
        turns = "".join(f"<|im_start|>{each['role']}\n{each['content']}<|im_end|>\n" for each in joined)
        return turns + "<|im_start|>assistant\n"
    if "<|start_header_id|>" in template:
        system = "\n\n".join(each["content"] for each in messages if each["role"] == "system")
        others = [each for each in joined if each["role"] != "system"]
        turns = "".join(_llama_turn(each["role"], each["content"]) for each in others)
        return (_llama_turn("system", system) if system else "") + turns + _llama_head("assistant")
    return "".join(each["content"] for each in joined if each["role"] == "user")


def _same_roles_joined(messages: Messages) -> Messages:
    joined: Messages = []
    for message in messages:
        if joined and joined[-1]["role"] == message["role"] != "tool":
            joined[-1] = {**message, "content": f"{joined[-1]['content']}\n\n{message['content']}"}
        else:
            joined.append(message)
    return joined


def _llama_head(role: str) -> str:
    return f"<|start_header_id|>{role}<|end_header_id|>\n\n"


def _llama_turn(role: str, content: str) -> str:
    return f"{_llama_head(role)}{content}<|eot_id|>"
