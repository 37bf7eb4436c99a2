"""Finding cases by reference, member, subject and notes. What may not be seen is not found, nor counted.

Words are folded as the names of members are, so that "Muller" finds "Müller"; the last word may be the start of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, text, tuple_, union_all

from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.lists.worklist import SHOWN, Line, lines
from cases.permissions import visible
from cases.tables import CaseRow, CaseWords, EventPersonal
from config.database import Connection, reading, without_nul
from members.cards import MemberCard
from members.matching import folded, name_key
from members.store import CARD_COLUMNS, card_of
from members.tables import Contact, Member
from members.visibility import lent_teams, visible_members
from state_machines.registry import processes
from state_machines.values import Actor

MOST = 50
MOST_MEMBERS = 8
_MOST_WORDS = 12
_AROUND = 70
"""Characters of a note shown before and after the first word that was found in it."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

Piece = tuple[str, bool]
"""A piece of a text, and whether it was searched for."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A case that was found, its subject and the notes in pieces."""

    line: Line
    subject: tuple[Piece, ...]
    notes: tuple[tuple[Piece, ...], ...]


@dataclass(frozen=True)
class Found:
    """What a search brought: cases, open ones first and newest first among them, and members by name."""

    exact: str | None
    """The reference of the one case that was meant to the letter."""
    hits: tuple[Hit, ...] = ()
    more: bool = False
    """There are more cases than are shown."""
    members: tuple[MemberCard, ...] = ()
    more_members: bool = False


def search(env: Environment, words: str, *, actor: Actor, now: datetime | None = None) -> Found:
    """Return the cases and members that somebody means by a reference or by words."""
    wanted = without_nul(words.strip())[:200]
    terms = folded(wanted).split()[:_MOST_WORDS]
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        mine = visible(actor, acts_for(actor, here))
        exact = select(CaseRow.ref).where(CaseRow.ref == wanted.upper(), mine)
        if (ref := conn.execute(exact).scalar_one_or_none()) is not None:
            return Found(ref)
        if not terms:
            return Found(None)
        rows = _rows(conn, terms, wanted, mine)
        return _found(conn, rows, terms, wanted, here, actor=actor)


def _found(conn: Connection, rows: list[Any], terms: Sequence[str], wanted: str, here: World, *, actor: Actor) -> Found:
    shown = rows[:MOST]
    notes = _notes(conn, [row.id for row in shown], terms) if shown else {}
    lent = lent_teams(actor, here.staffing, here.env.calendar.local_date(here.now))
    members = _members(conn, terms, wanted, visible_members(actor, lent))
    hits = [
        Hit(
            line,
            tuple(marked(line.subject, terms)),
            tuple(tuple(excerpt(note, terms)) for note in notes.get(line.id, ())),
        )
        for line in lines(shown, here)
    ]
    return Found(None, tuple(hits), len(rows) > MOST, tuple(members[:MOST_MEMBERS]), len(members) > MOST_MEMBERS)


# ---------------------------------------------------------------------------------------------- in the database


def _query(terms: Sequence[str]) -> Any:
    """All the words, the last of which may go on."""
    quoted = [f"'{term}'" for term in terms]
    return func.to_tsquery(text("'simple'"), " & ".join(quoted) + ":*")


