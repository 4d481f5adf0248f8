"""Every word of the screen in Japanese and English, in one table.

Nothing is drawn here, and no other file of the screen holds a sentence. What the API says (answers, notices, problems)
comes in the right language already.
"""

from __future__ import annotations

from typing import Final

from assistant.errors import FailureReason, Language, Text

LANGUAGE_NAMES: Final[dict[Language, str]] = {"ja": "日本語", "en": "English"}
"""Each language in its own name, the same whatever the screen speaks."""

APP_NAME: Final = Text("社内文書アシスタント", "Company Assistant")
NAV_ASK: Final = Text("質問する", "Ask")
NAV_DOCUMENTS: Final = Text("文書一覧", "Documents")
DISPLAY_LANGUAGE: Final = Text("表示言語", "Display language")
SIGNED_IN_AS: Final = Text("利用者: {user}", "Signed in as {user}")
SIGN_OUT: Final = Text("サインアウト", "Sign out")
DEMO_USER: Final = Text("デモ用の利用者です(ログインはありません)。", "This is the demo user; nobody has logged in.")
NEW_CONVERSATION: Final = Text("新しく始める", "Start over")

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
INTERRUPTED: Final = Text(
    "回答は途中で、出典の確認も終わっていません。", "The answer is incomplete, and its sources have not been checked."
)
RETRY: Final = Text("もう一度質問する", "Ask again")
RETRY_LOADING: Final = Text("もう一度読み込む", "Load again")

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

REQUEST_NUMBER: Final = Text("問い合わせ番号: {request_id}", "Reference: {request_id}")
RETRY_AFTER: Final = Text(
    "{seconds} 秒ほどたってから、もう一度お試しください。", "Try again in about {seconds} seconds."
)
PROBLEM_API_AWAY: Final = Text("アシスタントのサーバーに接続できません", "The assistant's server cannot be reached")
PROBLEM_API_AWAY_DETAIL: Final = Text(
    "{api_url} が応答しません。質問は処理されていません。", "{api_url} does not answer. The question was not processed."
)
PROBLEM_API_AWAY_HINT: Final = Text(
    "少し待ってもう一度お試しください。続くときは、管理者が `assistant doctor` で原因を確かめてください。",
    "Wait a moment and ask again. If it goes on, an administrator should run `assistant doctor`.",
)
PROBLEM_CUT: Final = Text("回答が途中で切れました", "The answer broke off")
PROBLEM_CUT_DETAIL: Final = Text(
    "サーバーとの接続が、回答の終わりの印より前に切れました。",
    "The connection to the server ended before the answer's end mark.",
)
PROBLEM_CUT_HINT: Final = Text("もう一度質問してください。", "Please ask again.")
PROBLEM_SILENT: Final = Text("サーバーから応答がありません", "The server has gone silent")
PROBLEM_SILENT_DETAIL: Final = Text(
    "{seconds} 秒のあいだ何も届きませんでした。", "Nothing arrived for {seconds} seconds."
)
PROBLEM_STRANGE: Final = Text("サーバーの返事を読み取れません", "The server's reply could not be read")
PROBLEM_STRANGE_DETAIL: Final = Text(
    "状態コード {status} の、形式の違う返事が届きました。", "A reply with status {status} arrived in an unknown form."
)
PROBLEM_STRANGE_HINT: Final = Text(
    "画面とサーバーの版が同じか、管理者が確かめてください。",
    "An administrator should check that the screen and the server are the same version.",
)

NOBODY_TITLE: Final = Text("利用者を確認できません", "It is not known who you are")
NOBODY: Final = Text(
    "会社の入口(ログイン画面)を通らずに、この画面が開かれました。",
    "This page was opened without passing the company's entrance, where you log in.",
)
NOBODY_HINT: Final = Text(
    "いつもの社内アドレスから開き直してください。管理者の方: 1 人で試すときは ASSISTANT_DEMO_USER を設定します。",
    "Open it from the usual company address. Administrators: to try it alone, set ASSISTANT_DEMO_USER.",
)
FORGED_TITLE: Final = Text("この接続は受け付けられません", "This connection is not accepted")
FORGED: Final = Text(
    "利用者名が、正しい合い言葉なしで届きました。なりすましを防ぐため、画面を表示しません。",
    "A user name arrived without the right shared secret. The screen stays closed so that nobody can pose as another.",
)
FORGED_HINT: Final = Text(
    "いつもの社内アドレスから開き直してください。管理者の方: nginx と画面の ASSISTANT_PROXY_SECRET を同じ値にします。",
    "Open it from the usual company address. Administrators: nginx and the screen need the same ASSISTANT_PROXY_SECRET.",
)
SETTINGS_TITLE: Final = Text("設定に誤りがあります", "A setting is wrong")

