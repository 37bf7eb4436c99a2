"""Telling who decides that something is held back: once when it begins, once more to seniors when nobody decides."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from cases.breaker.values import Facts
from cases.environment import World
from config.database import Connection
from members.staffing import Person
from notifications import outbox
from notifications.values import NewMessage
from state_machines.registry import process_named
from state_machines.values import Role

KIND = "work_held_back"


def tell(
    conn: Connection, number: int, process: str, cases: int, facts: Facts, here: World, *, again: bool = False
) -> None:
    """Queue a notice to every manager, or to the senior managers where there is none or nobody has decided."""
    data: dict[str, Any] = {
        "number": number, "process": process_named(process).title, "cases": cases, "again": again,
        "messages": sum(facts.messages.values()), "moves": sum(facts.moves.values()),
        "hours": here.env.policy.breaker.senior_after_hours,
        "page": f"{here.env.settings.base_url.rstrip('/')}/approvals/held/{number}",
    }  # fmt: skip
    stem = f"held-back:{number}:{'again' if again else 'first'}"
    wanted = [
        NewMessage(key=f"{stem}:{p.id}", kind=KIND, audience=p.person, data=data)
        for p in _readers(here, facts.causers, seniors=again)
    ]  # fmt: skip
    outbox.enqueue(conn, wanted, now=here.now)


def _readers(here: World, causers: Collection[str], *, seniors: bool) -> list[Person]:
    active = [p for p in here.staffing.people.values() if p.active and p.person not in causers]
    managers = [] if seniors else [p for p in active if Role.MANAGER in p.roles]
    return managers or [p for p in active if Role.SENIOR in p.roles] or [p for p in active if Role.MANAGER in p.roles]
