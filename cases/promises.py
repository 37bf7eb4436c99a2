"""The promises of Muster as questions to the database: each is one statement whose rows are what breaks it.

A *warning* is something that will put itself right, or that an idle installation shows as well; it breaks no promise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from cases import ledger
from cases.consistency import CHECKS as OF_CONSISTENCY
from cases.environment import Environment
from cases.findings import Check, Finding
from config import clock
from config.database import Connection
from notifications import catalogue
from state_machines.process import Process
from state_machines.registry import processes

MOST = 200
"""Findings of one check that are told; more of the same tell nothing new."""
LOOK_BACK = timedelta(days=31)
"""How far back the checks of history look: what is in the record stays there, and is told for a month."""


CHECKS = (
    Check("no_owner", """
        SELECT ref, 'it is open and nobody owns it' AS why FROM cases WHERE closed_at IS NULL AND owner_id IS NULL"""),
    Check("owner_left", """
        SELECT c.ref, 'it is open and its owner ' || s.name || ' has left' AS why
        FROM cases c JOIN staff s ON s.id = c.owner_id WHERE c.closed_at IS NULL AND s.status <> 'active'"""),
    Check("no_clock", """
        SELECT ref, 'it is open in the state ' || state || ' and no clock runs' AS why
        FROM cases WHERE closed_at IS NULL AND clocks = '{}'"""),
    Check("nothing_due", """
        SELECT ref, 'none of its clocks will do anything any more' AS why
        FROM cases WHERE closed_at IS NULL AND clocks <> '{}' AND due_at IS NULL"""),
    Check("clock_after_end", """
        SELECT ref, 'it is closed and a clock still runs' AS why
        FROM cases WHERE closed_at IS NOT NULL AND (due_at IS NOT NULL OR clocks <> '{}')"""),
    Check("parked", """
        SELECT ref, 'it was parked and needs a person: ' || coalesce(parked_why, '') AS why
        FROM cases WHERE parked_at IS NOT NULL AND closed_at IS NULL"""),
    Check("fired_twice", """
        SELECT min(c.ref) AS ref, 'the rung ' || e.occurrence || ' fired ' || count(*) || ' times' AS why
        FROM case_events e JOIN cases c ON c.id = e.case_id WHERE e.occurrence IS NOT NULL
        GROUP BY e.occurrence HAVING count(*) > 1"""),
    Check("sent_twice", """
        SELECT coalesce(min(c.ref), 'message ' || min(m.id)) AS ref,
          'one event sent the same person ' || m.kind || ' ' || count(*) || ' times' AS why
        FROM messages m LEFT JOIN cases c ON c.id = m.case_id
        WHERE m.state = 'sent' AND m.event_seq IS NOT NULL AND m.sent_at > :since
        GROUP BY m.case_id, m.event_seq, m.kind, lower(m.to_email) HAVING count(*) > 1"""),
    Check("sent_too_late", """
        SELECT c.ref, m.kind || ' was sent while the case was ' || e.target || ', when it was no longer wanted' AS why
        FROM messages m JOIN cases c ON c.id = m.case_id
        CROSS JOIN LATERAL (SELECT target FROM case_events WHERE case_id = m.case_id AND at < m.decided_at
          ORDER BY seq DESC LIMIT 1) e
        WHERE m.state = 'sent' AND m.decided_at > :since AND m.kind = ANY(CAST(:kinds AS text[]))
          AND NOT EXISTS (SELECT 1 FROM unnest(CAST(:kinds AS text[]), CAST(:wanted AS text[])) AS w(kind, state)
            WHERE w.kind = m.kind AND (w.state = e.target OR w.state IN (SELECT target FROM case_events
              WHERE case_id = m.case_id AND at BETWEEN m.decided_at AND m.decided_at + interval '10 minutes')))"""),
    Check("waits_in_vain", """
        SELECT DISTINCT c.ref, m.kind || ' still waits to be sent although the case is closed' AS why
        FROM messages m JOIN cases c ON c.id = m.case_id
        WHERE m.state = 'queued' AND m.kind = ANY(CAST(:kinds AS text[])) AND m.not_before < :hour_ago
          AND c.closed_at < :hour_ago AND NOT EXISTS (SELECT 1 FROM unnest(CAST(:kinds AS text[]),
            CAST(:wanted AS text[])) AS w(kind, state) WHERE w.kind = m.kind AND w.state = c.state)"""),
    Check("one_pair_of_eyes", """
        SELECT c.ref, e.actor || ' did ' || e.trigger || ' (event ' || e.seq || ') after ' || r.asked AS why
        FROM case_events e JOIN cases c ON c.id = e.case_id
        JOIN unnest(CAST(:eyes_process AS text[]), CAST(:eyes_source AS text[]), CAST(:eyes_trigger AS text[]),
          CAST(:eyes_target AS text[]), CAST(:eyes_asked AS text[])) AS r(process, source, trigger, target, asked)
          ON r.process = c.process AND r.source = e.source AND r.trigger = e.trigger AND r.target = e.target
        WHERE e.kind = 'transition' AND e.role <> 'system' AND e.at > :since
          AND EXISTS (SELECT 1 FROM case_events a WHERE a.case_id = e.case_id AND a.seq < e.seq
            AND a.role <> 'system' AND a.kind IN ('opened', 'transition') AND a.trigger = r.asked
            AND a.actor IN (e.actor, e.on_behalf_of))"""),
    Check("swept_late", """
        SELECT 'sweep' AS ref, count(*) || ' cases have been due since ' || to_char(min(due_at), 'YYYY-MM-DD HH24:MI')
          || ' UTC and nobody swept them' AS why
        FROM cases c WHERE due_at < :quarter_ago AND NOT EXISTS (SELECT 1 FROM held_cases h WHERE h.waiting
          AND h.case_id = c.id AND h.due_at = c.due_at) HAVING count(*) > 0""", warning=True),
    Check("held_back", """
        SELECT 'sweep' AS ref, cases || ' cases of the process ' || process || ' have been held back since ' ||
          to_char(raised_at, 'YYYY-MM-DD HH24:MI') || ' UTC and wait for a manager: muster holds' AS why
        FROM sweep_holds WHERE state = 'open'""", warning=True),
    Check("no_sweep", """
        SELECT 'sweep' AS ref, coalesce('the last sweep was at ' || to_char(max(s.started_at), 'YYYY-MM-DD HH24:MI')
          || ' UTC', 'there has been no sweep') AS why
        FROM sweeps s WHERE s.finished_at IS NOT NULL
        HAVING NOT coalesce(bool_or(s.started_at BETWEEN :real_minutes_ago AND :real_minutes_ahead), false)
          AND EXISTS (SELECT 1 FROM cases WHERE closed_at IS NULL)""", warning=True),
    Check("outbox_late", """
        SELECT 'outbox' AS ref, count(*) || ' messages could have left since ' ||
          to_char(min(not_before), 'YYYY-MM-DD HH24:MI') || ' UTC' AS why
        FROM messages WHERE state = 'queued' AND not_before < :day_ago HAVING count(*) > 0""", warning=True),
    Check("sending_stuck", """
        SELECT 'outbox' AS ref, count(*) || ' messages were taken up by a delivery that has ended' AS why
        FROM messages WHERE state = 'sending' AND lease_until < :real_minutes_ago HAVING count(*) > 0""", warning=True),
)  # fmt: skip
"""Instants called ``real`` are compared with what is written by the real clock, also in a sandbox."""


def broken_promises(conn: Connection, env: Environment, now: datetime) -> list[Finding]:
    """Return what the database holds against the promises, and warnings; ``now`` is the organisation's clock."""
    values = {
        **_definitions(), "since": now - LOOK_BACK, "hour_ago": now - timedelta(hours=1),
        "quarter_ago": now - timedelta(minutes=15), "day_ago": now - timedelta(days=1),
        "hour_ahead": now + timedelta(hours=1), "real_day_ago": clock.utc_now() - timedelta(days=1),
        "jobs": list(ledger.JOBS),
        "real_minutes_ago": clock.utc_now() - timedelta(minutes=5),
        "real_minutes_ahead": clock.utc_now() + timedelta(minutes=5),
    }  # fmt: skip
    return [finding for check in (*CHECKS, *OF_CONSISTENCY) for finding in _asked(conn, check, values)]


