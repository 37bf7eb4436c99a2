"""Address tags: `replies+<tag>@example.org` says which message a mail answers or brings back, and cannot be guessed.

A tag is the number of the message with a signature, in letters and digits that survive programs which make all small.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

_SIGNATURE = 8
_SIGNS = re.compile(r"[a-z2-7]{15,32}")
_KEY = b"muster.reply-address\0"
_MOST = 20
"""So many tags of one mail are looked at: each costs a signature."""


def make(secret: str, message_id: int) -> str:
    """Return the tag of a message of ours: at most 26 small letters and digits."""
    body = message_id.to_bytes((message_id.bit_length() + 7) // 8 or 1, "big")
    return base64.b32encode(body + _sign(secret, body)).decode().rstrip("=").lower()


def read(secret: str, tag: str) -> int | None:
    """Return the number of the message that a tag names, or None when it is not one of ours."""
    tag = tag.lower()
    if not _SIGNS.fullmatch(tag):
        return None
    try:
        raw = base64.b32decode(tag.upper() + "=" * (-len(tag) % 8))
    except ValueError:
        return None
    body, signature = raw[:-_SIGNATURE], raw[-_SIGNATURE:]
    genuine = 0 < len(body) <= 8 and hmac.compare_digest(signature, _sign(secret, body))
    return int.from_bytes(body, "big") if genuine else None


def tagged(address: str, tag: str) -> str:
    """Return an address with a tag: ``replies+tag@example.org``."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{tag}@{domain}"


def tags_in(text: str, address: str) -> tuple[str, ...]:
    """Return what stands as a tag of this address anywhere in a text, each once, in order."""
    local, _, domain = address.rpartition("@")
    pattern = rf"{re.escape(local)}\+([a-z2-7]{{15,32}})@{re.escape(domain)}"
    found = (match[1].lower() for match in re.finditer(pattern, text, re.IGNORECASE))
    return tuple(dict.fromkeys(found))[:_MOST]


def _sign(secret: str, body: bytes) -> bytes:
    return hmac.digest(hashlib.sha256(_KEY + secret.encode()).digest(), body, "sha256")[:_SIGNATURE]
