"""Words of the screen of documents, and what states and failures are called everywhere."""

from __future__ import annotations

from typing import Final

from assistant.errors import FailureReason, Text

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
DOCUMENTS_FOLDER: Final = Text("フォルダー", "Folder")
DOCUMENTS_KIND: Final = Text("種類", "Kind")
DOCUMENTS_SINCE: Final = Text("更新", "Changed")
SINCE: Final[dict[int, Text]] = {
    0: Text("いつでも", "At any time"),
    7: Text("この 1 週間", "In the last week"),
    30: Text("この 30 日", "In the last 30 days"),
    365: Text("この 1 年", "In the last year"),
}
"""Days looked back; 0 is no limit."""
KINDS: Final[dict[str, Text]] = {
    "pdf": Text("PDF 文書", "PDF"),
    "word": Text("文書(Word など)", "Text documents"),
    "sheet": Text("表(Excel、CSV など)", "Spreadsheets"),
    "slides": Text("スライド", "Slides"),
    "text": Text("テキスト", "Plain text"),
    "web": Text("ウェブページ", "Web pages"),
    "mail": Text("メール", "Mail"),
    "picture": Text("画像", "Pictures"),
    "other": Text("その他", "Others"),
}
TOP_FOLDER: Final = Text("{folder}(直下)", "{folder} (top level)")
NEW_THIS_WEEK: Final = Text("この 1 週間の新着・更新", "New and changed this week")
NEW: Final = Text("新着", "New")
CHANGED: Final = Text("更新", "Changed")
NOTHING_NEW: Final = Text("この 1 週間に変わった文書はありません。", "Nothing has changed in the last week.")
BACK: Final = Text("一覧に戻る", "Back to the list")
OPEN_ORIGINAL: Final = Text("原本を開く", "Open the original")
NO_ORIGINAL: Final = Text(
    "原本は、会社の入口(nginx)を通した画面から開けます。",
    "The original opens on the page behind the company's entrance (nginx).",
)
FACT_FOLDER: Final = Text("場所", "Place")
FACT_OWNER: Final = Text("担当", "Owner")
FACT_ADDED: Final = Text("登録", "Added")
FACT_CHANGED: Final = Text("最新の内容になった日", "In its present form since")
FACT_FILE: Final = Text("ファイルの日付", "Date of the file")
FACT_SIZE: Final = Text("大きさ", "Size")
FACT_VERSION: Final = Text("版", "Version")
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
