"""Words of the screen of earlier conversations."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

TITLE: Final = Text("履歴", "History")
INTRO: Final = Text(
    "これまでの質問と回答です。あなただけに見え、どの端末からでも続けられます。",
    "What you have asked so far. Only you see it, and you can go on with it on any machine.",
)
SEARCH: Final = Text("題名を探す", "Search titles")
NONE: Final = Text("まだ質問がありません。「質問する」から始めてください。", "Nothing yet. Start with Ask.")
NO_MATCH: Final = Text("題名が合う会話はありません。", "No conversation has such a title.")
COUNT: Final = Text("{when} · 質問 {count} 件", "{when} · questions: {count}")
MORE: Final = Text("操作", "More")
NEW_TITLE: Final = Text("新しい題名", "New title")
RENAME: Final = Text("題名を変える", "Rename")
DELETE: Final = Text("削除", "Delete")
DELETE_SURE: Final = Text(
    "質問と回答がすべて消え、元に戻せません。", "All its questions and answers are gone for good."
)
DELETE_REALLY: Final = Text("削除する", "Delete it")
EXPORT: Final = Text("保存", "Save as")
KINDS: Final[dict[str, Text]] = {
    "docx": Text("Word 文書", "Word"),
    "md": Text("Markdown テキスト", "Markdown"),
    "json": Text("JSON データ", "JSON"),
}
NEXT: Final = Text("次へ", "Next")
FIRST: Final = Text("先頭へ", "Back to the first")
