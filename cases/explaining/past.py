"""Why something happened to a case, or did not: each clock at an instant, each of its rungs, each guard's answer.

The record goes first: a rung that fired, was passed over or was refused is an event that keeps the guards' answers.
What no event tells is worked out again from the case as it was, and said to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from cases.breaker.waiting import is_held
from cases.environment import Environment, World, world
from cases.explaining.asking import Answer, asked, recorded
from cases.explaining.looked_back import (
    FIRED,
    LATE,
    NOT_YET,
    PASSED_OVER,
    REFUSED,
    STOOD_STILL,
    ClockWhy,
    RungThen,
    Sent,
    Why,
)  # fmt: skip
from cases.explaining.then import ClockThen, Then, as_it_was, clocks_then
from cases.sight import row_seen
from cases.tables import CaseEvent, CaseRow, Sweep
from config.database import Connection, reading
from notifications import catalogue
from notifications import queries as message_queries
from state_machines import clockwork
from state_machines.english import capital
from state_machines.ladders import EXPIRES, DueRung
from state_machines.objections import title_of
from state_machines.process import Process
from state_machines.registry import process_named
from state_machines.values import Actor, RunningClock

_PUNCTUAL = timedelta(minutes=2)
_VERDICTS = {"passed_over": PASSED_OVER, "not_fired": REFUSED}


def why(
    env: Environment, ref: str, *, at: datetime | None = None, rung: str | None = None, actor: Actor,
    now: datetime | None = None,
) -> Why:  # fmt: skip
    """Return why each rung of a case's clocks had fired or not by an instant (now). Raises CaseNotFound, also for an
    instant before the case was opened."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        row = row_seen(conn, ref, actor, here)
        moment, process = min(at or here.now, here.now), process_named(row.process)
        then = as_it_was(conn, row, process, moment, here)
        events = conn.execute(_EVENTS.where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq)).all()
        looking = _Looking(conn, process, then, events, _messages(conn, row.id), moment, here)
        clocks = tuple(looking.clock(clock, rung) for clock in clocks_then(row, process, then, events, moment, here))
        parked = _parked(events, moment)
        title = process.state(then.case.state).title
        return Why(
            row.ref, row.subject, moment, title, then.on_hold, parked,
            looking.answer(clocks, parked), clocks, tuple(_notes(then)),
        )  # fmt: skip


_EVENTS = select(
    CaseEvent.seq, CaseEvent.at, CaseEvent.kind, CaseEvent.trigger, CaseEvent.source, CaseEvent.target,
    CaseEvent.details, CaseEvent.occurrence,
)  # fmt: skip


def _messages(conn: Connection, case_id: int) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in message_queries.messages_of(conn, case_id):
        found.setdefault(row.event_seq or 0, []).append(row)
    return found


def _parked(events: Sequence[Any], at: datetime) -> str | None:
    """Why the case was set aside at an instant, unless something has happened since."""
    before = [event for event in events if event.at <= at]
    return str(before[-1].details.get("why")) if before and before[-1].kind == "parked" else None


def _notes(then: Then) -> list[str]:
    found = ["“Written down then” is what the record says; the other answers are worked out again."]
    if then.as_of_today:
        names = ", ".join(name.replace("_", " ") for name in then.as_of_today)
        found.append(f"Taken as it is today, because the record does not keep it: {names}.")
    return found


