"""A tiny handbook for a model that reads slowly: two short rules and one list of steps."""

from __future__ import annotations

from pathlib import Path

LEAVE = """# 休暇規程

## 第5条 申請

有給休暇は取得日の3営業日前までに申請する。
"""

PARKING = """# Visitor parking

Visitors park on level B2. Parking is free for the first 90 minutes and costs 400 yen for every further hour.
"""

FIRE = """# 火災のときの行動

1. 火を見つけたら大声で周囲の人に知らせる。
2. 廊下の非常ベルを押す。
3. 内線119で防災センターに場所と状況を伝える。
4. 天井に火が届いていなければ消火器で消す。
5. 火が天井に届いたら消火をやめて逃げる。
6. エレベーターは使わず、東側の非常階段を使う。
7. 煙があるときは姿勢を低くし、ハンカチで口を覆う。
8. 最後に出る人はドアを閉める。
9. 集合場所である南駐車場に集まる。
10. 班長は人数を数えて防災センターに報告する。
"""

DOCUMENTS = {
    "人事/休暇.md": LEAVE,
    "総務/火災.md": FIRE,
    "en/parking.md": PARKING,
}


def write_handbook(folder: Path) -> Path:
    """The folder with the handbook's files in it."""
    for name, text in DOCUMENTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
