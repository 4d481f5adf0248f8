"""An identity provider that can lie: `with running_provider() as provider: provider.claims["nonce"] = "wrong"`.

Follows the code flow with PKCE as providers do; what it puts into the ID token is the test's to say. A real one is tried
in tests/browser/test_sign_in.py.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.stubs.api.process import free_port

CLIENT_ID = "company-assistant"
CLIENT_SECRET = "the-providers-own-secret-0123456789"


@dataclass
class StubProvider:
    """Where it is and what it says. `claims` are added to the ID token and win; None takes one out."""

    url: str
    claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    status: int = 200
    without_id_token: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    exchanged: list[dict[str, str]] = field(default_factory=list)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first"}))
    other_key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first"}))
    signs_with_other_key: bool = False

    def reset(self) -> None:
        """Honest again."""
        self.claims, self.algorithm, self.status = {}, "RS256", 200
        self.without_id_token = self.signs_with_other_key = False

    async def metadata(self, _request: Request) -> Response:
        """What it can do."""
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "end_session_endpoint": f"{self.url}/end",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                "code_challenge_methods_supported": ["S256"],
            },
            self.status,
        )

    async def jwks(self, _request: Request) -> Response:
        """Its public key."""
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        """Everybody is let in at once."""
        asked = dict(request.query_params)
        self.asked.append(asked)
        answer = {"code": secrets.token_hex(8), "state": asked["state"]}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 302)

    async def token(self, request: Request) -> Response:
        """The ID token for a code, if the verifier fits."""
        form = {key: str(value) for key, value in (await request.form()).items()}
        self.exchanged.append(form)
        asked = self.asked[-1]
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        password = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        is_right = asked["code_challenge"] == challenge.decode().rstrip("=")
        if not is_right or request.headers.get("authorization") != f"Basic {password}":
            return JSONResponse({"error": "invalid_grant"}, 400)
        answer = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 60}
        if not self.without_id_token:
            answer["id_token"] = self._id_token(asked["nonce"])
        return JSONResponse(answer)

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        honest = {"iss": self.url, "sub": "1", "aud": CLIENT_ID, "exp": now + 60, "iat": now, "nonce": nonce}
        claims = {**honest, "email": "aiko@example.com", "email_verified": True, **self.claims}
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.algorithm == "none":
            head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
            body = jwt.encode({"alg": "RS256", "kid": "first"}, claims, self.key).split(".")[1]
            return f"{head}.{body}."
        if self.algorithm == "HS256":
            signed = jwt.encode({"alg": "RS256", "kid": "first"}, claims, self.key).split(".")
            head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"first"}').decode().rstrip("=")
            made = hmac.new(self.key.as_pem(private=False), f"{head}.{signed[1]}".encode(), hashlib.sha256).digest()
            return f"{head}.{signed[1]}." + base64.urlsafe_b64encode(made).decode().rstrip("=")
        key = self.other_key if self.signs_with_other_key else self.key
        return str(jwt.encode({"alg": self.algorithm, "kid": "first"}, claims, key))


@contextmanager
def running_provider() -> Iterator[StubProvider]:
    """A provider on a free port."""
    port = free_port()
    provider = StubProvider(f"http://127.0.0.1:{port}")
    routes = [
        Route("/.well-known/openid-configuration", provider.metadata),
        Route("/jwks", provider.jwks),
        Route("/authorize", provider.authorize),
        Route("/token", provider.token, methods=["POST"]),
    ]
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=port, log_level="critical", ws="none")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join()
