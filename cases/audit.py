"""Proof that the record is what was written: verify its chains, hand it out, rebuild a case from it.

A chain shows what was changed, reordered or cut inside a case. What was removed as a whole, or rewritten with all its
hashes, is shown by the daily seals: digests over the last event of every case, kept in ``job_runs``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from typing import Any

from sqlalchemy import select, text

from cases.exporting import STREAMED, export
from cases.rebuilding import rebuild
from cases.rows import GENESIS, event_hash, personal_digest
from cases.tables import JobRun
from config.database import Connection

__all__ = ["AuditReport", "Problem", "export", "rebuild", "verify"]

SEAL = "seal"
"""The job under which daily seals are kept."""
SEALS_COMPARED = 30
BATCH = 5000
MOST_PROBLEMS = 1000
_OTHER_HEAD = "the last event is not the one the case was left at"


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
_OF_ONE = text(_EVENTS.text.replace("e.case_id % :parts = :part", "e.case_id = :case_id"))
_EMPTY = text("""
SELECT c.ref FROM cases c
WHERE c.id % :parts = :part AND NOT EXISTS (SELECT 1 FROM case_events e WHERE e.case_id = c.id) ORDER BY c.id
""")
_STRAY = text("""
SELECT c.ref, p.case_id, p.seq FROM event_personal p LEFT JOIN cases c ON c.id = p.case_id
WHERE p.case_id % :parts = :part
  AND NOT EXISTS (SELECT 1 FROM case_events e WHERE e.case_id = p.case_id AND e.seq = p.seq)
""")


def verify(
    conn: Connection, *, part: tuple[int, int] = (0, 1), progress: Callable[[int], None] | None = None
) -> AuditReport:
    """Compute the chain of every case again and return whatever does not fit; at most a thousand problems.

    ``part``: (k, n) looks only at cases whose id leaves k when divided by n; seals are compared only in a whole.
    ``progress`` is called with the number of events done so far.
    """
    report, wanted = AuditReport(), {"part": part[0], "parts": part[1]}
    seals = _kept_seals(conn) if part[1] == 1 else []
    told = 0
    with conn.execute(_EVENTS, wanted, execution_options=STREAMED) as rows:
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
    report.problems += [*_lost(conn, wanted), *(problem for seal in seals for problem in seal.problems())]
    del report.problems[MOST_PROBLEMS:]
    return report


def broken(conn: Connection, case_id: int) -> bool:
    """Return whether the chain of one case is not as it was written, whatever its row says of it."""
    chain = conn.execute(_OF_ONE, {"case_id": case_id}).all()
    return not chain or any(problem.why != _OTHER_HEAD for problem in _problems(chain))


def _lost(conn: Connection, wanted: dict[str, int]) -> Iterator[Problem]:
    """Cases without events, and personal parts without theirs."""
    for row in conn.execute(_EMPTY, wanted):
        yield Problem(row.ref, 0, "all its events are missing")
    for row in conn.execute(_STRAY, wanted):
        yield Problem(row.ref or f"case {row.case_id}", row.seq, "a personal part has no event")


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
        yield Problem(last.ref, seq, _OTHER_HEAD)


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


_HEADS = text("SELECT DISTINCT ON (case_id) case_id, seq, hash FROM case_events ORDER BY case_id, seq DESC")


def record_head(conn: Connection) -> dict[str, Any]:
    """Return where the whole record stands, as a seal would: cases, events, and a digest over the last of each case."""
    digest, cases = sha256(), 0
    with conn.execute(_HEADS, execution_options=STREAMED) as rows:
        for row in rows:
            digest.update(sealed_head(row.case_id, row.seq, row.hash))
            cases += 1
    events = conn.execute(text("SELECT count(*) FROM case_events")).scalar_one()
    return {"cases": cases, "events": events, "digest": digest.hexdigest()}


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
