"""Whether what is written agrees with itself: rows with their record, cases with their definitions and each other, mail
with cases, work with the ledger. Each question is one statement whose rows are what does not agree.
"""

from __future__ import annotations

from cases.findings import Check

_TABLES = {
    "KNOWN k": """unnest(CAST(:processes AS text[]), CAST(:states AS text[]), CAST(:finals AS bool[]))
          AS k(process, state, final)""",
    "CLOCKS d": """unnest(CAST(:clock_process AS text[]), CAST(:clock_state AS text[]), CAST(:clock_name AS text[]))
          AS d(process, state, name)""",
    "FAMILY f": "unnest(CAST(:parents AS text[]), CAST(:children AS text[])) AS f(parent, child)",
}
"""What the definitions say, as tables of a statement."""


def _check(name: str, sql: str, *, warning: bool = False) -> Check:
    for short, table in _TABLES.items():
        sql = sql.replace(short, table)
    return Check(name, sql, warning)


CHECKS = (
    # --- the row of a case and its record
    _check("unknown_process", """
        SELECT c.ref, 'there is no process ' || c.process AS why
        FROM cases c WHERE c.process <> ALL(CAST(:processes AS text[]))"""),
    _check("unknown_state", """
        SELECT c.ref, 'its process has no state ' || c.state AS why
        FROM cases c LEFT JOIN KNOWN k ON k.process = c.process AND k.state = c.state
        WHERE k.state IS NULL AND c.process = ANY(CAST(:processes AS text[]))"""),
    _check("closed_unlike_state", """
        SELECT c.ref, CASE WHEN k.final THEN 'it is in the final state ' || c.state || ' and not closed'
          ELSE 'it is closed in the state ' || c.state || ', which is not final' END AS why
        FROM cases c JOIN KNOWN k ON k.process = c.process AND k.state = c.state
        WHERE k.final <> (c.closed_at IS NOT NULL)"""),
    _check("state_without_event", """
        SELECT c.ref, 'it is in the state ' || c.state || ', its last event left it in ' || e.target AS why
        FROM cases c JOIN case_events e ON e.case_id = c.id AND e.seq = c.last_seq
          JOIN KNOWN k ON k.process = c.process AND k.state = c.state WHERE e.target <> c.state"""),
    _check("head_unlike_events", """
        SELECT c.ref, CASE WHEN e.seq = c.last_seq THEN 'its last event is not the one it was left at' ELSE
          'it was left at event ' || c.last_seq || ', and its last event is ' || e.seq END AS why
        FROM cases c CROSS JOIN LATERAL (SELECT seq, hash FROM case_events WHERE case_id = c.id
          ORDER BY seq DESC LIMIT 1) e WHERE (e.seq, e.hash) IS DISTINCT FROM (c.last_seq, c.last_hash)"""),
    _check("future_event", """
        SELECT c.ref, 'event ' || e.seq || ' was written for ' || to_char(e.at, 'YYYY-MM-DD HH24:MI')
          || ' UTC, which is still to come' AS why
        FROM case_events e JOIN cases c ON c.id = e.case_id WHERE e.at > :hour_ahead""", warning=True),
    # --- clocks
    _check("clock_of_other_state", """
        SELECT c.ref, 'the clock ' || n.name || ' runs, and the state ' || c.state || ' has none of this name' AS why
        FROM cases c CROSS JOIN LATERAL jsonb_object_keys(c.clocks) AS n(name)
          JOIN KNOWN k ON k.process = c.process AND k.state = c.state
          LEFT JOIN CLOCKS d ON d.process = c.process AND d.state = c.state AND d.name = n.name
        WHERE c.closed_at IS NULL AND d.name IS NULL AND NOT (n.name = 'hold' AND c.on_hold)"""),
    _check("hold_without_end", """
        SELECT ref, 'it is on hold and no clock ends that' AS why
        FROM cases WHERE closed_at IS NULL AND on_hold AND NOT clocks ? 'hold' AND clocks <> '{}'"""),
    _check("due_unlike_clocks", """
        SELECT c.ref, 'it is to be looked at ' || coalesce(to_char(c.due_at, 'YYYY-MM-DD HH24:MI'), 'never')
          || ' and due ' || coalesce(to_char(c.deadline_at, 'YYYY-MM-DD HH24:MI'), 'never') || ', its clocks say '
          || coalesce(to_char(w.soonest, 'YYYY-MM-DD HH24:MI'), 'never') || ' and '
          || coalesce(to_char(w.deadline, 'YYYY-MM-DD HH24:MI'), 'never') || ' (UTC)' AS why
        FROM cases c CROSS JOIN LATERAL (
          SELECT min(CAST(clock ->> 'next' AS timestamptz)) AS soonest, min(CAST(clock ->> 'due' AS timestamptz))
            FILTER (WHERE jsonb_typeof(clock -> 'pauses' -> -1 -> 1) IS DISTINCT FROM 'null') AS deadline
          FROM jsonb_each(c.clocks) AS each(name, clock)) w
        WHERE c.closed_at IS NULL AND c.clocks <> '{}' AND c.due_at IS NOT NULL
          AND ((c.parked_at IS NULL AND c.due_at IS DISTINCT FROM w.soonest)
            OR c.deadline_at IS DISTINCT FROM w.deadline)"""),
    _check("task_after_end", """
        SELECT DISTINCT c.ref, 'it is closed and there is still to do: ' || t.title AS why
        FROM case_tasks t JOIN cases c ON c.id = t.case_id WHERE t.closed_at IS NULL AND c.closed_at IS NOT NULL"""),
    # --- people
    _check("owner_kept_out", """
        SELECT ref, 'its owner may not see it' AS why FROM cases WHERE closed_at IS NULL
          AND (owner_id = ANY(walled_off) OR owner_id <> ALL(restricted_to))"""),
    _check("asked_by_who_left", """
        SELECT DISTINCT c.ref, 'it waits for a decision that nobody who still works here asked for' AS why
        FROM cases c JOIN unnest(CAST(:eyes_process AS text[]), CAST(:eyes_source AS text[]),
          CAST(:eyes_asked AS text[])) AS r(process, source, asked) ON r.process = c.process AND r.source = c.state
        WHERE c.closed_at IS NULL AND c.people -> r.asked <> '[]' AND NOT EXISTS (
          SELECT 1 FROM jsonb_array_elements_text(c.people -> r.asked) AS p(person)
          LEFT JOIN staff s ON 'staff:' || s.id = p.person WHERE s.id IS NULL OR s.status = 'active')""",
        warning=True),
    # --- mail
    _check("message_without_case", """
        SELECT 'message ' || m.id AS ref, m.kind || ' is about case ' || m.case_id || ', which is not there' AS why
        FROM messages m WHERE m.case_id IS NOT NULL AND m.state IN ('queued', 'sending')
          AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.id = m.case_id)"""),
    _check("sending_without_lease", """
        SELECT 'message ' || m.id AS ref, m.kind || ' is being sent by nobody, and no delivery will take it up' AS why
        FROM messages m WHERE m.state = 'sending' AND m.lease_until IS NULL"""),
    # --- cases that belong together
    _check("child_without_parent", """
        SELECT c.ref, 'it belongs to no campaign' AS why FROM cases c JOIN FAMILY f ON f.child = c.process
        WHERE c.closed_at IS NULL AND c.parent_id IS NULL"""),
    _check("open_after_campaign", """
        SELECT c.ref, 'it is open and its campaign ' || p.ref || ' is closed' AS why
        FROM cases c JOIN cases p ON p.id = c.parent_id JOIN FAMILY f ON f.child = c.process AND f.parent = p.process
        WHERE c.closed_at IS NULL AND p.closed_at < :hour_ago"""),
    _check("in_force_twice", """
        SELECT a.ref, b.ref || ' is in force as well, under the same title' AS why
        FROM cases a JOIN cases b ON b.id > a.id AND b.process = a.process AND b.state = a.state
          AND lower(b.data ->> 'title') = lower(a.data ->> 'title')
        WHERE a.process = 'code_document' AND a.state = 'effective'"""),
    # --- work
    _check("job_unfinished", """
        SELECT job AS ref, 'it was begun for ' || period || ' and never came to its end' AS why
        FROM job_runs WHERE finished_at IS NULL AND started_at < :real_day_ago AND job = ANY(CAST(:jobs AS text[]))"""),
)  # fmt: skip
