"""Words of the administrators' screen of ingestion."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

TITLE: Final = Text("取り込み", "Ingestion")
INTRO: Final = Text(
    "フォルダーから検索までの様子です。読めないファイルには、理由とすることが出ます。",
    "From folders to search. Files that cannot be read come with the reason and what to do.",
)
FOLDERS: Final = Text("フォルダー", "Folders")
NO_FOLDERS: Final = Text(
    "まだ何も取り込まれていません。`ingest run` か下のボタンで始めます。",
    "Nothing has been ingested yet. Begin with `ingest run`.",
)
FOLDER: Final = Text("フォルダー", "Folder")
SEARCHABLE: Final = Text("検索できる", "Searchable")
TO_LOOK_AT: Final = Text("要確認", "To look at")
FAILED: Final = Text("読めない", "Cannot be read")
PENDING: Final = Text("待ち", "Waiting")
LEFT_OUT: Final = Text("対象外", "Left out")
LAST_RUN: Final = Text("前回の取り込み", "Last run")
LAST_RESULT: Final = Text("結果", "Result")
PLACE: Final = Text("場所", "Place")
DELETIONS_WAITING: Final = Text(
    "{folder}: {count} 件の削除が確認を待っています。共有フォルダーの接続を確かめ、本当に消えたなら"
    " `ingest run --allow-deletions` を実行してください。",
    "{folder}: {count} deletions wait for confirmation. Check that the share is mounted; if the files are really gone, run "
    "`ingest run --allow-deletions`.",
)
CHOOSE_FOLDER: Final = Text("どのフォルダーを", "Which folder")
PLAN: Final = Text("何が変わるか見る", "See what would change")
RUN: Final = Text("今すぐ取り込む", "Bring up to date now")
RETRY: Final = Text("読めなかったものをもう一度", "Try again what failed")
ASKED_FOR: Final = Text(
    "頼みました。取り込みの担当が順に行います。", "Asked for. The ingestion worker takes it in its turn."
)
RUNS: Final = Text("実行", "Runs")
RUNNING: Final = Text("{kind}: {folder}({total} 件中 {done} 件)", "{kind}: {folder} ({done} of {total})")
QUEUED: Final = Text("{kind}: {folder}(順番待ち)", "{kind}: {folder} (waits for its turn)")
NO_RUNS: Final = Text("まだ実行されていません。", "Nothing has run yet.")
KIND: Final = Text("種類", "Kind")
STATE: Final = Text("状態", "State")
BY: Final = Text("頼んだ人", "Asked by")
STARTED: Final = Text("開始", "Started")
SECONDS: Final = Text("秒", "Seconds")
ADDED: Final = Text("追加", "Added")
CHANGED: Final = Text("変更", "Changed")
DELETED: Final = Text("削除", "Deleted")
ERROR: Final = Text("問題", "Problem")
KINDS: Final[dict[str, Text]] = {
    "run": Text("取り込み", "Run"),
    "scan": Text("見張り", "Watch"),
    "schedule": Text("予定", "Schedule"),
    "retry": Text("再試行", "Retry"),
    "plan": Text("下見", "Look ahead"),
    "rebuild": Text("作り直し", "Rebuild"),
}
STATES: Final[dict[str, Text]] = {
    "queued": Text("順番待ち", "Queued"),
    "running": Text("実行中", "Running"),
    "done": Text("終わった", "Done"),
    "failed": Text("失敗した", "Failed"),
}
PLAN_TITLE: Final = Text("下見の結果({when})", "What would change ({when})")
PLAN_NOTHING: Final = Text("変わるものはありません。", "Nothing would change.")
PLAN_READ: Final = Text("{files} 件、{size} を読みます。", "{files} files, {size}, would be read.")
PLAN_TIME: Final = Text("これまでの速さでは約 {minutes} 分です。", "At the pace so far about {minutes} min.")
PLAN_UNKNOWN_TIME: Final = Text("かかる時間はまだ分かりません。", "How long it takes is not known yet.")
PLAN_KINDS: Final[dict[str, Text]] = {
    "add": Text("追加", "Added"),
    "change": Text("変更", "Changed"),
    "retry": Text("読み直し", "Read again"),
    "move": Text("移動", "Moved"),
    "delete": Text("削除", "Deleted"),
    "deletions_waiting": Text("削除の確認待ち", "Deletions that wait"),
    "unreadable": Text("開けない", "Cannot be opened"),
    "skipped": Text("規則により飛ばす", "Left out by a rule"),
    "settling": Text("たった今変わった", "Changed just now"),
}
PLAN_MORE: Final = Text("ほか {count} 件", "and {count} more")
FILE: Final = Text("ファイル", "File")
NOTE: Final = Text("補足", "Note")
FAILURES: Final = Text("読めないファイル", "Files that cannot be read")
NO_FAILURES: Final = Text("読めないファイルはありません。", "Every file can be read.")
WARNINGS: Final = Text("検索できるが、見てほしい文書", "Searchable, but to be looked at")
NO_WARNINGS: Final = Text("ありません。", "None.")
COUNTED: Final = Text("{name}: {count} 件", "{name}: {count}")
NOT_NAMED: Final = Text(
    "{count} 件は、あなたが読める文書ではないため名前を出しません。",
    "{count} of them are not yours to read and are not named.",
)
WHAT_TO_DO: Final = Text("すること", "What to do")
TRIES: Final = Text("回数", "Tries")
SCANS: Final = Text("文字認識の確かさ", "Certainty of text recognition")
SCANS_HELP: Final = Text(
    "画像のページを、認識の確かさ(100 点満点)ごとに数えたものです。60 点に満たないページは見比べてください。",
    "Pages that are pictures, counted by the recogniser's certainty out of 100. Compare pages below 60 with the original.",
)
NO_SCANS: Final = Text("画像のページはありません。", "No page is a picture.")
CERTAINTY: Final = Text("確かさ", "Certainty")
PAGES: Final = Text("ページ数", "Pages")
PAGE: Final = Text("ページ", "Page")
WORST_PAGES: Final = Text("見比べてほしいページ", "Pages to compare")
FITNESS: Final = Text("埋め込みモデルは文書の言語を読めているか", "Does the embedder read the documents' language?")
FITNESS_HELP: Final = Text(
    "文書の文から作った質問のうち、意味の検索だけで見つかった割合です。70% に満たない言語では、言葉の一致だけで検索します。",
    "Of questions made from the documents' own sentences, the share that meaning alone finds. Below 70% a language is "
    "searched by words alone.",
)
NO_FITNESS: Final = Text("まだ測っていません。", "Not measured yet.")
LANGUAGE: Final = Text("言語", "Language")
FOUND_SHARE: Final = Text("見つかった割合", "Found")
LANGUAGES: Final[dict[str, Text]] = {"ja": Text("日本語", "Japanese"), "en": Text("英語", "English")}
EMBEDDER: Final = Text("モデル: {embedder}", "Model: {embedder}")
