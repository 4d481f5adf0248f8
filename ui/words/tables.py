"""Words of tables, wherever they stand."""

from __future__ import annotations

from typing import Final

from assistant.errors import Text

DOWNLOAD: Final = Text("CSV で保存", "Save as CSV")
NOTHING: Final = Text("まだ何もありません。", "Nothing yet.")
REFRESH: Final = Text("読み直す", "Read again")
