"""Pydantic shapes of plans of memory, for administrators. Sizes in bytes; reckoned by assistant/release/capacity.py."""

from __future__ import annotations

from typing import Literal

from assistant.errors import Language
from assistant.release.capacity import Plan, Verdict, largest_num_ctx, largest_parallel, table
from assistant.release.capacity_words import NO_GPU, PARTS, VERDICTS, notices, parts_of
from assistant.release.context_advice import ContextAdvice, context_lines
from assistant.release.vram import KvType
from assistant.wire_admin import AdminShape

VerdictName = Literal["fits", "spills", "too_large"]
_VERDICTS: dict[Verdict, VerdictName] = {
    Verdict.FITS: "fits",
    Verdict.SPILLS: "spills",
    Verdict.TOO_LARGE: "too_large",
}


class PlannableOut(AdminShape):
    """A model that can be planned for; sizes are null for an installed one, whose file is read when it is planned."""

    name: str
    is_installed: bool
    is_embedder: bool | None
    weights_bytes: int | None
    context_length: int | None


class CardOut(AdminShape):
    """A GPU that nvidia-smi sees from here."""

    name: str
    total_bytes: int


class CapacityOut(AdminShape):
    """What can be planned, what memory is seen from here, and what the settings say now. `embedder` may be `none`."""

    models: list[PlannableOut]
    models_problem: str | None
    gpus: list[CardOut]
    gpu_problem: str | None
    machine_bytes: int
    model: str
    num_ctx: int
    parallel: int
    embedder: str


class PartOut(AdminShape):
    """One part of the memory, by name and in words."""

    name: str
    title: str
    size_bytes: int


class CellOut(AdminShape):
    """The plan with one window and one KV type; `used_kv_type` is the one that the engine really takes."""

    kv_type: KvType
    used_kv_type: KvType
    total_bytes: int
    kv_bytes: int
    parts: list[PartOut]
    verdict: VerdictName


class RowOut(AdminShape):
    """One window with each KV type."""

    num_ctx: int
    cells: list[CellOut]


class PlanOfMemoryOut(AdminShape):
    """A plan. `spread_bytes` of what is free the compute buffer may take as well; `planned_bytes`: the engine's own reckoning."""

    model: str
    source: str
    embedder: str | None
    num_ctx: int
    parallel: int
    kv_type: KvType
    used_kv_type: KvType
    flash_attention: bool
    is_gpu: bool
    room_name: str
    room_bytes: int
    parts: list[PartOut]
    total_bytes: int
    free_bytes: int
    spread_bytes: int
    planned_bytes: int
    verdict: VerdictName
    verdict_words: str
    largest_num_ctx: int
    largest_parallel: int
    notices: list[str]
    table: list[RowOut]

    @classmethod
    def from_domain(cls, found: Plan, language: Language) -> PlanOfMemoryOut:
        """The plan in one language."""
        wish, room, memory = found.wish, found.room, found.memory
        return cls(
            model=wish.model.name,
            source=wish.model.source,
            embedder=None if wish.embedder is None else wish.embedder.name,
            num_ctx=memory.num_ctx,
            parallel=memory.parallel,
            kv_type=wish.load.kv_type,
            used_kv_type=memory.kv_type,
            flash_attention=memory.is_flash,
            is_gpu=room.is_gpu,
            room_name=room.said_by,
            room_bytes=room.total_bytes,
            parts=_parts(found, language),
            total_bytes=found.total_bytes,
            free_bytes=found.free_bytes,
            spread_bytes=memory.spread_bytes,
            planned_bytes=memory.planned_bytes,
            verdict=_VERDICTS[found.verdict],
            verdict_words=VERDICTS[found.verdict].in_language(language),
            largest_num_ctx=largest_num_ctx(wish, room),
            largest_parallel=largest_parallel(wish, room),
            notices=[notice.in_language(language) for notice in notices(found) if notice is not NO_GPU],
            table=[
                RowOut(
                    num_ctx=tokens,
                    cells=[
                        CellOut(
                            kv_type=kv_type,
                            used_kv_type=plan.memory.kv_type,
                            total_bytes=plan.total_bytes,
                            kv_bytes=plan.kv_bytes,
                            parts=_parts(plan, language),
                            verdict=_VERDICTS[plan.verdict],
                        )
                        for kv_type, plan in plans.items()
                    ],
                )
                for tokens, plans in table(wish, room)
            ],
        )


class AdviceOut(AdminShape):
    """What window people's questions needed; `lines` say it and what to do."""

    advice: Literal["keep", "shorten", "lengthen", "unknown"]
    questions: int
    median_tokens: int
    needed_tokens: int
    num_ctx: int
    proposed_num_ctx: int
    saved_bytes: int
    lines: list[str]

    @classmethod
    def from_domain(cls, found: ContextAdvice, language: Language) -> AdviceOut:
        """The advice in one language."""
        names = ("questions", "median_tokens", "needed_tokens", "num_ctx", "proposed_num_ctx", "saved_bytes")
        told = {name: getattr(found, name) for name in names}
        return cls.model_validate(told | {"advice": found.advice.value, "lines": list(context_lines(found, language))})


def _parts(found: Plan, language: Language) -> list[PartOut]:
    return [
        PartOut(name=name, title=PARTS[name].in_language(language), size_bytes=size)
        for name, size in parts_of(found).items()
    ]
