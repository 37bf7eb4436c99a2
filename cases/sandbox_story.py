"""What happened in a sandbox between two moments, day by day: what Muster did by itself, and what became of mail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import func, or_, select

from cases.commands import acts_for
from cases.environment import Environment, world
from cases.mailroom import seen_by
from cases.people import whom
from cases.permissions import visible
from cases.tables import CaseEvent, CaseRow
from config.database import reading
from members.tables import Member
from notifications import catalogue
from notifications.tables import FAILED, SENT, SUPPRESSED, MessageRow
from state_machines.english import capital
from state_machines.objections import help_of, title_of
from state_machines.registry import process_named
from state_machines.values import Actor

T = TypeVar("T", "Move", "Letter")
MOST = 400
"""Lines of either kind; a longer story is cut, and says so."""


@dataclass(frozen=True)
class Move:
    """Something Muster did to a case."""

    at: datetime
    ref: str
    subject: str
    title: str
    means: str
    """What the step does, in a sentence; nothing where its title says it."""
    to_state: str | None
    """The state the case came to, where it moved."""
    not_done: str | None
    """Why a rung did nothing."""

    @property
    def alike(self) -> tuple[object, ...]:
        """What steps have in common that are told together."""
        return self.at.replace(second=0, microsecond=0), self.title, self.means, self.to_state


@dataclass(frozen=True)
class Letter:
    """A message and what became of it."""

    id: int
    at: datetime
    ref: str | None
    title: str
    to: str
    state: str
    reason: str | None

    @property
    def alike(self) -> tuple[object, ...]:
        """What letters have in common that are told together."""
        return self.at.replace(second=0, microsecond=0), self.title, self.state, self.reason


@dataclass
class Day:
    """One day of the story."""

    day: date
    moves: list[Move] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)

    @property
    def done(self) -> list[list[Move]]:
        """What Muster did, alike things together, in the order in which they began."""
        return _together(move for move in self.moves if move.not_done is None)

    @property
    def left(self) -> list[Move]:
        """What it looked at and left as it was."""
        return [move for move in self.moves if move.not_done is not None]

    @property
    def sent(self) -> list[list[Letter]]:
        """What became of mail, alike letters together."""
        return _together(self.letters)


def _together(each: Iterable[T]) -> list[list[T]]:
    found: dict[tuple[object, ...], list[T]] = {}
    for one in each:
        found.setdefault(one.alike, []).append(one)
    return list(found.values())


@dataclass(frozen=True)
class Story:
    """Day by day what the viewer may see, and whether that is all of it."""

    days: Sequence[Day]
    moves: int
    """Steps that were done; what was only looked at is none."""
    letters: int
    cut: bool


def story(env: Environment, since: datetime, until: datetime, *, actor: Actor, now: datetime) -> Story:
    """Return what Muster did, and what became of mail, after one moment and up to another."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        seen = visible(actor, acts_for(actor, here))
        event = CaseEvent.__table__.c
        moves = conn.execute(
            select(event.at, event.kind, event.trigger, event.source, event.target, event.details, CaseRow.ref,
                   CaseRow.process, func.coalesce(Member.name, CaseRow.subject).label("subject"))
            .join(CaseRow, CaseRow.id == event.case_id).outerjoin(Member, Member.id == CaseRow.member_id)
            .where(seen, event.at > since, event.at <= until, event.actor.startswith("system:"))
            .order_by(event.at, event.id).limit(MOST + 1)
        ).all()  # fmt: skip
        at = func.coalesce(MessageRow.sent_at, MessageRow.decided_at)
        letters = conn.execute(
            select(MessageRow.id, at.label("at"), MessageRow.kind, MessageRow.audience, MessageRow.to_email,
                   MessageRow.to_name, MessageRow.state, MessageRow.reason, CaseRow.ref)
            .outerjoin(CaseRow, CaseRow.id == MessageRow.case_id)
            .where(*seen_by(actor, here), at > since, at <= until,
                   or_(*(MessageRow.state == each for each in (SENT, SUPPRESSED, FAILED))))
            .order_by(at, MessageRow.id).limit(MOST + 1)
        ).all()  # fmt: skip
    return _told([_move(r) for r in moves[:MOST]], [_letter(r) for r in letters[:MOST]], env,
                 max(len(moves), len(letters)) > MOST)  # fmt: skip


def _told(moves: Sequence[Move], letters: Sequence[Letter], env: Environment, cut: bool) -> Story:
    days: dict[date, Day] = {}

    def on_day(at: datetime) -> Day:
        day = env.calendar.local_date(at)
        return days.setdefault(day, Day(day))

    for move in moves:
        on_day(move.at).moves.append(move)
    for letter in letters:
        on_day(letter.at).letters.append(letter)
    return Story([days[day] for day in sorted(days)], sum(m.not_done is None for m in moves), len(letters), cut)


def _move(row: Any) -> Move:
    process = process_named(row.process)
    title = title_of(process, row.trigger)
    means = help_of(process, row.trigger)
    moved = process.state(row.target).title if row.source != row.target and row.target in process.by_name else None
    why = str(row.details.get("why", "")) or None
    done = row.kind in ("transition", "opened")
    return Move(row.at, row.ref, row.subject, capital(title), means, moved, None if done else why or row.kind)


def _letter(row: Any) -> Letter:
    to = row.to_name or row.to_email or whom(row.audience)
    return Letter(row.id, row.at, row.ref, catalogue.title_of(row.kind), to, row.state, row.reason)
