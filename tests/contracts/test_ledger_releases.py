"""What the ledger promises about releases: one answers, of two who change it at once one is told, all of it is told later."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from assistant.adapters.ledger import Ledger
from assistant.audit import Act
from assistant.domain import Principal
from assistant.errors import NotFound, ReleaseConflict
from assistant.releases import Content, ReleaseAct, ReleaseState, Standing, Tuning
from tests.api.canned import ANSWER, CITATION

FIRST = Content("FROM m\nPARAMETER num_ctx 4096\n")
SECOND = Content("FROM m\nPARAMETER num_ctx 2048\n")
THIRD = Content(SECOND.modelfile, Tuning(passages=3))


def drafted(ledger: Ledger, *contents: Content) -> list[str]:
    """The ids of drafts of these contents."""
    return [ledger.save_draft(content, by="chie", details={}).release_id for content in contents]


def test_the_same_content_is_one_release_and_another_tuning_is_another(ledger: Ledger) -> None:
    first, again, second, third = drafted(ledger, FIRST, FIRST, SECOND, THIRD)
    assert first == again
    assert len({first, second, third}) == 3
    assert ledger.release(third).content == THIRD
    assert ledger.release(first[:10]).release_id == first
    with pytest.raises(NotFound):
        ledger.release("r_")


def test_before_the_first_release_nothing_stands_and_what_answered_can_be_adopted_once(ledger: Ledger) -> None:
    assert ledger.standing() == Standing()
    standing = ledger.adopt(FIRST, model="m:r_1", digest="d", by="chie")
    assert (standing.revision, standing.release_id) == (1, FIRST.release_id)
    assert ledger.adopt(SECOND, model="m:r_2", digest="e", by="chie") == standing
    assert ledger.release(FIRST.release_id).model == "m:r_1"


def test_a_move_keeps_the_former_one_to_go_back_to(ledger: Ledger) -> None:
    ledger.adopt(FIRST, model="m", digest="d", by="chie")
    (second,) = drafted(ledger, SECOND)
    moved = ledger.move(second, revision=1, act=ReleaseAct.PUBLISHED, by="chie", why="shorter")
    assert (moved.revision, moved.release_id, moved.former_id) == (2, second, FIRST.release_id)
    assert ledger.release(second).state == ReleaseState.PUBLISHED
    assert ledger.release(FIRST.release_id).state == ReleaseState.PREVIOUS
    back = ledger.move(FIRST.release_id, revision=2, act=ReleaseAct.ROLLED_BACK, by="aiko")
    assert (back.release_id, back.former_id) == (FIRST.release_id, second)
    told = [(event.actor, event.act, event.why) for event in ledger.release_events(limit=2)]
    assert told == [("aiko", ReleaseAct.ROLLED_BACK, ""), ("chie", ReleaseAct.PUBLISHED, "shorter")]
    assert len(list(ledger.audit_entries(act=Act.RELEASE_CHANGED))) == 4


def test_of_two_who_move_at_once_one_wins_and_one_is_told_by_whom(ledger: Ledger) -> None:
    ledger.adopt(FIRST, model="m", digest="d", by="chie")
    drafts = drafted(ledger, SECOND, THIRD)

    def move(release_id: str) -> str:
        try:
            ledger.move(release_id, revision=1, act=ReleaseAct.PUBLISHED, by=f"by-{release_id}")
        except ReleaseConflict as error:
            return error.message.en
        return ""

    with ThreadPoolExecutor(2) as pool:
        told = dict(zip(drafts, pool.map(move, drafts), strict=True))
    (won,) = [release_id for release_id, words in told.items() if not words]
    (lost,) = [words for words in told.values() if words]
    assert ledger.standing().release_id == won
    assert f"by-{won}" in lost


def test_a_canary_gets_its_share_of_the_conversations_and_each_keeps_its_release(ledger: Ledger) -> None:
    ledger.adopt(FIRST, model="m", digest="d", by="chie")
    (second,) = drafted(ledger, SECOND)
    standing = ledger.set_canary(second, 25, revision=1, by="chie")
    chosen = [standing.of_conversation(f"c_{number}") for number in range(2000)]
    assert chosen == [ledger.standing().of_conversation(f"c_{number}") for number in range(2000)]
    assert 400 < chosen.count(second) < 600
    ended = ledger.set_canary(None, 0, revision=2, by="chie")
    assert {ended.of_conversation(f"c_{number}") for number in range(50)} == {FIRST.release_id}
    with pytest.raises(ReleaseConflict):
        ledger.set_canary(second, 50, revision=2, by="chie")


def test_how_answers_went_is_counted_by_release_without_those_of_evaluations(ledger: Ledger) -> None:
    ben = Principal("ben")
    for number, (release_id, principal) in enumerate(
        [("r_a", ben), ("r_a", ben), ("r_b", ben), ("r_b", Principal("evaluation"))]
    ):
        answer = replace(
            ANSWER,
            answer_id=f"a_{number}",
            conversation_id=f"c_{number}",
            release_id=release_id,
            citations=(CITATION,) if number == 0 else (),
            refused=number == 1,
        )
        ledger.save_answer(answer, question=f"問い {number}", principal=principal)
    first, second, none = ledger.uses_since("2026", ["r_a", "r_b", "r_c"])
    assert (first.answers, first.refused, first.citations, first.mean_seconds) == (2, 1, 1, 0.5)
    assert (second.answers, none.answers, none.mean_seconds) == (1, 0, None)
    assert {text for text, _ in ledger.asked_lately(limit=9)} == {"問い 0", "問い 1", "問い 2"}


def test_a_person_who_is_erased_is_no_longer_named_by_the_history(ledger: Ledger) -> None:
    (draft,) = drafted(ledger, FIRST)
    ledger.erase_user("chie")
    assert ledger.release(draft).created_by.startswith("erased-")
    assert ledger.release_events(draft)[0].actor == ledger.release(draft).created_by


def test_a_comparison_leaves_no_answer_behind(ledger: Ledger) -> None:
    ledger.without_saving().save_answer(ANSWER, question="問い", principal=Principal("evaluation"))
    assert ledger.uses_since("2026", ["r_1"])[0].answers == 0
    assert ledger.standing() == ledger.without_saving().standing()
