"""Words of the administrators' screen of keys, users and the audit."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

TITLE: Final = Text("キー・利用者・監査", "Keys, users, audit")
INTRO: Final = Text(
    "アプリのキーを作り、取り消します。誰が使えるか、誰が何をしたかを確かめます。",
    "Make and revoke the keys of apps; see who may come in, and who did what.",
)
KEYS: Final = Text("API キー", "API keys")
NO_KEYS: Final = Text("まだキーはありません。下で作れます。", "There is no key yet. Make one below.")
NAME: Final = Text("名前", "Name")
PREFIX: Final = Text("はじまり", "Begins with")
STATE: Final = Text("状態", "State")
STATES: Final[dict[str, Text]] = {
    "active": Text("有効", "active"),
    "revoked": Text("取り消し済み", "revoked"),
    "expired": Text("期限切れ", "expired"),
}
SCOPES: Final = Text("権限", "Scopes")
SCOPE_NAMES: Final[dict[str, Text]] = {
    "ask": Text("質問と検索(ask)", "ask and search (ask)"),
    "documents": Text("文書を読む(documents)", "read documents (documents)"),
    "ingest": Text("取り込み(ingest)", "ingest (ingest)"),
    "admin": Text("管理(admin)", "administer (admin)"),
}
GROUPS: Final = Text("グループ", "Groups")
OWNER: Final = Text("持ち主", "Owner")
NO_OWNER: Final = Text("なし", "nobody")
RATE: Final = Text("質問 / 分", "Questions a minute")
CREATED: Final = Text("作成", "Made")
EXPIRES: Final = Text("期限", "Ends")
NO_END: Final = Text("なし", "never")
LAST_USED: Final = Text("最後の使用", "Last used")
NOT_USED: Final = Text("未使用", "not yet")
NEW_KEY: Final = Text("新しいキー", "A new key")
KEY_NAME_HELP: Final = Text(
    "アプリの名前。文字と数字、間に空白・点・ハイフンを使えます(64 文字まで)。",
    "The app's name: letters and digits, between them blanks, dots and hyphens; up to 64.",
)
GROUPS_HELP: Final = Text(
    "このグループの文書も読めます。選べるのは自分のグループだけです。全員の文書はいつでも読めます。",
    "Reads documents of these groups as well. Only your own can be chosen. What everyone may read is always read.",
)
OWNER_HELP: Final = Text(
    "持ち主が読めるものだけを読み、持ち主が無効になると使えなくなります。",
    "The key reads no more than its owner may, and ends when the owner is disabled.",
)
DAYS: Final = Text("有効な日数(0: 期限なし)", "Days until it ends (0: never)")
RATE_HELP: Final = Text("1 分の質問数の上限(0: 全員と同じ)", "Most questions a minute (0: as everybody)")
MAKE: Final = Text("キーを作る", "Make the key")
CHOOSE: Final = Text("選んでください", "Choose")
NAME_WRONG: Final = Text(
    "名前に使えない文字があるか、名前が空です。", "The name is empty or has letters that it may not have."
)
NO_SCOPE: Final = Text("権限を一つ以上選んでください。", "Choose at least one scope.")
MADE: Final = Text(
    "{name} のキーです。表示は今回だけです。写して、アプリの設定に入れてください。",
    "The key of {name}. It is shown this once: copy it into the app's settings.",
)
HIDE: Final = Text("写したので隠す", "I have copied it: hide it")
REVOKE_WHICH: Final = Text("取り消すキー", "Key to revoke")
REVOKE: Final = Text("取り消す", "Revoke")
REVOKE_SURE: Final = Text(
    "{name} はすぐに使えなくなります。元には戻せません。",
    "{name} stops working at once. This cannot be undone.",
)
REVOKED: Final = Text("{name} のキーを取り消しました。", "The key of {name} is revoked.")
USERS: Final = Text("利用者", "Users")
NO_USERS: Final = Text(
    "登録された利用者はいません。入口を通った人は誰でも、全員の文書を読めます。",
    "No user is registered. Whoever passes the entrance may read what everyone may.",
)
KEPT_IN_FILE: Final = Text(
    "利用者は {file} で決まります。変更はファイルに書くと自動で反映されます。止めるには、その人の項目に書きます:",
    "Users are kept in {file}; what is changed there is applied by itself. To disable somebody, write into their entry:",
)
KEPT_IN_LEDGER: Final = Text(
    "利用者は台帳にあり、{file} はまだありません。グループは assistant users set-groups か、このファイルで決めます。",
    "Users are kept in the ledger; there is no {file}. Groups are set by assistant users set-groups, or by this file.",
)
KNOWN_ONLY: Final = Text("登録された人だけが使えます。", "Only registered people may come in.")
DISPLAY_NAME: Final = Text("表示名", "Display name")
ENABLED: Final = Text("有効", "enabled")
DISABLED: Final = Text("無効", "disabled")
WHICH_USER: Final = Text("利用者を選ぶ", "Choose a user")
DISABLE: Final = Text("使えなくする", "Disable")
ENABLE: Final = Text("使えるようにする", "Enable")
IS_DISABLED: Final = Text("{name} さんは使えなくなりました。", "{name} is disabled.")
IS_ENABLED: Final = Text("{name} さんは使えるようになりました。", "{name} is enabled.")
AUDIT: Final = Text("監査", "Audit")
AUDIT_HINT: Final = Text(
    "誰が質問し、文書を開き、管理の操作をしたかの記録です。ここで見たことも記録に残ります。",
    "Who asked, opened documents, administered. That you look here is an entry as well.",
)
KEPT_FOR: Final = Text("記録は {days} 日で消えます。", "Entries go after {days} days.")
QUESTIONS_KEPT: Final[dict[str, Text]] = {
    "text": Text("質問の文も残す設定です。", "The words of questions are kept."),
    "hashed": Text("質問の文は残しません(ハッシュだけ)。", "The words of questions are not kept, only their hashes."),
    "none": Text("質問の文は残しません。", "The words of questions are not kept."),
}
WHO: Final = Text("誰が", "Who")
WHO_HELP: Final = Text(
    "利用者の名前。アプリは app:名前、サーバーでの操作は cli:名前。",
    "A user's name; apps are app:name, commands on the server cli:name.",
)
ACT: Final = Text("何を", "What")
ANY_ACT: Final = Text("すべて", "anything")
FROM: Final = Text("開始日(UTC)", "From (UTC)")
TO: Final = Text("終了日(UTC)", "To (UTC)")
LOOK: Final = Text("監査を見る", "Look into the audit")
NO_ENTRIES: Final = Text("この条件に合う記録はありません。", "There is no such entry.")
MORE: Final = Text(
    "新しい {count} 件だけを表示しています。日を絞るか、サーバーで assistant audit export を使ってください。",
    "Only the newest {count} are shown. Narrow the days, or use assistant audit export on the server.",
)
WHEN: Final = Text("日時", "When")
VIA: Final = Text("経路", "Through")
VIAS: Final[dict[str, Text]] = {
    "proxy": Text("画面", "the screen"),
    "key": Text("API キー", "a key"),
    "cli": Text("サーバー", "the server"),
    "system": Text("自動", "by itself"),
}
SUBJECT: Final = Text("対象", "On what")
QUESTION: Final = Text("質問", "Question")
DOCUMENTS: Final = Text("示した文書", "Documents shown")
DETAILS: Final = Text("詳細", "Details")
REQUEST: Final = Text("要求番号", "Request")
ACTS: Final[dict[str, Text]] = {
    "asked": Text("質問した", "asked"),
    "searched": Text("検索した", "searched"),
    "opened": Text("文書を開いた", "opened a document"),
    "key_created": Text("キーを作った", "made a key"),
    "key_revoked": Text("キーを取り消した", "revoked a key"),
    "users_synced": Text("利用者を変えた", "changed users"),
    "groups_set": Text("グループを変えた", "set groups"),
    "user_erased": Text("利用者を消した", "erased a user"),
    "viewed": Text("管理の記録を見た", "viewed what others did"),
    "job_requested": Text("取り込みを頼んだ", "asked for an ingestion"),
    "uploaded": Text("ファイルを追加した", "brought a file"),
    "upload_taken_back": Text("追加したファイルを取り消した", "took a file back"),
    "question_assigned": Text("質問の担当を決めた", "assigned a question"),
    "value_kept": Text("設定値を保存した", "kept a value"),
    "signed_in": Text("サインインした", "signed in"),
    "signed_out": Text("サインアウトした", "signed out"),
    "exported": Text("監査を書き出した", "exported the audit"),
    "pruned": Text("古い記録を消した", "took out old entries"),
    "canary_checked": Text("権限の見張りをした", "checked the canary"),
    "release_changed": Text("リリースを変えた", "changed a release"),
    "backed_up": Text("バックアップした", "backed up"),
    "restored": Text("復元した", "restored"),
}
