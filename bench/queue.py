"""The first page of a queue among a million cases, beside the least that could show the same rows. One run.

The floor is a bare FastAPI handler: three statements written by hand (who asks, the rows, how many cases are in which
state), and a plain template with the same facts in each row. It knows no stand-ins, filters or saved views, and has no
frame around its table: a quarter of the page's bytes. Both are asked in process, in turn, by a person whose queue was
opened before, without compression; what is compared is the ratio.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from fastapi import FastAPI, Request
from jinja2 import Environment as Templates
from sqlalchemy import event, text
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message

from bench.crowd import crowd
from bench.organisation import LAUNCH
from cases.environment import Environment
from config import clock
from config.clock import monotonic
from config.database import Engine, reading, transaction
from members import staff_store
from members.staff_commands import add_staff
from state_machines.registry import process_named
from state_machines.values import SYSTEM
from web import sessions
from web.app import create_app
from web.desk_page import session_cookie
from web.wording import left, when_words

TEAMS = 10
PEOPLE = 6
"""Coordinators of each team."""
ROUNDS = 60
BIG = 5_000
"""Tables with more rows than this must be read by index."""

WHO = text("SELECT staff_id FROM web_sessions WHERE token_sha256 = :sha256 AND seen_at > :since")
ROWS = text("""
SELECT c.ref, c.subject, c.process, c.state, c.deadline_at, c.on_hold, c.parked_at, c.version,
  c.restricted_to IS NOT NULL AS restricted, m.name AS member, m.ref AS member_ref, s.name AS owner
FROM cases c LEFT JOIN members m ON m.id = c.member_id JOIN staff s ON s.id = c.owner_id
WHERE c.owner_id = :me AND c.closed_at IS NULL AND (c.restricted_to IS NULL OR :me = ANY(c.restricted_to))
  AND (c.walled_off IS NULL OR :me <> ALL(c.walled_off))
ORDER BY c.deadline_at, c.id LIMIT 51
""")
COUNTS = text("""
SELECT process, state, count(*) AS n FROM (
  SELECT c.process, c.state FROM cases c
  WHERE c.owner_id = :me AND c.closed_at IS NULL AND (c.restricted_to IS NULL OR :me = ANY(c.restricted_to))
    AND (c.walled_off IS NULL OR :me <> ALL(c.walled_off)) ORDER BY c.deadline_at, c.id LIMIT 2001
) AS mine GROUP BY process, state
""")
PAGE = Templates(autoescape=True).from_string("""<!doctype html><title>My queue</title><h1>My queue</h1><table>
{% for row in rows %}<tr><td><input type="checkbox" name="case" value="{{ row.ref }}@{{ row.version }}"></td>
<td><a href="/cases/{{ row.ref }}">{{ row.ref }}</a> {{ row.subject }}{% if row.on_hold %} On hold{% endif %}
{% if row.parked_at %} Parked{% endif %}{% if row.restricted %} Restricted{% endif %}</td>
<td><a href="/members/{{ row.member_ref }}">{{ row.member }}</a></td><td>{{ title(row.process) }}: {{ state(row) }}</td>
<td>{{ row.owner }}</td><td>{{ left(row.deadline_at).words }} {{ when(row.deadline_at) }}</td></tr>{% endfor %}</table>
<ul>{% for row in counts %}<li>{{ title(row.process) }}, {{ state(row) }}: {{ row.n }}</li>{% endfor %}</ul>""")


def floor(env: Environment) -> FastAPI:
    """Return the least application that shows a person's queue."""
    app = FastAPI(openapi_url=None)

    @app.get("/queue")
    def queue(request: Request) -> HTMLResponse:
        key = request.cookies[session_cookie(env.settings)]
        with env.engine.connect() as conn:
            asked = {"sha256": sessions.sha256(key), "since": clock.utc_now() - sessions.IDLE}
            me = conn.execute(WHO, asked).scalar_one()
            rows = conn.execute(ROWS, {"me": me}).all()[:50]
            counts = conn.execute(COUNTS, {"me": me}).all()
        return HTMLResponse(PAGE.render(
            rows=rows, counts=counts, title=lambda name: process_named(name).title,
            state=lambda row: process_named(row.process).state(row.state).title,
            left=lambda at: left(at, LAUNCH, env.settings.zone), when=lambda at: when_words(at, env.settings.zone),
        ))  # fmt: skip

    return app


# ------------------------------------------------------------------------------------------------------ asking


async def answer(app: ASGIApp, path: str, cookie: str) -> tuple[int, bytes]:
    """Return what an application answers, without a network in between."""
    status, body = 0, b""
    path, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(b"host", b"localhost"), (b"cookie", cookie.encode())],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080), "state": {},
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, body
        status = message.get("status", status)
        body += message.get("body", b"")

    await app(scope, receive, send)
    return status, body


