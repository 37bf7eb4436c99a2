"""OpenID Connect: sending somebody to the provider, and reading who came back. Authorisation code flow with PKCE.

Sources: OpenID Connect Core 1.0 (3.1), RFC 7636 (PKCE), RFC 9207 (issuer in the answer).
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]  # it ships no types
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]
from joserfc import jwe, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from cases.errors import CaseError
from config import clock
from config.settings import Settings

log = logging.getLogger(__name__)

MINUTES = 10
"""How long somebody may stay at the provider's pages."""
_SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
_KEPT_SECONDS = 3600
_TIMEOUT = 10
_SEALED = {"alg": "dir", "enc": "A256GCM"}


class NotConfirmed(CaseError):
    """The provider did not confirm who you are."""

    status = 403


@dataclass(frozen=True, slots=True)
class Journey:
    """What is remembered while somebody is at the provider, in a sealed cookie."""

    state: str
    nonce: str
    verifier: str
    then: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at the provider."""

    issuer: str
    subject: str
    email: str
    """Empty unless the provider has verified it."""


def provider_name(settings: Settings) -> str | None:
    """Return how people know the provider, its host; None where none is set up."""
    if not (settings.oidc_issuer and settings.oidc_client_id):
        return None
    return urlsplit(settings.oidc_issuer).hostname


def set_out(settings: Settings, then: str) -> tuple[str, str]:
    """Return the provider's address to go to, and the sealed journey. Raises NotConfirmed when it does not answer."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    journey = Journey(state, nonce, verifier, then)
    with _client(settings) as client:
        address, _ = client.create_authorization_url(
            _discovered(settings)["authorization_endpoint"], state=journey.state, code_verifier=journey.verifier,
            nonce=journey.nonce,
        )  # fmt: skip
    return str(address), _seal(settings, journey)


def come_back(settings: Settings, sealed: str, answer: Mapping[str, str]) -> tuple[Identity, str]:
    """Return who came back with this answer, and where they wanted to go. Raises NotConfirmed."""
    journey = _unseal(settings, sealed)
    if not hmac.compare_digest(answer.get("state", "").encode(), journey.state.encode()):
        raise NotConfirmed("Please start again.")
    if "error" in answer or not answer.get("code"):
        log.info("the OpenID provider answered %.80r", answer.get("error"))
        raise NotConfirmed
    if answer.get("iss", settings.oidc_issuer or "").rstrip("/") != settings.oidc_issuer:
        raise NotConfirmed
    try:
        return _identity(settings, journey, answer["code"]), journey.then
    except (httpx.HTTPError, JoseError, AuthlibBaseError, KeyError, TypeError, ValueError) as error:
        log.warning("an OpenID sign-in failed: %s: %s", type(error).__name__, error)
        raise NotConfirmed from None


def _identity(settings: Settings, journey: Journey, code: str) -> Identity:
    found = _discovered(settings)
    with _client(settings) as client:
        token = client.fetch_token(found["token_endpoint"], code=code, code_verifier=journey.verifier)
        keys = KeySet.import_key_set({"keys": _got(found["jwks_uri"])["keys"]})
        claims = jwt.decode(token["id_token"], keys, algorithms=_SIGNATURES).claims
        _check(settings, claims, journey)
        if "email" not in claims and "userinfo_endpoint" in found:
            told = _got(found["userinfo_endpoint"], token=token["access_token"])
            if told.get("sub") != claims["sub"]:
                raise ValueError("the userinfo is about somebody else")
            claims = {**told, **claims}
    verified = claims.get("email_verified") is True and isinstance(claims.get("email"), str)
    return Identity(str(settings.oidc_issuer), claims["sub"], claims["email"] if verified else "")


def _check(settings: Settings, claims: Mapping[str, Any], journey: Journey) -> None:
    """Raise unless an ID token is for us, for this journey, and now."""
    registry = jwt.JWTClaimsRegistry(
        now=int(clock.utc_now().timestamp()), leeway=60,
        iss={"essential": True}, sub={"essential": True}, exp={"essential": True}, iat={"essential": True},
        aud={"essential": True, "value": str(settings.oidc_client_id)},
    )  # fmt: skip
    registry.validate(dict(claims))
    if str(claims["iss"]).rstrip("/") != settings.oidc_issuer:
        raise ValueError("the token is of another issuer")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), journey.nonce.encode()):
        raise ValueError("the token was made for another sign-in")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise ValueError("the token names nobody")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != settings.oidc_client_id:
        raise ValueError("the token was made for another application")


# ------------------------------------------------------------------------------------------------- the provider

_known: dict[str, tuple[float, dict[str, Any]]] = {}


def _discovered(settings: Settings) -> dict[str, Any]:
    """Return what the provider says about itself, asked for once an hour. Raises NotConfirmed."""
    issuer = str(settings.oidc_issuer)
    at, kept = _known.get(issuer, (0.0, {}))
    if kept and clock.monotonic() - at < _KEPT_SECONDS:
        return kept
    try:
        found = _got(f"{issuer}/.well-known/openid-configuration")
        if str(found.get("issuer", "")).rstrip("/") != issuer:
            raise ValueError("it names another issuer")
    except (httpx.HTTPError, ValueError) as error:
        log.error("the OpenID provider %s cannot be used: %s", issuer, error)
        raise NotConfirmed("It does not answer at the moment; please try again in a while.") from None
    _known[issuer] = (clock.monotonic(), found)
    return found


def _client(settings: Settings) -> Any:
    secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
    offered = _discovered(settings).get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    way = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
    return OAuth2Client(
        settings.oidc_client_id, secret, scope="openid email profile", code_challenge_method="S256", timeout=_TIMEOUT,
        redirect_uri=f"{settings.base_url}/sign-in/oidc/callback", token_endpoint_auth_method=way if secret else "none",
    )  # fmt: skip


def _got(address: str, *, token: str | None = None) -> dict[str, Any]:
    """Return a JSON object of the provider. Raises httpx.HTTPError and ValueError."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = httpx.get(address, headers=headers, timeout=_TIMEOUT)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError(f"{address} is no JSON object")
    return found


# -------------------------------------------------------------------------------------------------- the journey


def _seal(settings: Settings, journey: Journey) -> str:
    ends = int(clock.utc_now().timestamp()) + MINUTES * 60
    content = [journey.state, journey.nonce, journey.verifier, journey.then, ends]
    return jwe.encrypt_compact(_SEALED, orjson.dumps(content), _key(settings))


def _unseal(settings: Settings, sealed: str) -> Journey:
    """Return the journey in a cookie. Raises NotConfirmed when it took too long, or never began here."""
    try:
        plain = jwe.decrypt_compact(sealed, _key(settings)).plaintext
        state, nonce, verifier, then, ends = orjson.loads(plain or b"")
    except (JoseError, ValueError, TypeError):
        raise NotConfirmed("Please start again.") from None
    if clock.utc_now().timestamp() > ends:
        raise NotConfirmed("It took too long; please start again.")
    return Journey(state, nonce, verifier, then)


def _key(settings: Settings) -> OctKey:
    secret = settings.secret_key.get_secret_value().encode()
    return OctKey.import_key(hashlib.sha256(b"muster.oidc\0" + secret).digest())
