"""What the names of files tell: versions of one document, copies, and documents that only look like either."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from assistant.domain import Passage
from assistant.versions import Told, asked_of, is_older, told_by
from tests.assistant.passages import passage


def named(path: str, *, changed: int = 1) -> Passage:
    return replace(passage("文"), path=path, modified_ns=changed)


def told(path: str) -> Told:
    return told_by(named(path))


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("旅費規程_2023年度.docx", "旅費規程_2024年度.docx"),
        ("2022_社員ハンドブック.pdf", "2024_社員ハンドブック.pdf"),
        ("就業規則2019年版.pdf", "就業規則令和3年版.pdf"),
        ("給与規程_昭和60年.pdf", "給与規程_平成5年.pdf"),
        ("給与規程_令和元年度.docx", "給与規程_令和六年度.docx"),
        ("給与規程_R6年度.docx", "給与規程_2025年度.docx"),
        ("給与規程(R4.10.1).docx", "給与規程(R7.10.1).docx"),
        ("給与規程_R060401.docx", "給与規程_R070401.docx"),
        ("休日カレンダー24年度.xlsx", "休日カレンダー25年度.xlsx"),
        ("Travel Policy FY24.docx", "Travel Policy FY25.docx"),
        ("組織図_240401.pdf", "組織図_250401 - コピー.pdf"),
        ("組織図_20240401.pdf", "組織図_20250401.pdf"),
        ("手順書_初版.pdf", "手順書_第三版.pdf"),
        ("手順書_初版.pdf", "手順書_改訂版.pdf"),
        ("手順書_第1.1版.pdf", "手順書_第1.2版.pdf"),
        ("手順書_2版.docx", "手順書_3版.docx"),
        ("手順書 rev.A.docx", "手順書 rev.B.docx"),
        ("release-notes-2.3.1.md", "release-notes-2.4.0.md"),
        ("Handbook 1st edition.pdf", "Handbook 2nd edition.pdf"),
        ("規程.docx", "規程(改定版).docx"),
        ("規程.docx", "規程_改正.docx"),
        ("規程.docx", "規程_修正版.docx"),
        ("規程.docx", "規程_更新版.docx"),
        ("規程.docx", "規程_最終版.docx"),
        ("規程_最終版.docx", "規程_最終版2.docx"),
        ("規程.docx", "規程_確定.docx"),
        ("規程(2024年4月改定).docx", "規程(2025年4月改定).docx"),
        ("規程(案).docx", "規程.docx"),
        ("規程_ドラフト.docx", "規程_確定.docx"),
        ("規則.docx", "新規則.docx"),
        ("旧規程.docx", "新規程.docx"),
        ("Travel Policy (old).docx", "Travel Policy.docx"),
        ("travel_policy.docx", "travel_policy_revised.docx"),
    ],
)
def test_years_editions_and_words_tell_the_order_of_versions(older: str, newer: str) -> None:
    assert is_older(named(older, changed=2), named(newer))
    assert not is_older(named(newer), named(older, changed=2))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MX-2040B_取扱説明書.pdf", "MX-2050B_取扱説明書.pdf"),
        ("KX-2010_仕様書.pdf", "KX-2020_仕様書.pdf"),
        ("KX2010_仕様書.pdf", "KX2020_仕様書.pdf"),
        ("請求書_100001.pdf", "請求書_100002.pdf"),
        ("INV0100001.pdf", "INV0100002.pdf"),
        ("チケット_0012345.txt", "チケット_0012399.txt"),
        ("社員証_104523.txt", "社員証_104524.txt"),
        ("invoice_2024001.pdf", "invoice_2025001.pdf"),
        ("特許2010-123456.pdf", "特許2011-123456.pdf"),
        ("仕様書_H100.pdf", "仕様書_H200.pdf"),
        ("Room R101.md", "Room R102.md"),
        ("2024_H1_実績.xlsx", "2024_H2_実績.xlsx"),
        ("通達2001号.docx", "通達2002号.docx"),
        ("会議室2001.md", "会議室2002.md"),
        ("伝票 No.2001.pdf", "伝票 No.2002.pdf"),
        ("ポスター_A3版.pdf", "ポスター_A4版.pdf"),
        ("6.1.1 採用.md", "6.1.2 採用.md"),
        ("サーバー_10.0.0.1.md", "サーバー_10.0.0.2.md"),
        ("別紙(1).docx", "別紙(2).docx"),
        ("2024_別紙(1).docx", "2025_別紙(2).docx"),
        ("新製品カタログ.pdf", "製品カタログ.pdf"),
        ("新規取引先登録.docx", "規取引先登録.docx"),
        ("new-hire-guide.md", "hire-guide.md"),
        ("New York office.md", "York office.md"),
        ("最新情報.md", "情報.md"),
        ("契約更新.docx", "契約.docx"),
        ("規程_2025(案).docx", "規程_2024.docx"),
    ],
)
def test_numbers_and_words_that_mean_something_else_make_no_versions(one: str, other: str) -> None:
    for first, second in ((1, 2), (2, 1)):
        assert not is_older(named(one, changed=first), named(other, changed=second))
        assert not is_older(named(other, changed=second), named(one, changed=first))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("議事録_240401.docx", "議事録_240508.docx"),
        ("議事録_20240401.docx", "議事録_20240508.docx"),
        ("議事録_24.4.1.docx", "議事録_24.5.8.docx"),
        ("議事録 2024.4.1.docx", "議事録 2024.5.8.docx"),
        ("議事録 R6.4.1.docx", "議事録 R6.5.8.docx"),
        ("議事録R060401.docx", "議事録R060508.docx"),
        ("議事録_2024年4月1日.docx", "議事録_2024年5月8日.docx"),
        ("議事録_2024.1.11.docx", "議事録_2025.11.1.docx"),
        ("勤務表_R7.4.xlsx", "勤務表_R7.5.xlsx"),
    ],
)
def test_other_days_and_months_are_other_documents_however_they_are_written(one: str, other: str) -> None:
    assert not is_older(named(one), named(other))
    assert not is_older(named(other), named(one))


@pytest.mark.parametrize(
    "copy",
    [
        "規程 (1).docx",
        "規程(12).docx",
        "規程 - コピー.docx",
        "規程 - コピー (2).docx",
        "規程 - コピー - コピー.docx",
        "規程のコピー.docx",
        "規程 のコピー 2.docx",
        "コピー ~ 規程.docx",
        "規程_コピー.docx",
        "Copy of 規程.docx",
        "規程 - Copy (2).docx",
        "規程 copy 2.docx",
    ],
)
def test_a_copy_is_neither_newer_nor_older_than_its_original_whenever_it_was_made(copy: str) -> None:
    assert told(copy).is_copy
    assert told(copy).is_copy_of(told("規程.docx"))
    for changed in (0, 2):
        assert not is_older(named("規程.docx"), named(copy, changed=changed))
        assert not is_older(named(copy, changed=changed), named("規程.docx"))


def test_a_copy_of_one_year_is_none_of_another() -> None:
    assert not told("控え/規程_2024.docx").is_copy_of(told("規程_2025.docx"))
    assert told("控え/規程_2024 (1).docx").is_copy_of(told("規程_2024.docx"))
    assert is_older(named("規程_2024 - コピー.docx", changed=2), named("規程_2025.docx"))


def test_a_name_of_marks_alone_belongs_to_no_document() -> None:
    assert told("2024.docx").name == ""
    assert not is_older(named("2024.docx"), named("2025.docx"))
    assert not told("2024.docx").is_copy_of(told("控え/2024.docx"))


def test_where_names_tell_no_order_the_older_file_is_the_older_version() -> None:
    revised, second = named("規程_改訂版.docx", changed=1), named("規程_v2.docx", changed=2)

    assert is_older(revised, second)
    assert is_older(replace(second, modified_ns=0), revised)


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("2024年度の日当は?", "規程_令和6年度.docx"),
        ("令和6年度の日当は?", "規程_2024年度.docx"),
        ("R6の日当は?", "規程_24年度.docx"),
        ("What was the allowance in 2024?", "allowance-2024.md"),
        ("v1の日当は?", "規程_v1.0.docx"),
        ("第一版の日当は?", "規程_初版.docx"),
    ],
)
def test_a_question_names_a_version_in_any_spelling_of_it(question: str, path: str) -> None:
    assert asked_of(question).names(told(path))


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("1日の日当は?", "規程_v1.docx"),
        ("6か月の日当は?", "規程_R6.docx"),
        ("24日以内の申請は?", "規程_24年度.docx"),
        ("v10の日当は?", "規程_v1.docx"),
        ("MX-2024Bの電源は?", "取扱説明書_2024.pdf"),
    ],
)
def test_a_digit_of_a_question_names_no_version(question: str, path: str) -> None:
    assert not asked_of(question).names(told(path))


@pytest.mark.parametrize(
    "question",
    [
        "過去3年の売上高の推移は?",
        "昨年度の売上高は?",
        "前年と比較して増えましたか",
        "旧規程での日当は?",
        "改訂前の日当は?",
        "日当はどう変わりましたか",
        "2023年度と2025年度の日当は?",
        "Compare the allowance of both years.",
        "What was the allowance last year?",
        "What did the previous policy say?",
        "What is the trend of sales?",
    ],
)
def test_a_question_across_years_or_for_earlier_ones_is_told(question: str) -> None:
    assert asked_of(question).is_for_earlier


@pytest.mark.parametrize(
    "question",
    [
        "日当は?",
        "2024年度の日当は?",
        "復旧の手順は?",
        "旧姓は使えますか",
        "住所が変わったときの届出は?",
        "How old must I be?",
        "How many days of leave per year?",
        "Do I need prior approval?",
    ],
)
def test_a_question_about_what_holds_now_is_not_for_earlier_ones(question: str) -> None:
    assert not asked_of(question).is_for_earlier


@pytest.mark.parametrize("piece", ["2024 ", "v1.", " (1)", "copy ", "old_", "令和", "24.9.", "コピー", "a", "12"])
def test_a_long_name_and_a_long_question_are_read_at_once(piece: str) -> None:
    long = piece * (8_000 // len(piece))
    started = time.process_time()
    told(f"{long[:400]}.md")
    asked_of(long)

    assert time.process_time() - started < 0.5
