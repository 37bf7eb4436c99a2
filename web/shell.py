"""What stands around every page: whose clock this is, and whether the sweep is alive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from cases.breaker.waiting import holds_waiting
from cases.health import LATE_AFTER, last_sweep
from config.database import Connection
from config.tables import SANDBOX, Installation


@dataclass(frozen=True, slots=True)
class Shell:
    """The installation as the frame of a page shows it."""

    sandbox: bool
    now: datetime
    """The instant the installation lives in."""
    stands_still: bool
    """Whether a sandbox's clock was set."""
    swept_at: datetime | None
    """By the real clock."""
    sweep_is_late: bool
    holds: int = 0
    """How many decisions about what Muster holds back wait for a manager."""


COLUMNS = (Installation.kind, Installation.clock_at, last_sweep().label("swept_at"), holds_waiting().label("holds"))
"""What a statement reads for ``shell_of``."""
_FACTS = select(*COLUMNS)


def facts(conn: Connection, real: datetime) -> Shell:
    """Return what the frame shows, in one statement. ``real`` is the real instant."""
    return shell_of(conn.execute(_FACTS).one_or_none(), real)


def shell_of(row: Row[Any] | None, real: datetime) -> Shell:
    """Return what the frame shows, from a row with ``COLUMNS``; without an installation, of a dead one."""
    if row is None or row.kind is None:
        return Shell(False, real, False, None, True)
    sandbox = row.kind == SANDBOX
    now = row.clock_at if sandbox and row.clock_at is not None else real
    late = row.swept_at is None or abs(real - row.swept_at) > LATE_AFTER
    return Shell(sandbox, now, now is not real, row.swept_at, late, row.holds)
