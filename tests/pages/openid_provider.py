"""A small OpenID provider with real keys, served on a port of its own; it can be told to do wrong."""

from __future__ import annotations

import base64
import hashlib
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Form, HTTPException, Request
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.responses import RedirectResponse

from config import clock

CLIENT, SECRET = "muster", "a secret of the provider"


@dataclass
class Provider:
    """The provider: who signs in there, and what is wrong with it."""

    issuer: str
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "a-17", "email_verified": True})
    """What the next ID token says, over what is right."""
    userinfo: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, str] = field(default_factory=dict)
    """What goes back to the desk in place of what is right."""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}, private=True))
    signs_with: RSAKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def discovery(self) -> dict[str, Any]:
        """What it says about itself."""
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys",
                 "userinfo_endpoint": "userinfo"}  # fmt: skip
        return {"issuer": self.issuer, **{name: f"{self.issuer}/{path}" for name, path in names.items()}}

    def authorised(self, asked: dict[str, str]) -> str:
        """Return where somebody who has signed in is sent."""
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], **self.answer})}"

    def tokens(self, request: Request, given: dict[str, str]) -> dict[str, Any]:
        """Return the tokens for a code. Raises HTTPException for what a provider must refuse."""
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.codes.pop(given["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(given["code_verifier"].encode()).digest()).decode()
        right = (
            request.headers.get("authorization") == f"Basic {basic}"
            and asked is not None
            and asked["code_challenge"] == challenge.rstrip("=")
            and asked["redirect_uri"] == given["redirect_uri"]
        )
        if not right or asked is None:
            raise HTTPException(400, "invalid_grant")
        now = int(clock.utc_now().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, {**claims, **self.claims}, self.signs_with or self.key)
        return {"access_token": "for-userinfo", "token_type": "Bearer", "id_token": token}


def application(provider: Provider) -> FastAPI:
    """Return the provider's pages."""
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def discovery() -> dict[str, Any]:
        return provider.discovery()

    @app.get("/authorize")
    def authorize(request: Request) -> RedirectResponse:
        return RedirectResponse(provider.authorised(dict(request.query_params)))

    @app.post("/token")
    def token(
        request: Request, code: str = Form(), code_verifier: str = Form(), redirect_uri: str = Form()
    ) -> dict[str, Any]:
        given = {"code": code, "code_verifier": code_verifier, "redirect_uri": redirect_uri}
        return provider.tokens(request, given)

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        return {"keys": [provider.key.as_dict(private=False)]}

    @app.get("/userinfo")
    def userinfo(request: Request) -> dict[str, Any]:
        assert request.headers["authorization"] == "Bearer for-userinfo"
        return provider.userinfo

    return app


@contextmanager
def running() -> Iterator[Provider]:
    """Serve a provider until the end of the block."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    provider = Provider(f"http://127.0.0.1:{listening.getsockname()[1]}")
    server = uvicorn.Server(uvicorn.Config(application(provider), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield provider
    server.should_exit = True
    thread.join(10)
    listening.close()
