"""What a rehearsal needs of the record, copied into temporary tables of the same names and shapes.

Copied is what belongs to the campaign and its members; everything else stays where it is and can only be read. Texts of
mail that has left are not copied, nor events but those whose mail still waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from config.database import Connection
from config.tables import SANDBOX
from members import store as member_store

# The names put into statements here are those of this module and of the database itself.
# ruff: noqa: S608
_OF_CASES = "{column} IN (SELECT id FROM pg_temp.cases)"
_OF_CAMPAIGN = "{column} IN (SELECT id FROM pg_temp.cases WHERE id = :campaign OR parent_id = :campaign)"
_ALL = "true"
_NONE = "false"

ROWS: Mapping[str, str] = {
    "cases": "id = :campaign OR parent_id = :campaign",
    "members": ":launched = false OR id = ANY(CAST(:members AS bigint[])) OR status = 'merged'",
    "contacts": "member_id IN (SELECT id FROM pg_temp.members)",
    "case_events": _OF_CAMPAIGN.format(column="case_id") + (
        " AND (case_id, seq) IN (SELECT case_id, event_seq FROM public.messages WHERE state IN ('queued', 'sending'))"
    ),
    "event_personal": "(case_id, seq) IN (SELECT case_id, seq FROM pg_temp.case_events)",
    "case_words": _NONE,
    "case_links": _OF_CASES.format(column="from_id") + " OR " + _OF_CASES.format(column="to_id"),
    "case_tasks": _OF_CAMPAIGN.format(column="case_id") + " AND closed_at IS NULL",
    "response_answers": _OF_CASES.format(column="case_id"),
    "response_drafts": _OF_CAMPAIGN.format(column="case_id"),
    "campaign_members": "campaign_id = :campaign",
    "messages": _OF_CAMPAIGN.format(column="case_id") + (
        " OR (sent_at >= :midnight AND lower(to_email) IN (SELECT lower(email) FROM pg_temp.contacts"
        " UNION SELECT lower(email) FROM pg_temp.staff))"
    ),
    "link_epochs": _OF_CAMPAIGN.format(column="case_id"),
    "staff": _ALL, "teams": _ALL, "absences": _ALL, "conflicts_of_interest": _ALL, "staff_version": _ALL,
    "staff_changes": _NONE, "member_changes": _NONE, "member_proposals": _NONE, "sweeps": _NONE, "installation": _ALL,
    "held_cases": _NONE,
}  # fmt: skip
"""Which rows are copied of each table that may be written; the order of copying is ``ORDER``."""
ORDER = ("members", "cases", "contacts", "staff", "messages")
"""What other rows are chosen by comes first."""
READ_THROUGH = frozenset({"rehearsals", "rehearsed_mails", "inbox_messages", "evidence_files", "document_versions"})
"""Tables about cases that no rehearsal writes, and that may be large."""
BODIES = frozenset({"body_text", "body_html"})
_OTHERS = """
  id NOT IN (SELECT id FROM pg_temp.cases) AND (process = 'code_document'
    OR member_id = ANY(CAST(:members AS bigint[])) OR id IN (
    SELECT l.to_id FROM public.case_links l JOIN pg_temp.cases c ON c.id = l.from_id
    UNION SELECT l.from_id FROM public.case_links l JOIN pg_temp.cases c ON c.id = l.to_id))
"""
"""Cases that the facts of these ask about. Nothing is due in them here: what happens there is not rehearsed."""

_COLUMNS = text("""
SELECT c.relname AS name, array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS columns,
  max(a.attname) FILTER (WHERE a.attidentity <> '') AS identity
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY c.relname
""")
_TRIGGERS = text("""
SELECT c.relname AS name, pg_get_triggerdef(t.oid, true) AS wording FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace
""")


def copy_all(conn: Connection, campaign_id: int, *, midnight: datetime, now: datetime) -> None:
    """Make the temporary tables and fill them; part of the caller's transaction, whose search path begins with them."""
    row = conn.execute(text("SELECT data FROM public.cases WHERE id = :id"), {"id": campaign_id}).one()
    members = _members(conn, campaign_id, row.data)
    given = {"campaign": campaign_id, "members": members[0], "launched": members[1], "midnight": midnight}
    tables = {found.name: found for found in conn.execute(_COLUMNS)}
    wanted = {**{name: _OF_CASES.format(column="case_id") for name, t in tables.items() if "case_id" in t.columns},
              **ROWS}  # fmt: skip
    names = [
        name for name in (*ORDER, *sorted(set(wanted) - set(ORDER))) if name in tables and name not in READ_THROUGH
    ]
    for name in names:
        conn.execute(text(f'CREATE TEMP TABLE "{name}" (LIKE public."{name}" INCLUDING ALL)'))
    for name in names:
        _fill(conn, name, tables[name].columns, wanted[name], given)
        if name == "cases":
            _fill(conn, name, tables[name].columns, _OTHERS, given, due_at="NULL")
    _number_on(conn, [(name, tables[name].identity) for name in names if tables[name].identity])
    _same_triggers(conn, names)
    conn.execute(text("UPDATE pg_temp.installation SET kind = :kind, clock_at = :now"), {"kind": SANDBOX, "now": now})
    conn.execute(text("ANALYZE pg_temp.cases, pg_temp.members, pg_temp.contacts, pg_temp.messages"))


def _members(conn: Connection, campaign_id: int, data: Mapping[str, Any]) -> tuple[list[int], bool]:
    """The members of the campaign, or before its launch those whom its rule takes in today."""
    asked = text("SELECT member_id FROM public.cases WHERE parent_id = :id AND member_id IS NOT NULL")
    found = list(conn.execute(asked, {"id": campaign_id}).scalars())
    if found or "launched_on" in data:
        return found, True
    return [card.id for card in member_store.population(conn, data.get("population") or {})], False


def _fill(
    conn: Connection, name: str, columns: Sequence[str], where: str, given: Mapping[str, Any], **instead: str
) -> None:
    if where == _NONE:
        return
    if name == "messages":
        instead |= dict.fromkeys(BODIES, "NULL") | {"state": "CASE state WHEN 'sending' THEN 'queued' ELSE state END"}
    listed = ", ".join(f'"{column}"' for column in columns)
    chosen = ", ".join(instead.get(column, f'"{column}"') for column in columns)
    used = {key: value for key, value in given.items() if f":{key}" in where}
    statement = f'INSERT INTO pg_temp."{name}" ({listed}) SELECT {chosen} FROM public."{name}" WHERE {where}'
    conn.execute(text(statement), used)


def _number_on(conn: Connection, identities: Sequence[tuple[str, str]]) -> None:
    """Let new rows be numbered as the next real ones would be."""
    for name, column in identities:
        real = conn.execute(
            text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": f"public.{name}", "c": column}
        ).scalar()
        conn.execute(
            text(f"SELECT setval(pg_get_serial_sequence(:t, :c), s.last_value, s.is_called) FROM {real} AS s"),
            {"t": f"pg_temp.{name}", "c": column},
        )


def _same_triggers(conn: Connection, names: Sequence[str]) -> None:
    """What the real tables do by themselves, the copies do among themselves: their functions name no schema."""
    for found in conn.execute(_TRIGGERS).all():
        if found.name in names:
            before, _, after = found.wording.partition(" ON ")
            conn.execute(text(f'{before} ON pg_temp."{found.name}"{after[after.index(" FOR ") :]}'))
