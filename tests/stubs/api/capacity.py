"""What the stub API tells administrators of memory: a real plan of a model of the catalogue, and an advice."""

from __future__ import annotations

from assistant import wire_capacity
from assistant.release.capacity import Room, Wish, plan
from assistant.release.catalogue import catalogue
from assistant.release.vram import Load

MODEL = "qwen2.5:14b-instruct-q4_K_M"
_KNOWN = catalogue()
CAPACITY = wire_capacity.CapacityOut(
    models=[
        wire_capacity.PlannableOut(
            name=facts.name,
            is_installed=False,
            is_embedder=facts.is_embedder,
            weights_bytes=facts.weights_bytes,
            context_length=facts.context_length,
        )
        for facts in _KNOWN.values()
    ],
    models_problem="Ollama が応答しません。",
    gpus=[],
    gpu_problem=None,
    machine_bytes=32 << 30,
    model="company-assistant",
    num_ctx=8192,
    parallel=4,
    embedder="bge-m3",
)
PLAN = wire_capacity.PlanOfMemoryOut.from_domain(
    plan(Wish(_KNOWN[MODEL], Load(8192, 4, "q8_0", flash_attention=True), _KNOWN["bge-m3"]), Room((16 << 30,))), "ja"
)
ADVICE = wire_capacity.AdviceOut(
    advice="shorten",
    questions=1200,
    median_tokens=3900,
    needed_tokens=5900,
    num_ctx=8192,
    proposed_num_ctx=6144,
    saved_bytes=408_944_640,
    lines=[
        "1,200 件の質問の 95 % は 5,900 トークンで足ります(回答の分を含む。プロンプトの中央値 3,900)。",
        "→ num_ctx 8,192 → 6,144: 同時 1 件あたり 0.38 GiB 空きます(KV q8_0)。",
    ],
)
ANSWERS = {"/admin/capacity": CAPACITY, "/admin/capacity/plan": PLAN, "/admin/capacity/advice": ADVICE}
