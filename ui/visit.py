"""What a screen is handed when it is drawn: who is here, in which language, and the way to the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assistant.errors import Language
from assistant.wire import MeOut
from ui.client import ApiClient


@dataclass(frozen=True)
class Visit:
    """One run of the page by one person.

    `me` is who they are to the API, None while it is away. `links_to` is where a browser finds the API, None without a
    proxy that proves who asks. `timezone` is the browser's, such as `Asia/Tokyo`. `go_to` turns to another screen by its name.
    """

    client: ApiClient
    language: Language
    me: MeOut | None = None
    links_to: str | None = None
    timezone: str = "UTC"
    go_to: Callable[[str], None] = lambda _: None

    def has(self, scope: str) -> bool:
        """Whether the person holds `scope`. The API checks it again at every call; here it decides what is offered."""
        return self.me is not None and scope in self.me.scopes
