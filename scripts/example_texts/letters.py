"""E-mails that employees and customers received. Knows only words; the addresses are of reserved example domains."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

JAPAN = timezone(timedelta(hours=9))


@dataclass(frozen=True)
class Letter:
    """One e-mail: who wrote it to whom, when, and its text."""

    sender: str
    address: str
    to: str
    subject: str
    sent_at: datetime
    message_id: str
    body: str


STOPPAGE = Letter(
    sender="情報システム課",
    address="helpdesk@example.co.jp",
    to="all@example.co.jp",
    subject="【重要】基幹システム停止のお知らせ（6月21日〜22日）",
    sent_at=datetime(2025, 6, 9, 10, 15, tzinfo=JAPAN),
    message_id="<20250609-0115@mail.example.co.jp>",
    body="""\
社員各位

情報システム課です。
サーバー更新のため、次のとおり基幹システムを停止します。

1. 停止する日時
   2025年6月21日(土) 22:00 から 6月22日(日) 6:00 まで

2. 停止するシステム
   ・受発注システム
   ・在庫管理システム
   ・会計システム Tidebook
   ・NagiFlow(経費精算と出張申請だけ。休暇の申請は利用できます)

3. 停止しないもの
   メール、VPN(HarborLink Connect)、NagiBox、内線電話

4. お願い
   ・6月20日(金) 18:00 までに、入力中の伝票を保存して確定してください。
   ・潮見工場の夜勤では、紙の作業日報(様式 F-32)を使ってください。
     記入した日報は、6月23日(月) 12:00 までに管理課(内線 6150)へ提出してください。
   ・予備日は 6月28日(土) 22:00 から 6月29日(日) 6:00 です。

作業が延びた場合は、6月22日(日) 5:30 に安否確認システムで知らせます。
当日の連絡先は、夜間・休日当番 090-0000-3300 です。

--
情報システム課 基幹システム担当 和久井
内線 3320 / erp@example.co.jp
""",
)

CLOSING_DAY = Letter(
    sender="経理課",
    address="keiri@example.co.jp",
    to="all@example.co.jp",
    subject="経費精算の締切の変更について（2025年4月分から）",
    sent_at=datetime(2025, 3, 10, 9, 30, tzinfo=JAPAN),
    message_id="<20250310-0030@mail.example.co.jp>",
    body="""\
社員各位

経理課です。月次決算を早めるため、経費精算の締切を次のとおり変更します。

■ 変更の内容(2025年4月1日以後に発生した経費から)
  申請の締切    これまで: 翌月10日 17時    これから: 翌月5日 17時
  上長の承認    これまで: 翌月13日         これから: 翌月8日
  支払日        これまで: 翌月25日         これから: 翌月20日

■ 2025年3月分の取扱い
  3月に発生した経費は年度末のため、4月3日(木) 17時 までに申請してください。

■ 締切に遅れたとき
  翌月の締切に合わせて申請してください。3か月を過ぎた経費は、担当役員の承認がなければ支払えません。

■ 説明会
  3月18日(火) 16:00〜16:45 本社5階 大会議室(オンライン同時配信)
  3月19日(水) 13:00〜13:45 潮見工場 食堂

詳しくは「経費精算マニュアル」をご覧ください。

--
経理課 南條
内線 2240 / keiri@example.co.jp
""",
)

LEAK_ALARM = Letter(
    sender="Shionagi Seiki Product Support",
    address="support@example.com",
    to="maintenance@customer.example.com",
    subject="Re: [Case 58213] MX-2040B stops with E-17 after diaphragm replacement",
    sent_at=datetime(2025, 8, 27, 16, 42, tzinfo=JAPAN),
    message_id="<case-58213-3@mail.example.com>",
    body="""\
Dear Ms. Lindqvist,

Thank you for the photographs and the log file of the two pumps (serial numbers 24B-10877 and 24B-10881).

What we found
The diaphragms fitted in July carry the marking DK-2080-01. That kit belongs to the MX-2080B. The correct kit for
the MX-2040B is DK-2040-02. The wider diaphragm does not seal against the MX-2040B head, so liquid reaches the leak
sensor and the controller stops with E-17 within 20 to 40 hours of running.

What to do
1. Stop the pump, close both valves and relieve the pressure through the drain plug.
2. Fit the kit DK-2040-02 and tighten the four head bolts crosswise to 6.5 N·m.
3. Dry the leak sensor chamber and wait ten minutes before resetting the alarm.
4. Reset E-17 by holding the STOP key for five seconds.

Warranty
A wrong diaphragm is not a material defect, so the damaged diaphragms are not covered. As a goodwill measure we send
two kits DK-2040-02 free of charge. They left our warehouse today with tracking reference SN-EX-440918 and should
arrive within five working days.

Please keep in mind that the diaphragm of the MX-2040B has to be replaced every 4,000 operating hours.

Kind regards,
Haruka Oda
Product Support, Shionagi Seiki Co., Ltd.
support@example.com / +81-45-000-0117 (weekdays 9:00-17:00 Japan time)
""",
)
