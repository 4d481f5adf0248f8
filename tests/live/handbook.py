"""A tiny handbook for a model that reads slowly: short rules with one figure each, one long pair, one list of steps."""

from __future__ import annotations

from pathlib import Path

MEETING_ROOMS = """# 会議室利用規程

## 第3条 予約

会議室の予約は、利用日の14日前から受け付ける。利用しなくなったときは、前日の17時までに取り消す。
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

TRAVEL = """# 出張規程

## 第8条 国内出張の宿泊費

国内出張の宿泊費は、一泊につき12,000円を上限として実費を支給する。
東京都区部、大阪市、名古屋市に宿泊するときは、一泊につき15,000円を上限とする。
繁忙期に上限を超える宿しか見つからないときは、予約の前に所属長と総務課の承認を得て、上限を超えて支給することができる。
宿泊先が朝食を無料で提供するときも、宿泊費は減額しない。
領収書には宿泊した日付、宿泊した者の氏名、宿泊施設の名称が書かれていなければならない。
出張先の親族や知人の家に泊まるときは、宿泊費の代わりに一泊につき3,000円の謝礼を支給する。
研修施設や社員寮のように会社が用意した宿に泊まるときは、宿泊費を支給しない。
宿泊を取り消したために生じた費用は、業務上の理由があるときに限り会社が負担する。

## 第9条 海外出張の宿泊費

海外出張の宿泊費は、一泊につき200米ドルを上限として実費を支給する。
ニューヨーク、ロンドン、シンガポール、香港に宿泊するときは、一泊につき280米ドルを上限とする。
見本市などで上限を超える宿しか見つからないときは、予約の前に所属長と総務課の承認を得て、上限を超えて支給することができる。
宿泊費を現地の通貨で払ったときは、宿を出た日の社内レートで円に換える。
領収書が現地の言語だけで書かれているときは、日付と金額と施設名の訳を添えて提出する。
機内で夜を過ごしたときは、宿泊費を支給しない。
空港の近くで乗り継ぎのために泊まるときの宿泊費は、航空会社が負担しない場合に限り支給する。
同じ宿に14泊を超えて滞在するときは、週単位の料金がある宿を選ばなければならない。
"""

DOCUMENTS = {
    "総務/会議室.md": MEETING_ROOMS,
    "総務/火災.md": FIRE,
    "総務/出張.md": TRAVEL,
    "en/parking.md": PARKING,
}


def write_handbook(folder: Path) -> Path:
    """The folder with the handbook's files in it."""
    for name, text in DOCUMENTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
