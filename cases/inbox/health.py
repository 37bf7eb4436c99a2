"""How the inbox is: when it was read, what waits for a person, and whether our mail is refused for what it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from config.database import Connection
from notifications.inbox import ledger

LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class InboxHealth:
    """The inbox in a few numbers."""

    sources: list[tuple[str, datetime | None, str | None]]
    """Each place: its name, when it was last read to its end by the real clock, and what is wrong with it."""
    waiting: int
    refused: int
    """How often mail servers refused our mail for what it is, in the last seven days."""
    said: str | None
    """What the last of them said."""

    @property
    def read_at(self) -> datetime | None:
        """When any source was last read to its end."""
        return max((read for _, read, _ in self.sources if read is not None), default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        read = self.read_at
        return {
            "read_at": read.isoformat() if read else None, "waiting": self.waiting, "refused": self.refused,
            "error": next((error for _, _, error in self.sources if error), None),
        }  # fmt: skip


def inbox_health(conn: Connection, now: datetime) -> InboxHealth:
    """Return how the inbox is. ``now``: by the organisation's clock."""
    refused, said = ledger.refusals(conn, now - LOOK_BACK)
    sources = [(row.name, row.read_at, row.error) for row in ledger.sources(conn)]
    return InboxHealth(sources, sum(ledger.waiting(conn).values()), refused, said)
