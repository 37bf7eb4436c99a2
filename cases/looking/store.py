"""Looks, written and read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, or_, select, text

from cases.commands import acts_for
from cases.environment import Environment, world
from cases.looking.recording import EXPORT, Look
from cases.looking.tables import KEPT_YEARS as KEPT_YEARS
from cases.looking.tables import RestrictedView
from cases.permissions import as_ids, visible
from cases.rows import staff_id_of
from cases.tables import CaseRow
from config.database import Engine, reading, to_json, transaction
from state_machines.values import Actor, Role

SAME = timedelta(minutes=15)
"""Who looks at the same again within this time has looked once; a copy that is taken away always counts."""
ALL_LOOKS = frozenset({Role.AUDITOR, Role.ADMINISTRATOR})
"""They see every look, but for those at cases about themselves; managers those at cases that they may open."""

_KEEP = text("""
INSERT INTO restricted_views (at, person, on_behalf_of, what, case_ref, name, through, request)
SELECT :now, n.person, n.on_behalf_of, n.what, n.case_ref, n.name, :through, :request
FROM jsonb_to_recordset(CAST(:looks AS jsonb))
  AS n(person text, on_behalf_of text, what text, case_ref text, name text)
WHERE n.what = :always OR NOT EXISTS (
  SELECT 1 FROM restricted_views v WHERE v.person = n.person AND v.at > :since AND v.what = n.what
  AND v.through = :through AND v.case_ref IS NOT DISTINCT FROM n.case_ref AND v.name IS NOT DISTINCT FROM n.name)
""")


def keep(engine: Engine, looks: Sequence[Look], *, through: str, request: str, now: datetime) -> None:
    """Write looks, in one statement; those of the last quarter of an hour are not written again."""
    given = {"looks": to_json([asdict(look) for look in looks]), "through": through, "request": request}
    with transaction(engine) as conn:
        conn.execute(_KEEP, {**given, "now": now, "since": now - SAME, "always": EXPORT})


def looks(
    env: Environment, *, case_ref: str = "", person: str = "", before: int | None = None, limit: int | None = None,
    actor: Actor,
) -> list[Row[Any]]:  # fmt: skip
    """Return looks, the newest first: at one case, by one person, or all that the actor may be told of."""
    table = RestrictedView.__table__
    statement = select(table).order_by(table.c.id.desc())
    with reading(env.engine) as conn:
        here = world(conn, env)
        statement = statement.where(_told(actor, visible(actor, acts_for(actor, here))))
        if case_ref:
            statement = statement.where(table.c.case_ref == case_ref.strip().upper())
        if person:
            statement = statement.where(table.c.person == person)
        if before is not None:
            statement = statement.where(table.c.id < before)
        return list(conn.execute(statement if limit is None else statement.limit(limit)))


def _told(actor: Actor, seen: ColumnElement[bool]) -> ColumnElement[bool]:
    """Of which looks somebody is told."""
    this = CaseRow.ref == RestrictedView.case_ref
    if actor.roles & ALL_LOOKS:
        walled = CaseRow.walled_off.contains(as_ids({staff_id_of(actor.person) or 0}))
        return or_(RestrictedView.case_ref.is_(None), ~exists().where(this, walled))
    return exists().where(this, seen)


def forget_old(engine: Engine, *, now: datetime) -> int:
    """Delete looks that have been kept for long enough, and return how many."""
    with transaction(engine) as conn:
        old = RestrictedView.at < now - timedelta(days=366 * KEPT_YEARS)
        return conn.execute(delete(RestrictedView).where(old)).rowcount
