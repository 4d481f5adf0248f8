"""Words of the administrators' screen of the system's state."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

TITLE: Final = Text("システム", "System")
INTRO: Final = Text(
    "いま何が動き、何件が待ち、どのモデルがメモリにあるか。診断は assistant doctor と同じ検査です。",
    "What runs, who waits, which models are in memory. The check-up makes the same checks as assistant doctor.",
)
REFRESH: Final = Text("読み直す", "Read again")
ANSWERING: Final = Text("回答中", "Answering")
OF_PLACES: Final = Text("{count} / {places}", "{count} / {places}")
IN_LINE: Final = Text("順番待ち", "In line")
PACE: Final = Text("1 件の回答(平均)", "An answer takes")
SECONDS: Final = Text("{seconds} 秒", "{seconds} s")
RELEASE: Final = Text("公開中のリリース", "Published release")
FOLDER_ANSWERS: Final = Text("なし(modelfiles/)", "None (modelfiles/)")
PUBLISHED: Final = Text("{when} に公開", "published {when}")
VERSION: Final = Text("版", "Version")
QUOTES: Final = Text("なし(引用で回答)", "None: quotes only")
CHAT_MODEL: Final = Text("回答モデル", "Answering model")
EMBEDDER: Final = Text("埋め込みモデル", "Embedder")
NO_GENERATION: Final = Text("まだ取り込みがありません", "nothing ingested yet")
PRESENT: Final = Text("受け付け中の質問", "Questions let in")
QUEUE: Final = Text("モデルの前の列", "The line in front of the model")
MODEL: Final = Text("モデル", "Model")
PLACES: Final = Text("同時に答える数", "At once")
PEOPLE: Final = Text("待ち(人)", "Waiting: people")
APPS: Final = Text("待ち(アプリ)", "Waiting: apps")
BACKGROUND: Final = Text("待ち(背景処理)", "Waiting: background")
PACE_SECONDS: Final = Text("1 件の回答(秒)", "Seconds an answer")
BREAKER: Final = Text("呼び出し", "Calls")
BREAKERS: Final[dict[str, Text]] = {
    "closed": Text("通常", "as usual"),
    "half open": Text("試しに 1 件", "one is tried"),
    "open": Text("失敗が続き休止中", "paused after failures"),
}
LOADED: Final = Text("メモリにあるモデル", "Models in memory")
NONE_LOADED: Final = Text(
    "いまメモリにあるモデルはありません。次の質問で読み込まれます(数秒から 1 分)。",
    "No model is in memory. The next question loads one, which takes seconds to a minute.",
)
NOT_TOLD: Final = Text(
    "いまの構成のモデルサーバーは、何をメモリに置いているかを答えません(Ollama だけが答えます)。",
    "The model server of this set-up does not tell what it has in memory; only Ollama does.",
)
MODELS_AWAY: Final = Text("モデルサーバーに聞けません", "The model server cannot be asked")
NUM_CTX: Final = Text("窓(num_ctx)", "Window (num_ctx)")
SIZE: Final = Text("大きさ", "Size")
ON_GPU: Final = Text("GPU 上の割合", "Share on the GPU")
UNTIL: Final = Text("いつまで", "Until")
STAYS: Final = Text("ずっと", "stays loaded")
PARTLY: Final = Text(
    "GPU に載りきらないモデルがあります。回答が遅くなります。窓か同時の数を減らすか、小さいモデルにしてください。",
    "A model is not wholly on the GPU, which makes answers slow. Use a smaller window, fewer at once, or a smaller model.",
)
DOCTOR: Final = Text("診断", "Check-up")
DOCTOR_HINT: Final = Text(
    "この API から見える範囲を調べます。ここから見えないものは「未確認」で、正常とは言いません。数秒かかります。",
    "Looks at what can be seen from this API. What cannot be seen from here is not checked, never fine. Takes some seconds.",
)
EXAMINE: Final = Text("診断する", "Check now")
EXAMINING: Final = Text("診断しています…({by}、{when} から)", "Checking … ({by}, since {when})")
NEVER: Final = Text(
    "サーバーが起動してからまだ診断していません。",
    "Nothing has been checked since the server started.",
)
LAST: Final = Text("{when} の診断({by})", "Checked {when} by {by}")
FAILED: Final = Text("診断できませんでした", "The check-up did not succeed")
FAILED_HINT: Final = Text(
    "もう一度試すか、サーバーで assistant doctor を実行してください。",
    "Try again, or run assistant doctor on the server.",
)
STATES: Final[dict[str, Text]] = {
    "fail": Text("異常", "Failing"),
    "warn": Text("注意", "Look at"),
    "unchecked": Text("未確認", "Not checked"),
    "ok": Text("正常", "Fine"),
}
ALL_WELL: Final = Text(
    "見えた範囲に、異常も注意もありません。",
    "Nothing that was looked at is failing or needs a look.",
)
UNCHECKED_TITLE: Final = Text(
    "未確認 {count} 件: ここからは見えません", "Not checked ({count}): cannot be seen from here"
)
OK_TITLE: Final = Text("正常 {count} 件", "Fine ({count})")
ALL_CHECKS: Final = Text("すべての検査を表で", "All checks in a table")
CHECK: Final = Text("検査", "Check")
STATE: Final = Text("状態", "State")
SEEN: Final = Text("見えたこと", "What was seen")
WHY: Final = Text("なぜ大事か", "Why it matters")
WHAT_TO_DO: Final = Text("すること", "What to do")
COMMAND: Final = Text("コマンド", "Command")
SAW: Final = Text("見えたこと: {seen}", "Seen: {seen}")
TITLE_OF: Final = Text("{state}: {title}", "{state}: {title}")