async def _timed(asked: list[Callable[[], Any]], rounds: int) -> list[float]:
    """Return the median milliseconds of each, asked in turn so that the machine's moods are shared."""
    times: list[list[float]] = [[] for _ in asked]
    for number in range(rounds + 10):
        for place, ask in enumerate(asked):
            began = monotonic()
            status, _ = await ask()
            if number >= 10:
                times[place].append((monotonic() - began) * 1000)
            assert status == 200, status
    return [median(each) for each in times]


@contextmanager
def heard(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Yield a list that every statement and its values are written to."""
    found: list[tuple[str, Any]] = []

    def hear(conn: Any, cursor: Any, statement: str, values: Any, *rest: Any) -> None:
        found.append((statement, values))

    event.listen(engine, "before_cursor_execute", hear)
    yield found
    event.remove(engine, "before_cursor_execute", hear)


def scans(engine: Engine, statements: list[tuple[str, Any]]) -> list[str]:
    """Return the big tables that any of these statements reads from end to end."""
    found: set[str] = set()
    with engine.connect() as conn:
        rows = conn.execute(text("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > :n"), {"n": BIG})
        big = {row.relname for row in rows}
        for statement, values in statements:
            plan = conn.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar_one()
            plan = plan if isinstance(plan, list) else json.loads(plan)
            found |= {name for node, name in _nodes(plan[0]["Plan"]) if node == "Seq Scan" and name and name in big}
    return sorted(found)


def _nodes(plan: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    yield plan["Node Type"], plan.get("Relation Name")
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


# -------------------------------------------------------------------------------------------------- the numbers

PAGES = (
    ("coordinator", "/queue"), ("coordinator", "/cases"), ("coordinator", "/cases?process=complaint&due=overdue"),
    ("manager", "/cases"), ("manager", "/cases?phase=all"), ("manager", "/search?q=late+rep"),
    ("coordinator", "/search?q=cafe+ltd"),
)  # fmt: skip


def _staff(env: Environment) -> dict[str, list[int]]:
    """Add the coordinators of every team, and return their ids by team."""
    for team in range(TEAMS):
        for number in range(PEOPLE):
            name = f"Coordinator {team}-{number}"
            email = f"c{team}-{number}@muster.example"
            add_staff(env.engine, name, email, ["coordinator"], team=f"Team {team}", actor=SYSTEM, now=LAUNCH)
    with reading(env.engine) as conn:
        people = [p for p in staff_store.staffing(conn).people.values() if p.team]
    return {f"Team {n}": [p.id for p in people if p.team == f"Team {n}"] for n in range(TEAMS)}


def crowded(env: Environment, count: int) -> dict[str, list[int]]:
    """Make so many cases of 20,000 members; return the ids of the coordinators by team."""
    owners = _staff(env)
    with transaction(env.engine) as conn:
        crowd(conn, count, owners=owners, members=20_000, now=LAUNCH)
    with env.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("VACUUM ANALYZE")
    return owners


async def pages(env: Environment, me: int) -> dict[str, list[dict[str, Any]]]:
    """Return the milliseconds and statements of the first page beside its floor, and of the other pages."""
    app = create_app(env)
    cookies = {"coordinator": signed_in(env, me), "manager": signed_in(env, _id_of(env, "mina@muster.example"))}
    bare = floor(env)
    ours, least = await _timed([
        lambda: answer(app, "/queue", cookies["coordinator"]), lambda: answer(bare, "/queue", cookies["coordinator"]),
    ], ROUNDS)  # fmt: skip
    asked = await _count(env, app, "/queue", cookies)
    first = [
        {"name": "bare handler, SQL by hand, plain template", "ms": least, "of_floor": 1.0, "statements": 3},
        {"name": "Muster", "ms": ours, "of_floor": ours / least, "statements": asked},
    ]
    return {"queue": first, "pages": [await _page(env, app, who, path, cookies[who]) for who, path in PAGES]}


async def _page(env: Environment, app: ASGIApp, who: str, path: str, cookie: str) -> dict[str, Any]:
    [took] = await _timed([lambda: answer(app, path, cookie)], 5)
    with heard(env.engine) as statements:
        await answer(app, path, cookie)
    found = scans(env.engine, list(statements))
    return {"name": f"{who} {path}", "ms": took, "statements": len(statements), "scans": ", ".join(found)}


async def _count(env: Environment, app: ASGIApp, path: str, cookies: dict[str, str]) -> int:
    with heard(env.engine) as statements:
        await answer(app, path, cookies["coordinator"])
    return len(statements)


def _id_of(env: Environment, email: str) -> int:
    with reading(env.engine) as conn:
        person = staff_store.staffing(conn).by_email(email)
    assert person is not None
    return person.id


def signed_in(env: Environment, staff_id: int) -> str:
    """Return the cookie of a new session of this person."""
    with transaction(env.engine) as conn:
        token = sessions.start(conn, staff_id, address="127.0.0.1", agent="bench", now=clock.utc_now())
    return f"{session_cookie(env.settings)}={token}"
