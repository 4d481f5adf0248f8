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
