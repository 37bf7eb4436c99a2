"""The words by which cases are found, folded as the names of members are: "Muller" finds "Müller"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import text

from cases.tables import CaseWords
from cases.writing import Change
from config.database import Connection, as_line, copy_lines
from members.matching import folded

COLUMNS = ("case_id", "seq", "words")
MOST = 20_000
"""Of one text so many characters are looked through; what is longer than an index can hold is not a note."""
_BATCH = 5_000
_NOTES = text("""
SELECT p.case_id, p.seq, e.kind, p.data FROM event_personal p JOIN case_events e USING (case_id, seq)
WHERE p.data ->> 'note' <> '' OR (e.kind = 'note' AND p.data ->> 'text' <> '')
""")


def write_words(conn: Connection, changes: Sequence[Change]) -> None:
    """Write the words of new cases and of the notes on any case, so that they can be searched."""
    rows = [row for change in changes for row in _words_of(change)]
    if rows:
        copy_lines(conn, CaseWords.__tablename__, COLUMNS, map(as_line, rows))


def _words_of(change: Change) -> Iterable[tuple[int, int, str]]:
    case = change.outcome.after
    if change.locked is None:
        yield case.id, 0, _folded(case.subject)
    for seq, step in enumerate(change.outcome.steps, change.head.seq + 1):
        if step.personal and (noted := note_of(step.kind, step.personal)):
            yield case.id, seq, folded(noted[:MOST])


def note_of(kind: str, personal: Any) -> str:
    """Return what somebody noted with an event: its text if it is a note, or the note that went with a move."""
    return str((personal.get("text") if kind in ("note", "told") else personal.get("note")) or "")


@lru_cache(maxsize=1_000)
def _folded(subject: str) -> str:
    return folded(subject[:MOST])


def write_all(conn: Connection) -> None:
    """Write the words of every case and note that is there, for a database from before there were any."""
    batches = {"yield_per": _BATCH}
    subjects = conn.execute(text("SELECT id, 0 AS seq, subject FROM cases"), execution_options=batches)
    for rows in subjects.partitions():
        copy_lines(conn, CaseWords.__tablename__, COLUMNS, [as_line((r[0], r[1], _folded(r[2]))) for r in rows])
    notes = conn.execute(_NOTES, execution_options=batches)
    for rows in notes.partitions():
        words = [as_line((r.case_id, r.seq, folded(note_of(r.kind, r.data)[:MOST]))) for r in rows]
        copy_lines(conn, CaseWords.__tablename__, COLUMNS, words)
