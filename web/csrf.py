"""A form may only be sent by somebody who was shown it.

A form carries a random nonce signed under a key of its reader: their session, their personal link, or a cookie given to
a visitor. The nonce is new on every page, so that a compressed answer cannot be measured for it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

FIELD = "csrf"
HEADER = "x-csrf"
VISITOR_COOKIE = "muster_visitor"


def token(secret: str, reader: str) -> str:
    """Return a new token for forms shown to this reader."""
    nonce = secrets.token_urlsafe(12)
    return f"{nonce}.{_signature(secret, reader, nonce)}"


def holds(secret: str, reader: str, given: str) -> bool:
    """Whether a token was made for this reader."""
    nonce, _, signature = given.partition(".")
    expected = _signature(secret, reader, nonce)
    return bool(nonce) and hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode())


def _signature(secret: str, reader: str, nonce: str) -> str:
    key = hashlib.sha256(b"muster.csrf\0" + secret.encode()).digest()
    return hmac.new(key, f"{reader}\0{nonce}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:40]
