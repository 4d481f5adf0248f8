"""What stands in one list of passages: neighbours together, newest first, documents in turns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.domain import Passage
from assistant.fold import fold, put_together
from assistant.versions import is_older
from tests.assistant.passages import passage

POLICY = (
    "国内出張の日当は、一般社員は{}円、課長は3,000円、部長は3,500円とする。出張の前に申請し、承認を得なければならない。"
)


def part(text: str, *, start: int, number: int = 1, path: str = "人事/休暇.md", score: float = 0.5) -> Passage:
    made = passage(text, number=number, start=start)
    return replace(made, path=path, document_id="d:" + path, version_id="v:" + path, score=score)


def year(of: int, allowance: str, *, name: str = "経費/出張旅費規程_{}年版.docx") -> Passage:
    return part(POLICY.format(allowance), start=0, number=of, path=name.format(of))


def test_chunks_that_share_a_sentence_become_one_literal_passage() -> None:
    text = "第一の文。共有の文。第二の文。"
    first, second = part(text[:10], start=0, number=1), part(text[5:], start=5, number=2)
    (joined,) = fold("文", [second, first], limit=8).passages
    assert (joined.text, joined.start, joined.end) == (text, 0, len(text))
    assert joined.chunk_id == second.chunk_id, "the better one gives its name and rank"
    assert joined.joined == (first.chunk_id,)
    assert put_together(second, first).text == text, "as a follow-up's prompt reads it again"


def test_chunks_with_a_gap_between_stay_apart() -> None:
    assert len(fold("文", [part("第一の文。", start=0), part("第三の文。", start=9, number=2)], limit=8).passages) == 2


def test_the_newest_version_comes_first_and_the_older_one_is_named() -> None:
    folded = fold("国内出張の日当は?", [year(2024, "2,000"), year(2025, "2,500")], limit=8)
    assert [one.path for one in folded.passages] == [
        "経費/出張旅費規程_2025年版.docx",
        "経費/出張旅費規程_2024年版.docx",
    ]
    assert [notice.code for notice in folded.notices] == ["newer_version_exists"]
    assert "2024年版" in folded.notices[0].message_ja
    assert [one.rank for one in folded.passages] == [1, 2]


def test_an_older_version_that_is_not_shown_is_not_spoken_of() -> None:
    folded = fold("国内出張の日当は?", [year(2025, "2,500"), year(2024, "2,000")], limit=1)
    assert [one.path for one in folded.passages] == ["経費/出張旅費規程_2025年版.docx"]
    assert folded.notices == ()


def test_a_question_that_names_the_older_version_gets_it_first() -> None:
    folded = fold("2024年版の日当は?", [year(2024, "2,000"), year(2025, "2,500")], limit=8)
    assert folded.passages[0].path.endswith("2024年版.docx")
    assert [notice.code for notice in folded.notices] == ["newer_version_exists"]


def test_era_years_are_compared_as_western_ones() -> None:
    old, new = (replace(year(1, "1"), path=f"規程_{name}.docx") for name in ("平成31年", "令和3年"))
    assert is_older(old, new)
    assert not is_older(new, old)


def test_documents_of_one_series_that_say_different_things_are_no_versions() -> None:
    march, april = (
        part("3月の議題は安全。", start=0, path="議事録_2025年3月.txt"),
        part("予算を決めた。", start=0, number=2, path="議事録_2025年4月.txt"),
    )
    folded = fold("議題は?", [march, april], limit=8)
    assert folded.notices == ()
    assert [one.path for one in folded.passages] == [march.path, april.path]


def test_a_copy_under_the_same_name_steps_behind_other_documents() -> None:
    original, copy = (
        part(POLICY.format("1"), start=0, number=n, path=path)
        for n, path in ((1, "経費/旅費規程.md"), (2, "控え/旅費規程_コピー.md"))
    )
    other = part("タクシーは承認を得る。", start=0, number=3, path="c.md")
    assert [one.path for one in fold("日当", [original, copy, other], limit=8).passages] == [
        original.path, "c.md", copy.path,
    ]  # fmt: skip


def test_equal_texts_of_documents_with_other_names_keep_their_places() -> None:
    one, other = (part(POLICY.format("1"), start=0, number=n, path=f"{n}号.md") for n in (1, 2))
    third = part("タクシーは承認を得る。", start=0, number=3, path="c.md")
    assert [each.path for each in fold("日当", [one, other, third], limit=8).passages] == ["1号.md", "2号.md", "c.md"]


def test_documents_take_turns_when_the_question_is_broad() -> None:
    texts = ("春の点検", "夏の掃除", "秋の訓練", "冬の休み", "朝の会議")
    long = [part(text, start=100 * n, number=n, path="a.md", score=0.9) for n, text in enumerate(texts, start=1)]
    others = [
        part(f"{name}の話題", start=0, number=10 + n, path=f"{name}.md", score=0.8) for n, name in enumerate("bcd")
    ]
    assert [one.path for one in fold("全部", [*long, *others], limit=6).passages] == [
        "a.md",
        "a.md",
        "b.md",
        "c.md",
        "d.md",
        "a.md",
    ]


def test_a_narrow_question_keeps_all_passages_of_its_document() -> None:
    long = [
        part(text, start=100 * n, number=n, path="a.md", score=0.9)
        for n, text in enumerate(("春", "夏", "秋"), start=1)
    ]
    others = [
        part(f"{name}の話題", start=0, number=10 + n, path=f"{name}.md", score=0.2) for n, name in enumerate("bcd")
    ]
    assert [one.path for one in fold("一つ", [*long, *others], limit=4).passages] == ["a.md", "a.md", "a.md", "b.md"]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("就業規則(旧).docx", "就業規則.docx"),
        ("就業規則_2015旧.docx", "就業規則.docx"),
        ("就業規則.docx", "就業規則_改訂版.docx"),
        ("leave_old.md", "leave_new.md"),
        ("旅費規程v1.9.docx", "旅費規程v1.10.docx"),
        ("旅費規程_v1.docx", "旅費規程_v2.docx"),
        ("旅費規程_R6.docx", "旅費規程_R7.docx"),
        ("旅費規程_H30.docx", "旅費規程_R2.docx"),
        ("旅費規程_第二版.docx", "旅費規程_第十版.docx"),
    ],
)
def test_the_name_says_which_version_is_older_whenever_the_files_were_changed(older: str, newer: str) -> None:
    old, new = (replace(part("文", start=0, path=path), modified_ns=at) for path, at in ((older, 2), (newer, 1)))

    assert is_older(old, new)
    assert not is_older(new, old)


@pytest.mark.parametrize(
    ("one", "other"), [("threshold.md", "thresh.md"), ("renewal.md", "real.md"), ("copyright.md", "right.md")]
)
def test_a_part_of_a_word_is_no_mark_of_a_version(one: str, other: str) -> None:
    first, second = (replace(part("文", start=0, path=path), modified_ns=at) for path, at in ((one, 1), (other, 2)))

    assert not is_older(first, second)
    assert not is_older(second, first)


def reports(*years: int) -> list[Passage]:
    text = (
        "売上報告 {0}年度 全社の売上高は{1}百万円、営業利益は{2}百万円であった。前年比{3}%。部門別では東日本が{4}百万円、"
        "西日本が{5}百万円である。海外は為替の影響を受けた。"
    )
    return [
        part(
            text.format(of, 1000 + of % 100 * 7, of % 97, 100 + of % 7, 500 + of % 50, 400 + of % 60),
            start=0,
            number=of,
            path=f"{of}年度_売上報告.xlsx",
            score=0.9,
        )
        for of in years
    ]


def others(count: int) -> list[Passage]:
    return [
        part(f"{chr(0x4E00 + 37 * n) * 9}の話", start=0, number=n, path=f"{chr(96 + n)}.md", score=0.3)
        for n in range(1, count + 1)
    ]


def versions(older: str, newer: str) -> list[Passage]:
    return [
        part(POLICY.format(allowance), start=0, number=n, path=path)
        for n, (path, allowance) in enumerate(((older, "2,000"), (newer, "2,500")), start=1)
    ]


def paths(question: str, passages: list[Passage], *, limit: int = 8) -> list[str]:
    return [one.path for one in fold(question, passages, limit=limit).passages]


@pytest.mark.parametrize(
    "question", ["過去3年の売上高の推移は?", "昨年度の売上高は?", "Compare the sales of the years."]
)
def test_nothing_steps_back_for_a_question_across_years_or_for_earlier_ones(question: str) -> None:
    found = [*reports(2023, 2025, 2024), *others(8)]

    assert paths(question, found) == [one.path for one in found[:8]]


def test_older_versions_keep_one_passage_each_at_the_end_of_a_full_list_and_their_notice() -> None:
    old = reports(2023)[0]
    further = replace(part("別の話。", start=900, number=9, path=old.path), heading_path=("付録",))
    folded = fold("売上高は?", [old, further, *reports(2025, 2024), *others(8)], limit=8)

    assert [one.path[:4] for one in folded.passages] == ["2023", "2025", "a.md", "b.md", "c.md", "d.md", "2023", "2024"]
    assert folded.passages[0].text == further.text, "what the newer one does not say stays where it was"
    assert [notice.code for notice in folded.notices] == ["newer_version_exists"] * 2


def test_older_versions_take_no_more_than_half_of_the_list() -> None:
    found = paths("売上高は?", [*reports(*range(2018, 2026)), *others(8)])

    assert found[:4] == ["2025年度_売上報告.xlsx", "a.md", "b.md", "c.md"]
    assert [path[:4] for path in found[4:]] == ["2018", "2019", "2020", "2021"]


def test_an_older_version_that_says_the_same_takes_no_place() -> None:
    old, new = (year(of, "2,000") for of in (2024, 2025))

    assert paths("日当は?", [old, new, *others(8)]) == [new.path, *(f"{letter}.md" for letter in "abcdefg")]


def test_an_older_version_that_would_not_have_been_listed_takes_no_place() -> None:
    found = paths("売上高は?", [*reports(2025), *others(8), *reports(2024)])

    assert found == ["2025年度_売上報告.xlsx", *(f"{letter}.md" for letter in "abcdefg")]


@pytest.mark.parametrize(
    ("question", "older", "newer"),
    [
        ("2024年度の日当は?", "規程_令和6年度.docx", "規程_令和7年度.docx"),
        ("令和6年度の日当は?", "規程_2024年度.docx", "規程_2025年度.docx"),
        ("旧規程での日当は?", "規程_旧.docx", "規程.docx"),
        ("改訂前の日当は?", "規程.docx", "規程_改訂版.docx"),
        ("v1の日当は?", "規程_v1.docx", "規程_v2.docx"),
    ],
)
def test_the_version_that_is_asked_for_stays_in_front_however_it_is_named(
    question: str, older: str, newer: str
) -> None:
    assert paths(question, versions(older, newer)) == [older, newer]


@pytest.mark.parametrize(
    ("question", "older", "newer"),
    [
        ("1日の日当は?", "規程_v1.docx", "規程_v2.docx"),
        ("6か月の日当は?", "規程_R6.docx", "規程_R7.docx"),
        ("v10の日当は?", "規程_v1.docx", "規程_v10.docx"),
    ],
)
def test_a_digit_of_the_question_keeps_no_older_version_in_front(question: str, older: str, newer: str) -> None:
    assert paths(question, versions(older, newer)) == [newer, older]


def test_the_newer_version_is_no_copy_of_the_one_that_is_asked_for() -> None:
    old, new = (
        part(POLICY.format("2,00" + last), start=0, number=n, path=f"規程_{2023 + n}.docx")
        for n, last in ((1, "0"), (2, "1"))
    )

    assert paths("2024年の日当は?", [old, new, *others(2)]) == [old.path, new.path, "a.md", "b.md"]


def test_of_copies_the_original_stays_and_no_newer_version_is_announced() -> None:
    names = ("規程 - コピー.docx", "規程.docx", "規程 (1).docx")
    found = [
        replace(part(POLICY.format("1"), start=0, number=n, path=path), modified_ns=10 - n)
        for n, path in enumerate(names, start=1)
    ]
    folded = fold("日当は?", [*found, *others(1)], limit=8)

    assert [one.path for one in folded.passages] == ["規程.docx", "a.md", "規程 - コピー.docx", "規程 (1).docx"]
    assert folded.notices == ()


def test_annexes_with_a_number_in_brackets_keep_their_places_unless_their_texts_are_equal() -> None:
    one, other = versions("別紙(1).docx", "別紙(2).docx")

    assert paths("日当は?", [one, other, *others(1)]) == [one.path, other.path, "a.md"]
    assert paths("日当は?", [one, replace(other, text=one.text), *others(1)]) == [one.path, "a.md", other.path]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MX-2040B_取扱説明書.pdf", "MX-2050B_取扱説明書.pdf"),
        ("請求書_100001.pdf", "請求書_100002.pdf"),
        ("仕様書_H100.pdf", "仕様書_H200.pdf"),
        ("議事録_240401.docx", "議事録_240508.docx"),
    ],
)
def test_documents_that_only_their_numbers_tell_apart_are_no_versions(one: str, other: str) -> None:
    folded = fold("日当は?", versions(one, other), limit=8)

    assert [found.path for found in folded.passages] == [one, other]
    assert folded.notices == ()
