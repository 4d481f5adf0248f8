"""Start one stub server: ``python -m tests.stubs.ollama --port 0``. It ends on SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys

from tests.stubs.ollama.library import DEFAULT_MODELS
from tests.stubs.ollama.server import HOST, Server
from tests.stubs.ollama.state import Settings
from tests.stubs.ollama.stub import new_stub


def parsed_arguments() -> argparse.Namespace:
    """The command line."""
    defaults = Settings()
    parser = argparse.ArgumentParser(prog="python -m tests.stubs.ollama", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--models", default=",".join(DEFAULT_MODELS), help="comma between names; empty: none")
    parser.add_argument("--tokens-per-second", type=float, default=defaults.tokens_per_second, help="0: no waiting")
    parser.add_argument("--prefill-seconds", type=float, default=defaults.prefill_seconds)
    parser.add_argument("--load-seconds", type=float, default=defaults.load_seconds)
    parser.add_argument("--embed-seconds-per-text", type=float, default=defaults.embed_seconds_per_text)
    parser.add_argument("--parallel", type=int, default=defaults.parallel)
    parser.add_argument("--max-loaded-models", type=int, default=defaults.max_loaded_models)
    parser.add_argument("--max-queue", type=int, default=defaults.max_queue)
    parser.add_argument("--keep-alive-seconds", type=float, default=defaults.keep_alive_seconds)
    parser.add_argument("--embed-dimension", type=int, default=defaults.embed_dimension)
    parser.add_argument("--version", default=defaults.version, help='a server built without flags says "0.0.0"')
    parser.add_argument("--is-on-gpu", action="store_true")
    parser.add_argument(
        "--until-stdin-ends", action="store_true", help="end with the process that holds the other end of stdin"
    )
    return parser.parse_args()


async def serve(arguments: argparse.Namespace) -> None:
    """Listen until told to stop; one line of JSON on stdout says where."""
    values = {name: value for name, value in vars(arguments).items() if name in Settings.__dataclass_fields__}
    models = [name for name in arguments.models.split(",") if name]
    server = Server(new_stub(Settings(**values), models=models))
    await server.open(arguments.port)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if arguments.until_stdin_ends:
        loop.add_reader(sys.stdin.fileno(), stopped.set)
    print(json.dumps({"url": f"http://{HOST}:{server.port}", "pid": os.getpid()}), flush=True)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(parsed_arguments()))
