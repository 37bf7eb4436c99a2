"""Reading a request strictly: bounded, real JSON, of the type it says it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import orjson
from fastapi import HTTPException, Request

from cases.evidence import LARGEST
from config.database import without_nul
from web.api.problems import problem

LARGEST_JSON = 1024 * 1024
LARGEST_FORM = LARGEST + 64 * 1024
"""A file of the largest size, with what a form wraps around it."""
DEEPEST = 32
_JSON = ("application/json", "application/*", "*/*")


class StrictRequest(Request):
    """A request whose body is bounded, and whose JSON is JSON: no NaN, no lone surrogates, no endless nesting.

    NUL characters, which cannot be stored, are replaced here, so that no handler has to think of them.
    """

    largest = LARGEST_JSON

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body. Raises HTTPException when it is too large: FastAPI lets nothing else through."""
        told = self.headers.get("content-length", "")
        if told.isdecimal() and int(told[:20]) > self.largest:
            raise _too_large(self.largest)
        size = 0
        async for chunk in super().stream():
            size += len(chunk)
            if size > self.largest:
                raise _too_large(self.largest)
            yield chunk

    async def json(self) -> Any:
        """Return the body as values. Raises HTTPException, or orjson's error, which is a JSONDecodeError."""
        found = orjson.loads(await self.body())
        if depth(found) > DEEPEST:
            raise HTTPException(400, f"The body is nested more than {DEEPEST} levels deep.")
        return without_nul(found)


def _too_large(largest: int) -> Exception:
    return HTTPException(413, f"The body is larger than {largest // 1024} KiB, the most that is taken here.")


def depth(value: Any) -> int:
    """Return how many levels of lists and objects a value has; counted without recursion."""
    found, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        found += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return found


def require_acceptable(request: Request, *, anything: bool = False) -> None:
    """Raise Problem when the asker takes no JSON; where the answer is a file, ``anything`` will do."""
    if anything:
        return
    given = request.headers.get("accept", "*/*") or "*/*"
    for each in given.lower().split(","):
        media_range, *parameters = (part.strip() for part in each.split(";"))
        refused = any(p.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for p in parameters)
        if not refused and (media_range in _JSON or media_range.endswith("+json")):
            return
    raise problem("not-acceptable", "The API answers in JSON; accept application/json.")


def require_media_type(request: Request, *, form: bool) -> None:
    """Raise Problem unless the body is of the type that is read here."""
    given = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if form and given == "multipart/form-data":
        return
    is_json = given == "application/json" or (given.startswith("application/") and given.endswith("+json"))
    if not form and (is_json or not _has_body(request)):
        return
    wanted = "multipart/form-data" if form else "application/json"
    raise problem("unsupported-media-type", f"Send {wanted}; {given[:80] or 'no content type'} is not read here.")


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
