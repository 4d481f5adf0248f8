"""What stands on every screen: names of screens and groups, who is here, and pages for those who may not come in."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

APP_NAME: Final = Text("社内文書アシスタント", "Company Assistant")
NAV_ASK: Final = Text("質問する", "Ask")
GROUP_ASK: Final = Text("質問", "Questions")
GROUP_DOCUMENTS: Final = Text("文書", "Files")
GROUP_ADMIN: Final = Text("管理", "Administration")
NAV_HISTORY: Final = Text("履歴", "History")
NAV_DOCUMENTS: Final = Text("文書一覧", "Documents")
NAV_QUESTIONS: Final = Text("答えられなかった質問", "Unanswered")
NAV_USE: Final = Text("利用状況", "Use")
NAV_RELEASES: Final = Text("リリース", "Releases")
NAV_SYSTEM: Final = Text("システム", "System")
NAV_CAPACITY: Final = Text("必要なメモリ", "Capacity")
NAV_PEOPLE: Final = Text("キー・利用者・監査", "Keys, users, audit")
NAV_INGESTION: Final = Text("取り込み", "Ingestion")
DISPLAY_LANGUAGE: Final = Text("表示言語", "Display language")
SIGNED_IN_AS: Final = Text("利用者: {user}", "Signed in as {user}")
SIGN_OUT: Final = Text("サインアウト", "Sign out")
DEMO_USER: Final = Text("デモ用の利用者です(ログインはありません)。", "This is the demo user; nobody has logged in.")
NEW_CONVERSATION: Final = Text("新しく始める", "Start over")
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
API_AWAY: Final = Text(
    "サーバーに接続できないため、一部の画面を表示していません。",
    "The server cannot be reached, so some screens are missing.",
)
