"""The one door to Authlib: signing a person in at the company's identity provider by OpenID Connect.

    browser -> redirect() -> provider -> finish() -> SignedIn        code flow with state, nonce and PKCE (S256)

What belongs to one attempt travels in a signed cookie of ten minutes (`Attempts`). Who is signed in afterwards is the
ledger's to remember; nothing of the provider's tokens is kept.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from itsdangerous import BadSignature, URLSafeTimedSerializer
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response

from assistant.errors import PeopleError, SettingsError, SignInFailed, SignInUnavailable, Text
from assistant.people import checked_name
from assistant.settings import SignIn

CALLBACK = "/sign-in/callback"
ENDED = "/sign-in/ended"
ATTEMPT_SECONDS = 600
"""Time to type a password and a second factor at the provider."""
PROVIDER_SECONDS = 10.0
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
"""Signatures that only the provider can make: neither `none` nor one made with a shared secret."""
OF_APPS = "app:"
"""Names that belong to keys."""


@dataclass(frozen=True)
class SignedIn:
    """Whom the provider vouches for. `groups` is None where the claim is not used; `next_path` is where they wanted to go."""

    user: str
    groups: frozenset[str] | None
    next_path: str


class Attempts:
    """Reads and writes the cookie of one attempt: state, nonce and PKCE verifier, signed, for ten minutes."""

    def __init__(self, proxy_secret: str) -> None:
        key = hmac.new(proxy_secret.encode(), b"cookie of an attempt to sign in", hashlib.sha256).hexdigest()
        self._serializer = URLSafeTimedSerializer(key)

    def read(self, cookie: str) -> dict[str, Any]:
        """What was kept; empty for a cookie that is missing, too old or not ours."""
        try:
            kept = self._serializer.loads(cookie, max_age=ATTEMPT_SECONDS)
        except BadSignature:
            return {}
        return kept if isinstance(kept, dict) else {}

    def written(self, kept: dict[str, Any]) -> str:
        """The cookie's value."""
        return str(self._serializer.dumps(kept))


class OpenIdProvider:
    """One identity provider, as the settings describe it. Asked for the first time when somebody signs in."""

    def __init__(self, settings: SignIn, *, proxy_secret: str) -> None:
        """Raises SettingsError where something is missing that a sign-in needs."""
        _check(settings, proxy_secret)
        self._settings = settings
        self.attempts = Attempts(proxy_secret)
        self._client: Any = OAuth().register(
            "company",
            client_id=settings.client_id,
            client_secret=settings.client_secret or None,
            server_metadata_url=settings.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={
                "scope": settings.scopes,
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_basic" if settings.client_secret else "none",
                "timeout": PROVIDER_SECONDS,
            },
        )

    @property
    def public_url(self) -> str:
        """The address that people type, without a slash at its end."""
        return self._settings.public_url.rstrip("/")

    async def redirect(self, request: Request, *, next_path: str) -> Response:
        """To the provider. Keeps the attempt in `request.session`. Raises SignInUnavailable."""
        request.session["next"] = next_path
        try:
            response: Response = await self._client.authorize_redirect(request, self.public_url + CALLBACK)
        except (httpx2.HTTPError, AuthlibBaseError, ValueError) as error:
            raise _away() from error
        return response

    async def finish(self, request: Request) -> SignedIn:
        """Whom the provider's answer names. Raises SignInFailed for every answer that proves nobody, SignInUnavailable."""
        next_path = str(request.session.pop("next", "/"))
        try:
            await self._trust_no_shared_secrets()
            token = await self._client.authorize_access_token(request, claims_options=self._expected())
        except httpx2.HTTPError as error:
            raise _away() from error
        except (AuthlibBaseError, JoseError, ValueError) as error:
            raise _failed() from error
        claims = token.get("userinfo")
        if not claims:
            raise _failed()
        return SignedIn(self._user(claims), self._groups(claims), next_path)

    async def end_address(self) -> str | None:
        """Where the provider signs people out as well; None where it cannot. Raises SignInUnavailable."""
        try:
            metadata = await self._client.load_server_metadata()
            if "end_session_endpoint" not in metadata:
                return None
            made = await self._client.create_logout_url(
                post_logout_redirect_uri=self.public_url + ENDED, client_id=self._settings.client_id
            )
        except (httpx2.HTTPError, ValueError) as error:
            raise _away() from error
        return str(made["url"])

    async def _trust_no_shared_secrets(self) -> None:
        metadata = await self._client.load_server_metadata()
        offered = set(metadata.get("id_token_signing_alg_values_supported") or ["RS256"])
        metadata["id_token_signing_alg_values_supported"] = sorted(offered & ALGORITHMS)

    def _expected(self) -> dict[str, Any]:
        issuer = self._settings.issuer
        return {
            "iss": {"essential": True, "values": [issuer, issuer.rstrip("/"), issuer.rstrip("/") + "/"]},
            "aud": {"essential": True, "value": self._settings.client_id},
            "exp": {"essential": True},
        }

    def _user(self, claims: dict[str, Any]) -> str:
        name = claims.get(self._settings.user_claim)
        is_doubtful = self._settings.user_claim == "email" and claims.get("email_verified") is False
        if not isinstance(name, str) or is_doubtful or name.startswith(OF_APPS):
            raise _failed(self._settings.user_claim)
        try:
            return checked_name(name)
        except PeopleError as error:
            raise _failed(self._settings.user_claim) from error

    def _groups(self, claims: dict[str, Any]) -> frozenset[str] | None:
        if not self._settings.groups_claim:
            return None
        found = claims.get(self._settings.groups_claim, [])
        if not isinstance(found, list) or not all(isinstance(group, str) and group.strip() for group in found):
            raise _failed(self._settings.groups_claim)
        return frozenset(found)