def _has(column: Any, terms: Sequence[str]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = func.to_tsvector(text("'simple'"), column).op("@@")(_query(terms))
    return found


def _called(terms: Sequence[str], wanted: str) -> ColumnElement[bool]:
    """The condition that a member is called so: without the legal form, as names are kept, or by a reference."""
    name = folded(name_key(wanted)).split()[:_MOST_WORDS] or terms
    return or_(_has(Member.name_key, name), Member.ref == wanted.upper(), Member.external_ref == wanted)


def _rows(conn: Connection, terms: Sequence[str], wanted: str, mine: ColumnElement[bool]) -> list[Any]:
    """The newest open cases, then the newest closed ones, each way to them cut by itself."""
    parts = [
        select(way.where(phase, mine).order_by(CaseRow.id.desc()).limit(MOST + 1).subquery())
        for way in _ways(terms, wanted)
        for phase in (CaseRow.closed_at.is_(None), CaseRow.closed_at.is_not(None))
    ]
    ids = select(union_all(*parts).subquery().c.id).distinct()
    statement = (
        select(*SHOWN).outerjoin(Member, Member.id == CaseRow.member_id).where(CaseRow.id.in_(ids))
        .order_by(CaseRow.closed_at.is_not(None), CaseRow.id.desc()).limit(MOST + 1)
    )  # fmt: skip
    return list(conn.execute(statement))


def _ways(terms: Sequence[str], wanted: str) -> Iterator[Select[tuple[int]]]:
    """By the words of subjects and notes, by the member, by the reference others gave to the case."""
    yield select(CaseRow.id).join(CaseWords, CaseWords.case_id == CaseRow.id).where(_has(CaseWords.words, terms))
    yield select(CaseRow.id).where(CaseRow.member_id.in_(select(Member.id).where(_called(terms, wanted))))
    yield select(CaseRow.id).where(CaseRow.process.in_(sorted(processes())), CaseRow.external_ref == wanted)


def _members(conn: Connection, terms: Sequence[str], wanted: str, mine: ColumnElement[bool]) -> list[MemberCard]:
    """The members of this name, reference or address, each way to them cut by itself; one more than is shown."""
    address = func.lower(Contact.email).startswith(wanted.lower(), autoescape=True)
    ways = (
        select(Member.id).where(_called(terms, wanted)),
        select(Member.id).where(Member.id.in_(select(Contact.member_id).where(address))),
    )
    living = (Member.status != "merged", mine)
    parts = [select(way.where(*living).order_by(Member.name_key).limit(MOST_MEMBERS + 1).subquery()) for way in ways]
    found = select(*CARD_COLUMNS).where(Member.id.in_(select(union_all(*parts).subquery().c.id)))
    return [card_of(row) for row in conn.execute(found.order_by(Member.name_key, Member.id).limit(MOST_MEMBERS + 1))]


def _notes(conn: Connection, ids: Sequence[int], terms: Sequence[str]) -> Mapping[int, list[str]]:
    """The notes of these cases in which the words were found, newest first, two of each case at most.

    None of a restricted case: who opens that is written down, and who searches is not.
    """
    open_to_all = CaseRow.restricted_to.is_(None) & (func.coalesce(func.cardinality(CaseRow.walled_off), 0) == 0)
    quoted = select(CaseRow.id).where(CaseRow.id.in_(ids), open_to_all)
    where = [CaseWords.case_id.in_(quoted), CaseWords.seq > 0, _has(CaseWords.words, terms)]
    same = tuple_(EventPersonal.case_id, EventPersonal.seq) == tuple_(CaseWords.case_id, CaseWords.seq)
    kept = select(EventPersonal.case_id, EventPersonal.data).join(CaseWords, same).where(*where)
    found: dict[int, list[str]] = {}
    for case_id, data in conn.execute(kept.order_by(EventPersonal.case_id, EventPersonal.seq.desc())):
        notes = found.setdefault(case_id, [])
        if len(notes) < 2:
            notes.append(str(data.get("text") or data.get("note") or ""))
    return found


# ------------------------------------------------------------------------------------------------- in the text


def marked(words: str, terms: Sequence[str]) -> Iterator[Piece]:
    """Yield a text in pieces, with those that were searched for marked. Nothing of it is markup."""
    done = 0
    for match in _WORD.finditer(words):
        if _meant(match.group(), terms):
            if match.start() > done:
                yield words[done : match.start()], False
            yield match.group(), True
            done = match.end()
    if done < len(words):
        yield words[done:], False


def _meant(word: str, terms: Sequence[str]) -> bool:
    plain = folded(word)
    return any(part in terms or part.startswith(terms[-1]) for part in plain.split())


def excerpt(note: str, terms: Sequence[str]) -> Iterator[Piece]:
    """Yield what stands around the first word that was searched for, in pieces."""
    note = " ".join(note.split())
    first = next((match.start() for match in _WORD.finditer(note) if _meant(match.group(), terms)), 0)
    start, end = max(0, first - _AROUND), first + 2 * _AROUND
    start = note.find(" ", start) + 1 if start else 0
    end = note.rfind(" ", start, end) if end < len(note) else len(note)
    if start:
        yield "… ", False
    yield from marked(note[start : end if end > first else first + 2 * _AROUND], terms)
    if end < len(note):
        yield " …", False
