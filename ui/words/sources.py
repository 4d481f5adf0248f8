"""Words around sources: cards beside an answer, and the place that a citation names."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

SOURCES: Final = Text("出典", "Sources")
SOURCE: Final = Text("出典 {number}", "Source {number}")
FOUND: Final = Text("見つかった箇所({count})", "Passages found ({count})")
FOUND_OTHERS: Final = Text("ほかに見つかった箇所({count})", "Other passages found ({count})")
PAGE: Final = Text("{page} ページ", "page {page}")
OPEN_ORIGINAL: Final = Text("原本を開く", "Open the original")
SHOW_PLACE: Final = Text("[{number}] の箇所を文書で見る", "See [{number}] in the document")
NOT_CURRENT: Final = Text("新しい版があります", "A newer version exists")
IS_CURRENT: Final = Text("最新の版", "Current version")
DIALOG: Final = Text("引用した箇所", "The cited place")
CHANGED: Final = Text("更新日 {day}", "changed {day}")
PICTURE_OF: Final = Text(
    "{title} の {page} ページ。引用した箇所に印があります。", "Page {page} of {title} with the cited place marked."
)
ONLY_THIS: Final = Text("この文書だけに質問する", "Ask only this document")
PAGE_OF: Final = Text("{page} / {pages} ページ", "page {page} of {pages}")
PAGE_BEFORE: Final = Text("前のページ", "Page before")
PAGE_AFTER: Final = Text("次のページ", "Next page")
NO_PICTURE: Final = Text(
    "このページは画像で表示できないため、文章を表示します。",
    "This page cannot be shown as a picture; here is its text.",
)
NOT_MARKED: Final = Text(
    "このページには印を付けられませんでした(スキャンした文書など)。引用した文は上にあります。",
    "The place could not be marked on this page (a scan, for example). The cited text is above.",
)
CHANGED_SINCE: Final = Text(
    "文書が更新されています。回答したときの文だけを表示します。",
    "The document has changed since. Only the text as it was cited is shown.",
)
