"""Proof that the record is what was written: verify its chains, hand it out, rebuild a case from it.

A chain shows what was changed, reordered or cut inside a case. What was removed as a whole, or rewritten with all its
hashes, is shown by the daily seals: digests over the last event of every case, kept in ``job_runs``.
"""

from __future__ import annotations

import csv
import json
import logging
import os
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Select, Text, cast, select, text

from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.errors import BadInput, CaseNotFound, NotAllowed
from cases.permissions import visible
from cases.rows import GENESIS, event_hash, personal_digest
from cases.tables import CaseEvent, CaseRow, EventPersonal, JobRun
from config.database import Connection, reading, to_json
from state_machines.process import Process
from state_machines.registry import processes
from state_machines.values import STAFF, Actor, Role

log = logging.getLogger(__name__)

SEAL = "seal"
"""The job under which daily seals are kept."""
SEALS_COMPARED = 30
BATCH = 5000
MOST_PROBLEMS = 1000
STREAMED = {"stream_results": True, "yield_per": BATCH}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the record that is not as it was written."""

    ref: str
    seq: int
    why: str


@dataclass
class AuditReport:
    """What a verification went through and what it found."""

    cases: int = 0
    events: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything is as it was written."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values."""
        found = [{"ref": p.ref, "seq": p.seq, "why": p.why} for p in self.problems]
        return {"ok": self.ok, "cases": self.cases, "events": self.events, "problems": found}


_EVENTS = text("""
SELECT e.id, e.case_id, c.ref, c.last_seq, c.last_hash, e.seq, e.at, e.actor, e.role, e.on_behalf_of, e.kind,
  e.trigger, e.source, e.target, e.occurrence, e.process_version, e.policy_version,
  CAST(e.details AS text) AS details, e.personal_digest, e.prev_hash, e.hash, p.salt, CAST(p.data AS text) AS personal
FROM case_events e LEFT JOIN cases c ON c.id = e.case_id
  LEFT JOIN event_personal p ON p.case_id = e.case_id AND p.seq = e.seq
WHERE e.case_id % :parts = :part
ORDER BY e.case_id, e.seq
""")
_EMPTY = text("""
SELECT c.ref FROM cases c WHERE NOT EXISTS (SELECT 1 FROM case_events e WHERE e.case_id = c.id) ORDER BY c.id
""")
_STRAY = text("""
SELECT c.ref, p.case_id, p.seq FROM event_personal p LEFT JOIN cases c ON c.id = p.case_id
WHERE NOT EXISTS (SELECT 1 FROM case_events e WHERE e.case_id = p.case_id AND e.seq = p.seq)
""")


def verify(
    conn: Connection, *, part: tuple[int, int] = (0, 1), progress: Callable[[int], None] | None = None
) -> AuditReport:
    """Compute the chain of every case again and return whatever does not fit; at most a thousand problems.

    ``part``: (k, n) looks only at cases whose id leaves k when divided by n; seals are compared only in a whole.
    ``progress`` is called with the number of events done so far.
    """
    report, told = AuditReport(), 0
    seals = _kept_seals(conn) if part[1] == 1 else []
    rows = conn.execute(_EVENTS, {"part": part[0], "parts": part[1]}, execution_options=STREAMED)
    for case_id, events in groupby(rows, key=lambda row: row.case_id):
        chain = list(events)
        report.cases += 1
        report.events += len(chain)
        report.problems += _problems(chain)
        for seal in seals:
            seal.add(case_id, chain)
        if progress is not None and report.events - told >= BATCH:
            told = report.events
            progress(told)
    report.problems += [Problem(row.ref, 0, "all its events are missing") for row in conn.execute(_EMPTY)]
    strays = conn.execute(_STRAY).all()
    report.problems += [
        Problem(row.ref or f"case {row.case_id}", row.seq, "a personal part has no event") for row in strays
    ]
    report.problems += [problem for seal in seals for problem in seal.problems()]
    del report.problems[MOST_PROBLEMS:]
    return report


def _problems(chain: Sequence[Any]) -> Iterator[Problem]:
    """What is wrong with the chain of one case, each wrong once."""
    if chain[0].ref is None:
        yield Problem(f"case {chain[0].case_id}", chain[0].seq, f"{len(chain)} events belong to no case")
        return
    seq, before = 0, GENESIS
    for event in chain:
        if event.seq > seq + 1:
            gone = f"{seq + 1}" if event.seq == seq + 2 else f"{seq + 1} to {event.seq - 1}"
            yield Problem(event.ref, seq + 1, f"missing from the record: event {gone}")
        elif event.seq <= seq or event.prev_hash != before:
            yield Problem(event.ref, event.seq, "it does not follow the event before it")
        if why := _changed(event):
            yield Problem(event.ref, event.seq, why)
        seq, before = event.seq, event.hash
    last = chain[-1]
    if seq < last.last_seq:
        yield Problem(last.ref, seq + 1, f"missing from the end: the case had {last.last_seq} events")
    elif (seq, before) != (last.last_seq, last.last_hash):
        yield Problem(last.ref, seq, "the last event is not the one the case was left at")


