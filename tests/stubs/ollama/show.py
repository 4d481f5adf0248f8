"""Routes about models: version, tags, ps, show, create, copy, delete, pull. Knows no chat."""

from __future__ import annotations

import asyncio
import random
import re
from typing import Any

from tests.stubs.ollama.binding import COPY_FIELDS, CREATE_FIELDS, NAME_FIELDS, bound
from tests.stubs.ollama.catalogue import Weights
from tests.stubs.ollama.library import Model, full_name, is_name
from tests.stubs.ollama.state import BARE_JSON_TYPE, Call, Refusal, now_text
from tests.stubs.ollama.stub import Stub

BLOBS_FOLDER = "/usr/share/ollama/.ollama/models/blobs"
TENSORS_PER_BLOCK = ("attn_k.weight", "attn_output.weight", "attn_q.weight", "ffn_down.weight")
NO_HOST = (
    'pull model manifest: Get "https://registry.ollama.ai/v2/library/{}/manifests/{}": '
    "dial tcp: lookup registry.ollama.ai: no such host"
)
LEFT_OUT_WHEN_EMPTY = ("license", "parameters", "system", "messages")
INVALID_NAME = "invalid model name"
PULL_STEPS = 4
PULL_STEP_SECONDS = 0.02


async def alive(stub: Stub, call: Call) -> None:
    """GET /."""
    await call.reply.whole(200, b"Ollama is running", content_type="text/plain; charset=utf-8")


async def version(stub: Stub, call: Call) -> None:
    """GET /api/version."""
    await call.reply.json({"version": stub.settings.version})


async def tags(stub: Stub, call: Call) -> None:
    """GET /api/tags, last changed first."""
    rows = [
        {
            "name": model.name,
            "model": model.name,
            "modified_at": now_text(model.modified_nanoseconds),
            "size": model.size_bytes(),
            "digest": model.digest(),
            "details": model.details(),
        }
        for model in stub.library.all()
    ]
    await call.reply.json({"models": rows})


async def ps(stub: Stub, call: Call) -> None:
    """GET /api/ps: one row a loaded model file, under the name that loaded it."""
    rows = [
        {
            "name": runner.model.name,
            "model": runner.model.name,
            "size": runner.memory_bytes(),
            "digest": runner.digest,
            "details": runner.model.details(),
            "expires_at": now_text(runner.expires_at_nanoseconds()),
            "size_vram": runner.memory_bytes() if stub.settings.is_on_gpu else 0,
            "context_length": runner.num_ctx,
        }
        for runner in stub.runners.loaded()
    ]
    await call.reply.json({"models": rows})


async def show(stub: Stub, call: Call) -> None:
    """POST /api/show; empty system and license are left out, parameters come in any order."""
    model = stub.model(_name(bound(call.body, NAME_FIELDS, struct="ShowRequest")))
    body = {
        "license": "\n".join(model.licenses),
        "modelfile": _modelfile(model),
        "parameters": _parameters_text(model.parameters),
        "template": model.template,
        "system": model.system,
        "details": model.details(with_parent=True),
        "messages": list(model.messages),
        "model_info": model.weights.model_info(),
        "tensors": _tensors(model.weights),
        "capabilities": list(model.weights.capabilities),
        "modified_at": now_text(model.modified_nanoseconds),
    }
    body = {name: value for name, value in body.items() if value or name not in LEFT_OUT_WHEN_EMPTY}
    await call.reply.json(body)


async def create(stub: Stub, call: Call) -> None:
    """POST /api/create from another model; one that is not there is pulled first, as the real server does."""
    body = bound(call.body, CREATE_FIELDS, struct="CreateRequest")
    name = _name(body)
    if not is_name(name):
        raise Refusal(400, INVALID_NAME)
    if not body.get("from"):
        raise Refusal(400, "neither 'from' or 'files' was specified")
    base = stub.library.find(body["from"])
    lines: list[dict[str, Any]] = []
    if base is None:
        lines = _pull_lines(stub, body["from"])
        base = stub.library.find(body["from"])
    if base is not None:
        statuses = stub.library.create(name, base=base, body=body)
        lines += [{"status": status} for status in (*statuses, "writing manifest", "success")]
    await _send_progress(call, lines, stream=body.get("stream", True))


async def copy(stub: Stub, call: Call) -> None:
    """POST /api/copy."""
    body = bound(call.body, COPY_FIELDS, struct="CopyRequest")
    for kind in ("source", "destination"):
        if not is_name(body.get(kind, "")):
            raise Refusal(400, f'{kind} "{body.get(kind, "")}" is invalid')
    stub.library.copy(stub.model(body["source"], missing='model "{}" not found'), body["destination"])
    await call.reply.whole(200, b"", content_type=None)


