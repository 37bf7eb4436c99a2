"""Time that passes on a stage: from moment to moment at which something is due or happens, as the minutes really do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

from sqlalchemy import func, select

from cases.delivering import deliver
from cases.environment import Environment
from cases.errors import CaseError
from cases.rehearsing.happenings import Happening, Place, happen
from cases.sweep import sweep_due
from cases.tables import CaseRow
from config.database import reading
from members.errors import MembersError
from notifications.tables import QUEUED, MessageRow

MINUTE = timedelta(minutes=1)
"""What is tried again at once is tried again with the next sweep."""
AtStop = Callable[[datetime], Iterable[Happening]]
"""Called after each delivery; returns what people will do because of it."""


@dataclass
class Course:
    """How a rehearsal goes."""

    place: Place
    until: datetime
    at: datetime
    coming: list[Happening]
    at_stop: AtStop
    stops: int = 0
    swept: datetime | None = None
    due: tuple[datetime | None, datetime | None] = (None, None)
    """When the next case and the next message are due."""
    refused: list[tuple[Happening, str]] = field(default_factory=list)
    """What could not be done, with the sentence that said why."""
    ended_early: bool = False

    def __post_init__(self) -> None:
        heapify(self.coming)

    def run(self, goes_on: Callable[[datetime, datetime], bool]) -> None:
        """Let time pass until the end, until nothing is left to happen, or until ``goes_on`` says no."""
        while (stop := self._next()) is not None and stop <= self.until:
            if not goes_on(stop, self.until):
                self.ended_early = True
                return
            self.at, self.stops = stop, self.stops + 1
            self._happens(stop)

    def _next(self) -> datetime | None:
        self.due = _due(self.place.env)
        due = [at for at in self.due if at is not None]
        stop = max(min(due), self.at) if due else None
        if stop is not None and self.swept is not None and stop <= self.swept:
            stop = self.swept + MINUTE
        happens = self.coming[0].at if self.coming else None
        both = [at for at in (stop, happens) if at is not None]
        return max(min(both), self.at) if both else None

    def _happens(self, stop: datetime) -> None:
        """First what is due, then what people do; what follows from that is due at once."""
        self._machinery(stop)
        moved = False
        while self.coming and self.coming[0].at <= stop:
            moved = True
            self._try(heappop(self.coming))
        if moved:
            self.due = _due(self.place.env)
            self._machinery(stop)

    def _machinery(self, stop: datetime) -> None:
        env = self.place.env
        case_due, mail_due = self.due
        if case_due is not None and case_due <= stop:
            sweep_due(env, workers=1, now=stop)
            mail_due = _due(env)[1]
        if mail_due is not None and mail_due <= stop:
            deliver(env, transport=self.place.post, now=stop)
            for each in self.at_stop(stop):
                heappush(self.coming, each)
        self.swept = stop

    def _try(self, what: Happening) -> None:
        try:
            happen(self.place, what)
        except (CaseError, MembersError, KeyError, ValueError) as bad:
            self.refused.append((what, str(bad)))


_DUE = select(
    select(func.min(CaseRow.due_at)).scalar_subquery(),
    select(func.min(MessageRow.not_before)).where(MessageRow.state == QUEUED).scalar_subquery(),
)


def _due(env: Environment) -> tuple[datetime | None, datetime | None]:
    with reading(env.engine) as conn:
        found = conn.execute(_DUE).one()
        return found[0], found[1]
