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
BROKEN_OFF: Final = Text(
    "回答は途中で終わりました(停止したか、接続が切れました)。出典の確認も終わっていません。もう一度質問できます。",
    "The answer ended early: it was stopped, or the connection was lost. Its sources have not been checked. Ask again if you like.",
)
WAITING_RETURN: Final = Text(
    "サーバーが再起動しています。戻りしだい、同じ質問をもう一度行います。",
    "The server is restarting. Your question is asked again as soon as it is back.",
)
RETRY: Final = Text("もう一度質問する", "Ask again")
REFUSED_TITLE: Final = Text("文書からは答えられません", "The documents do not answer this")
NO_QUESTION_TITLE: Final = Text("ご質問をどうぞ", "What would you like to know?")
REFUSED_HINTS: Final[dict[str, Text]] = {
    "nothing_found": Text("別の言葉や、より短い質問で試してください。", "Try other words, or a shorter question."),
    "not_in_documents": Text(
        "近い内容の文書は右または下にあります。担当部署にも確認してください。",
        "The nearest passages are listed beside or below. You may also ask the department in charge.",
    ),
    "unreadable_question": Text(
        "文書に書かれていそうな言葉を入れると見つけやすくなります。", "Words that the document may use help to find it."
    ),
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
NOTICES: Final = Text("ご注意", "Please note")
DROPPED: Final = Text(
    "分量の都合で、見つかった箇所のうち {count} か所は回答に使っていません。",
    "Passages that did not fit and were not used for the answer: {count}.",
)
FINISHED_IN: Final = Text("{seconds} 秒", "{seconds} s")
ANSWERED_BY: Final = Text("{model} · {seconds} 秒", "{model} · {seconds} s")

EXAMPLE_OF: Final = Text("「{title}」の要点を教えてください。", 'What does "{title}" say in short?')
NARROW: Final = Text("探す範囲と言語", "Where to look, language")
NARROWED: Final = Text("探す範囲: {count} フォルダー", "Folders: {count}")
FOLDERS: Final = Text("探すフォルダー", "Folders to look in")
ALL_FOLDERS: Final = Text("すべてのフォルダー", "All folders")
ONLY_DOCUMENT: Final = Text("この文書だけ: {title}", "Only this document: {title}")
ANSWER_LANGUAGE: Final = Text("回答の言語", "Language of the answer")
ANSWER_LANGUAGES: Final[dict[str, Text]] = {
    "auto": Text("質問と同じ", "As the question"),
    "ja": Text("日本語", "Japanese"),
    "en": Text("英語", "English"),
}
COPY: Final = Text("コピー", "Copy")
COPY_HINT: Final = Text(
    "右上の印を押すと、出典つきでコピーします。", "The icon at the top right copies it with its sources."
)
EDIT: Final = Text("質問を直す", "Edit the question")
WITHHELD: Final = Text(
    "この回答は、今は読めない文書を引用しているため、表示できません。",
    "This answer cites a document that you may no longer read, so it is not shown.",
)
WARNED_EARLIER: Final = Text(
    "この回答には注意書きがありました。もう一度質問すると表示されます。",
    "This answer came with notes. Ask again to see them.",
)

LOOKED_FOR: Final = Text("探した内容: {question}", "Looked for: {question}")
LOOKED_IN: Final = Text("探した範囲: {places}", "Looked in: {places}")
EVERYWHERE: Final = Text("あなたが読めるすべての文書", "all documents that you may read")
NEAREST: Final = Text("近い内容: {count} か所", "Nearest passages: {count}")
ASK_PEOPLE: Final = Text("聞ける相手", "Whom to ask")
OWNER_OF: Final = Text("{owner}(フォルダー「{folder}」の担当)", "{owner} (answers for the folder {folder})")
TELL_ME: Final = Text("答えられるようになったら知らせる", "Tell me when this can be answered")
WILL_TELL: Final = Text("答えられるようになったら、この画面でお知らせします。", "You will be told on this page.")
NEWS: Final = Text("お待ちの質問に、答えられるようになりました。", "What you asked for can be answered now.")
SEEN: Final = Text("閉じる", "Dismiss")

WAS_IT_GOOD: Final = Text("役に立ちましたか?", "Was this useful?")
WHY_NOT: Final = Text("理由", "Why not?")
WHAT_IS_WRONG: Final = Text("くわしく(任意)", "In your words (optional)")
THANKS: Final = Text(
    "ありがとうございます。管理者が改善に使います。", "Thank you. Administrators use it to improve answers."
)
REASONS: Final[dict[str, Text]] = {
    "wrong": Text("間違っている", "It is wrong"),
    "incomplete": Text("足りない", "Something is missing"),
    "outdated": Text("古い", "It is out of date"),
    "wrong_source": Text("出典が違う", "The source does not fit"),
    "unclear": Text("わかりにくい", "It is hard to understand"),
    "other": Text("その他", "Something else"),
}
