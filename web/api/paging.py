"""Pages of a list, and answers that say which version they are of."""

from __future__ import annotations

import base64
import hashlib
import json
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


def address(request: Request, path: str) -> str:
    """Return the whole path of something of the API."""
    return f"{request.scope.get('root_path', '')}{path}"


def listed(request: Request, items: Sequence[Any], after: Sequence[str | int | None] | None) -> dict[str, Any]:
    """Return a page and the way to the next one, which begins after ``after``; None: there is none."""
    if after is None:
        return {"items": items, "next": None}
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    following = address(request, f"{_path(request)}?{urlencode([*query, ('cursor', cursor(after))])}")
    request.state.link = f'<{following}>; rel="next"'
    return {"items": items, "next": following}


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
