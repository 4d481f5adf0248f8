"""Words of the administrators' screen of use and cost."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

TITLE: Final = Text("利用状況", "Use")
INTRO: Final = Text(
    "質問の数、速さ、よく使われるフォルダー、費用です。数だけを示し、誰が何を聞いたかは示しません。",
    "How much is asked, how fast answers come, which folders they rest on, and what it costs. Numbers alone: not who asked what.",
)
DAYS: Final = Text("期間(日)", "Days looked back")
NONE: Final = Text("この期間の質問はまだありません。", "Nothing was asked in this time.")
QUESTIONS: Final = Text("質問", "Questions")
REFUSED: Final = Text("答えられない", "Refused")
ANSWERED: Final = Text("答えた", "Answered")
QUOTED: Final = Text("引用のみ", "Quotes only")
ASKERS: Final = Text("使った人", "People and apps")
HELPED: Final = Text("役に立った", "Helped")
DID_NOT_HELP: Final = Text("役に立たなかった", "Did not help")
BY_DAY: Final = Text("日ごとの質問", "Questions by day")
NUMBER: Final = Text("件数", "Number")
SPEED: Final = Text("最初の文字が出るまで(秒)", "Seconds to the first word")
SECONDS: Final = Text("秒", "Seconds")
MIDDLE: Final = Text("半数はこれ以内", "Half within")
SLOW: Final = Text("20 回に 19 回はこれ以内", "19 of 20 within")
WAIT_MIDDLE: Final = Text("順番待ち(半数)", "In line (half)")
WAIT_SLOW: Final = Text("順番待ち(20 回に 19 回)", "In line (19 of 20)")
DAY: Final = Text("日", "Day")
FOLDERS: Final = Text("回答の根拠になったフォルダー", "Folders that answers rest on")
FOLDER: Final = Text("フォルダー", "Folder")
CITED: Final = Text("引用", "Citations")
PEOPLE: Final = Text("よく使う人", "Who asks most")
PERSON: Final = Text("人", "Person")
PEOPLE_HIDDEN: Final = Text(
    "人ごとの数は出しません(監査で質問の文を残す設定のときだけ出ます)。",
    "Not shown by person; that is only done where the audit keeps the words of questions.",
)
COST: Final = Text("費用の比較", "Cost compared")
COST_INTRO: Final = Text(
    "測ったトークン数と稼働時間から計算します。自社の費用 = 電気代 + 機械の代金の期間分。人件費と空調は含みません。",
    "Computed from measured tokens and busy hours. Own cost = electricity + the machine's price for this time. Work and "
    "cooling are not in it.",
)
TOKENS: Final = Text(
    "入力 {prompt} トークン、回答 {answer} トークン、モデルの稼働 {hours} 時間",
    "{prompt} tokens read, {answer} tokens written, the model busy for {hours} hours",
)
ENTER_PRICES: Final = Text(
    "下に料金を入れると、同じ量をクラウドで使った場合と比べます。",
    "Enter prices below to compare with the same use in a cloud.",
)
PRICES: Final = Text("料金と電力", "Prices and power")
SAVE_PRICES: Final = Text("保存する", "Save")
CLOUD: Final = Text("クラウドなら", "In the cloud")
OWN: Final = Text("自社では", "Here")
ELECTRICITY: Final = Text("うち電気代", "Of that, electricity")
HARDWARE: Final = Text("うち機械", "Of that, the machine")
SAVING: Final = Text("節約", "Saving")
EVEN: Final = Text(
    "1 日 {tokens} トークンを超えると、自社のほうが安くなります。",
    "From {tokens} tokens a day on, it is cheaper here.",
)
NEVER_EVEN: Final = Text(
    "この料金では、使う量を増やしても自社のほうが安くはなりません。",
    "At these prices it does not become cheaper here, however much is asked.",
)
CURRENCY: Final = Text("通貨", "Currency")
CLOUD_PROMPT: Final = Text("クラウド: 入力 100 万トークン", "Cloud: a million tokens read")
CLOUD_ANSWER: Final = Text("クラウド: 回答 100 万トークン", "Cloud: a million tokens written")
BUSY_WATTS: Final = Text("稼働中の電力(W)", "Power when busy (W)")
IDLE_WATTS: Final = Text("待機中の電力(W)", "Power when idle (W)")
KWH: Final = Text("電気 1 kWh", "A kWh of electricity")
MACHINE: Final = Text("機械の代金", "Price of the machine")
YEARS: Final = Text("使う年数", "Years of use")
