"""Two generations compared by asking both the same questions on the path that people's questions take.

    golden questions (expected paths) -+-> retrieve() from the active generation   -> rank -+-> Hit@1, Hit@5, MRR
    probe questions (their document)  -+-> retrieve() from the one that waits      -> rank -+   gained and lost by name

A rank is the place of the first passage of an expected document, 1 to 10. The new generation is worse when it has fewer
hits among the first five than the old one, in either set. Retrieval only: no answer is written, no model is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from assistant.domain import Filters, Principal
from assistant.errors import AssistantError, DocumentError, SettingsError, Text
from assistant.retrieve import Indexes, retrieve

DEPTH = 10
"""Passages looked at for a rank; the mean reciprocal rank counts nothing below."""
TOP = 5
_LEFT_OUT_KINDS = frozenset({"followup", "restricted"})
"""Golden questions that mean nothing without the conversation before them, or that are asked without a right."""
_AT_ONCE = 4


@dataclass(frozen=True)
class Asked:
    """A question and the documents that answer it, any of them."""

    name: str
    text: str
    document_ids: frozenset[str]


@dataclass(frozen=True)
class Ranks:
    """The rank of each question, None where nothing right was among the first ten; how many were asked with half of the
    search away; and why nothing could be asked at all."""

    ranks: Sequence[int | None]
    degraded: int = 0
    problem: str = ""

    def metrics(self) -> dict[str, float]:
        """Hit@1, Hit@5 and the mean reciprocal rank; zeros without questions."""
        count = max(1, len(self.ranks))
        found = [rank for rank in self.ranks if rank is not None]
        return {
            "hit_at_1": round(sum(rank == 1 for rank in found) / count, 4),
            "hit_at_5": round(sum(rank <= TOP for rank in found) / count, 4),
            "mrr": round(sum(1 / rank for rank in found) / count, 4),
        }

    @property
    def hits(self) -> int:
        """Questions with a right passage among the first five."""
        return sum(rank is not None and rank <= TOP for rank in self.ranks)


@dataclass
class Comparison:
    """The same questions to both generations, by set (golden, probes)."""

    questions: dict[str, Sequence[Asked]] = field(default_factory=dict)
    old: dict[str, Ranks] = field(default_factory=dict)
    new: dict[str, Ranks] = field(default_factory=dict)
    refused: Sequence[str] = ()
    """Paths of documents with a text that the new embedder refuses: words alone find that text."""

    @property
    def is_worse(self) -> bool:
        """Whether the new generation has fewer hits among the first five than the old one, in any set."""
        return any(self.new[name].hits < self.old[name].hits for name in self.questions)

    def changed(self) -> tuple[list[str], list[str]]:
        """Names of the questions gained and lost among the first five."""
        gained, lost = [], []
        for name, questions in self.questions.items():
            for asked, old, new in zip(questions, self.old[name].ranks, self.new[name].ranks, strict=True):
                was, is_now = old is not None and old <= TOP, new is not None and new <= TOP
                if is_now and not was:
                    gained.append(asked.name)
                if was and not is_now:
                    lost.append(asked.name)
        return gained, lost

    def as_record(self) -> dict[str, Any]:
        """What the ledger keeps with the generation, and what `--json` prints."""
        gained, lost = self.changed()
        return {
            "sets": {
                name: {
                    "questions": len(questions),
                    "old": self.old[name].metrics(),
                    "new": self.new[name].metrics(),
                    "degraded": {"old": self.old[name].degraded, "new": self.new[name].degraded},
                    "problem": self.old[name].problem,
                }
                for name, questions in self.questions.items()
            },
            "gained": gained,
            "lost": lost,
            "refused": list(self.refused),
            "is_worse": self.is_worse,
        }


def golden_questions(folder: Path, document_ids: Mapping[str, frozenset[str]]) -> list[Asked]:
    """The questions of `*.yaml` in the folder whose expected files are in the ledger (`document_ids` by path).

    Raises SettingsError for a file that is no list of questions.
    """
    found = []
    for file in sorted(folder.glob("*.yaml")):
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8")) or []
            for entry in content["questions"] if isinstance(content, dict) else content:
                paths = entry.get("expected_paths") or ()
                named = [paths] if isinstance(paths, str) else paths
                ids = frozenset[str]().union(*(document_ids.get(path, frozenset()) for path in named))
                if ids and entry.get("kind") not in _LEFT_OUT_KINDS:
                    found.append(Asked(str(entry["id"]), str(entry["question"]), ids))
        except (OSError, yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
            raise _not_questions(file) from error
    return found


async def ranks_of(questions: Sequence[Asked], indexes: Indexes, *, principal: Principal) -> Ranks:
    """Asks all of them. Raises StoreUnavailable when no index answers."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def ask(asked: Asked) -> tuple[int | None, bool]:
        async with turns:
            try:
                found = await retrieve(asked.text, indexes, principal=principal, filters=Filters(), limit=DEPTH)
            except DocumentError:  # a question that the embedder cannot take finds nothing
                return None, True
        is_degraded = any(notice.code.startswith("degraded_search") for notice in found.notices)
        ranks = [passage.rank for passage in found.passages if passage.document_id in asked.document_ids]
        return (ranks[0] if ranks else None), is_degraded

    answers = await asyncio.gather(*(ask(asked) for asked in questions))
    return Ranks([rank for rank, _ in answers], degraded=sum(is_degraded for _, is_degraded in answers))


def compare(
    questions: Mapping[str, Sequence[Asked]], *, old: Indexes | None, new: Indexes, principal: Principal
) -> Comparison:
    """Both generations asked, one after the other, in an event loop of its own (searching is async).

    `old` None, or one that cannot be asked any more, has found nothing. Raises StoreUnavailable when the new one does not
    answer.
    """
    comparison = Comparison({name: some for name, some in questions.items() if some})

    async def ask_all() -> None:
        for name, some in comparison.questions.items():
            comparison.new[name] = await ranks_of(some, new, principal=principal)
            try:
                if old is None:
                    comparison.old[name] = Ranks([None] * len(some))
                else:
                    comparison.old[name] = await ranks_of(some, old, principal=principal)
            except AssistantError as error:
                comparison.old[name] = Ranks([None] * len(some), problem=error.describe("en"))

    asyncio.run(ask_all())
    return comparison


def _not_questions(file: Path) -> SettingsError:
    return SettingsError(
        Text(ja=f"{file} は質問の一覧として読めません。", en=f"{file} cannot be read as a list of questions."),
        Text(
            ja="各質問に id、question、expected_paths を書いてください(modelfiles/golden/examples.yaml)。",
            en="Each question has id, question and expected_paths (see modelfiles/golden/examples.yaml).",
        ),
    )
