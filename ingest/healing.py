"""An index that cannot be opened any more is dropped and written anew from the ledger, vectors included, without a word
from anybody: about 1,000 chunks a second, nothing is embedded again.

Chroma's index of a collection cannot be opened after about 4 % of SIGKILLs while it is written (docs/lab-notes.md).
Until it is written again search by meaning finds less, and words carry on. Must not know what made the damage.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

from assistant.errors import StoreDamaged
from assistant.generation import Generation
from ingest.index_sync import Stores, mend

Made = TypeVar("Made")
log = structlog.get_logger(__name__)


def healing(stores: Stores, generation: Generation, step: Callable[[], Made]) -> Made:
    """What the step gives; where it meets a damaged index, that is made anew first, once.

    Raises StoreDamaged when the new index is damaged, too: then it is the disk.
    """
    try:
        return step()
    except StoreDamaged as damage:
        log.warning("index_made_anew", index=damage.index, index_name=generation.index_name, message=damage.message.en)
        if damage.index == "vectors":
            stores.vectors.drop(generation.index_name)
        else:
            stores.lexical.drop(generation.index_name)
        written = mend(stores, generation)
        log.warning("index_is_whole_again", index=damage.index, entries=written)
        return step()
