"""`python -m tests.api.canned_process FOLDER COURSE [ADDRESS PORT]`: the API in its own process with a scripted model.

COURSE is `silent` (a model that never answers) or `steady` (one that writes for a second). Listens on the socket that was
handed in, or on one of its own. Prints its port; says `closed` when the app's assistant was left properly, as after a normal
stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from pathlib import Path
from typing import cast

from api.__main__ import inherited_socket, run
from api.main import create_app
from assistant.adapters.ledger import Ledger
from assistant.domain import Finished, Token
from assistant.settings import Settings
from assistant.wiring import Assistant
from tests.api.canned import ANSWER, FOREVER, FOUND, PROXY_SECRET, CannedAssistant

COURSES = {
    "silent": (FOUND, FOREVER),
    "steady": (FOUND, *[0.05, Token("語")] * 20, Finished(ANSWER)),
}


async def main(folder: Path, course: str, address: str = "127.0.0.1", port: str = "0") -> None:
    """Serves until it gets a signal."""
    ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
    assistant = CannedAssistant(ledger, course=COURSES[course])
    parallel = 1 if course == "silent" else 32
    settings = Settings(_env_file=None, proxy_secret=PROXY_SECRET, data_folder=folder, model_parallel=parallel)
    inherited = inherited_socket()
    with contextlib.closing(inherited or socket.create_server((address, int(port)))) as listener:
        print(listener.getsockname()[1], flush=True)
        app = create_app(settings, assistant=cast(Assistant, assistant))
        await run(app, listener=listener, is_shared=inherited is not None)
    ledger.close()
    print(f"closed {len(assistant.closed_at)}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