def _changed(event: Any) -> str | None:
    """Why an event, taken by itself, is not what was written."""
    hashed = event_hash(
        event.prev_hash, event.case_id, event.seq, event.at, event.actor, event.role, event.on_behalf_of, event.kind,
        event.trigger, event.source, event.target, event.occurrence, event.process_version, event.policy_version,
        event.details, event.personal_digest,
    )  # fmt: skip
    if hashed != event.hash:
        return "it was changed after it was written"
    if event.salt is not None and personal_digest(event.salt, event.personal) != event.personal_digest:
        return "its personal part was changed after it was written"
    return None


# --- seals


def sealed_head(case_id: int, seq: int, hashed: str) -> bytes:
    """Return what a seal digests of one case: where its chain stood."""
    return f"{case_id}:{seq}:{hashed}\n".encode()


@dataclass
class _Seal:
    """A seal as it was set, and the same figures counted again."""

    period: str
    last_event: int
    kept: tuple[int, int, str]
    cases: int = 0
    events: int = 0
    digest: Any = field(default_factory=sha256)

    def add(self, case_id: int, chain: Sequence[Any]) -> None:
        known = bisect_right(chain, self.last_event, key=lambda event: event.id)
        if known:
            self.cases += 1
            self.events += known
            self.digest.update(sealed_head(case_id, chain[known - 1].seq, chain[known - 1].hash))

    def problems(self) -> Iterator[Problem]:
        """Say what is gone since this seal was set."""
        cases, events, digest = self.kept
        if (self.cases, self.events) != (cases, events):
            why = f"then {cases} cases with {events} events, of these now {self.cases} with {self.events}"
            yield Problem(f"{SEAL} {self.period}", 0, f"cases or events were removed: {why}")
        elif self.digest.hexdigest() != digest:
            yield Problem(f"{SEAL} {self.period}", 0, "what was written by then has been rewritten since")


def _kept_seals(conn: Connection) -> list[_Seal]:
    newest = select(JobRun.period, JobRun.result).where(JobRun.job == SEAL).order_by(JobRun.period.desc())
    return [
        _Seal(row.period, row.result["last_event"], tuple(row.result[k] for k in ("cases", "events", "digest")))
        for row in conn.execute(newest.limit(SEALS_COMPARED))
        if row.result
    ]


# --- handing it out

FORMATS = ("jsonl", "csv")
_PERSONAL_FOR = frozenset({Role.MANAGER, Role.SENIOR, Role.COUNCIL, Role.ADMINISTRATOR, Role.SYSTEM})
_COLUMNS = (
    "seq", "at", "actor", "role", "on_behalf_of", "kind", "trigger", "source", "target", "occurrence",
    "process_version", "policy_version", "personal_digest", "prev_hash", "hash",
)  # fmt: skip


def export(
    env: Environment, path: Path, *, fmt: str = "jsonl", personal: bool = False, actor: Actor, now: datetime | None = None
) -> int:
    """Write the events the actor may see into a file, and return how many. The file is whole or not there at all.

    Details are given to the letter, so that hashes can be computed from the file. Raises NotAllowed, or BadInput
    with a sentence.
    """
    if fmt not in FORMATS:
        raise BadInput(f"The record is exported as {' or '.join(FORMATS)}, not as {fmt!r}.")
    if not actor.roles & (STAFF | {Role.SYSTEM}):
        raise NotAllowed("Only staff may export the record.")
    if personal and not actor.roles & _PERSONAL_FOR:
        raise NotAllowed("Only a manager may export the personal parts of the record.")
    with reading(env.engine) as conn, _whole_file(path) as file:
        here = world(conn, env, now)
        rows = conn.execute(_exported(actor, here, personal), execution_options=STREAMED)
        head = {"as_at": here.now, "personal": personal}
        count = _write_csv(file, head, rows) if fmt == "csv" else _write_lines(file, head, rows)
    what = "with" if personal else "without"
    log.info("The record was exported: %s events, %s personal parts.", count, what, extra={"actor": actor.person})
    return count


