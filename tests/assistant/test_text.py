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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("サーバー管理", "サーバ管理"),
        ("ﾌﾟﾘﾝﾀｰ", "プリンタ"),
        ("國會圖書館", "国会図書館"),
        ("髙橋", "高橋"),
        ("１，０００円", "1,000円"),
        ("Ｅ－１７", "E-17"),
    ],
)
def test_spellings_of_one_word_are_one_word_to_the_search(one: str, other: str) -> None:
    assert text.lexical_terms(one) == text.lexical_terms(other)


def test_a_long_vowel_that_is_half_a_word_stays() -> None:
    assert text.lexical_terms("キー") != text.lexical_terms("キ")


@pytest.mark.parametrize("era", ["令和8年", "令和八年", "令和 ８ 年"])
def test_an_era_year_and_its_western_year_find_each_other(era: str) -> None:
    assert set(text.lexical_terms("2026年", for_query=True)) <= set(text.lexical_terms(f"{era}4月1日"))
    assert "2026" in text.lexical_terms(f"{era}の改定", for_query=True)


@pytest.mark.parametrize(("era", "year"), [("令和元年", "2019"), ("平成三十一年", "2019"), ("昭和十年", "1935")])
def test_era_years_in_kanji_numerals_are_counted_right(era: str, year: str) -> None:
    assert year in text.lexical_terms(era)


def test_a_word_of_the_other_alphabet_counts_as_much_as_a_japanese_word() -> None:
    assert text.query_weight("untag") == 3 * text.query_weight("正式")
    assert text.query_weight("x") == 1.0


def test_old_forms_of_kanji_have_one_new_form_each() -> None:
    from assistant.kanji import with_new_forms

    assert with_new_forms("學校ト會社") == "学校ト会社"
    assert with_new_forms(with_new_forms("驛前")) == "駅前"


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


@pytest.mark.parametrize("invisible", ["\u2066", "\u061c", "\u034f", "\u3164", "\U000e0100", "\u200b"])
def test_what_shows_nothing_of_its_own_is_left_out_of_comparisons(invisible: str) -> None:
    assert text.lexical_terms(f"葛{invisible}城支店") == text.lexical_terms("葛城支店")


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


def test_words_of_a_japanese_question_are_told_apart_by_its_scripts_and_what_only_asks_is_left_out() -> None:
    assert text.spelled_words("日本共産党の委員長は誰?") == ["日本共産党", "委員長"]
    assert text.spelled_words("サーバーが落ちるのは何時ですか") == ["サーバ", "落"]
    assert text.spelled_words("VPN-200の上限は何台まで?") == ["上限", "台", "vpn-200", "vpn", "200"]
    assert text.spelled_words("正しいものを教えてください。") == []
    assert text.spelled_words("どうすればよいですか") == []


@pytest.mark.parametrize(
    ("whole", "sentences"),
    [
        ("これは文である．次も文である．値は3．5とする．", ["これは文である．", "次も文である．", "値は3．5とする．"]),
        ("申請する｡次に進む｡", ["申請する｡", "次に進む｡"]),
        ("締切は、従来の月末から\n翌月5営業日までに変わる。", ["締切は、従来の月末から\n翌月5営業日までに変わる。"]),
        ("経費の\n・交通費\n第5条による", ["経費の", "・交通費", "第5条による"]),
        ("https://intra.example.com/doc?id=12 にあります。", ["https://intra.example.com/doc?id=12 にあります。"]),
        ("え！？本当に!! Is it ok?! Yes.", ["え！？", "本当に!!", "Is it ok?!", "Yes."]),
        ("VPNとは?社内網です。", ["VPNとは?", "社内網です。"]),
    ],
)
def test_a_sentence_ends_where_people_end_it(whole: str, sentences: list[str]) -> None:
    assert [whole[start:end] for start, end in text.sentence_spans(whole)] == sentences


@pytest.mark.parametrize(
    "sentence",
    ["The office is closed from Dec. 29 to Jan. 3 [1].", "Contact Mr. J. Smith at ext. 33 [1].", "It is due Fri. Oct. 9 [1].",
     "It was agreed with ABC Co., Ltd. Tokyo branch.", "Its U.S. Headquarters moved.", "See vol. 7, pp. 88-91 [1].", "Ask Dept. Sales.",
     "1. Download the client [1].", "  12. Restart it.", "**2. Run** it.", "(3. Stop it.", "A. Open the portal."],
)  # fmt: skip
def test_an_abbreviation_and_the_number_of_a_list_end_no_sentence(sentence: str) -> None:
    assert [sentence[a:b] for a, b in text.sentence_spans(sentence)] == [sentence.strip()]


@pytest.mark.parametrize(
    ("first", "second"),
    [("It is closed in Dec.", "The office opens at 9."), ("We work for Sample Inc.", "It is new."), ("It takes 5 min.", "3 people wait."),
     ("It was sold in the U.S.", "The price was low."), ("See Appendix B.", "Submit the form."), ("The shop is shut on Sun.", "Monday is fine."),
     ("Open room 12.", "Lock it.")],
)  # fmt: skip
def test_a_sentence_may_end_in_an_abbreviation_or_a_number(first: str, second: str) -> None:
    whole = f"{first} {second}"
    assert [whole[a:b] for a, b in text.sentence_spans(whole)] == [first, second]