@dataclass(frozen=True)
class _Looking:
    """Looking back at one case."""

    conn: Connection
    process: Process
    then: Then
    events: Sequence[Any]
    messages: dict[int, list[Any]]
    at: datetime
    here: World

    def clock(self, found: ClockThen, only: str | None) -> ClockWhy:
        running = found.running
        whole = RunningClock(running.name, running.anchor, running.due)
        ladder = clockwork.rungs(self.process, found.clock, whole, self.here.context({}))
        left = clockwork.rungs(self.process, found.clock, running, self.here.context({}))
        again = {each.rung.name: each for each in left if each.rung.every is not None}
        wanted = [each for each in ladder if only is None or each.rung.name == only]
        rungs = [told for each in wanted for told in self._rung(each, again.get(each.rung.name), found)]
        paused = (self.then.on_hold and found.clock.name != "hold") or found.clock.paused
        return ClockWhy(running.name, capital(found.clock.title), running.anchor, running.due, paused, tuple(rungs))

    def _rung(self, due: DueRung, again: DueRung | None, found: ClockThen) -> list[RungThen]:
        """What the record says of a rung, and of one that repeats also when it comes next."""
        told = [e for e in found.events if str(e.details.get("rung")).split("#")[0] == due.rung.name]
        before = [e for e in told if e.at <= self.at]
        following = due if not before else again
        later = [e for e in told if e.at > self.at]
        return [
            *([self._recorded(before[-1], due.rung.name)] if before else []),
            *([self._unrecorded(following, found, later)] if following is not None else []),
        ]

    def _recorded(self, event: Any, rung: str) -> RungThen:
        lay = datetime.fromisoformat(event.details.get("rung_at", event.at.isoformat()))
        late = event.at - lay
        return RungThen(
            rung, self._title(event.trigger), lay, _VERDICTS.get(event.kind, FIRED), event.at,
            late if late > _PUNCTUAL else None, event.seq, str(event.details.get("why", "")),
            recorded(self.process, event.trigger, event.details.get("guards", {})), "",
            tuple(_sent(row) for row in self.messages.get(event.seq, ())),
        )  # fmt: skip

    def _unrecorded(self, due: DueRung, found: ClockThen, later: Sequence[Any]) -> RungThen:
        trigger = (found.clock.expires or "") if due.rung.fires == EXPIRES else due.rung.fires
        verdict, why = self._why_not(due, found, later)
        happened = later[0].at if later and verdict == LATE else None
        ways = self._ways(trigger)
        shut = [next((a.sentence for a in way if a.value is False), "") for way in ways]
        return RungThen(
            due.rung.name, self._title(trigger), due.at, verdict, happened, None, None, why,
            tuple(answer for way in ways for answer in way), shut[-1] if all(shut) and shut else "", (),
        )  # fmt: skip

    def _title(self, trigger: str) -> str:
        return capital(title_of(self.process, trigger))

    def _why_not(self, due: DueRung, found: ClockThen, later: Sequence[Any]) -> tuple[str, str]:
        skipped = [e for e in self.events if e.at <= self.at
                   and due.rung.name in e.details.get("passed_over", {}).get(found.clock.name, ())]  # fmt: skip
        if skipped:
            return PASSED_OVER, "It fell into a time in which the clock stood still."
        if self.then.on_hold and found.clock.name != "hold":
            return STOOD_STILL, "The case was on hold."
        if found.clock.paused:
            return STOOD_STILL, "In this state the clock stands still."
        if due.at > self.at:
            return NOT_YET, ""
        put_off = [e for e in self.events if e.kind == "put_off" and e.at <= self.at
                   and (e.details["clock"], e.details["rung"]) == (found.clock.name, due.key)]  # fmt: skip
        if put_off:
            return NOT_YET, f"It was put off: {put_off[-1].details['why']}."
        if later:
            return LATE, "No sweep had come to it yet."
        return LATE, self._no_sweep(due.at)

    def _no_sweep(self, since: datetime) -> str:
        if self.conn.execute(select(CaseRow.id).where(CaseRow.id == self.then.case.id, is_held())).first():
            return "It is held back, since more would have happened at once than anybody expects; a manager decides."
        wanted = select(func.count()).select_from(Sweep).where(Sweep.now >= since, Sweep.now <= self.at)
        ran = self.conn.execute(wanted).scalar_one()
        if not ran:
            return "No sweep ran between that moment and this one: Muster was not running, or its clock stood still."
        return f"{ran} sweep(s) ran since then without it; the deadline was moved, or whoever runs Muster must look."

    def _ways(self, trigger: str) -> list[tuple[Answer, ...]]:
        """What the guards of each way say that a trigger could take from the state of then."""
        context = self.here.context(self.then.facts)
        ways = [t for t in self.process.from_state[self.then.case.state] if t.trigger == trigger]
        return [asked(self.process, way, self.then.case, context=context, now=self.at) for way in ways]

    def answer(self, clocks: Sequence[ClockWhy], parked: str | None) -> str:
        """Return the short answer: what holds it up, what came last and what became of its mail, what comes next."""
        state = self.process.state(self.then.case.state)
        if state.final:
            return f"The case had ended ({state.title}); nothing more happens by itself."
        found = [f"It was in the state “{state.title}”."]
        if parked:
            found.append(f"Muster had set it aside after an error: {parked}")
        if self.then.on_hold:
            found.append("It was on hold, so nobody was reminded.")
        else:
            found += [f"“{c.title}” stands still in this state, so nothing of it happens." for c in clocks if c.paused]
        return " ".join([*found, *self._last(), *self._coming(clocks)])

    def _last(self) -> list[str]:
        done = [e for e in self.events if e.at <= self.at and "rung" in e.details]
        if not done:
            return ["Its clocks had not set anything off yet."]
        last = self._recorded(done[-1], str(done[-1].details["rung"]))
        words = {FIRED: "was done", PASSED_OVER: "was passed over", REFUSED: "was not done"}[last.verdict]
        because = f": {last.why}" if last.why else "."
        found = f"Last, “{last.title}” {words} on {self._when(last.happened_at)}{because}"
        return [found, *(_mail_words(sent, self._when(sent.at)) for sent in last.messages)]

    def _coming(self, clocks: Sequence[ClockWhy]) -> list[str]:
        late = [r for clock in clocks for r in clock.rungs if r.verdict == LATE]
        if late:
            first = min(late, key=lambda rung: rung.due)
            return [f"“{first.title}” was due on {self._when(first.due)} and had not been done. {first.why}"]
        waiting = [r for clock in clocks for r in clock.rungs if r.verdict == NOT_YET]
        if not waiting:
            return []
        first = min(waiting, key=lambda rung: rung.due)
        guard = f" As things stood then it would have been refused: {first.refused}" if first.refused else ""
        return [f"Next would be “{first.title}” on {self._when(first.due)}, and no sooner.{guard}"]

    def _when(self, at: datetime | None) -> str:
        local = (at or self.at).astimezone(self.here.env.calendar.zone)
        return f"{local.day} {local:%B %Y, %H:%M}"


def _sent(row: Any) -> Sent:
    to = row.to_name or row.to_email
    at = row.sent_at or row.decided_at or row.not_before
    return Sent(catalogue.title_of(row.kind), row.audience, row.state, to, at, row.reason)


def _mail_words(sent: Sent, when: str) -> str:
    if sent.state == "sent":
        return f"“{sent.title}” was sent to {sent.to} on {when}."
    why = f": {sent.reason}" if sent.reason else ""
    words = {"suppressed": "was not sent", "failed": "could not be sent"}.get(sent.state, "waits")
    return f"“{sent.title}” to the {sent.audience.replace('_', ' ')} {words}{why}."
