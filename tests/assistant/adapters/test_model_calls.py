"""What the log says of a call of the model, and what it never says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

import pytest
from structlog.testing import capture_logs

from assistant.adapters.fake import FakeChatModel
from assistant.adapters.model_calls import RecordedChatModel
from assistant.domain import ModelEnd, ModelToken
from assistant.errors import ModelUnavailable, Text

PROMPT = "secret-words-of-a-question"


class Failing(FakeChatModel):
    """A model that is away."""

    async def stream(
        self, prompt: str, *, num_predict: int, alternatives: int = 0
    ) -> AsyncGenerator[ModelToken | ModelEnd, None]:
        """One piece, then nothing."""
        yield ModelToken(prompt)
        raise ModelUnavailable(Text("ja", "en"), Text("ja", "en"))


async def call(model: RecordedChatModel, *, pieces: int = 10_000) -> None:
    """Reads so many pieces, then leaves."""
    async with aclosing(model.stream(PROMPT, num_predict=32)) as answer:
        async for _ in answer:
            pieces -= 1
            if pieces == 0:
                return


def logged(model: FakeChatModel, **how: Any) -> dict[str, Any]:
    """The one line of one call."""
    with capture_logs() as logs, suppress(ModelUnavailable):
        asyncio.run(call(RecordedChatModel(model), **how))
    (line,) = logs
    return dict(line)


@pytest.mark.parametrize(
    ("model", "how", "outcome"),
    [
        (FakeChatModel(name="m"), {}, "answered"),
        (FakeChatModel(name="m"), {"pieces": 1}, "left"),
        (Failing(name="m"), {}, "model_unavailable"),
    ],
)
def test_a_call_is_one_line_with_its_outcome_and_without_a_word_of_it(
    model: FakeChatModel, how: dict[str, int], outcome: str
) -> None:
    line = logged(model, **how)
    assert (line["event"], line["model"], line["outcome"]) == ("model_call", "m", outcome)
    assert line["seconds"] >= line["first_token_seconds"] >= 0
    assert line["pieces"] > 0
    assert PROMPT not in str(line)
