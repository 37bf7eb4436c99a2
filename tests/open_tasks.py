"""Open tasks of cases, for the tests that close them."""

from __future__ import annotations

from cases.commands import plain_change
from cases.environment import world
from cases.locking import lock_ref
from cases.store import apply
from config.database import transaction
from state_machines.values import SYSTEM, Role, Task
from tests.cast import Cast


def with_tasks(cast: Cast, ref: str, *kinds: str) -> list[int]:
    """Give a case tasks of these kinds and return their numbers."""
    with transaction(cast.env.engine) as conn:
        here = world(conn, cast.env, None)
        locked = lock_ref(conn, ref)
        assert locked is not None
        tasks = tuple(Task(kind, f"Task {kind}", Role.COORDINATOR, here.now, {}) for kind in kinds)
        change = plain_change(locked, locked.case, "note", {}, {"text": "x"}, tasks, actor=SYSTEM, now=here.now)
        apply(conn, [change], here)
    return [row.id for row in cast.rows("SELECT id FROM case_tasks ORDER BY id")]