def _asked(conn: Connection, check: Check, values: Mapping[str, Any]) -> Iterator[Finding]:
    statement = text(f"SELECT ref, why FROM ({check.sql}) AS found ORDER BY ref LIMIT {MOST}")  # noqa: S608  ours
    wanted = {name: values[name] for name in statement.compile().params}
    for row in conn.execute(statement, wanted):
        yield Finding(check.name, row.ref, row.why, check.warning)


def _definitions() -> Mapping[str, list[Any]]:
    """What the statements must know of processes and kinds of message, as columns."""
    states = [(p.name, s.name, s.final) for p in processes().values() for s in p.states]
    wanted = [(kind.kind, state) for kind in catalogue.kinds() for state in sorted(kind.while_in)]
    clocks = [(p.name, s.name, c.name) for p in processes().values() for s in p.states for c in s.clocks]
    eyes = [(p.name, *rule) for p in processes().values() for rule in _four_eyes(p)]
    columns: dict[tuple[str, ...], Sequence[tuple[Any, ...]]] = {
        ("processes", "states", "finals"): states,
        ("clock_process", "clock_state", "clock_name"): clocks,
        ("parents", "children"): [(p.name, p.child.name) for p in processes().values() if p.child is not None],
        ("kinds", "wanted"): wanted,
        ("eyes_process", "eyes_source", "eyes_trigger", "eyes_target", "eyes_asked"): eyes,
    }
    return {name: [row[i] for row in rows] for names, rows in columns.items() for i, name in enumerate(names)}


def _four_eyes(process: Process) -> Iterator[tuple[str, str, str, str]]:
    """Source, trigger, target and the trigger whose people may not make the move, whichever way it is taken."""
    for source, transitions in process.from_state.items():
        ways: dict[tuple[str, str], list[set[str]]] = {}
        for transition in transitions:
            ways.setdefault((transition.trigger, transition.target or source), []).append(set(transition.four_eyes))
        for (trigger, target), asked in ways.items():
            for name in sorted(set.intersection(*asked)):
                yield source, trigger, target, name
