"""From a source file to a staged version: which pipeline, which sizes, and the one reading that both kinds of run share.

    file -> parser process -> chunks of the recipe's sizes -> receipt -> ledger: staged (invisible)

What becomes of a staged version is decided elsewhere: `pipeline.py` makes it live at once, `generations.py` keeps it
for the generation that is being built.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.ingesting import version_id_of
from assistant.domain import Chunk, ParsedDocument
from ingest.chunk import CHUNKER_ID, make_chunks
from ingest.parsers import PARSER_ID
from ingest.receipt import make_receipt
from ingest.rules import Rule, language_of_path, owner_of_path, pipeline_suffix, reads_hidden, reads_scans

PIPELINE_ID = f"{PARSER_ID};{CHUNKER_ID}"
"""Changes when the same file would give other chunks; a run then reads every file again."""
_RULES_PART = re.compile(r"(;language=[^;]*)?(;ocr=off)?(;hidden=on)?$")


class Parser(Protocol):
    """Reads one source file; raises DocumentError. Any other error stops the run."""

    def parse(
        self, path: Path, *, relative_path: str, reads_scans: bool = True, reads_hidden: bool = False
    ) -> ParsedDocument:
        """The parsed document; `reads_scans` False leaves pages without text unrecognised, `reads_hidden` reads parts
        that nobody sees, too."""
        ...


@dataclass(frozen=True)
class Recipe:
    """How long chunks are, in characters: what is wanted, and what is never exceeded."""

    wanted_characters: int = 500
    limit_characters: int = 1000

    @property
    def pipeline_id(self) -> str:
        """The whole way from file to chunks in one string."""
        if self == STANDARD:
            return PIPELINE_ID
        return f"{PIPELINE_ID};characters={self.wanted_characters}-{self.limit_characters}"

    def pipeline_ids(self, rules: Sequence[Rule]) -> Callable[[str], str]:
        """The pipeline as the folder's rules have it for a path: changed rules read the files anew that they concern.

        A function, since a rescan asks it for every file of a folder.
        """
        own = self.pipeline_id
        return (lambda path: own + pipeline_suffix(path, rules)) if rules else (lambda path: own)


STANDARD = Recipe()


def rules_part(pipeline_id: str) -> str:
    """What the folder's rules contributed to the id of a pipeline."""
    found = _RULES_PART.search(pipeline_id)
    return found[0] if found else ""


@dataclass(frozen=True)
class Reader:
    """Reads files and stages versions of them."""

    ledger: Ledger
    parser: Parser
    rules: Sequence[Rule]
    recipe: Recipe

    def stage(
        self, root: Path, path: str, *, document_id: str, sha256: str, embedder_id: str
    ) -> tuple[str, ParsedDocument, list[Chunk]]:
        """(version id, parsed document, chunks) of the file, staged in the ledger. Raises DocumentError."""
        started = time.perf_counter()
        parsed = self.parser.parse(
            root / path,
            relative_path=path,
            reads_scans=reads_scans(path, self.rules),
            reads_hidden=reads_hidden(path, self.rules),
        )
        seconds = time.perf_counter() - started
        chunks = make_chunks(
            parsed,
            path=path,
            wanted_characters=self.recipe.wanted_characters,
            limit_characters=self.recipe.limit_characters,
        )
        pipeline_id = self.recipe.pipeline_ids(self.rules)(path)
        version_id = version_id_of(document_id, sha256, pipeline_id)
        owner = owner_of_path(path, self.rules)
        receipt = make_receipt(parsed, chunks, embedder_id=embedder_id, seconds=seconds, owner=owner)
        language = language_of_path(path, self.rules) or receipt["language"]
        self.ledger.stage_version(
            document_id,
            version_id=version_id,
            sha256=sha256,
            pipeline_id=pipeline_id,
            language=language,
            parsed=parsed,
            chunks=chunks,
            receipt=receipt | {"language": language},
        )
        return version_id, parsed, chunks
