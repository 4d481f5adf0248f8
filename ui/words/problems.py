"""What the screen says when something goes wrong on the way to the API."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

INTERRUPTED: Final = Text(
    "回答は途中で、出典の確認も終わっていません。", "The answer is incomplete, and its sources have not been checked."
)
RETRY_LOADING: Final = Text("もう一度読み込む", "Load again")
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
