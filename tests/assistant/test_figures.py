"""One figure, many spellings; and figures that only look alike."""

from __future__ import annotations

import pytest

from assistant.figures import figures_of, source_keys


def stands_in(figure: str, source: str) -> bool:
    """Whether every figure of the first text stands in the second."""
    figures = figures_of(figure)
    assert figures, f"no figure in {figure}"
    return all(found.keys & source_keys([source]) for found in figures)


@pytest.mark.parametrize(
    ("figure", "source"),
    [
        ("3日前", "三日前"), ("令和8年4月1日", "2026/4/1"), ("2026年4月1日", "令和八年四月一日"), ("1,000円", "千円"),
        ("1万2千円", "¥12,000"), ("２０２６年", "令和8年度"), ("午後3時", "15:00"), ("3 p.m.", "午後3時"), ("50%", "5割"),
        ("50%", "定価の半分"), ("three business days", "3営業日前"), ("2,500円", "| 一般社員 | 2,500 |"), ("14日", "8月14日"),
        ("April 1, 2026", "2026年4月1日"), ("3 April", "4月3日"), ("third floor", "3階"), ("FE-103", "FE-103/104"),
        ("13時30分", "13:30"), ("16文字", "16 characters"), ("80L", "80 リットル"), ("6:00", "6時"), ("twenty-one days", "21日間"),
        ("6,000時間", "6,000 operating hours"), ("二〇二六年", "2026年"), ("500万円", "5,000,000円"),
        ("3億5,000万円", "350,000,000円"), ("6か月", "半年"), ("12時", "正午"), ("0.5%", "０．５パーセント"), ("第14条の2", "第十四条の二"),
        ("12か月", "1年間"), ("90分", "1時間半"), ("1時間30分", "90 minutes"), ("2週間", "14日間"), ("1.2m", "120cm"), ("1.5kg", "1,500g"),
        ("2割5分", "25%"), ("25%", "4分の1"), ("2分の1", "二分の一"), ("半年", "6か月"), ("一〇万円", "100,000円"), ("12億3,400万円", "1,234百万円"),
        ("2026年4月1日", "R8.4.1施行"), ("昭和50年4月1日", "S50.4.1"), ("April 1, 2026", "The deadline is 2026-04-01."), ("4月10日", "期限: 4/10"),
        ("4月10日", "4月1日~10日"), ("15時30分", "午後2時～3時30分"), ("2026年度", "FY26"), ("FY2026", "令和8年度"), ("第3四半期", "Q3"),
        ("03-1234-5678", "03(1234)5678"), ("0120-123-456", "0120 123 456"), ("+81-3-1234-5678", "03-1234-5678"), ("0312345678", "03-1234-5678"),
        ("AB-1234", "型番 AB 1234"), ("ISO 9001", "ISO9001"), ("MX-2040B", "MX2040B"), ("Version 2.1", "v2.1"),
        ("第12条", "Article 12"), ("別表第2", "別表第二"),
        ("20%から25%", "20-25%"), ("10-20名", "10名から20名"), ("$1.5M", "$1.5 million"), ("USD 1,500", "$1,500"), ("1.5bn yen", "15億円"),
        ("21", "the twenty-first"), ("150 users", "one hundred and fifty users"), ("1,500 yen", "one thousand five hundred yen"),
        ("https://www.example.co.jpです", "https://www.example.co.jp"), ("3か所", "3ヶ所"), ("5 kg", "5 kilograms"),
    ],
)  # fmt: skip
def test_the_same_figure_in_another_spelling_is_the_same(figure: str, source: str) -> None:
    assert stands_in(figure, source)


@pytest.mark.parametrize(
    ("figure", "source"),
    [
        ("3日", "3営業日"), ("3日", "3か月"), ("5日", "第5条"), ("午前3時", "午後3時"), ("2025年4月1日", "2026年4月1日"),
        ("1,000円", "10,000円"), ("FE-103", "FE-13"), ("40%", "5割"), ("2026年", "令和7年"), ("a@example.jp", "b@example.jp"),
        ("https://a.example/x", "https://a.example/y"), ("第14条の2", "第14条の3"),
        ("12か月", "2年間"), ("100分", "1時間半"), ("1時間30分", "80分"), ("3週間", "14日間"), ("1.2m", "12cm"), ("2割6分", "25%"), ("3分の1", "3分の2"),
        ("20%", "4分の1"), ("半年", "1年"), ("2026年1月4日", "R8.4.1"), ("4月10日", "期限: 10/4"), ("2027年度", "FY26"), ("第4四半期", "Q3"),
        ("03-1234-5679", "03(1234)5678"), ("0312345687", "03-1234-5678"), ("AC-1234", "AB 1234"), ("ISO 9002", "ISO9001"), ("v2.2", "Version 2.1"),
        ("20-30%", "20%から25%"), ("$1.5 billion", "$1.5M"), ("EUR 1,500", "$1,500"), ("22", "the twenty-first"), ("32 seconds", "a thirty second delay"),
        ("115 users", "one hundred and fifty users"),
        ("https://www.example.comです", "https://www.example.co.jp"), ("第3条第3項", "第3条第2項"), ("24時間", "1日"), ("1-23号室", "12-3号室"),
    ],
)  # fmt: skip
def test_another_figure_is_another(figure: str, source: str) -> None:
    assert not stands_in(figure, source)


def test_figures_know_their_place_in_the_original_text() -> None:
    text = "期限は\u200b３営業日前、額は１２，０００円。"
    assert [text[f.start : f.end] for f in figures_of(text)] == ["３営業日", "１２，０００円"]


