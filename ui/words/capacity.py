"""Words of the administrators' screen of memory: what fits, and how long a window people need."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

TITLE: Final = Text("必要なメモリ", "Capacity")
INTRO: Final = Text(
    "モデルが GPU に収まるかを、読み込む前に計算します。assistant capacity plan と同じ計算です。",
    "Whether a model fits the GPU, reckoned before it is loaded. The same as assistant capacity plan.",
)
MODEL: Final = Text("モデル", "Model")
CONFIGURED: Final = Text("今の設定({name})", "as configured ({name})")
INSTALLED: Final = Text("{name}(入っている)", "{name} (installed)")
OLLAMA_AWAY: Final = Text(
    "Ollama に聞けないので、一覧にあるモデルだけ計算できます。",
    "Ollama cannot be asked, so only the models of the catalogue can be planned.",
)
GPU_GIB: Final = Text("GPU のメモリ(GiB)", "Memory of a GPU (GiB)")
GPU_HELP: Final = Text(
    "0 にすると、ここから見える GPU で計算します。見えなければ、このマシンのメモリで計算します。",
    "0: the GPUs that are seen from here, else the memory of this machine.",
)
GPUS: Final = Text("GPU の数", "GPUs")
SEEN: Final = Text("ここから見える GPU: {cards}", "GPUs seen from here: {cards}")
CARD: Final = Text("{name}({size})", "{name} ({size})")
NOT_SEEN: Final = Text(
    "ここから GPU は見えません(コンテナーからは見えないことがあります)。GPU のメモリを入れてください。"
    "0 のままなら、このマシンのメモリ {size} で計算します。",
    "No GPU is seen from here; a container may not see it. Enter its memory. With 0 the memory of this machine, {size}, is taken.",
)
NUM_CTX: Final = Text("窓(num_ctx)", "Window (num_ctx)")
PARALLEL: Final = Text("同時に答える数", "At once")
KV_TYPE: Final = Text("KV の型", "KV type")
FLASH: Final = Text("flash attention の使用", "Flash attention")
FLASHES: Final[dict[str, Text]] = {
    "on": Text("使う", "on"),
    "off": Text("使わない", "off"),
    "unset": Text("指定しない", "not set"),
}
EMBEDDER: Final = Text("埋め込みモデル", "Embedder")
NO_EMBEDDER: Final = Text("並べて載せない", "none beside it")
NAMES: Final[dict[str, Text]] = {
    "fits": Text("収まります", "It fits"),
    "spills": Text("一部が CPU に回ります", "A part goes to the CPU"),
    "too_large": Text("収まりません", "It does not fit"),
}
SUM: Final = Text("合計 {total}、メモリ {room}({name})", "{total} of {room} ({name})")
LEFT: Final = Text(
    "残り {free}。うち最大 {spread} は計算バッファのゆれです。",
    "{free} left, of which the compute buffer may take up to {spread}.",
)
LACKS: Final = Text("あと {lacks} 足りません。", "{lacks} more is needed.")
THIS_MACHINE: Final = Text("このマシン、GPU なし", "this machine, no GPU")
ENTERED: Final = Text("入力した GPU", "as entered")
TOTAL: Final = Text("合計", "Total")
FREE: Final = Text("残り", "Left")
LARGEST_WINDOW: Final = Text("収まる最大の窓(同時 {count})", "Largest window for {count} at once")
LARGEST_PARALLEL: Final = Text("収まる最大の同時数(窓 {tokens})", "Most at once with {tokens}")
NOTHING_FITS: Final = Text("なし", "none")
PARTS: Final = Text("内訳", "Parts")
PART: Final = Text("部分", "Part")
SIZE_GIB: Final = Text("大きさ(GiB)", "Size (GiB)")
SOURCE: Final = Text("数字の出どころ: {source}", "Where the numbers are from: {source}")
BY_WINDOW: Final = Text("窓の長さと KV の型ごとに", "By window and KV type")
MARKS: Final[dict[str, Text]] = {
    "fits": Text("収まる", "fits"),
    "spills": Text("一部 CPU", "part on CPU"),
    "too_large": Text("収まらない", "does not fit"),
}
CELL: Final = Text("{size}({mark})", "{size} ({mark})")
MEMORY_LINE: Final = Text("メモリ", "Memory")
CHART: Final = Text(
    "KV {kv_type}、同時 {count}。点線が今あるメモリです。",
    "KV {kv_type}, {count} at once. The dashed line is the memory there is.",
)
ADVICE: Final = Text("実際の質問に要る窓", "The window that people's questions need")
ADVICE_FROM: Final = Text(
    "この 30 日に送ったプロンプトの長さ(トークン数)から。文は見ません。",
    "From the lengths of the prompts of these 30 days, in tokens; no text is read.",
)
COST: Final = Text("クラウドの API と比べた費用(30 日)", "Cost beside a cloud's API (30 days)")
NO_PRICES: Final = Text(
    "「利用状況」の画面で料金と電力を入れると、ここに比べた結果が出ます。",
    "Enter prices and power on the screen of use, and the comparison stands here.",
)
