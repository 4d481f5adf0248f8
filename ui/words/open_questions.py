"""Words of the administrators' screen of questions without an answer."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

TITLE: Final = Text("答えられなかった質問", "Unanswered questions")
INTRO: Final = Text(
    "文書に答えがなかった質問と、回答が役に立たなかった質問です。似たものをまとめています。誰が聞いたかは出ません。"
    "文書を足すと、システムが聞き直し、答えられたものから閉じます。",
    "Questions that the documents did not answer, and answers that did not help; alike ones stand together. Who asked is not "
    "shown. When documents are added, they are asked again, and those that are answered are closed.",
)
NONE: Final = Text("この期間、答えられなかった質問はありません。", "No question went without an answer in this time.")
DAYS: Final = Text("期間(日)", "Days looked back")
NOT_GROUPED: Final = Text(
    "埋め込みモデルが使えないため、似た質問をまとめていません。",
    "The embedder is away, so alike questions are not put together.",
)
OPEN: Final = Text("未対応", "Open")
OWNED: Final = Text("担当あり", "Owned")
CLOSED: Final = Text("答えられるようになった", "Answered now")
COUNTS: Final = Text(
    "未対応 {open} 件、担当あり {owned} 件、答えられるようになった {closed} 件",
    "{open} open, {owned} owned, {closed} answered now",
)
GROUP: Final = Text("{question}({times} 回、{state})", "{question} ({times} times, {state})")
OWNER: Final = Text("担当(部署や人)", "Owner (a person or department)")
ASSIGN: Final = Text("担当を決める", "Set the owner")
ASSIGNED: Final = Text("担当を記録しました。", "The owner is noted.")
QUESTION: Final = Text("質問", "Question")
REASON: Final = Text("理由", "Reason")
TIMES: Final = Text("回数", "Times")
LAST_ASKED: Final = Text("最後に聞かれた日", "Last asked")
CLOSED_AT: Final = Text("答えられるようになった日", "Answered since")
STATE: Final = Text("状態", "State")
REASONS: Final[dict[str, Text]] = {
    "nothing_found": Text("何も見つからない", "Nothing was found"),
    "not_in_documents": Text("文書に書かれていない", "The documents do not say"),
    "unreadable_question": Text("質問として読めない", "Not readable as a question"),
    "rated_down": Text("回答が役に立たなかった", "The answer did not help"),
}
"""Why a question counts as unanswered."""
ALL: Final = Text("すべてを一覧で", "All in one table")