@pytest.mark.parametrize(
    "text", ["一度ご確認ください", "十分に注意する", "1. 申請する", "２　社員は届け出る", "one of them"]
)
def test_idioms_and_list_numbers_are_no_figures(text: str) -> None:
    assert figures_of(text) == []


@pytest.mark.parametrize(
    ("figure", "source"),
    [
        ("3月", "The year ends in March."), ("5月", "every May"), ("2026年3月", "end of March 2026"), ("2026年4月", "Effective Apr 2026."),
        ("9月", "Every Sept and Feb"), ("in May", "毎年5月"), ("2026年5月", "発行: 2026/05"), ("2026年9月", "2026年4月から9月まで"),
        ("1日", "8 hours per day"), ("1日", "$50/day"), ("年2回", "twice a year"), ("1回", "once per quarter"), ("年1回", "annually"),
        ("1人", "10 GB/user/month"), ("1か月", "10 GB/user/month"), ("1階", "on the first floor"), ("1回目", "The first warning"),
        ("2回目", "The first warning is oral, the second written."),
        ("once a year", "年1回"), ("once a month", "点検は毎月行う"),
        ("4年", "| 2-4 | 15 |"), ("12ページ", "Pages 12-15"), ("205号室", "Room 201-205"), ("2026年", "2025-2026"), ("2026年度", "2025-26"),
        ("9時", "9~12時"), ("10月", "10~12月"), ("15時", "from 3 to 6 pm"), ("11時", "11 to 2 pm"), ("6月15日", "June 1-15"),
        ("2026年6月1日", "from 1 to 15 June 2026"), ("from 10 to 3 p.m.", "10:00~15:00"),
        ("2026年6月15日", "15/06/2026"), ("2026年4月30日", "Due 4/30/2026."), ("2026年4月5日", "05-Apr-2026"), ("4月30日", "Due 4/30."),
        ("2026年4月1日", "更新日: 20260401"),
        ("65歳", "65 years old"), ("3 years of age", "3歳"), ("100V", "AC100V"), ("40枚", "40 sheets"), ("three times the pay", "基本給の3倍"),
        ("1.2kW", "1,200W"), ("500kg", "0.5t"), ("1,024GB", "1TB"), ("1,000GB", "1TB"), ("20km/h", "時速20km"), ("30万人", "300k users"),
        ("40,000 EUR", "40K EUR"), ("1兆2,000億円", "1.2 trillion yen"), ("50%", "半額"), ("3分の2", "two-thirds"), ("two-thirds", "3分の2"),
        ("75%", "3/4以上"), ("12,345千円", "| 売上高(千円) | 12,345 |"), ("123億4,500万円", "| 金額(百万円) |\n| 12,345 |"),
        ("バージョン3", "v3"), ("v3", "バージョン3"), ("3.2", "Ver3.2"), ("120万円", "金壱百弐拾万円也"), ("XJ-900S", "XJ-900/900S/1200"),
        ("XJ-1200", "XJ-900/900S/1200"), ("18時30分", "6:30 in the evening"), ("10時", "at 10 o'clock"), ("1年半", "18 months"),
        ("1か月半", "one and a half months"), ("-18℃", "マイナス18度"), ("-20℃", "−20 to 60 °C"), ("20℃", "10-20℃"),
        ("smtp.example.co.jp", "https://smtp.example.co.jp/a"), ("example.co.jp", "info@example.co.jp"), ("会議室3B", "3B会議室"),
    ],
)  # fmt: skip
def test_what_a_source_says_in_words_in_short_or_in_another_order_is_the_same(figure: str, source: str) -> None:
    assert stands_in(figure, source)


@pytest.mark.parametrize(
    ("figure", "source"),
    [
        ("5月3日", "Managers at grade 3 may approve it."), ("5月", "Staff may leave early."), ("in May", "in March"), ("every March", "毎年5月"),
        ("2026年3月", "March 2025"), ("March 1733", "In March 1734"), ("1日", "a day after the deadline"), ("2回", "once a year"),
        ("2回", "the second page"), ("1回", "every Monday"),
        ("once a year", "年2回"), ("twice a year", "年3回"), ("3階", "on the first floor"), ("16ページ", "Pages 12-15"), ("3456号室", "12-3465"),
        ("15時", "from 3 to 6 am"), ("7月1日", "June 1-15"), ("2026年6月14日", "15/06/2026"), ("2025年4月5日", "05-Apr-2026"), ("4月29日", "Due 4/30."),
        ("200V", "AC100V"), ("1.3kW", "1,200W"), ("50kg", "0.5t"), ("30km/h", "時速20km"), ("3万人", "300k users"), ("3分の1", "two-thirds"),
        ("three-quarters", "3分の2"), ("1,234万円", "| 金額(百万円) |\n| 12,345 |"), ("XJ-1300", "XJ-900/900S/1200"), ("6時30分", "7:30 in the evening"),
        ("1か月半", "1か月"), ("10℃", "-10℃から50℃"), ("18 °C", "−18 °C"), ("-10℃", "10℃"), ("smtp.example.com", "smtp.example.co.jp"),
        ("fs01.example.org", "fs01.example.local"), ("会議室3C", "会議室は3B"), ("第1水曜日", "毎月第2水曜日"),
    ],
)  # fmt: skip
def test_words_stand_for_no_more_figures_than_they_say(figure: str, source: str) -> None:
    assert not stands_in(figure, source)


def test_the_first_monday_is_no_month_and_no_day() -> None:
    (figure,) = figures_of("毎月第1月曜日")
    assert not {"month:1", "day:1"} & figure.keys


def test_an_address_in_a_code_mark_ends_before_it() -> None:
    assert [f.text for f in figures_of("`https://portal.example.jp/a` を開く")] == ["https://portal.example.jp/a"]
