"""Between rows and values: a case as the core sees it, an event with its place in the chain."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from config.database import without_nul
from state_machines.values import Case, Extension, Outcome, Pause, RunningClock, Step

GENESIS = "0" * 64
"""What the first event of every case follows."""

_SEPARATOR = "\x1f"


def ref_of(text: str) -> str:
    """Return the reference that somebody typed, as references are stored."""
    return str(without_nul(text.strip().upper()))


def day_of(stored: Any) -> date | None:
    """Return a day, or the day of an instant, as the data of a case keeps it; None where there is none."""
    return date.fromisoformat(str(stored)[:10]) if stored else None


def person_of(staff_id: int | None) -> str | None:
    """Return the person a staff id means: ``staff:3``."""
    return None if staff_id is None else f"staff:{staff_id}"


def staff_id_of(person: str | None) -> int | None:
    """Return the staff id of a person, or None for anybody who is not staff."""
    return int(person[6:]) if person and person.startswith("staff:") else None


def clock_to_json(clock: RunningClock) -> dict[str, Any]:
    """Return a running clock as it is stored; what is empty is left out."""
    stored: dict[str, Any] = {"anchor": clock.anchor.isoformat(), "due": clock.due.isoformat()}
    if clock.next_at is not None:
        stored["next"] = clock.next_at.isoformat()
    if clock.run:
        stored["run"] = clock.run
    if clock.fired:
        stored["fired"] = list(clock.fired)
    if clock.pauses:
        stored["pauses"] = [[p.since.isoformat(), p.until.isoformat() if p.until else None] for p in clock.pauses]
    if clock.extensions:
        stored["extensions"] = [
            [x.at.isoformat(), x.was.isoformat(), x.until.isoformat(), x.by, x.reason] for x in clock.extensions
        ]
    if clock.put_off:
        stored["put_off"] = [[key, until.isoformat()] for key, until in clock.put_off]
    return stored


def clocks_to_json(clocks: Mapping[str, RunningClock]) -> dict[str, Any]:
    """Return the clocks of a case as they are stored."""
    return {name: clock_to_json(clock) for name, clock in clocks.items()}


_instant = datetime.fromisoformat


def clock_from_json(name: str, stored: Mapping[str, Any]) -> RunningClock:
    """Return the running clock that was stored."""
    after = stored.get("next")
    return RunningClock(
        name,
        _instant(stored["anchor"]),
        _instant(stored["due"]),
        tuple(stored.get("fired", ())),
        tuple(Pause(_instant(a), _instant(b) if b else None) for a, b in stored.get("pauses", ())),
        tuple(
            Extension(_instant(a), _instant(w), _instant(u), by, why)
            for a, w, u, by, why in stored.get("extensions", ())
        ),
        _instant(after) if after else None,
        stored.get("run", 0),
        tuple((key, _instant(until)) for key, until in stored.get("put_off", ())),
    )


def clocks_from_json(stored: Mapping[str, Any]) -> dict[str, RunningClock]:
    """Return the running clocks that were stored."""
    return {name: clock_from_json(name, clock) for name, clock in stored.items()}


def case_of(row: Any) -> Case:
    """Return the snapshot of a row of ``cases``."""
    return Case(
        row.id, row.ref, row.process, row.state, row.version, row.opened_at, row.received_at, row.entered_at,
        row.member_id, row.subject, row.team, person_of(row.owner_id), row.parent_id, row.on_hold, row.data,
        row.parties, clocks_from_json(row.clocks),
        row.counts, row.people,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a case: what the next one follows."""

    seq: int
    hash: str


def occurrence_of(case_id: int, step: Step) -> str | None:
    """Return the key of the rung that a step fired, unique among all cases; None when it fired none."""
    return None if step.occurrence is None else f"{case_id}:{step.occurrence}"


def personal_digest(salt: str, text: str) -> str:
    """Return the digest under which the personal part of an event is covered by the chain."""
    return hashlib.sha256((salt + text).encode()).hexdigest()


def event_hash(prev: str, case_id: int, seq: int, at: datetime, *rest: Any) -> str:
    """Return the hash of an event: SHA-256 over the previous hash and every column, details as stored to the letter."""
    return digest_of(prev, str(case_id), str(seq), in_hash(at, *rest))


def in_hash(*columns: Any) -> str:
    """Return columns that follow one another as they are hashed: instants in UTC, what is missing as nothing."""
    return _SEPARATOR.join([
        "" if part is None else _iso(part) if isinstance(part, datetime) else str(part) for part in columns
    ])  # fmt: skip


@lru_cache(maxsize=1_000)
def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def digest_of(*texts: str) -> str:
    """Return the SHA-256 of texts that are hashed one after the other."""
    return hashlib.sha256(_SEPARATOR.join(texts).encode()).hexdigest()


def closed_at(outcome: Outcome) -> datetime | None:
    """When the case is closed by this: at the step that led to a final state; None when it is open or was before."""
    if not outcome.final or not outcome.steps or outcome.steps[-1].source == outcome.after.state:
        return None
    return outcome.steps[-1].at
