"""Probe questions: made of the document's own words, always the same, and never a whole sentence."""

from __future__ import annotations

import unicodedata

import pytest

from ingest.probe import Around, make_probes, weighed

LEAVE = (("第5条 申請",), "有給休暇は取得日の3営業日前までに申請する。申請はNagiFlowの申請画面から行う。")
TRAVEL = (("第8条 宿泊費",), "宿泊費は一泊12,000円を上限とし、大阪市と京都市では15,000円までとする。")


def test_the_two_questions_come_from_different_chunks_and_say_the_title_and_the_heading() -> None:
    first, second = make_probes("就業規則", [LEAVE, TRAVEL])
    assert first.question.startswith("就業規則 ")
    assert {first.language, second.language} == {"ja"}
    said = [first.question, second.question]
    assert sum("宿泊費" in question or "大阪市" in question for question in said) == 1
    assert sum("営業日前" in question or "NagiFlow" in question for question in said) == 1


def test_the_same_document_gives_the_same_questions() -> None:
    assert make_probes("就業規則", [LEAVE, TRAVEL]) == make_probes("就業規則", [LEAVE, TRAVEL])


def test_every_word_of_a_question_is_a_word_of_the_document() -> None:
    words = unicodedata.normalize("NFKC", "就業規則" + "".join("".join(h) + text for h, text in (LEAVE, TRAVEL)))
    for probe in make_probes("就業規則", [LEAVE, TRAVEL]):
        assert all(word in words for word in probe.question.split())


def test_a_question_is_not_a_sentence_of_the_document() -> None:
    for probe in make_probes("就業規則", [LEAVE, TRAVEL]):
        assert all(probe.question not in text for _, text in (LEAVE, TRAVEL))


def test_a_word_that_every_chunk_holds_gives_way_to_one_that_few_hold() -> None:
    chunks = [((), f"株式会社汐凪精機 管理番号 {code} 検査済") for code in ("ZK-4411", "QX-9027", "PB-3308")]
    questions = " ".join(probe.question for probe in make_probes("台帳", chunks))
    assert sum(code in questions for code in ("ZK-4411", "QX-9027", "PB-3308")) == 2


def test_one_sentence_gives_two_different_questions() -> None:
    first, second = make_probes("休暇", [((), "有給休暇は取得日の三営業日前までに所属長へ申請する。")])
    assert set(first.question.split()[1:]).isdisjoint(second.question.split()[1:])


@pytest.mark.parametrize("text", ["1 2 3 4", "the of and", "です。ます。"])
def test_a_text_that_says_nothing_still_gets_a_question(text: str) -> None:
    assert make_probes("", [((), text)])


def test_a_text_without_words_gets_no_question() -> None:
    assert make_probes("題名", [((), "…… ――")]) == []


def test_english_text_is_asked_for_in_english() -> None:
    probes = make_probes("VPN Guide", [(("Tokens",), "Every traveller collects a hardware token from the helpdesk.")])
    assert {probe.language for probe in probes} == {"en"}
    assert "hardware" in " ".join(probe.question for probe in probes)


def test_a_long_title_is_not_cut_inside_a_word() -> None:
    title = "Welcome to Shionagi Seiki, the precision company"
    probe = make_probes(title, [((), "Lockers are assigned by reception.")])[0]
    assert probe.question.startswith("Welcome to Shionagi Lockers")


def test_a_long_row_that_is_cut_inside_a_word_gives_a_question() -> None:
    row = "x " * 197 + "refurbishment-allowance of the department"
    (probe, *_) = make_probes("Budget", [((), row)])
    assert probe.question.startswith("Budget")


def test_what_only_addresses_say_is_not_asked_for() -> None:
    text = (
        "The [intake form](https://forms.example/d/1FAIpQLSdqd-GVxwJAGq) goes to intake@example.com, "
        "see https://docs.example/yLdGRUkp for purchases of laboratory equipment."
    )
    questions = " ".join(probe.question for probe in make_probes("Purchases", [((), text)]))
    assert "laboratory" in questions
    assert not any(part in questions for part in ("FAIp", "yLdG", "example", "intake@"))


ARTICLE = [
    (("Issue",), "The storefront shows a blank page after the Klarna extension was switched on."),
    (("Related reading",), "Adobe Commerce Implementation Playbook: practices for modifying database tables."),
    (("Solution",), "Adobe Commerce support advises to clear the Varnish cache and to switch the extension off."),
]
SHARED = "Issue,Solution,Related reading,Adobe,Commerce,Implementation,Playbook,practices,modifying,database,tables"


def among_articles(texts: list[tuple[tuple[str, ...], str]]) -> Around:
    """As if 400 other articles said what all of them say, and two more what this one says."""
    shared = set(SHARED.split(","))
    return Around(2_000, {text: 400 if text in shared else 3 for text in weighed("Blank page", texts)}, len(texts))


def test_what_every_document_says_is_not_asked_for_and_a_heading_of_theirs_does_not_lead() -> None:
    alone = [probe.question for probe in make_probes("Blank page", ARTICLE)]
    assert any("Playbook" in question for question in alone)
    first, second = (probe.question for probe in make_probes("Blank page", ARTICLE, among_articles(ARTICLE)))
    assert first.startswith("Blank page ")
    assert second.startswith("Blank page ")
    assert "Klarna" in first + second
    assert "Varnish" in first + second
    assert not any(word in first + second for word in ("Adobe", "Playbook", "Related", "Solution"))


def test_the_nearest_heading_that_few_others_have_leads_the_second_question() -> None:
    upgraded = ((), "Safari stays blank after Webpack was upgraded beside Homebrew.")
    texts = [upgraded, (("Klarna refunds", "Solution"), "Clear the Varnish cache.")]
    _, second = make_probes("Blank page", texts, among_articles(texts))
    assert second.question.startswith("Klarna refunds ")


def test_a_word_that_only_its_own_document_repeats_is_as_rare_as_one_that_it_says_once() -> None:
    texts = [((), f"Nagiflow {word} is explained here.") for word in ("invoice", "holiday", "laptop", "parking")]
    around = Around(1_000, {text: {"Nagiflow": 4}.get(text, 250) for text in weighed("Manual", texts)}, 4)
    assert all("Nagiflow" in probe.question for probe in make_probes("Manual", texts, around))
