"""A request with an Idempotency-Key is done once: its repetition gets the answer of the first.

Only answers of what was done are kept, for a day. A refusal did nothing, so its key is free again. When the answer was
lost on the way, with the process that worked on it, nobody knows whether it was done, and that is what is said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request
from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from config import clock
from config.database import Connection, Engine, transaction
from web.api.problems import problem, problem_of
from web.tables import IdempotencyKey

HEADER = "idempotency-key"
REPLAYED = "idempotency-replayed"
KEPT = timedelta(hours=24)
LONGEST_WORK = timedelta(minutes=1)
"""Whoever has not answered by then will not: the process has died."""
_LONGEST_KEY = 255
_KEPT_HEADERS = ("content-type", "location", "etag", "link")
_SWEPT_AT_ONCE = 200

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True)
class Claim:
    """A key of a token, and the request it came with."""

    token_id: int
    key: str
    request_sha256: str


async def answer(request: Request, handler: Handler, engine: Engine) -> Response:
    """Return the answer of the first request with this key; this one is the first or is not done at all."""
    claim = await _claim_of(request)
    kept = await run_in_threadpool(_begin, engine, claim)
    if kept is not None:
        return kept
    try:
        found = await handler(request)
    except Exception as error:
        if problem_of(error).kind.status < 500:
            await run_in_threadpool(_give_up, engine, claim)
        raise
    await run_in_threadpool(_keep, engine, claim, found)
    return found


async def _claim_of(request: Request) -> Claim:
    key = request.headers[HEADER]
    if not 1 <= len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
        sentence = f"must have 1 to {_LONGEST_KEY} visible ASCII characters"
        raise problem("invalid", f"Idempotency-Key {sentence}.", errors={"Idempotency-Key": [sentence]})
    body = await request.body()
    kind = request.headers.get("content-type", "")
    boundary = kind.partition("boundary=")[2].strip('"').encode()
    parts = (
        request.method, request.url.path, request.url.query, request.headers.get("if-match", ""),
        kind.partition(";")[0].strip().lower(),
    )  # fmt: skip
    content = body.replace(boundary, b"") if boundary else body  # chosen anew at each try
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "replace") + b"\0" + content).hexdigest()
    return Claim(request.state.bearer.id, key, digest)


def _begin(engine: Engine, claim: Claim) -> Response | None:
    """Claim the key, or return the kept answer. Raises Problem when it is at work, lost, or of another request."""
    now = clock.utc_now()
    with transaction(engine) as conn:
        _sweep(conn, now)
        if _claimed(conn, claim, now):
            return None
        row = conn.execute(select(IdempotencyKey.__table__).where(_is(claim))).one_or_none()
    if row is None:  # it was given up just now
        raise _in_use()
    if row.request_sha256 != claim.request_sha256:
        raise problem("key-reused", "This Idempotency-Key came with another request before; use a new key.")
    if row.status is not None:
        return Response(row.body or b"", row.status, {**row.headers, REPLAYED: "true"})
    if abs(now - row.at) < LONGEST_WORK:
        raise _in_use()
    raise problem(
        "answer-lost", "A request with this Idempotency-Key was begun, and its answer was lost. Look whether it was "
        "done; if it was not, send it again with a new key."
    )  # fmt: skip


def _in_use() -> Exception:
    return problem(
        "key-in-use", "A request with this Idempotency-Key is still at work; please try again.",
        headers={"Retry-After": "1"},
    )  # fmt: skip


def _claimed(conn: Connection, claim: Claim, now: datetime) -> bool:
    """Whether the key is ours now. Of two at once, the second waits here for the first, and finds the key taken."""
    row = {
        "token_id": claim.token_id, "key": claim.key, "request_sha256": claim.request_sha256, "at": now,
        "status": None, "body": None, "headers": {},
    }  # fmt: skip
    statement = insert(IdempotencyKey).values(row)
    taken = statement.on_conflict_do_update(
        index_elements=["token_id", "key"], set_=row, where=IdempotencyKey.at <= now - KEPT
    ).returning(IdempotencyKey.key)
    return conn.execute(taken).one_or_none() is not None


def _sweep(conn: Connection, now: datetime) -> None:
    """Forget some keys of yesterday; those that others are forgetting at this moment are left to them."""
    old = (
        select(IdempotencyKey.token_id, IdempotencyKey.key).where(IdempotencyKey.at <= now - KEPT)
        .limit(_SWEPT_AT_ONCE).with_for_update(skip_locked=True)
    )  # fmt: skip
    conn.execute(delete(IdempotencyKey).where(tuple_(IdempotencyKey.token_id, IdempotencyKey.key).in_(old)))


def _keep(engine: Engine, claim: Claim, found: Response) -> None:
    headers = {name: found.headers[name] for name in _KEPT_HEADERS if name in found.headers}
    values = {"status": found.status_code, "headers": headers, "body": bytes(found.body)}
    with transaction(engine) as conn:
        conn.execute(update(IdempotencyKey).where(_is(claim)).values(values))


def _give_up(engine: Engine, claim: Claim) -> None:
    with transaction(engine) as conn:
        conn.execute(delete(IdempotencyKey).where(_is(claim)))


def _is(claim: Claim) -> Any:
    return (IdempotencyKey.token_id == claim.token_id) & (IdempotencyKey.key == claim.key)
