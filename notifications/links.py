"""Personal links: signed, bound to one purpose, revocable, and without personal data in them.

A link carries the case, the epoch of its case's links and perhaps an expiry, all covered by a signature under a key of
its purpose. Who opens one only sees; acting takes a POST. Raising the epoch of a case makes its older links old.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from config.database import Connection
from notifications.tables import LinkEpoch

MEMBER = "member"
UNSUBSCRIBE = "unsubscribe"
_SIGNATURE = 16
_VERSION = 1
_LONGEST = 80
_KEY = re.compile(r"(/(?:m|p/[a-z_:%0-9A-Z]+|unsubscribe|links/leave|password)/)[A-Za-z0-9_\-]{20,}")

_OWN = re.compile(r"/(?:m|p/[a-z_:%0-9A-Z]+)/[A-Za-z0-9_\-]{20,}")


class LinkForged(Exception):
    """This link is not whole, or it was made for something else."""

    def __str__(self) -> str:
        return type(self).__doc__ or ""


class LinkExpired(Exception):
    """This link is too old; ask for a new one."""

    def __str__(self) -> str:
        return type(self).__doc__ or ""


@dataclass(frozen=True, slots=True)
class CaseLink:
    """What a link says."""

    case_id: int
    epoch: int
    expires_at: datetime | None = None


def party(role: str) -> str:
    """Return the purpose of links for a person named on a case."""
    return f"party:{role}"


def make(secret: str, purpose: str, case_id: int, epoch: int = 0, *, expires_at: datetime | None = None) -> str:
    """Return a token of at most 60 characters."""
    minutes = int(expires_at.timestamp() // 60) if expires_at else 0
    body = bytes([_VERSION]) + b"".join(_number(value) for value in (case_id, epoch, minutes))
    return _encoded(body + _sign(secret, purpose, body))


def read(secret: str, purpose: str, token: str, *, now: datetime) -> CaseLink:
    """Return what a token says. Raises LinkForged, and LinkExpired after its expiry.

    Whether it was revoked is known to the database: use `opened`.
    """
    body = _verified(secret, purpose, token)
    numbers = _numbers(body[1:])
    if body[0] != _VERSION or len(numbers) != 3:
        raise LinkForged
    case_id, epoch, minutes = numbers
    expires_at = datetime.fromtimestamp(minutes * 60, UTC) if minutes else None
    if expires_at is not None and now >= expires_at:
        raise LinkExpired
    return CaseLink(case_id, epoch, expires_at)


def opened(conn: Connection, secret: str, purpose: str, token: str, *, now: datetime) -> CaseLink:
    """Return what a token says if it still holds. Raises LinkForged, and LinkExpired when it is old or revoked."""
    link = read(secret, purpose, token, now=now)
    if link.epoch != epochs(conn, [link.case_id])[link.case_id]:
        raise LinkExpired
    return link


def url(base: str, token: str, purpose: str = MEMBER) -> str:
    """Return the address of a link: ``/m/<token>``, ``/p/<role>/<token>`` or ``/unsubscribe/<token>``."""
    if purpose == MEMBER:
        return f"{base}/m/{token}"
    if purpose.startswith("party:"):
        return f"{base}/p/{purpose.removeprefix('party:')}/{token}"
    return f"{base}/{purpose}/{token}"


def without_keys(text: str) -> str:
    """Return the text of a letter with the keys of its links left out: who has one acts as whom it was made for."""
    return _KEY.sub(r"\1…", text)


def own_page(text: str) -> str | None:
    """Return the path of the first page of a member or a party that a letter links to; None where it links to none."""
    found = _OWN.search(text)
    return found[0] if found else None


def desk_url(base: str, ref: str | None) -> str:
    """Return where staff find a case; without one, their desk."""
    return f"{base}/cases/{ref}" if ref else f"{base}/"


def epochs(conn: Connection, case_ids: Collection[int]) -> dict[int, int]:
    """Return the epoch of the links of these cases."""
    found = dict.fromkeys(case_ids, 0)
    rows = conn.execute(select(LinkEpoch.case_id, LinkEpoch.epoch).where(LinkEpoch.case_id == func.any(list(case_ids))))
    found.update({row.case_id: row.epoch for row in rows})
    return found


def revoke(conn: Connection, case_ids: Collection[int], *, now: datetime) -> None:
    """Make every link of these cases old; new ones can be made at once."""
    if not case_ids:
        return
    statement = insert(LinkEpoch).values([{"case_id": i, "epoch": 1, "revoked_at": now} for i in sorted(set(case_ids))])
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["case_id"], set_={"epoch": LinkEpoch.epoch + 1, "revoked_at": now}
        )
    )


def _verified(secret: str, purpose: str, token: str) -> bytes:
    """Return the signed part of a token. Raises LinkForged."""
    if not token.isascii() or not 0 < len(token) <= _LONGEST:
        raise LinkForged
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise LinkForged from None
    body, signature = raw[:-_SIGNATURE], raw[-_SIGNATURE:]
    if not body or _encoded(raw) != token or not hmac.compare_digest(signature, _sign(secret, purpose, body)):
        raise LinkForged
    return body


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _sign(secret: str, purpose: str, body: bytes) -> bytes:
    key = hashlib.sha256(b"muster.link\0" + purpose.encode() + b"\0" + secret.encode()).digest()
    return hmac.digest(key, body, "sha256")[:_SIGNATURE]


def _number(value: int) -> bytes:
    """Return a whole number as few bytes, seven bits each, the last one with its top bit clear."""
    if value < 0:
        raise ValueError(f"{value} cannot be in a link.")
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(reversed(parts))


def _numbers(body: bytes) -> list[int]:
    found, value = [], 0
    for byte in body:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            found.append(value)
            value = 0
    return found