DOCUMENTS_TITLE: Final = Text("文書一覧", "Documents")
DOCUMENTS_INTRO: Final = Text(
    "あなたが読める文書です。ここにある文書をもとに回答します。",
    "The documents that you may read. Answers come from these.",
)
DOCUMENTS_SEARCH: Final = Text("題名またはファイル名", "Title or file name")
DOCUMENTS_STATUS: Final = Text("状態", "Status")
DOCUMENTS_ALL: Final = Text("すべて", "All")
DOCUMENTS_NONE: Final = Text("文書がまだありません。", "There are no documents yet.")
DOCUMENTS_NONE_HINT: Final = Text(
    "管理者の方: `ingest run` で文書を取り込みます。", "Administrators: bring documents in with `ingest run`."
)
DOCUMENTS_NO_MATCH: Final = Text("条件に合う文書はありません。", "No document matches.")
DOCUMENTS_NEXT: Final = Text("次へ", "Next")
DOCUMENTS_FIRST: Final = Text("先頭へ", "Back to the first")
COLUMN_DOCUMENT: Final = Text("文書", "Document")
COLUMN_STATUS: Final = Text("状態", "Status")
COLUMN_CHANGED: Final = Text("更新日", "Changed")

STATUSES: Final[dict[str, Text]] = {
    "indexed": Text("検索できます", "Searchable"),
    "warn": Text("検索できます(要確認)", "Searchable, needs a look"),
    "pending": Text("取り込み待ち", "Waiting to be read"),
    "failed": Text("取り込めません", "Could not be read"),
    "skipped": Text("対象外", "Left out"),
    "deleted": Text("削除済み", "Deleted"),
}
FAILURES: Final[dict[FailureReason, Text]] = {
    FailureReason.UNSUPPORTED_TYPE: Text("対応していない形式です", "This type of file is not supported"),
    FailureReason.UNREADABLE: Text("ファイルを読めません", "The file cannot be read"),
    FailureReason.NO_PERMISSION: Text("読む権限がありません", "Reading it is not permitted"),
    FailureReason.VANISHED: Text("途中でなくなりました", "It disappeared while being read"),
    FailureReason.ENCRYPTED: Text("パスワードで保護されています", "It is protected by a password"),
    FailureReason.CORRUPT: Text("ファイルが壊れています", "The file is damaged"),
    FailureReason.NO_TEXT: Text("文字が見つかりません", "It holds no text"),
    FailureReason.UNKNOWN_ENCODING: Text("文字コードが分かりません", "Its character encoding is unknown"),
    FailureReason.TOO_LARGE: Text("大きすぎます", "It is too large"),
    FailureReason.ARCHIVE_BOMB: Text("展開すると大きすぎます", "It grows too large when unpacked"),
    FailureReason.TIMEOUT: Text("読み取りに時間がかかりすぎました", "Reading it took too long"),
    FailureReason.OUT_OF_MEMORY: Text("読み取りにメモリーが足りません", "Reading it needs too much memory"),
    FailureReason.PARSER_CRASHED: Text("読み取り中に異常終了しました", "The reader crashed on it"),
    FailureReason.OCR_UNAVAILABLE: Text("文字認識が使えません", "Text recognition is not available"),
    FailureReason.CONVERTER_UNAVAILABLE: Text("変換ソフトが使えません", "The converter is not available"),
    FailureReason.EMBEDDING_REFUSED: Text("検索用に変換できません", "It could not be prepared for search"),
}


def say(text: Text, language: Language, **values: object) -> str:
    """`text` in `language` with `{name}` replaced by `values`; raises KeyError if a value is missing."""
    sentence = text.in_language(language)
    return sentence.format(**values) if values else sentence


def language_of(locale: str | None) -> Language:
    """The screen's language for a browser's locale such as `ja-JP`; anything but Japanese reads English."""
    return "ja" if (locale or "").lower().split("-")[0].split("_")[0] == "ja" else "en"
