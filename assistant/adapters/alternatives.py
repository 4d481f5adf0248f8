"""The likeliest tokens of a place, as Ollama and OpenAI's protocol tell them: a list of entries, each with `top_logprobs`.

    [{"token": "Yes", "logprob": -0.2, "top_logprobs": [{"token": "Yes", "logprob": -0.2}, …]}, …] -> {"Yes": 0.82, …}

Ollama has told them since 0.12.11; an older one, and many other servers, leave them out, which is no error.
"""

from __future__ import annotations

import math
from typing import Any


def alternatives_of(entries: Any) -> dict[str, float]:
    """Chances, 0 to 1, of the likeliest tokens in the place of the first entry; empty for anything that is not such a list.

    Raises ValueError, TypeError, KeyError, AttributeError for a list of something else: not the protocol.
    """
    if not entries:
        return {}
    chances: dict[str, float] = {}
    for each in entries[0].get("top_logprobs") or ():
        chances[str(each["token"])] = math.exp(min(0.0, float(each["logprob"])))
    return chances
