"""How large a body may be. (How many questions at once: assistant/admission.py.)"""

from __future__ import annotations

from collections import deque

from starlette.types import Message, Receive

from api.errors import BodyTooLarge
from assistant.errors import Text

BODY_LIMIT_BYTES = 1_000_000
"""No JSON body of this API needs more; a question has at most some thousand characters."""


async def read_body(receive: Receive, *, declared_bytes: int | None) -> list[Message] | None:
    """The messages of the whole body, or None when the caller left.

    Raises BodyTooLarge above BODY_LIMIT_BYTES, before reading when the length is declared.
    """
    if declared_bytes is not None and declared_bytes > BODY_LIMIT_BYTES:
        raise _body_too_large()
    messages: list[Message] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        messages.append(message)
        size_bytes += len(message.get("body", b""))
        if size_bytes > BODY_LIMIT_BYTES:
            raise _body_too_large()
        if not message.get("more_body", False):
            return messages


def replaying(messages: list[Message], receive: Receive) -> Receive:
    """A receive that gives `messages` again and then goes on with `receive`."""
    left = deque(messages)

    async def replay() -> Message:
        return left.popleft() if left else await receive()

    return replay


def _body_too_large() -> BodyTooLarge:
    return BodyTooLarge(
        Text(
            ja=f"本文が {BODY_LIMIT_BYTES:,} バイトを超えています。",
            en=f"The body has more than {BODY_LIMIT_BYTES:,} bytes.",
        ),
        Text(ja="質問を短くして送ってください。", en="Send a shorter question."),
    )
