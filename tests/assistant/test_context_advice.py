"""The window that questions need, by the prompts that were sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from assistant.__main__ import app
from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger import schema as s
from assistant.release.catalogue import catalogue
from assistant.release.context_advice import ContextAdvice, Window, advise_context, context_lines

DAY = "2026-01-01T00:00:00.000Z"
LLAMA = catalogue()["llama3.1:8b-instruct-q4_K_M"]


def advice(prompts: list[int], *, num_ctx: int = 8192) -> ContextAdvice:
    room = num_ctx - 768
    return advise_context(prompts, num_ctx=num_ctx, num_predict=768, room_tokens=room, model=LLAMA, kv_type="f16")


def test_a_window_that_most_questions_do_not_need_is_shortened_and_the_saving_told() -> None:
    found = advice([2000] * 90 + [5132] * 6 + [6900] * 4)
    assert (found.advice, found.needed_tokens, found.proposed_num_ctx) == (Window.SHORTEN, 5900, 6144)
    assert found.saved_bytes == 2048 * 128 * 1024
    told = "\n".join(context_lines(found, "en"))
    assert "95 % of 100 questions need 5,900 tokens" in told
    assert "num_ctx 8,192 → 6,144 saves 0.25 GiB a slot" in told


def test_a_window_that_is_full_is_lengthened_although_most_fit() -> None:
    found = advice([2000] * 90 + [7300] * 10)
    assert (found.advice, found.proposed_num_ctx) == (Window.LENGTHEN, 12288)
    assert found.saved_bytes < 0
    assert "10% of the questions fill the window" in "\n".join(context_lines(found, "en"))


def test_a_window_that_is_right_is_kept() -> None:
    assert advice([6800] * 100).advice is Window.KEEP


@pytest.mark.parametrize("count", [0, 49])
def test_few_questions_give_no_advice(count: int) -> None:
    found = advice([100] * count)
    assert (found.advice, found.saved_bytes) == (Window.UNKNOWN, 0)
    assert "50" in "\n".join(context_lines(found, "ja"))


def test_prompts_are_those_of_people_that_a_model_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_DATA_FOLDER", str(tmp_path))
    monkeypatch.setenv("ASSISTANT_OLLAMA_URL", "http://127.0.0.1:9")
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    rows = [("ben", "generated", 1000)] * 60 + [("evaluation", "generated", 9), ("measuring-03", "generated", 9)]
    rows += [("ben", "quotes", 9), ("ben", "generated", 0)]
    with ledger._writing() as connection:
        connection.execute(
            insert(s.conversations),
            {"conversation_id": "c", "principal": "ben", "title": "t", "created_at": DAY, "updated_at": DAY},
        )
        connection.execute(insert(s.answers), [_answer(number, *row) for number, row in enumerate(rows)])
    assert ledger.prompt_sizes(since="2000-01-01", limit=1000) == [1000] * 60
    done = CliRunner().invoke(app, ["capacity", "advise", "--days", "9000", "--json", "--model", LLAMA.name])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["needed_tokens"] == 1768


def _answer(number: int, principal: str, mode: str, tokens: int) -> dict[str, object]:
    empty = {"question": "q", "text": "t", "language": "ja", "release_id": "r", "model": "m", "notices": []}
    return {
        **empty,
        "answer_id": f"a{number}",
        "conversation_id": "c",
        "principal": principal,
        "mode": mode,
        "refused": False,
        "prompt_tokens": tokens,
        "total_seconds": 1.0,
        "created_at": DAY,
    }
