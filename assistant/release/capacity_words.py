"""A plan in words: lines for a terminal, one object for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from assistant.errors import Language, Text
from assistant.release.capacity import Plan, Room, Verdict, Wish, largest_num_ctx, largest_parallel, table
from assistant.release.vram import KV_TYPES

_GIB = 1 << 30

VERDICTS = {
    Verdict.FITS: Text(ja="収まります", en="fits"),
    Verdict.SPILLS: Text(ja="一部が CPU に回ります", en="spills to the CPU"),
    Verdict.TOO_LARGE: Text(ja="収まりません", en="does not fit"),
}
_MARKS = {Verdict.FITS: "", Verdict.SPILLS: "~", Verdict.TOO_LARGE: "x"}

NO_GPU = Text(
    ja="GPU が見つからないので、マシンのメモリで計算しました。GPU の分は `--gpu-memory GiB`。",
    en="No GPU was seen: this is for the machine's memory. For a GPU give `--gpu-memory GiB`.",
)
"""The one notice whose remedy is an option of the command."""

PARTS = {
    "weights": Text(ja="重み", en="weights"),
    "kv": Text(ja="KV キャッシュ", en="KV cache"),
    "compute": Text(ja="計算バッファ", en="compute buffer"),
    "embedder": Text(ja="埋め込みモデル", en="embedder"),
    "overhead": Text(ja="GPU の文脈", en="GPU contexts"),
}


def parts_of(found: Plan) -> dict[str, int]:
    """Bytes by part, in the order of PARTS."""
    return {
        "weights": found.weights_bytes,
        "kv": found.kv_bytes,
        "compute": found.compute_bytes,
        "embedder": found.embedder_bytes,
        "overhead": found.overhead_bytes,
    }


def gib(size_bytes: int) -> str:
    """As 1.25 GiB."""
    return f"{size_bytes / _GIB:.2f} GiB"


def plan_object(found: Plan) -> dict[str, Any]:
    """Everything for programs; sizes in bytes."""
    wish, room = found.wish, found.room
    return {
        "model": wish.model.name,
        "source": wish.model.source,
        "num_ctx": found.memory.num_ctx,
        "parallel": found.memory.parallel,
        "kv_type": found.memory.kv_type,
        "kv_type_asked": wish.load.kv_type,
        "flash_attention": found.memory.is_flash,
        "embedder": wish.embedder.name if wish.embedder else None,
        "room": asdict(room) | {"total_bytes": room.total_bytes},
        "parts_bytes": parts_of(found),
        "total_bytes": found.total_bytes,
        "free_bytes": found.free_bytes,
        "spread_bytes": found.memory.spread_bytes,
        "planned_bytes": found.memory.planned_bytes,
        "verdict": found.verdict.value,
        "largest_num_ctx": largest_num_ctx(wish, room),
        "largest_parallel": largest_parallel(wish, room),
        "notices": [{"ja": notice.ja, "en": notice.en} for notice in notices(found)],
        "table": [
            {
                "num_ctx": tokens,
                **{
                    kv_type: {
                        "total_bytes": plan.total_bytes,
                        "kv_bytes": plan.kv_bytes,
                        "verdict": plan.verdict.value,
                        "kv_type": plan.memory.kv_type,
                    }
                    for kv_type, plan in plans.items()
                },
            }
            for tokens, plans in table(wish, room)
        ],
    }


def plan_lines(found: Plan, language: Language) -> Iterator[str]:
    """The plan for a terminal."""
    wish, memory, room = found.wish, found.memory, found.room
    load = f"num_ctx {memory.num_ctx:,} x {memory.parallel}, KV {memory.kv_type}"
    flash = "on" if memory.is_flash else "off"
    yield f"{wish.model.name}   {load}, flash attention {flash}"
    yield f"  ({wish.model.source})"
    for name, size in parts_of(found).items():
        if size:
            yield f"  {PARTS[name].in_language(language):<16}{gib(size):>12}"
    total = Text(ja="合計", en="total").in_language(language)
    yield f"  {total:<16}{gib(found.total_bytes):>12}   / {gib(room.total_bytes)} {_room_name(room, language)}"
    yield ""
    yield "→ " + VERDICTS[found.verdict].in_language(language) + _margin(found, language)
    yield from ("! " + notice.in_language(language) for notice in notices(found))
    yield ""
    yield _largest(wish, room, language)
    yield ""
    yield from _table_lines(wish, room, language)


def _room_name(room: Room, language: Language) -> str:
    if room.is_gpu:
        return f"GPU x {len(room.gpu_bytes)}" + (f" ({room.said_by})" if room.said_by else "")
    return Text(ja="このマシンのメモリ(GPU なし)", en="memory of this machine (no GPU)").in_language(language)


def _margin(found: Plan, language: Language) -> str:
    spread = gib(found.memory.spread_bytes)
    if found.verdict is Verdict.TOO_LARGE:
        lacks = gib(found.memory.spread_bytes - found.free_bytes)
        return Text(ja=f"(あと {lacks} 足りません)", en=f" ({lacks} more is needed)").in_language(language)
    return Text(
        ja=f"(残り {gib(found.free_bytes)}。うち最大 {spread} は計算バッファのゆれ)",
        en=f" ({gib(found.free_bytes)} left, of which the compute buffer may take up to {spread})",
    ).in_language(language)


def notices(found: Plan) -> list[Text]:
    """What the person would not expect: another KV type than asked, a window that is cut, layers on the CPU."""
    wish, memory = found.wish, found.memory
    said = []
    if memory.kv_type != wish.load.kv_type:
        reason = (
            Text(ja="このモデルは flash attention を使えない", en="this model cannot use flash attention")
            if not wish.model.can_flash()
            else Text(ja="OLLAMA_FLASH_ATTENTION=1 がない", en="OLLAMA_FLASH_ATTENTION=1 is not set")
        )
        said.append(
            Text(
                ja=f"{reason.ja}ため、{wish.load.kv_type} を頼んでも KV は f16 です(Ollama は警告だけ出します)。",
                en=f"KV stays f16 though {wish.load.kv_type} is asked for: {reason.en} (Ollama only warns).",
            )
        )
    if memory.num_ctx < wish.load.num_ctx:
        said.append(
            Text(
                ja=f"num_ctx {wish.load.num_ctx:,} はモデルの上限 {memory.num_ctx:,} に切られます。",
                en=f"num_ctx {wish.load.num_ctx:,} is cut to the model's {memory.num_ctx:,}.",
            )
        )
    if found.verdict is Verdict.SPILLS:
        said.append(
            Text(
                ja=f"バッファは収まりますが、Ollama 自身の見積もりは {gib(memory.planned_bytes)} で、"
                "入らない層を CPU に置きます(遅くなります)。num_ctx か同時数を下げてください。",
                en=f"The buffers fit, but Ollama itself reckons with {gib(memory.planned_bytes)} and leaves layers on the "
                "CPU, which is slow. Lower num_ctx or the number at once.",
            )
        )
    if not found.room.is_gpu:
        said.append(NO_GPU)
    return said


def _largest(wish: Wish, room: Room, language: Language) -> str:
    tokens, number = largest_num_ctx(wish, room), largest_parallel(wish, room)
    return Text(
        ja=f"収まる最大: 同時 {wish.load.parallel} なら num_ctx {tokens:,}、num_ctx {wish.load.num_ctx:,} なら同時 {number}",
        en=f"Largest that fits: num_ctx {tokens:,} for {wish.load.parallel} at once; "
        f"{number} at once with num_ctx {wish.load.num_ctx:,}",
    ).in_language(language)


def _table_lines(wish: Wish, room: Room, language: Language) -> Iterator[str]:
    head = Text(ja="num_ctx", en="num_ctx").in_language(language)
    yield f"{head:>10}" + "".join(f"{kv_type:>14}" for kv_type in KV_TYPES)
    for tokens, plans in table(wish, room):
        cells = (f"{_MARKS[plan.verdict]}{gib(plan.total_bytes)}" for plan in plans.values())
        yield f"{tokens:>10,}" + "".join(f"{cell:>14}" for cell in cells)
    yield Text(
        ja="x 収まらない、~ Ollama が一部を CPU に置く",
        en="x does not fit, ~ Ollama leaves a part on the CPU",
    ).in_language(language)