async def delete(stub: Stub, call: Call) -> None:
    """DELETE /api/delete."""
    body = bound(call.body, NAME_FIELDS, struct="DeleteRequest")
    name = body.get("model") or body.get("name") or ""
    if not is_name(name):
        raise Refusal(400, f'name "{name}" is invalid')
    stub.library.delete(name)
    await call.reply.whole(200, b"", content_type=None)


async def pull(stub: Stub, call: Call) -> None:
    """POST /api/pull: there is no network, unless a rule says that pulling works."""
    body = bound(call.body, NAME_FIELDS, struct="PullRequest")
    name = body.get("model") or body.get("name") or ""
    if not is_name(name):
        raise Refusal(400, INVALID_NAME)
    await _send_progress(call, _pull_lines(stub, name), stream=body.get("stream", True))


def _pull_lines(stub: Stub, name: str) -> list[dict[str, Any]]:
    """Progress of a pull; installs the model where pulling works."""
    start: list[dict[str, Any]] = [{"status": "pulling manifest"}]
    if not (stub.faults.lets_pull() and stub.library.is_published(name)):
        title, tag = full_name(name).rsplit(":", 1)
        return [*start, {"error": NO_HOST.format(title, tag)}]
    layer = stub.library.install(name).layers()[0]
    head = {"status": f"pulling {layer.digest[:12]}", "digest": f"sha256:{layer.digest}", "total": layer.size_bytes}
    parts = [head | {"completed": layer.size_bytes * step // PULL_STEPS} for step in range(1, PULL_STEPS + 1)]
    rest = [{"status": status} for status in ("verifying sha256 digest", "writing manifest", "success")]
    return [*start, *parts, *rest]


async def _send_progress(call: Call, lines: list[dict[str, Any]], *, stream: bool) -> None:
    """The lines one by one, or the last one alone; an error after the first line is a line, otherwise a status."""
    if stream:
        for line in lines:
            if "total" in line:
                await asyncio.sleep(PULL_STEP_SECONDS)
            await call.reply.line(line)
        await call.reply.end()
    elif "error" in lines[-1]:
        await call.reply.refuse(Refusal(500, lines[-1]["error"]), content_type=BARE_JSON_TYPE)
    else:
        await call.reply.json(lines[-1], content_type=BARE_JSON_TYPE)


def _name(body: dict[str, Any]) -> str:
    name = body.get("model") or body.get("name")
    if not name:
        raise Refusal(400, "model is required")
    return str(name)


def _parameters_text(parameters: dict[str, Any]) -> str:
    """One line a value, in an order that changes from call to call, as Go's maps do."""
    pairs = [
        (name, each) for name, value in parameters.items() for each in (value if isinstance(value, list) else [value])
    ]
    return "\n".join(f"{name:<30} {_go_value(value)}" for name, value in random.sample(pairs, len(pairs)))


def _go_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return f"{value:g}" if isinstance(value, float) else str(value)


def _modelfile(model: Model) -> str:
    lines = [
        '# Modelfile generated by "ollama show"',
        "# To build a new Modelfile based on this, replace FROM with:",
        f"# FROM {model.name}\n",
        f"FROM {BLOBS_FOLDER}/sha256-{model.weights.blob}",
        f"TEMPLATE {_quoted(model.template)}",
    ]
    if model.system:
        lines.append(f"SYSTEM {_quoted(model.system)}")
    for name, value in sorted(model.parameters.items()):
        lines += [f"PARAMETER {name} {each}" for each in (value if isinstance(value, list) else [value])]
    lines += [f"LICENSE {_quoted(text)}" for text in model.licenses]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    if '"' in text:
        return f'"""{text}"""'
    return f'"{text}"' if re.search(r"[\n]|^ | $", text) else text


def _tensors(weights: Weights) -> list[dict[str, Any]]:
    width = weights.embedding_length
    first = {"name": "token_embd.weight", "type": "Q4_K", "shape": [width, 32_000]}
    blocks = range(int(weights.info["block_count"]))
    rest = [
        {"name": f"blk.{block}.{name}", "type": "Q4_K", "shape": [width, width]}
        for block in blocks
        for name in TENSORS_PER_BLOCK
    ]
    norms = [{"name": f"blk.{block}.attn_norm.weight", "type": "F32", "shape": [width]} for block in blocks]
    return [first, *rest, *norms]
