"""Words for bringing files."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

UPLOADS_TITLE: Final = Text("ファイルを追加", "Add files")
UPLOADS_INTRO: Final = Text(
    "送ったファイルはすぐに読み取られ、検索できるようになります。誰が読めるかは管理者の規則で決まります。"
    "1 件 {limit} までです。",
    "Files are read at once and can then be searched. Who may read them is decided by the administrator's rules. "
    "Up to {limit} each.",
)
UPLOADS_CHOOSE: Final = Text("追加するファイル", "Files to add")
UPLOADS_BUTTON: Final = Text("ファイルを選ぶ", "Choose files")
UPLOADS_HINT: Final = Text("ここに置いても選べます", "or drop them here")
UPLOADS_DROP: Final = Text("ここで放すと選びます", "Let go to choose them")
UPLOADS_NOT_TAKEN: Final = Text(
    "このファイルは選べません(大きすぎるか、送れません)。",
    "This file cannot be taken: too large, or it could not be sent.",
)
UPLOADS_REPLACE: Final = Text("同じ名前のものは新しい版に置き換える", "Replace files of the same name by a new version")
UPLOADS_SEND: Final = Text("追加する", "Add")
UPLOADS_SENDING: Final = Text("{name} を送っています…", "Sending {name}…")
UPLOADED_NEW: Final = Text("{name} を受け取りました。", "{name} has arrived.")
UPLOADED_REPLACED: Final = Text("{name} を新しい版として受け取りました。", "{name} has arrived as a new version.")
UPLOADED_SAME: Final = Text(
    "{name} は前と同じ内容です。何も変わりません。", "{name} is the same as before; nothing changes."
)
MY_UPLOADS: Final = Text("自分が追加したファイル", "Files that I added")
MY_UPLOADS_NONE: Final = Text("まだありません。", "None yet.")
WAITING: Final = Text("読み取り待ち", "Waits to be read")
JOB_QUEUED: Final = Text("読み取りの順番を待っています。", "Waiting for its turn to be read.")
JOB_RUNNING: Final = Text("読み取っています。", "Being read.")
TAKE_BACK: Final = Text("取り消す", "Take back")
TAKE_BACK_SURE: Final = Text(
    "{name} を削除します。回答の出典からも、すぐに消えます。元に戻せません。",
    "{name} is deleted, and is gone from the sources of answers at once. This cannot be undone.",
)
TAKE_BACK_REALLY: Final = Text("削除する", "Delete it")
TAKEN_BACK: Final = Text("{name} を取り消しました。", "{name} was taken back.")
NOT_YOURS_TO_READ: Final = Text(
    "規則により、あなたはこの文書を読めません。", "By the rules you may not read this document."
)
"""Of a file that its own bringer may not read."""