def _exported(actor: Actor, here: World, personal: bool) -> Select[Any]:
    event = CaseEvent.__table__.c
    columns = [CaseRow.ref.label("case"), CaseRow.process, *(event[name] for name in _COLUMNS)]
    columns.append(cast(event.details, Text).label("details"))
    statement = select(*columns).join(CaseRow, CaseRow.id == event.case_id)
    if personal:
        beside = (EventPersonal.case_id == event.case_id) & (EventPersonal.seq == event.seq)
        statement = statement.add_columns(cast(EventPersonal.data, Text).label("personal"))
        statement = statement.outerjoin(EventPersonal, beside)
    allowed = visible(actor, acts_for(actor, here))
    return statement.where(allowed, event.at <= here.now).order_by(event.case_id, event.seq)


def _write_lines(file: IO[str], head: dict[str, Any], rows: Iterable[Any]) -> int:
    file.write(to_json(head) + "\n")
    count = 0
    for row in rows:
        values = dict(row._mapping)
        verbatim = {name: values.pop(name) for name in ("details", "personal") if name in values}
        tail = "".join(f', "{name}": {found or "null"}' for name, found in verbatim.items())
        file.write(to_json(values)[:-1] + tail + "}\n")
        count += 1
    return count


def _write_csv(file: IO[str], head: dict[str, Any], rows: Any) -> int:
    file.write(f"# as at {head['as_at'].isoformat()}, {'with' if head['personal'] else 'without'} personal parts\n")
    writer = csv.writer(file)
    writer.writerow(rows.keys())
    count = 0
    for row in rows:
        writer.writerow([v.isoformat() if isinstance(v, datetime) else v for v in row])
        count += 1
    return count


@contextmanager
def _whole_file(path: Path) -> Iterator[IO[str]]:
    """Yield a file that takes its name only when everything is written."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as bad:
        raise BadInput(f"The file {path} cannot be written: {bad.strerror}.") from None
    draft = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(number)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


# --- rebuilding


def rebuild(conn: Connection, case_id: int, as_at: datetime | None = None) -> dict[str, Any]:
    """Return a case as its events say it was at an instant (now: None): state, facts, counts, people, clocks.

    Facts that were never set and facts that were set to nothing are the same here. Raises CaseNotFound when the case
    did not exist yet.
    """
    event = CaseEvent.__table__.c
    statement = select(
        CaseRow.ref, CaseRow.process, event.seq, event.at, event.actor, event.role, event.kind, event.trigger,
        event.source, event.target, event.details,
    ).join(CaseRow, CaseRow.id == event.case_id).where(event.case_id == case_id)  # fmt: skip
    if as_at is not None:
        statement = statement.where(event.at <= as_at)
    events = conn.execute(statement.order_by(event.seq)).all()
    if not events:
        raise CaseNotFound(f"case {case_id}")
    return folded(processes().get(events[0].process), events)


def folded(process: Process | None, events: Sequence[Any]) -> dict[str, Any]:
    """Return what a sequence of events adds up to."""
    case: dict[str, Any] = {
        "ref": events[0].ref, "process": events[0].process, "state": events[0].target, "on_hold": False, "data": {},
        "counts": {}, "people": {}, "clocks": {}, "opened_at": events[0].at, "entered_at": events[0].at,
        "closed_at": None, "seq": 0,
    }  # fmt: skip
    for event in events:
        if event.target != case["state"]:
            case |= {"state": event.target, "entered_at": event.at}
        case["seq"] = event.seq
        case["data"] |= event.details.get("data", {})
        _fold_clocks(process, case, event)
        if event.kind in ("opened", "transition"):
            _fold_move(process, case, event)
    state = process.by_name.get(case["state"]) if process else None
    case["closed_at"] = events[-1].at if state is not None and state.final else None
    case["data"] = {name: value for name, value in case["data"].items() if value is not None}
    return case


def _fold_clocks(process: Process | None, case: dict[str, Any], event: Any) -> None:
    """A clock that ends where the next state has it too was started afresh and is due at the same instant."""
    due = event.details.get("clocks_due", {})
    for name in event.details.get("clocks_ended", {}):
        again = process is not None and name in process.clocks_by_state.get(event.target, {})
        if name not in due and not again:
            case["clocks"].pop(name, None)
    case["clocks"] |= due


def _fold_move(process: Process | None, case: dict[str, Any], event: Any) -> None:
    named = [t for t in process.transitions if t.trigger == event.trigger] if process else []
    case["on_hold"] = (case["on_hold"] or any(t.holds for t in named)) and not any(t.resumes for t in named)
    by_system = event.role == Role.SYSTEM.value
    stays = event.kind == "transition" and event.source == event.target and any(t.internal for t in named)
    if not (by_system and stays):
        case["counts"][event.trigger] = case["counts"].get(event.trigger, 0) + 1
    if not by_system:
        before = case["people"].get(event.trigger, [])
        case["people"][event.trigger] = [*(person for person in before if person != event.actor), event.actor]
