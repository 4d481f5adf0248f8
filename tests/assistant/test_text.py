from __future__ import annotations

import pytest

from assistant import text


def test_full_width_and_half_width_spellings_give_the_same_terms() -> None:
    assert text.lexical_terms("ＶＰＮ接続 ﾊﾟｽﾜｰﾄﾞ") == text.lexical_terms("VPN接続 パスワード")


def test_radicals_that_fonts_of_pdfs_leave_behind_are_searched_as_the_characters_meant() -> None:
    assert text.lexical_terms("⼈事部⻑ ⻄⽇本 ⻘⾊") == text.lexical_terms("人事部長 西日本 青色")
    assert text.with_ideographs("⼈事部⻑、ＡＢＣ ｶﾅ①㈱") == "人事部長、ＡＢＣ ｶﾅ①㈱", (
        "widths stay as they were written"
    )


def test_japanese_is_searched_by_character_pairs_and_english_by_words() -> None:
    assert text.lexical_terms("経費精算 travel expenses") == ["経費", "費精", "精算", "travel", "expense"]


def test_a_part_number_is_kept_whole_beside_its_parts() -> None:
    assert text.lexical_terms("MX-2040B") == ["mx-2040b", "mx", "2040b"]


def test_an_era_year_also_finds_its_western_year() -> None:
    assert "2026" in text.lexical_terms("令和8年")
    assert "2019" in text.lexical_terms("令和元年")


def test_a_question_is_searched_without_words_that_match_everything() -> None:
    assert text.lexical_terms("What is the VPN?", for_query=True) == ["vpn"]
    assert "です" not in text.lexical_terms("期限です", for_query=True)


def test_a_question_of_small_words_alone_still_has_terms() -> None:
    assert text.lexical_terms("what is it", for_query=True) == ["what", "is", "it"]


@pytest.mark.parametrize(
    ("question", "language"),
    [("有給休暇はいつまで?", "ja"), ("How do I use VPN?", "en"), ("VPN接続の手順", "ja"), ("12345", "en")],
)
def test_the_answer_language_follows_the_letters_of_the_question(question: str, language: str) -> None:
    assert text.language_of(question) == language


def test_sentences_end_at_japanese_and_english_marks_and_at_line_ends() -> None:
    source = "第1条 適用。次の項目!Is it ok? Yes. New\n最後"
    assert [source[a:b] for a, b in text.sentence_spans(source)] == [
        "第1条 適用。", "次の項目!", "Is it ok?", "Yes.", "New", "最後",
    ]  # fmt: skip


def test_invisible_characters_do_not_hide_a_word() -> None:
    assert text.normalise("秘\u200b密\ufeff") == "秘密"


@pytest.mark.parametrize("unreadable", ["", "  ", "🎉🎉", "???", "\x00\x01"])
def test_text_without_letters_or_digits_is_unreadable(unreadable: str) -> None:
    assert not text.is_readable(unreadable)


def test_overlap_is_the_share_of_one_text_found_in_another() -> None:
    assert text.overlap("三営業日前", "取得日の三営業日前まで") == 1.0
    assert text.overlap("三営業日前", "経費精算") == 0.0


def test_full_width_marks_end_sentences_too() -> None:
    source = "急げ！本当？はい。"
    assert [source[a:b] for a, b in text.sentence_spans(source)] == ["急げ！", "本当？", "はい。"]


def test_a_wrapped_line_does_not_end_a_sentence_but_a_blank_line_does() -> None:
    source = "Once you have your card,\nset up the computer.\n\n- first item\n- Second item"
    assert [source[a:b] for a, b in text.sentence_spans(source)] == [
        "Once you have your card,\nset up the computer.",
        "- first item",
        "- Second item",
    ]
