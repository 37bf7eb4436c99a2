"""A click beside the least that could do the same: somebody acknowledges a complaint on the desk. One run.

Muster answers with the whole application: middleware, session, the form's token, what the person may see, the process,
the letters, the record. The floor is a bare FastAPI handler that knows the answer beforehand: it looks up the session,
checks the same token, locks the case and writes with psycopg and SQL by hand what Muster writes (case, event with its
hash and what is personal of it, messages) in one transaction. Both are asked in process, in turn, each for another
case.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from tempfile import TemporaryFile
from typing import Annotated, Any
from urllib.parse import urlencode

import psycopg
from fastapi import FastAPI, Form, Request
from psycopg.types.json import Jsonb
from sqlalchemy import event, text
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message

from bench.organisation import LAUNCH, organisation, tidy
from bench.queue import answer, signed_in
from cases import opening, store
from cases.environment import Environment, world
from config import clock
from config.clock import monotonic
from config.database import Engine, transaction
from members import staff_store
from state_machines.registry import process_named
from state_machines.values import SYSTEM
from web import csrf, sessions
from web.app import create_app
from web.desk_page import session_cookie

TYPED = {"issues.0.category": "Late", "understanding": "The delivery came late.", "adjustments_asked": "true"}
RECEIVED = {"category": "service", "complainant_name": "Jo Doe", "complainant_email": "jo@doe.example"}
WARM = 20


def complaints(env: Environment, count: int, owner: int) -> list[str]:
    """Open so many complaints for a coordinator and return their references."""
    process = process_named("complaint")
    with transaction(env.engine) as conn:
        here = world(conn, env)
        wishes = [opening.Wish(process, f"Complaint {n}", dict(RECEIVED), coordinator_id=owner) for n in range(count)]
        found = [c for c in opening.decided(conn, wishes, here, actor=SYSTEM) if not isinstance(c, tuple)]
        store.apply(conn, found, here)
        return [change.outcome.after.ref for change in found]


# --------------------------------------------------------------------------------------------------- asking


async def post(app: ASGIApp, path: str, cookie: str, form: dict[str, str]) -> int:
    """Return the status with which an application answers a form, without a network in between."""
    body, status = urlencode(form).encode(), 0
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost"), (b"cookie", cookie.encode()), (b"content-length", b"%d" % len(body)),
                    (b"content-type", b"application/x-www-form-urlencoded")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080), "state": {},
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    await app(scope, receive, send)
    return status


@contextmanager
def on_the_wire(engine: Engine) -> Iterator[list[str]]:
    """Yield a list that is filled in the end with each statement the server was asked for, however it was sent; those
    that only begin and end a transaction are left out, as they are of the floor."""
    sent: list[str] = []
    with TemporaryFile("w+") as trace:

        def begin(driver: Any, *_: Any) -> None:
            driver.pgconn.trace(trace.fileno())

        def end(driver: Any, *_: Any) -> None:
            driver.pgconn.untrace()

        event.listen(engine, "checkout", begin)
        event.listen(engine, "checkin", end)
        yield sent
        event.remove(engine, "checkout", begin)
        event.remove(engine, "checkin", end)
        trace.seek(0)
        sent += [line for line in trace if "\tF\t" in line and ("\tExecute\t" in line or "COPY" in line)]


# ---------------------------------------------------------------------------------------------------- the floor

WHO = "SELECT staff_id FROM web_sessions WHERE token_sha256 = %s AND seen_at > %s"
LOCK = "SELECT id, version, last_seq, last_hash FROM cases WHERE ref = %s AND owner_id = %s FOR UPDATE"
MOVE = """
UPDATE cases SET version = version + 1, state = %(state)s, data = %(data)s, clocks = %(clocks)s, counts = %(counts)s,
  people = %(people)s, entered_at = %(now)s, due_at = %(due_at)s, deadline_at = %(deadline_at)s, last_seq = %(seq)s,
  last_hash = %(hash)s WHERE id = %(id)s
"""
RECORD = """
INSERT INTO case_events (case_id, seq, at, actor, role, kind, trigger, source, target, process_version, policy_version,
  details, personal_digest, prev_hash, hash)
VALUES (%(id)s, %(seq)s, %(now)s, %(actor)s, 'coordinator', 'transition', 'acknowledge', 'received', 'acknowledged', 1,
  %(policy)s, %(details)s, %(digest)s, %(before)s, %(hash)s)