def _check(settings: SignIn, proxy_secret: str) -> None:
    missing = {
        "ASSISTANT_SIGN_IN__CLIENT_ID": bool(settings.client_id),
        "ASSISTANT_SIGN_IN__PUBLIC_URL": settings.public_url.startswith("https://"),
        "ASSISTANT_PROXY_SECRET": bool(proxy_secret),
    }
    for name, is_there in missing.items():
        if not is_there:
            raise SettingsError(
                Text(
                    ja=f"ASSISTANT_SIGN_IN__ISSUER があるのに {name} がありません。",
                    en=f"ASSISTANT_SIGN_IN__ISSUER is set, and {name} is not.",
                ),
                Text(
                    ja="PUBLIC_URL は https:// で始まる、社員が打つアドレスです。docs/guides/network.ja.md を見てください。",
                    en="PUBLIC_URL is the address that people type, beginning with https://. See docs/guides/network.md.",
                ),
            )


def _away() -> SignInUnavailable:
    return SignInUnavailable(
        Text(ja="サインインのサーバーが応答しません。", en="The server that signs people in does not answer."),
        Text(
            ja="少し待ってもう一度。続くときは管理者に ASSISTANT_SIGN_IN__ISSUER を確かめてもらってください。",
            en="Wait a moment and try again. If it goes on, the administrator checks ASSISTANT_SIGN_IN__ISSUER.",
        ),
    )


def _failed(claim: str = "") -> SignInFailed:
    """The same words for every answer that proves nobody; the place is in the log. A claim is the administrator's to set."""
    if claim:
        return SignInFailed(
            Text(
                ja=f"サインインの情報に使える {claim} がありません。",
                en=f"The sign-in brought no usable {claim}.",
            ),
            Text(
                ja="管理者に、ID プロバイダーの設定と ASSISTANT_SIGN_IN__USER_CLAIM、GROUPS_CLAIM を確かめてもらってください。",
                en="The administrator checks the provider and ASSISTANT_SIGN_IN__USER_CLAIM and GROUPS_CLAIM.",
            ),
        )
    return SignInFailed(
        Text(ja="サインインできませんでした。", en="The sign-in did not succeed."),
        Text(
            ja="はじめからやり直してください。10 分以上たつと、途中のサインインは使えなくなります。",
            en="Begin again. An attempt that was begun more than ten minutes ago no longer counts.",
        ),
    )
