"""Pages of a list, and answers that say which version they are of."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from web.api.problems import Problem, invalid

Item = TypeVar("Item")


class Listed(BaseModel, Generic[Item]):
    """One page of a list."""

    items: Annotated[list[Item], Field(description="What there is on this page.")]
    next: Annotated[
        str | None, Field(description="The address of the next page; null on the last. Also the `Link` header.",
                          examples=["/api/v1/cases?limit=50&cursor=WyJhMTc3IiwgNF0"])
    ]  # fmt: skip


class Followed(BaseModel, Generic[Item]):
    """Some of what has happened, and where to go on."""

    items: Annotated[list[Item], Field(description="What there is; the earliest first.")]
    next: Annotated[
        str, Field(description="The address to ask next. Keep it: what happens from here on is there.",
                   examples=["/api/v1/events?limit=50&cursor=WyJyMEZ0cWFYZyJd"])
    ]  # fmt: skip
    more: Annotated[bool, Field(description="Whether there is more already; otherwise ask again later.",
                                examples=[False])]  # fmt: skip


def address(request: Request, path: str) -> str:
    """Return the whole path of something of the API."""
    return f"{request.scope.get('root_path', '')}{path}"


def listed(request: Request, items: Sequence[Any], after: Sequence[str | int | None] | None) -> dict[str, Any]:
    """Return a page and the way to the next one, which begins after ``after``; None: there is none."""
    if after is None:
        return {"items": items, "next": None}
    return {"items": items, "next": _following(request, after)}


def so_far(request: Request, items: Sequence[Any], after: int, *, more: bool) -> dict[str, Any]:
    """Return some of what has happened, and the way to what comes ``after``, which there is always."""
    return {"items": items, "next": _following(request, [_sealed(after, request)]), "more": more}


def place_so_far(request: Request, text: str | None) -> int:
    """Return the place that a cursor of ``so_far`` names; 0 without one. Raises Problem."""
    if (place := place_of(text, str)) is None:
        return 0
    try:
        given = base64.urlsafe_b64decode(place[0])
    except ValueError:
        raise no_cursor() from None
    nonce, hidden, tag = given[:_PART], given[_PART : 2 * _PART], given[2 * _PART :]
    if len(hidden) < _PART or not hmac.compare_digest(tag, _pad(request, b"tag" + nonce + hidden)):
        raise no_cursor()
    return int.from_bytes(_xor(hidden, _pad(request, b"pad" + nonce)), "big")


_PART = 8


def _sealed(after: int, request: Request) -> str:
    """Return a place as a word in which nobody reads how much there is that they may not see; for this list alone."""
    nonce = secrets.token_bytes(_PART)
    hidden = _xor(after.to_bytes(_PART, "big"), _pad(request, b"pad" + nonce))
    return base64.urlsafe_b64encode(nonce + hidden + _pad(request, b"tag" + nonce + hidden)).decode()


def _pad(request: Request, of: bytes) -> bytes:
    key = request.app.state.env.settings.secret_key.get_secret_value().encode()
    return hmac.digest(key, f"place {_path(request)} ".encode() + of, "sha256")[:_PART]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _following(request: Request, after: Sequence[str | int | None]) -> str:
    """Return the address of what comes after a place; it stands in the headers of the answer too."""
    begins = ("cursor", "from_now")
    query = [(name, value) for name, value in request.query_params.multi_items() if name not in begins]
    found = address(request, f"{_path(request)}?{urlencode([*query, ('cursor', cursor(after))])}")
    request.state.link = f'<{found}>; rel="next"'
    return found


def _path(request: Request) -> str:
    root = request.scope.get("root_path", "")
    return str(request.url.path).removeprefix(root)


def cursor(after: Sequence[str | int | None]) -> str:
    """Return a place in a list as one word that means nothing to who reads it."""
    return base64.urlsafe_b64encode(json.dumps(list(after)).encode()).decode().rstrip("=")


def place_of(text: str | None, *kinds: type) -> list[Any] | None:
    """Return the place that a cursor names, its parts of these kinds; None without one. Raises Problem."""
    if text is None:
        return None
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        found = None
    fits = isinstance(found, list) and len(found) == len(kinds)
    if not fits or not all(_fits(part, kind) for part, kind in zip(found, kinds, strict=True)):
        raise no_cursor()
    return list(found)


def no_cursor() -> Problem:
    """Return the problem of a cursor that no page of ours has given."""
    return invalid("cursor", "is not one of ours; follow the `next` link of the page before")


def _fits(part: Any, kind: type) -> bool:
    if kind is int:
        return type(part) is int and 0 <= part < 2**62
    return isinstance(part, str) and len(part) < 200 and "\0" not in part


def versioned(request: Request, found: BaseModel, version: int) -> Response:
    """Return something with its version as ETag, or 304 when that is what the asker has.

    The tag names the version, for If-Match, and the words, since names and deadlines change without it.
    """
    body = found.model_dump_json().encode()
    etag = f'"{version}.{hashlib.sha256(body).hexdigest()[:8]}"'
    return tagged(request, etag, body, "application/json")


def tagged(request: Request, etag: str, body: bytes, media_type: str, **headers: str) -> Response:
    """Return an answer with its ETag, or 304 when that is what the asker has."""
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    always = {"etag": etag, "cache-control": "private, no-cache", **headers}
    if etag in known or known == ["*"]:
        return Response(status_code=304, headers=always)
    return Response(body, media_type=media_type, headers=always)
