"""The cast of the tests. Amara coordinates the North, Bo the South and must never see the North; Mina and Max manage;
Sol is senior manager, Cara sits on the council, Ada administers, Dov has left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from cases.environment import Environment, load_policy, working_calendar
from cases.installation import initialise
from config.clock import set_sandbox
from config.database import Engine, reading, transaction
from config.settings import load_settings
from members import store as member_store
from members.staff_commands import add_staff, staff_left
from state_machines.values import SYSTEM, Actor

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A working Monday at 09:00 in London, where every story begins."""

PEOPLE: Sequence[tuple[str, Sequence[str], str | None, str | None]] = (
    ("Sol", ["senior_manager"], None, None),
    ("Mina", ["manager"], None, "sol"),
    ("Max", ["manager"], None, "sol"),
    ("Amara", ["coordinator"], "North", "mina"),
    ("Bo", ["coordinator"], "South", "mina"),
    ("Cara", ["council"], None, None),
    ("Ada", ["administrator"], None, None),
    ("Dov", ["coordinator"], "North", "mina"),
)


@dataclass(frozen=True)
class Cast:
    """An organisation with staff, in a sandbox whose clock stands at MONDAY."""

    env: Environment

    def actor(self, name: str) -> Actor:
        """Return a person of the cast as somebody who acts."""
        with reading(self.env.engine) as conn:
            staffing = member_store.staffing(conn)
        person = staffing.by_email(f"{name.lower()}@muster.example")
        assert person is not None
        return staffing.actor(person.id)

    def go_to(self, instant: datetime) -> datetime:
        """Set the sandbox's clock."""
        with transaction(self.env.engine) as conn:
            set_sandbox(conn, instant)
        return instant

    def members(self, *names: str, team: str | None = "North", **columns: Any) -> list[int]:
        """Add members with one contact each and return their ids."""
        rows: list[Mapping[str, Any]] = [{"name": name, "team": team, **columns} for name in names]
        with transaction(self.env.engine) as conn:
            ids = member_store.insert_members(conn, rows, source="test", actor=SYSTEM, now=MONDAY)
            member_store.insert_contacts(
                conn,
                [
                    {"member_id": n, "position": 1, "name": name, "email": f"m{n}@members.example", "role": "primary"}
                    for n, name in zip(ids, names, strict=True)
                ],
            )
        return ids

    @property
    def env_now(self) -> datetime:
        """The instant the sandbox's clock stands at."""
        return self.env.now()

    def scalar(self, sql: str, **values: Any) -> Any:
        """Return one value from the database."""
        with reading(self.env.engine) as conn:
            return conn.execute(text(sql), values).scalar()

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """Return rows from the database."""
        with reading(self.env.engine) as conn:
            return list(conn.execute(text(sql), values))


def cast_of(engine: Engine, home: Path, smtp_url: str = "smtp://127.0.0.1:1") -> Cast:
    """Set up a sandbox with the cast and return it."""
    database = str(engine.url.render_as_string(False))
    settings = load_settings({"MUSTER_HOME": str(home), "MUSTER_DATABASE_URL": database, "MUSTER_SMTP_URL": smtp_url})
    policy = load_policy(settings)
    env = Environment(engine, settings, policy, working_calendar(settings, policy))
    initialise(engine, settings, sandbox=True, now=MONDAY)
    with transaction(engine) as conn:
        set_sandbox(conn, MONDAY)
    for name, roles, team, manager in PEOPLE:
        email = f"{name.lower()}@muster.example"
        boss = f"{manager}@muster.example" if manager else None
        add_staff(engine, name, email, roles, team=team, manager=boss, actor=SYSTEM, now=MONDAY)
    staff_left(engine, "dov@muster.example", left_on=date(2026, 2, 27), actor=SYSTEM, now=MONDAY)
    return Cast(env)


def asking_nobody(cast: Cast) -> Environment:
    """Return the organisation as one that lets so many late cases go by without a question."""
    breaker = cast.env.policy.breaker.model_copy(update={"enabled": False})
    return replace(cast.env, policy=cast.env.policy.model_copy(update={"breaker": breaker}))