"""
BESIDE = "INSERT INTO event_personal (case_id, seq, salt, data) VALUES (%(id)s, %(seq)s, 'bench', %(personal)s)"
WRITE = """
INSERT INTO messages (key, case_id, event_seq, kind, audience, purpose, data, not_before, created_at)
VALUES (%(key)s, %(id)s, %(seq)s, %(kind)s, %(audience)s, 'service', '{}', %(now)s, %(now)s)
"""


def floor(env: Environment, like: dict[str, Any]) -> FastAPI:
    """Return the least application that acknowledges a complaint; ``like`` is what Muster wrote for another one."""
    app = FastAPI(openapi_url=None)
    secret = env.settings.secret_key.get_secret_value()
    url = env.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    conn = psycopg.connect(url, autocommit=True)  # one asks at a time

    @app.post("/cases/{ref}/do/acknowledge")
    def do(
        request: Request, ref: str, version: Annotated[int, Form()], understanding: Annotated[str, Form()],
        issue: Annotated[str, Form(alias="issues.0.category")], csrf_token: Annotated[str, Form(alias="csrf")],
    ) -> Response:  # fmt: skip
        cookie = request.cookies[session_cookie(env.settings)]
        with conn.transaction():
            now = clock.utc_now()
            me = conn.execute(WHO, (sessions.sha256(cookie), now - sessions.IDLE)).fetchone()
            if me is None or not csrf.holds(secret, f"session:{cookie}", csrf_token):
                return Response(status_code=403)
            case = conn.execute(LOCK, (ref, me[0])).fetchone()
            if case is None or case[1] != version:
                return Response(status_code=409)
            _write(conn, like, case, f"staff:{me[0]}")
        return RedirectResponse(f"/cases/{ref}", 303)

    return app


def _write(conn: Any, like: dict[str, Any], case: Any, actor: str) -> None:
    case_id, _, last_seq, before = case
    digest = hashlib.sha256(("bench" + like["personal_text"]).encode()).hexdigest()
    parts = [
        before, str(case_id), str(last_seq + 1), LAUNCH.isoformat(), actor, "coordinator", "", "transition",
        "acknowledge", "received", "acknowledged", "", "1", like["policy"], like["details_text"], digest,
    ]  # fmt: skip
    values = like | {
        "id": case_id, "seq": last_seq + 1, "before": before, "now": LAUNCH, "actor": actor, "digest": digest,
        "hash": hashlib.sha256("\x1f".join(parts).encode()).hexdigest(),
    }  # fmt: skip
    conn.execute(MOVE, values)
    conn.execute(RECORD, values)
    conn.execute(BESIDE, values)
    for place, (kind, audience) in enumerate(like["messages"]):
        key = f"{case_id}:{last_seq + 1}:{place}:{kind}:{audience}"
        conn.execute(WRITE, values | {"key": key, "kind": kind, "audience": audience})


def _as_written(env: Environment, ref: str) -> dict[str, Any]:
    """What Muster wrote for an acknowledged complaint, ready to be written for others."""
    with env.engine.connect() as conn:
        case = conn.execute(text("SELECT * FROM cases WHERE ref = :ref"), {"ref": ref}).one()
        event = conn.execute(text("SELECT *, details::text AS said FROM case_events WHERE case_id = :id AND seq = 2"),
                             {"id": case.id}).one()  # fmt: skip
        personal = conn.execute(text("SELECT data::text FROM event_personal WHERE case_id = :id AND seq = 2"),
                                {"id": case.id}).scalar_one()  # fmt: skip
        messages = conn.execute(text("SELECT kind, audience FROM messages WHERE case_id = :id AND event_seq = 2"),
                                {"id": case.id}).tuples().all()  # fmt: skip
    return {
        "state": case.state, "data": Jsonb(case.data), "clocks": Jsonb(case.clocks), "counts": Jsonb(case.counts),
        "people": Jsonb(case.people), "due_at": case.due_at, "deadline_at": case.deadline_at,
        "policy": event.policy_version, "details": event.said, "details_text": event.said,
        "personal": personal, "personal_text": personal, "messages": messages,
    }  # fmt: skip


# -------------------------------------------------------------------------------------------------- the numbers


def measure(count: int = 200) -> dict[str, list[dict[str, Any]]]:
    """Return the milliseconds and statements of a click beside its floor: the median of so many."""
    with organisation() as env:
        with env.engine.connect() as conn:
            amara = staff_store.staffing(conn).by_email("amara@muster.example")
        assert amara is not None
        refs = complaints(env, 2 * (count + WARM) + 2, amara.id)
        tidy(env)
        return {"click": asyncio.run(_compare(env, refs, signed_in(env, amara.id), count))}


async def _compare(env: Environment, refs: list[str], cookie: str, count: int) -> list[dict[str, Any]]:
    app = create_app(env)
    first, second, *rest = refs
    status, page = await answer(app, f"/cases/{first}/do/acknowledge", cookie)
    found = re.search(r'name="csrf" value="([^"]+)"', page.decode())
    assert status == 200 and found is not None, page.decode()[:2000]
    form = TYPED | {"csrf": found[1], "version": "1"}
    assert await post(app, f"/cases/{first}/do/acknowledge", cookie, form) == 303
    with on_the_wire(env.engine) as sent:
        assert await post(app, f"/cases/{second}/do/acknowledge", cookie, form) == 303
    like = _as_written(env, first)
    bare = floor(env, like)
    times: dict[str, list[float]] = {"ours": [], "least": []}
    for place, ref in enumerate(rest):
        name, asked = ("ours", app) if place % 2 == 0 else ("least", bare)
        began = monotonic()
        status = await post(asked, f"/cases/{ref}/do/acknowledge", cookie, form)
        assert status == 303, (name, status)
        times[name].append((monotonic() - began) * 1000)
    ours, least = (median(each[WARM:]) for each in times.values())
    by_hand = 5 + len(like["messages"])
    return [
        {"name": "bare handler", "size": count, "ms": least, "ratio": 1.0, "statements": by_hand},
        {"name": "Muster", "size": count, "ms": ours, "ratio": least / ours, "statements": len(sent)},
    ]
