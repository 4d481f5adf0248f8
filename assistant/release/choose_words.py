"""A choice of models in words: lines for a terminal, one object for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from assistant.errors import Language, Text
from assistant.release.capacity import Room, Verdict
from assistant.release.capacity_words import VERDICTS, gib
from assistant.release.choose import Candidate, EmbedderAdvice


def choice_lines(candidates: Sequence[Candidate], room: Room, language: Language) -> Iterator[str]:
    """Every candidate with its verdict and reason; the chosen one marked, and what to do with it."""
    load = candidates[0].plan.wish.load
    yield Text(
        ja=f"{gib(room.total_bytes)}、num_ctx {load.num_ctx:,}、同時 {load.parallel}、KV {load.kv_type} で:",
        en=f"With {gib(room.total_bytes)}, num_ctx {load.num_ctx:,}, {load.parallel} at once, KV {load.kv_type}:",
    ).in_language(language)
    for each in candidates:
        mark = "→" if each.is_chosen else " "
        verdict = VERDICTS[each.plan.verdict].in_language(language)
        yield f"{mark} {each.plan.wish.model.name:<42}{gib(each.plan.total_bytes):>11}  {verdict}"
        yield f"      {each.reason.in_language(language)}"
    yield ""
    chosen = next((each for each in candidates if each.is_chosen), None)
    yield _advice(chosen, language)


def _advice(chosen: Candidate | None, language: Language) -> str:
    if chosen is None:
        return Text(
            ja="どれも収まりません。num_ctx か同時数を下げるか(`assistant capacity plan`)、より大きいカードを選んでください。",
            en="None fits. Lower num_ctx or the number at once (`assistant capacity plan`), or take a larger card.",
        ).in_language(language)
    name = chosen.plan.wish.model.name
    return Text(
        ja=f"{name}: Modelfile の FROM に書き、自分の質問で確かめてください(`assistant evaluate modelfiles/golden`)。"
        "ここで比べたのは大きさと公開元の説明だけで、回答の良さは測っていません。",
        en=f"{name}: put it into FROM of the Modelfile, and try it with your own questions (`assistant evaluate "
        "modelfiles/golden`). Only sizes and what publishers say were compared here, not answers.",
    ).in_language(language)


def choice_object(candidates: Sequence[Candidate], room: Room) -> dict[str, Any]:
    """Everything for programs; sizes in bytes."""
    return {
        "room_bytes": room.total_bytes,
        "chosen": next((each.plan.wish.model.name for each in candidates if each.is_chosen), None),
        "candidates": [
            {
                "model": each.plan.wish.model.name,
                "total_bytes": each.plan.total_bytes,
                "verdict": each.plan.verdict.value,
                "fits": each.plan.verdict is Verdict.FITS,
                "reason": {"ja": each.reason.ja, "en": each.reason.en},
            }
            for each in candidates
        ],
    }


def embedder_lines(advice: EmbedderAdvice, language: Language) -> Iterator[str]:
    """What the present embedder is worth, the others, and what a change takes."""
    yield Text(ja=f"今の埋め込みモデル: {advice.current}", en=f"Present embedder: {advice.current}").in_language(
        language
    )
    yield from (f"  {line}" for line in _measured(advice, language))
    yield ""
    for choice in advice.choices:
        reads = (
            Text(ja="日本語 ○", en="Japanese yes") if choice.reads_japanese else Text(ja="日本語 ×", en="Japanese NO")
        )
        yield f"  {choice.name:<34}{reads.in_language(language):<14}{choice.setting}"
        yield f"      {choice.remark.in_language(language)}"
    yield ""
    if advice.unfit:
        yield from (step.in_language(language) for step in advice.steps)
    else:
        yield Text(ja="替える理由は見つかりません。", en="No reason to change was found.").in_language(language)


def _measured(advice: EmbedderAdvice, language: Language) -> Iterator[str]:
    if advice.measured:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in sorted(advice.measured.items()))
        yield Text(
            ja=f"自分の文書で測った値(意味だけで見つかった質問の割合): {shares}",
            en=f"Measured on your documents (share of questions found by meaning alone): {shares}",
        ).in_language(language)
    else:
        yield Text(
            ja="まだ測られていません(取り込みのあとに測ります)。",
            en="Not measured yet; an ingestion measures it.",
        ).in_language(language)
    for name in advice.unfit:
        yield Text(
            ja=f"! {name} の質問は言葉だけで探しています: このモデルは {name} を読めません。",
            en=f"! Questions in {name} are searched by words alone: this model cannot read {name}.",
        ).in_language(language)


def embedder_object(advice: EmbedderAdvice) -> dict[str, Any]:
    """Everything for programs."""
    return {
        "current": advice.current,
        "measured": dict(advice.measured),
        "unfit": list(advice.unfit),
        "chunks": advice.chunks,
        "choices": [
            {
                "name": choice.name,
                "reads_japanese": choice.reads_japanese,
                "setting": choice.setting,
                "size_bytes": choice.size_bytes,
                "remark": {"ja": choice.remark.ja, "en": choice.remark.en},
            }
            for choice in advice.choices
        ],
        "steps": [{"ja": step.ja, "en": step.en} for step in advice.steps],
    }
