"""Who sits at the screen: the user that nginx named, proved by the shared secret, or the demo user.

Pure: is handed header values and settings, knows neither Streamlit nor the API.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

USER_HEADER = "X-Forwarded-User"
SIGN_IN_HEADER = "X-Sign-In"
SECRET_HEADER = "X-Proxy-Secret"  # noqa: S105  the header's name, not a secret


@dataclass(frozen=True)
class Caller:
    """A known person. `via` says whether the proxy vouched for the name or the demo setting gave it; `sign_in` names what
    they can end by signing out, empty where nginx checked a password."""

    user: str
    via: Literal["proxy", "demo"]
    sign_in: str = ""


@dataclass(frozen=True)
class Refused:
    """Nobody may use the screen: `forged` is a name without the right secret, `nobody` is no name at all."""

    why: Literal["nobody", "forged"]


def identify(
    forwarded_users: list[str],
    forwarded_secrets: list[str],
    *,
    proxy_secret: str,
    demo_user: str,
    forwarded_sign_ins: Sequence[str] = (),
) -> Caller | Refused:
    """Who asks, from all values of the three headers as the browser's handshake carried them.

    A name without exactly one right secret is refused even where a demo user is set, so that a wrong proxy is noticed
    and nobody is taken for another. An empty name counts as none: nginx blanks the header where nobody logged in.
    """
    users = [_decoded(value) for value in forwarded_users if value.strip()]
    if users:
        is_proved = (
            len(users) == 1
            and len(forwarded_secrets) == 1
            and proxy_secret != ""
            and hmac.compare_digest(_decoded(forwarded_secrets[0]).encode(), proxy_secret.encode())
        )
        sign_ins = [value for value in forwarded_sign_ins if value]
        if not is_proved or len(sign_ins) > 1:
            return Refused("forged")
        return Caller(users[0], "proxy", *sign_ins)
    if demo_user:
        return Caller(demo_user, "demo")
    return Refused("nobody")


def _decoded(value: str) -> str:
    """A header's text: servers hand bytes over as Latin-1, while names such as 山田 travel as UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return value
