"""`ingest mend`: both indexes made equal to the ledger, from the vectors that it keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated

import typer

from assistant.logs import configure_logs
from assistant.settings import Settings, load_settings
from assistant.terminal import progress_bar, telling_errors
from ingest.healing import healing
from ingest.index_sync import Stores, mend
from ingest.lock import ingestion_lock
from ingest.report import say

StoresOf = Callable[[Settings], Stores]


def add_to(app: typer.Typer, stores_of: StoresOf) -> None:
    """Adds the command; how stores are opened is the entry point's."""
    app.command(name="mend")(_mend_command(stores_of))


def _mend_command(stores_of: StoresOf) -> Callable[..., None]:
    def mend_indexes(
        *,
        anew: Annotated[bool, typer.Option("--anew", help="Drop both indexes first and write all of them.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Makes both indexes equal to the ledger: writes what they lack, removes what is too much.

        From the ledger's vectors: no file is read, and nothing is embedded that was embedded before. Answers go on
        meanwhile, and find less until it is done.
        """
        with telling_errors():
            settings = load_settings()
            configure_logs(settings.log_level)
            with ingestion_lock(settings.data_folder), progress_bar("mend") as bar:
                written = mend_generation(
                    stores_of(settings),
                    is_anew=anew,
                    progress=lambda done, total: bar.update(bar.task_ids[0], completed=done, total=total),
                )
            if as_json:
                typer.echo(json.dumps({"written": written}))
            else:
                say(f"{written:,} 件を書き直しました。", f"{written:,} entries were written or removed.")

    return mend_indexes


def mend_generation(stores: Stores, *, is_anew: bool, progress: Callable[[int, int], None]) -> int:
    """How many entries of the active generation's indexes had to be written or removed. Raises StoreUnavailable."""
    generation = stores.ledger.active_generation()
    if generation is None:
        return 0
    if is_anew:
        stores.vectors.drop(generation.index_name)
        stores.lexical.drop(generation.index_name)
    return healing(stores, generation, lambda: mend(stores, generation, progress))
