"""Words of the question screen."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

INTRO_TITLE: Final = Text("何を調べますか?", "What would you like to know?")
INTRO: Final = Text(
    "社内文書を探し、出典を付けて答えます。文書に書かれていないことには答えません。",
    "I search the company's documents and answer with sources. What the documents do not say, I do not answer.",
)
EXAMPLES_TITLE: Final = Text("質問の例", "For example")
EXAMPLES: Final[tuple[Text, ...]] = (
    Text("有給休暇はいつまでに申請しますか?", "How far ahead must I apply for paid leave?"),
    Text("ノートパソコンを紛失したらどうすればよいですか?", "What should I do if I lose my laptop?"),
    Text("出張の宿泊費の上限はいくらですか?", "What is the limit for hotel costs on a business trip?"),
)
ASK_PLACEHOLDER: Final = Text("社内文書について質問する", "Ask about the company's documents")
EARLIER_HIDDEN: Final = Text("これより前の質問 {count} 件は表示していません。", "Earlier questions not shown: {count}.")
UNDERSTOOD_AS: Final = Text("会話の続きとして、次の質問と読みました: {question}", "Read as a follow-up: {question}")
WAITING_QUEUE: Final = Text(
    "順番を待っています({position} 番目、あと約 {wait_seconds} 秒) · {elapsed_seconds} 秒経過",
    "Waiting in line (number {position}, about {wait_seconds} s to go) · {elapsed_seconds} s so far",
)
WAITING_SEARCH: Final = Text(
    "文書を探しています · {elapsed_seconds} 秒", "Searching the documents · {elapsed_seconds} s"
)
WAITING_MODEL: Final = Text(
    "見つかった {count} か所を読んでいます · {elapsed_seconds} 秒",
    "Reading what was found ({count}) · {elapsed_seconds} s",
)
WRITING: Final = Text("回答を書いています · {elapsed_seconds} 秒", "Writing the answer · {elapsed_seconds} s")
STOP: Final = Text("停止", "Stop")
STOPPED: Final = Text(
    "ここで停止しました。回答は途中で、出典の確認も終わっていません。",
    "Stopped here. The answer is incomplete, and its sources have not been checked.",
)
RETRY: Final = Text("もう一度質問する", "Ask again")
REFUSED_TITLE: Final = Text("文書からは答えられません", "The documents do not answer this")
REFUSED_HINTS: Final[dict[str, Text]] = {
    "nothing_found": Text("別の言葉や、より短い質問で試してください。", "Try other words, or a shorter question."),
    "not_in_documents": Text(
        "近い内容の文書は右または下にあります。担当部署にも確認してください。",
        "The nearest passages are listed beside or below. You may also ask the department in charge.",
    ),
    "unreadable_question": Text("質問を文章で入力してください。", "Please write the question as a sentence."),
}
QUOTES_TITLE: Final = Text("文書からの抜き書き", "Quoted from the documents")
QUOTES_NOTE: Final = Text(
    "AI が書いた文章ではなく、文書の文をそのまま並べたものです。",
    "These sentences are taken literally from the documents; no AI wrote them.",
)
QUOTES_MODEL_AWAY: Final = Text(
    "回答を書くモデルが今は使えないため、文書の文をそのまま並べています。",
    "The model that writes answers is not available now, so these are literal sentences from the documents.",
)
SOURCES: Final = Text("出典", "Sources")
SOURCE: Final = Text("出典 {number}", "Source {number}")
FOUND: Final = Text("見つかった箇所({count})", "Passages found ({count})")
FOUND_OTHERS: Final = Text("ほかに見つかった箇所({count})", "Other passages found ({count})")
PAGE: Final = Text("{page} ページ", "page {page}")
OPEN_ORIGINAL: Final = Text("原本を開く", "Open the original")
NOT_CURRENT: Final = Text("新しい版があります", "A newer version exists")
NOTICES: Final = Text("ご注意", "Please note")
DOUBTED: Final = Text("出典で確かめられません", "Not confirmed by the sources")
DROPPED: Final = Text(
    "分量の都合で、見つかった箇所のうち {count} か所は回答に使っていません。",
    "Passages that did not fit and were not used for the answer: {count}.",
)
FINISHED_IN: Final = Text("{seconds} 秒", "{seconds} s")
ANSWERED_BY: Final = Text("{model} · {seconds} 秒", "{model} · {seconds} s")
