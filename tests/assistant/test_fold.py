"""What stands in one list of passages: neighbours together, newest first, documents in turns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.domain import Passage
from assistant.fold import fold, is_older, put_together
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
