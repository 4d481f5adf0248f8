"""Words of the administrators' screen of releases."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

TITLE: Final = Text("リリース", "Releases")
INTRO: Final = Text(
    "プロンプト・窓・検索の重みを下書きにし、公開中と比べ、確かめてから公開します。いつでも前に戻せます。",
    "Prompt, window and search weights as drafts: compared with the published one, checked, published, taken back any time.",
)
ANSWERS: Final = Text("回答しているリリース", "Answering now")
FORMER: Final = Text("前のリリース", "The former one")
FOLDER_ANSWERS: Final = Text("(modelfiles/ の内容)", "(what modelfiles/ says)")
NONE: Final = Text("なし", "none")
NO_RELEASES: Final = Text("まだ下書きがありません。下で作れます。", "There is no draft yet. Make one below.")
RELEASE: Final = Text("リリース", "Release")
STATE: Final = Text("状態", "State")
WHEN: Final = Text("日時", "When")
WHO: Final = Text("誰が", "Who")
WHY: Final = Text("理由", "Why")
WINDOW: Final = Text("窓(num_ctx)", "Window (num_ctx)")
TEMPERATURE: Final = Text("温度", "Temperature")
EVALUATED: Final = Text("比較済み", "Compared")
STATES: Final[dict[str, Text]] = {
    "draft": Text("下書き", "Draft"),
    "refused": Text("公開できず", "Refused"),
    "published": Text("公開中", "Published"),
    "previous": Text("以前に公開", "Published before"),
    "canary": Text("一部の会話で試行中", "Canary"),
}
CHOOSE: Final = Text("どのリリースを見る", "Which release to look at")
DIFFERENCES: Final = Text("公開中との違い", "What is another than in the published one")
SAME: Final = Text("公開中と同じです。", "It is the same as the published one.")
BEFORE: Final = Text("公開中", "Published")
AFTER: Final = Text("このリリース", "This release")
VALUE: Final = Text("項目", "Value")
TEXT: Final = Text("Modelfile の全文", "The whole Modelfile")
COMPARISON: Final = Text("質問ごとの比較", "Question by question")
NOT_COMPARED: Final = Text(
    "まだ比べていません: `assistant release evaluate {release_id}`",
    "Not compared yet: `assistant release evaluate {release_id}`",
)
SUMS: Final = Text(
    "質問 {questions} 件。出典 +{citations_gained} −{citations_lost}、断るようになった {now_refuses}、答えるようになった {now_answers}。",
    "{questions} questions: citations +{citations_gained} −{citations_lost}, now refuses {now_refuses}, now answers {now_answers}.",
)
QUESTION: Final = Text("質問", "Question")
CITATIONS: Final = Text("出典の増減", "Citations")
FLIPS: Final[dict[str, Text]] = {
    "now_refuses": Text("断るようになった", "now refuses"),
    "now_answers": Text("答えるようになった", "now answers"),
}
FLIP: Final = Text("断り", "Refusal")
REASON: Final = Text("理由(履歴に残ります)", "Reason, for the history")
PUBLISH: Final = Text("確かめて公開する", "Check and publish")
ROLL_BACK: Final = Text("前のリリースに戻す", "Go back to the former one")
ROLLED_BACK: Final = Text("{release_id} に戻しました。", "{release_id} answers again.")
CANARY: Final = Text("一部の会話で試す", "Try it on a share of the conversations")
PERCENT: Final = Text("割合(%)", "Share in percent")
START_CANARY: Final = Text("確かめて始める", "Check and begin")
END_CANARY: Final = Text("終える", "End it")
USES: Final = Text("開始からの様子", "Since it began")
COUNTS: Final[dict[str, Text]] = {
    "answers": Text("回答", "Answers"),
    "refused": Text("断り", "Refused"),
    "quotes": Text("引用のみ", "Quotes only"),
    "citations": Text("出典", "Citations"),
    "up": Text("良い", "Up"),
    "down": Text("悪い", "Down"),
    "mean_seconds": Text("平均秒", "Mean seconds"),
}
STEPS: Final[dict[str, Text]] = {
    "": Text("始めています", "beginning"),
    "make": Text("モデルを作って確かめています", "making the model"),
    "load": Text("読み込んでいます", "loading it"),
    "probes": Text("試験の質問をしています", "asking the probes"),
    "moved": Text("切り替えました。もう一度確かめています", "moved; looking once more"),
}
RUNNING: Final = Text("{release_id}({by}): {step}", "{release_id} ({by}): {step}")
DONE: Final = Text("{release_id} の確認はすべて済みました。", "{release_id} passed its checks.")
REFUSED: Final = Text("{release_id} は公開されませんでした", "{release_id} was not published")
NEW: Final = Text("新しい下書き", "A new draft")
NEW_HINT: Final = Text(
    "選んだリリースの値から始まります。変えたものだけが変わります。",
    "Begins with the values of the release chosen above. Only what you change is another.",
)
SYSTEM: Final = Text("SYSTEM(モデルへの指示)", "SYSTEM (what the model is told)")
TOP_K: Final = Text("選ぶ語の数(top_k、0: 指定なし)", "Words chosen from (top_k; 0: as it is)")
PASSAGES: Final = Text("渡す抜粋の数(0: 設定どおり)", "Passages offered (0: as the setting says)")
MEANING: Final = Text("意味検索の重み", "Weight of the search by meaning")
WORDS: Final = Text("語の検索の重み", "Weight of the search by words")
ASKS_FIRST: Final = Text(
    "答える前に、抜粋に答えがあるかをモデルに尋ねる", "First ask the model whether the passages state the answer"
)
ASKS_FIRST_HINT: Final = Text(
    "「ない」と見る度合い(疑い)が下の値以上なら断ります。合う値は `assistant evaluate` が示します。質問ごとに短い呼び出しが 1 回増えます。",
    "A question is refused from the doubt below on. `assistant evaluate` says which limit fits. One short call more for each question.",
)
REFUSES_FROM: Final[dict[str, Text]] = {
    "refuses_from_ja": Text("日本語の質問を断る疑い(0.01〜1)", "Doubt that refuses a Japanese question (0.01 to 1)"),
    "refuses_from_en": Text("英語の質問を断る疑い(0.01〜1)", "Doubt that refuses an English question (0.01 to 1)"),
}
KEEP: Final = Text("下書きとして残す", "Keep as a draft")
KEPT: Final = Text("下書き {release_id} を残しました。", "{release_id} is kept as a draft.")
HISTORY: Final = Text("履歴", "History")
DONE_WHAT: Final = Text("したこと", "What")
ACTS: Final[dict[str, Text]] = {
    "drafted": Text("下書き", "drafted"),
    "adopted": Text("最初の内容として記録", "noted as the first"),
    "evaluated": Text("比較", "compared"),
    "published": Text("公開", "published"),
    "refused": Text("公開できず", "refused"),
    "rolled_back": Text("元に戻した", "taken back"),
    "mended": Text("作り直した", "made again"),
    "canary": Text("試行の割合を変更", "share changed"),
}
