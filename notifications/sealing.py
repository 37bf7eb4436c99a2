"""Secrets in the outbox: a link that opens an account is encrypted there until it is sent, and left out afterwards."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from notifications.context import MailContext
from notifications.rendering import Rendered

SEALED_LINK = "sealed_link"
"""Under this name the data of a message may hold a link of its own, sealed; templates see it as ``link``."""
NOT_KEPT = "(this link is not kept)"
_HOW = {"alg": "dir", "enc": "A256GCM"}


class CannotUnseal(LookupError):
    """The sealed link cannot be read; MUSTER_SECRET_KEY was changed since it was asked for."""

    def __str__(self) -> str:
        return type(self).__doc__ or ""


def seal(secret: str, words: str) -> str:
    """Return these words encrypted under the secret key of the installation."""
    return jwe.encrypt_compact(_HOW, words, _key(secret))


def unseal(secret: str, sealed: str) -> str:
    """Return the words that were sealed. Raises CannotUnseal."""
    try:
        found = jwe.decrypt_compact(sealed, _key(secret)).plaintext
    except (JoseError, ValueError):
        raise CannotUnseal from None
    return (found or b"").decode()


def opened(context: MailContext, secret: str) -> MailContext:
    """Return what the templates see with the sealed link as its link, where there is one. Raises CannotUnseal."""
    sealed = context.data.get(SEALED_LINK)
    return replace(context, link=unseal(secret, sealed)) if sealed else context


def to_keep(rendered: Rendered, context: MailContext) -> Rendered:
    """Return a message as the outbox keeps it: managers and auditors read there, and may not use another's link."""
    if SEALED_LINK not in context.data:
        return rendered
    text, html = (part.replace(context.link, NOT_KEPT) for part in (rendered.text, rendered.html))
    return replace(rendered, text=text, html=html)


def _key(secret: str) -> OctKey:
    return OctKey.import_key(hashlib.sha256(b"muster.outbox\0" + secret.encode()).digest())
