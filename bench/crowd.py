"""Cases by the million, made up inside the database: spread over processes, states, owners, teams and years as in life.

They have no events, so nothing can be done with them; they are there to be listed, counted and searched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from config.database import Connection, json_text
from state_machines.registry import processes

WEIGHTS = {"survey_response": 55, "monitoring": 20, "complaint": 15, "cancellation": 9, "survey_campaign": 1}
OPEN_SHARE = 30
"""Of a hundred cases so many are open."""

_MEMBERS = text("""
INSERT INTO members (name, name_key, team, region, status, created_at, updated_at)
SELECT 'Crowd ' || n || ' Café Ltd', 'crowd ' || n || ' cafe', t.team, t.team, 'active', :now, :now
FROM generate_series(1, CAST(:count AS int)) AS n,
  LATERAL (SELECT (CAST(:teams AS text[]))[1 + n % cardinality(CAST(:teams AS text[]))] AS team) AS t
""")

_CASES = text("""
INSERT INTO cases (ref, process, process_version, state, version, member_id, team, owner_id, owner_role, subject,
  on_hold, received_at, opened_at, entered_at, closed_at, outcome, due_at, deadline_at, parked_at, parked_why,
  restricted_to, walled_off, last_seq, last_hash)
SELECT 'ZZ-2026-' || lpad(CAST(n AS text), 7, '0'), k.process, 1, k.state, 1, m.id,
  CASE WHEN a.dice[1] % 50 = 0 THEN NULL ELSE m.team END,
  w.owners[1 + (a.dice[1] / 7) % cardinality(w.owners)], 'coordinator',
  (CAST(:subjects AS text[]))[1 + (a.dice[2] / 11) % cardinality(CAST(:subjects AS text[]))] || ' ' || n,
  is_open AND a.dice[2] % 100 = 1, received, received, received,
  CASE WHEN NOT is_open THEN received + make_interval(days => CAST(1 + a.dice[3] % 60 AS int)) END,
  CASE WHEN NOT is_open THEN 'resolved' END,
  CASE WHEN is_open THEN deadline - interval '1 day' END, CASE WHEN is_open AND a.dice[3] % 40 > 0 THEN deadline END,
  CASE WHEN is_open AND a.dice[4] % 5000 = 2 THEN received END, CASE WHEN a.dice[4] % 5000 = 2 THEN 'Made up.' END,
  CASE WHEN a.dice[4] % 500 = 3 THEN w.owners[1:1] END,
  CASE WHEN a.dice[4] % 1000 = 4 THEN w.owners[1:1] END, 1, 'made up'
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
CROSS JOIN LATERAL (SELECT ARRAY[
  hashint4extended(n, 1) & 2147483647, hashint4extended(n, 2) & 2147483647,
  hashint4extended(n, 3) & 2147483647, hashint4extended(n, 4) & 2147483647] AS dice) AS a
CROSS JOIN LATERAL (SELECT a.dice[1] % 100 < :open_share AS is_open) AS o
CROSS JOIN LATERAL (SELECT
  CASE WHEN is_open THEN (CAST(:open_kinds AS text[]))[1 + (a.dice[3] / 3) % cardinality(CAST(:open_kinds AS text[]))]
  ELSE (CAST(:final_kinds AS text[]))[1 + (a.dice[3] / 3) % cardinality(CAST(:final_kinds AS text[]))] END AS kind) AS s
CROSS JOIN LATERAL (SELECT split_part(s.kind, '/', 1) AS process, split_part(s.kind, '/', 2) AS state) AS k
JOIN members AS m ON m.id = (CAST(:members AS bigint[]))[1 + (a.dice[2] / 3) % cardinality(CAST(:members AS bigint[]))]
CROSS JOIN LATERAL (SELECT
  ARRAY(SELECT CAST(jsonb_array_elements_text(CAST(:owners AS jsonb) ->
    CASE WHEN a.dice[4] % 20 = 1 THEN (CAST(:teams AS text[]))[1] ELSE m.team END) AS bigint)) AS owners,
  CAST(:now AS timestamptz) - make_interval(mins => CAST(a.dice[2] / 5 % 1500000 AS int)) AS received,
  CAST(:now AS timestamptz) + make_interval(mins => CAST(a.dice[4] / 5 % 86400 AS int) - 10000) AS deadline) AS w
""")
SUBJECTS = (
    "Annual self-assessment 2026", "Heating does not work in the café", "Letter about the fees", "Late report",
    "Müller wants to leave", "Unanswered calls", "Site visit in spring", "Water in the basement",
)  # fmt: skip


def crowd(
    conn: Connection, count: int, *, owners: Mapping[str, Sequence[int]], members: int = 2_000, now: datetime
) -> None:
    """Add so many cases of so many new members, owned by the staff of each team, some by those of the first one.

    Tables are analysed afterwards.
    """
    teams = list(owners)
    conn.execute(_MEMBERS, {"count": members, "teams": teams, "now": now})
    ids = list(conn.execute(text("SELECT id FROM members ORDER BY id")).scalars())
    values: dict[str, Any] = {
        "owners": json_text(owners), "teams": teams, "members": ids, "subjects": list(SUBJECTS),
        "open_share": OPEN_SHARE, "now": now,
        "open_kinds": kinds(final=False), "final_kinds": kinds(final=True),
    }  # fmt: skip
    for first in range(1, count + 1, 100_000):
        conn.execute(_CASES, {**values, "first": first, "last": min(count, first + 99_999)})
    conn.execute(text("INSERT INTO case_words SELECT id, 0, translate(lower(subject), 'éü', 'eu') FROM cases "
                      "ON CONFLICT DO NOTHING"))  # fmt: skip
    for table in ("cases", "members", "case_words"):
        conn.execute(text(f"ANALYZE {table}"))


def kinds(*, final: bool) -> list[str]:
    """Return ``process/state`` as often as it should come up: the first states of a process more than its last."""
    found: list[str] = []
    for process in processes().values():
        states = [state.name for state in process.states if state.final == final]
        for place, state in enumerate(states):
            share = WEIGHTS.get(process.name, 1) * (len(states) - place)
            found += [f"{process.name}/{state}"] * max(1, round(share / len(states)))
    return found
