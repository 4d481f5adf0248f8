"""What a text says in another way is found in it, and what it does not say is not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from assistant import text
from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.kanji import with_new_forms
from assistant.spellings import guessed_terms, index_terms, question_terms
from assistant.ties import before_tie, best_first, through_tie
from tests.assistant.passages import passage


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("齋藤", "斉藤"),
        ("斎藤", "斉藤"),
        ("渡邊", "渡辺"),
        ("𠮷田", "吉田"),
        ("葛󠄀城と辻󠄁", "葛城と辻"),
        ("塡補、剝離、頰", "填補、剥離、頬"),
        ("佐々木", "佐佐木"),
        ("みすゞ", "みすず"),
        ("サ−バ", "サーバー"),
        ("サ―バ―", "サーバー"),
        ("サ一バー", "サーバー"),
        ("ﾔﾏﾀﾞｼﾖｳｼﾞ", "ヤマダショウジ"),
        ("カ゛イト゛", "ガイド"),
        ("サーヴィス", "サービス"),
        ("ウィルス", "ウイルス"),
        ("1ヶ月、三ヵ所", "1か月、三か所"),
        ("霞ヶ関", "霞が関"),
        ("就　業　規　則", "就業規則"),
        ("承\u2060認\x00番号", "承認番号"),
        ("café Müller", "cafe Muller"),
        ("Łódź, Ørsted, Æsir, œuvre, Þór", "Lodz, Orsted, Aesir, oeuvre, Thor"),
        ("〆切", "締切"),
        (
            "凜、內規、產業、戶籍、黃色、納稅、說明、步道、敎育、調查、絕縁、脫退",
            "凛、内規、産業、戸籍、黄色、納税、説明、歩道、教育、調査、絶縁、脱退",
        ),
        ("聯絡、附則、廻送、禀議", "連絡、付則、回送、稟議"),
        ("プラン一ヶ月、リース一カ月分", "プラン一か月、リース一か月分"),
    ],
)
def test_forms_of_one_word_are_one_word_to_the_search(one: str, other: str) -> None:
    assert set(text.lexical_terms(one)) == set(text.lexical_terms(other))


@pytest.mark.parametrize(
    ("written", "asked", "by"),
    [
        ("第十二条を準用する", "第12条", "12"),
        ("第12条を準用する", "第十二条", "12"),
        ("三十日以内", "30日以内", "30"),
        ("上限は2,000円", "上限は2000円", "2000"),
        ("上限は二千円", "上限は2,000円", "2000"),
        ("1万2千円", "12,000円", "12000"),
        ("2026年4月1日", "2026/04/01", "20260401"),
        ("令和八年四月一日施行", "April 1, 2026", "20260401"),
        ("R8.4.1", "2026年4月1日", "20260401"),
        ("H31.4.30", "平成31年4月30日", "20190430"),
        ("1 April 2026", "2026-4-1", "20260401"),
        ("due on May 3rd", "5月3日", "5/3"),
        ("S60年", "1985年", "1985"),
        ("取り扱い", "取扱", "取扱"),
        ("申込書", "申し込み", "申込"),
        ("鍵を貸す", "鍵", "鍵"),
        ("鍵の貸し出し", "鍵はどこですか", "鍵"),
        ("AB-1234", "AB1234", "ab1234"),
        ("WiFi", "Wi-Fi", "wifi"),
        ("E－１７", "E17", "e17"),
        ("email", "e-mail", "email"),
        ("03-1234-5678", "0312345678", "0312345678"),
        ("policies", "policy", "policy"),
        ("box", "boxes", "box"),
        ("getUserName", "user name", "user"),
        ("get_user_name", "getUserName", "getusername"),
        ("ver.2.1", "v2.1", "2.1"),
        ("C#", "C#の規約", "c#"),
        ("E-mails are kept", "email", "email"),
        ("Co-workers may swap", "coworkers", "coworker"),
        ("PCs and IDs", "PCの交換", "pc"),
        ("ID", "IDs", "id"),
        ("Bonuses are paid", "bonus", "bonu"),
        ("the status", "statuses", "statu"),
        ("two buses", "bus", "bus"),
        ("容量は10 GBまで", "10GB", "10gb"),
        ("重さ5kg", "5 kg", "5kg"),
        ("2.4 GHz", "2.4GHz帯", "2.4ghz"),
        ("1,500 kW", "1500kW", "1500kw"),
        ("open from 9 a.m.", "9am", "9am"),
        ("9am", "9 am", "9am"),
        ("U.S. visas", "US", "us"),
        ("PhD", "Ph.D.", "phd"),
        ("Ver.2の変更", "v2", "v2"),
        ("v3", "バージョン3", "v3"),
        ("FY2024の予算", "2024年度", "2024"),
        ("2024年度", "FY24", "2024"),
        ("2024-04-01", "4月1日", "4/1"),
        ("2024/04/01", "4月1日", "4/1"),
        ("上限は1.5万円", "15,000円", "15000"),
        ("120,000,000円", "1.2億円", "120000000"),
        ("コード 0x80070005", "80070005", "80070005"),
        ("Node.js", "nodejs", "nodej"),
    ],
)
def test_what_is_written_in_another_way_shares_a_term_that_tells(written: str, asked: str, by: str) -> None:
    assert by in index_terms(written)
    assert by in question_terms(asked)


@pytest.mark.parametrize(
    ("plain", "unsaid"),
    [
        ("一般の統一見解", "1"),
        ("第三者", "3"),
        ("2026/13/45", "20261345"),
        ("2026/13/45", "13/45"),
        ("1-2", "12"),
        ("私に行く", "私行"),
        ("1.5万円", "50000"),
        ("1.5 GB", "5gb"),
        ("10.0.0.5 GB", "5gb"),
        ("MX5 MBA", "5mb"),
        ("houses", "hou"),
        ("IISs", "ii"),
        ("0x80", "80"),
    ],
)
def test_what_only_looks_like_a_figure_or_a_word_is_none(plain: str, unsaid: str) -> None:
    assert unsaid not in index_terms(plain)


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "万円",
        "億万千百十円",
        "一" * 20_000,
        "1" * 20_000 + "万円",
        "1一" * 10_000 + "円",
        "aB" * 5_000 + "_",
        "-".join("ab" for _ in range(5_000)),
        "々ゝ",
        "\u3099",
        "1." * 10_000 + "万円",
        "1,000," * 3_000 + " GB",
        "a." * 10_000,
        "v1." * 7_000,
    ],
)
def test_no_text_is_too_odd_for_other_spellings(odd: str) -> None:
    assert isinstance(index_terms(odd), list)
    assert isinstance(question_terms(odd), list)
    assert isinstance(guessed_terms(odd), dict)


def test_every_form_of_a_kanji_leads_to_one_that_stays() -> None:
    for old in "齋斎邊邉嶌髙𠮷國曻":
        assert with_new_forms(with_new_forms(old)) == with_new_forms(old) != old


def test_two_words_of_a_question_are_also_looked_for_as_one_and_a_word_with_a_number_as_two(tmp_path: Path) -> None:
    index = TantivyLexicalIndex(tmp_path)
    entries = [
        ("login", "", "Your login expires"),
        ("windows", "", "Windows 11 の更新"),
        ("other", "", "The log of the day"),
    ]
    index.write("i", add=entries, delete=())

    def found(question: str) -> list[str]:
        return [chunk_id for chunk_id, _ in asyncio.run(index.search("i", question, limit=3))]

    assert found("How do I log in?")[0] == "login"
    assert found("Windows11") == ["windows"]


def test_equal_passages_come_in_the_order_of_their_places_whatever_order_they_came_in() -> None:
    equals = [passage("同じ文", number=number) for number in (3, 1, 2)]
    scored = [replace(one, score=0.5 + 1e-7 * n) for n, one in enumerate(equals)]
    best = replace(passage("別の文", number=9), score=0.9)

    assert [one.ordinal for one in best_first([*scored, best])] == [9, 1, 2, 3]
    assert best_first([best, *reversed(scored)]) == best_first([*scored, best])


def test_a_cut_never_goes_through_equals() -> None:
    hits = [("a", 3.0), ("b", 2.0), ("c", 2.0 - 1e-7), ("d", 1.0)]

    assert through_tie(hits, 2) == hits[:3]
    assert before_tie(hits[:3], 2) == hits[:1]
    assert before_tie(hits, 3) == hits[:3]
