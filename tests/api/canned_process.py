"""`python -m tests.api.canned_process FOLDER`: the API in its own process with a model that never answers.

Prints its port; says `closed` when the app's assistant was left properly, as after a normal stop.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import cast

from api.__main__ import run
from api.main import create_app
from assistant.adapters.ledger import Ledger
from assistant.settings import Settings
from assistant.wiring import Assistant
from tests.api.canned import FOREVER, FOUND, PROXY_SECRET, CannedAssistant


async def main(folder: Path) -> None:
    """Serves until it gets a signal."""
    ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
    assistant = CannedAssistant(ledger, course=(FOUND, FOREVER))
    settings = Settings(_env_file=None, proxy_secret=PROXY_SECRET, data_folder=folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        await run(create_app(settings, assistant=cast(Assistant, assistant)), listener=listener)
    ledger.close()
    print(f"closed {len(assistant.closed_at)}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
