"""Between rows and values: a case as the core sees it, an event with its place in the chain."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from config.database import JsonText, json_text, without_nul
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


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event ready to be stored, with the personal part that is kept beside it."""

    values: tuple[Any, ...]
    personal: tuple[Any, ...] | None
    head: Head


EVENT_COLUMNS = (
    "case_id", "seq", "at", "actor", "role", "on_behalf_of", "kind", "trigger", "source", "target", "occurrence",
    "process_version", "policy_version", "details", "personal_digest", "prev_hash", "hash",
)  # fmt: skip
PERSONAL_COLUMNS = ("case_id", "seq", "salt", "data")


def event_of(
    case_id: int, step: Step, details: JsonText, head: Head, process_version: int, policy_version: str
) -> EventRow:
    """Return the row of a step, its details as text, that follows ``head`` in the chain of its case."""
    seq = head.seq + 1
    actor = step.actor
    personal, digest = None, None
    if step.personal:
        salt = secrets.token_hex(16)
        personal = (case_id, seq, salt, text := json_text(dict(step.personal)))
        digest = personal_digest(salt, text)
    role = actor.role.value
    hashed = event_hash(
        head.hash, case_id, seq, step.at, actor.person, role, actor.on_behalf_of, step.kind, step.trigger, step.source,
        step.target, step.occurrence, process_version, policy_version, details, digest,
    )  # fmt: skip
    values = (
        case_id, seq, step.at, actor.person, role, actor.on_behalf_of, step.kind, step.trigger, step.source,
        step.target, step.occurrence, process_version, policy_version, details, digest, head.hash, hashed,
    )  # fmt: skip
    return EventRow(values, personal, Head(seq, hashed))


def personal_digest(salt: str, text: str) -> str:
    """Return the digest under which the personal part of an event is covered by the chain."""
    return hashlib.sha256((salt + text).encode()).hexdigest()


def event_hash(prev: str, case_id: int, seq: int, at: datetime, *rest: Any) -> str:
    """Return the hash of an event: SHA-256 over the previous hash and every column, details as stored to the letter."""
    parts = [prev, str(case_id), str(seq), _iso(at)]
    parts += ["" if part is None else str(part) for part in rest]
    return hashlib.sha256(_SEPARATOR.join(parts).encode()).hexdigest()


@lru_cache(maxsize=1_000)
def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def closed_at(outcome: Outcome) -> datetime | None:
    """When the case is closed by this: at the step that led to a final state; None when it is open or was before."""
    if not outcome.final or not outcome.steps or outcome.steps[-1].source == outcome.after.state:
        return None
    return outcome.steps[-1].at
