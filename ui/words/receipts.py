"""What ingestion did with a document, in sentences for people who know nothing of ingestion."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

RECEIPT_TITLE: Final = Text("取り込みの記録", "How it was read")
SEARCHABLE: Final = Text(
    "この文書は検索でき、回答の根拠になります。", "This document can be searched, and answers can rest on it."
)
NOT_SEARCHABLE: Final = Text(
    "この文書は検索できません。回答の根拠にはなりません。",
    "This document cannot be searched; no answer rests on it.",
)
PENDING: Final = Text("この文書は読み取りを待っています。", "This document waits to be read.")
LEFT_OUT: Final = Text(
    "この形式のファイルは読みません。回答の根拠にはなりません。",
    "Files of this type are not read; no answer rests on it.",
)
READ_PAGES: Final = Text(
    "{pages} ページ、{characters} 文字を読み取りました。", "{characters} characters on {pages} pages were read."
)
READ: Final = Text("{characters} 文字を読み取りました。", "{characters} characters were read.")
CUT: Final = Text(
    "{chunks} 個の抜粋に分けて検索します({spoken}の文書として扱います)。",
    "It is searched in {chunks} passages, as a document in {spoken}.",
)
LANGUAGES: Final[dict[str, Text]] = {"ja": Text("日本語", "Japanese"), "en": Text("英語", "English")}
RECOGNISED: Final = Text(
    "画像の {pages} ページは文字認識で読みました。確かさは 100 点中 {confidence} 点です。",
    "{pages} pages are pictures; their letters were recognised with a certainty of {confidence} out of 100.",
)
WORST_PAGE: Final = Text(
    "いちばん怪しいのは {page} ページ目({confidence} 点)です。原本と見比べてください。",
    "The least certain is page {page} ({confidence}); compare it with the original.",
)
UNREAD: Final = Text(
    "{pages} ページは読み取れませんでした。そのページの内容は検索できません。",
    "{pages} pages could not be read; what stands there cannot be searched.",
)
HIDDEN_OUT: Final = Text(
    "隠された部分(非表示のシート、コメントなど)が {count} 個あり、読みませんでした。",
    "{count} hidden parts (hidden sheets, comments and the like) were left out.",
)
HIDDEN_READ: Final = Text(
    "隠された部分(非表示のシート、コメントなど)も {count} 個読みました。",
    "{count} hidden parts (hidden sheets, comments and the like) were read, too.",
)
REJECTED: Final = Text(
    "文章でない部分(記号や空の表など)が {count} か所あり、検索の対象にしていません。",
    "{count} pieces that hold no text (marks, empty tables) are not searched.",
)
PROBES_FOUND: Final = Text(
    "確認のため、文書の中の文から質問を {count} 個作って検索し、すべて見つかりました。",
    "As a check, {count} questions were made from its own sentences; all of them found it.",
)
PROBES_LOST: Final = Text(
    "確認のため文書の中の文から質問を {count} 個作って検索しましたが、{lost} 個では見つかりませんでした。",
    "As a check, {count} questions were made from its own sentences; {lost} of them did not find it.",
)
INSTEAD: Final = Text("代わりに見つかったもの: {paths}", "Found instead: {paths}")
WARNINGS: Final[dict[str, Text]] = {
    "not_found_again": Text(
        "ほとんど同じ文書がほかにあるようです。不要な写しを除くと、見つかりやすくなります。",
        "Other documents seem to be nearly the same. It is found more easily once copies that nobody needs are gone.",
    ),
    "unread_pages": Text(
        "読み取れないページがあります。より鮮明に読み取り直すか、文字の入った元のファイルを置いてください。",
        "Some pages cannot be read. Scan them again more clearly, or put the original with its text there.",
    ),
    "nobody_may_read": Text(
        "規則により誰も読めません。意図したものでなければ、管理者に知らせてください。",
        "By the rules nobody may read it. If that is not intended, tell the administrator.",
    ),
    "embedding_refused": Text(
        "一部は言葉の一致だけで検索します。文字化けがないか確かめてください。",
        "A part of it is found by its words alone. Check whether its text is garbled.",
    ),
    "not_asked_yet": Text("検索での確認は次の取り込みで行います。", "The next ingestion checks whether it is found."),
}
"""What a warning means and what to do."""
