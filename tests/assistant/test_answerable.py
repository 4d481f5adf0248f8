"""How much a model doubts that the passages say it, read from what servers really tell."""

from __future__ import annotations

import pytest

from assistant.adapters.alternatives import alternatives_of
from assistant.answerable import chance_of_no

TOLD = [
    {
        "token": "Yes",
        "logprob": -0.7,
        "top_logprobs": [{"token": "Yes", "logprob": -0.7}, {"token": "No", "logprob": -1.1}],
    }
]
"""The form of both protocols: Ollama 0.17.7 `/api/chat`, and `choices[].logprobs.content` of OpenAI's."""


def test_chances_are_those_of_the_first_place() -> None:
    assert alternatives_of(TOLD + TOLD) == {
        "Yes": pytest.approx(0.4966, abs=1e-4),
        "No": pytest.approx(0.3329, abs=1e-4),
    }


@pytest.mark.parametrize("untold", [None, [], [{"token": "Yes", "logprob": -0.7}], [{"top_logprobs": None}]])
def test_a_server_that_tells_no_chances_is_no_error(untold: object) -> None:
    assert alternatives_of(untold) == {}


@pytest.mark.parametrize(
    "broken", [["Yes"], [{"top_logprobs": [{"logprob": -1}]}], [{"top_logprobs": [{"token": "a"}]}], 5]
)
def test_another_form_is_an_error_of_the_protocol(broken: object) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        alternatives_of(broken)


@pytest.mark.parametrize(
    ("alternatives", "doubt"),
    [
        ({"Yes": 0.6, "No": 0.2, "The": 0.2}, 0.25),
        ({" yes": 0.3, "YES": 0.3, "no": 0.2, "N": 0.2}, 0.4),
        ({"「": 0.4, "「はい": 0.1, "い": 0.3}, 0.75),
        ({"Not": 0.5, "None": 0.1, "Yesterday": 0.1, "Yes": 0.3}, 0.0),
        ({"The": 0.9}, None),
        ({}, None),
    ],
)
def test_the_doubt_is_the_share_of_no_among_the_two_words(alternatives: dict[str, float], doubt: float | None) -> None:
    assert chance_of_no(alternatives) == (None if doubt is None else pytest.approx(doubt))
