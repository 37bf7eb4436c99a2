"""Finding cases by reference, member, subject and notes. What may not be seen is not found, nor counted.

Words are folded as the names of members are, so that "Muller" finds "Müller"; the last word may be the start of one.
Where no subject, note or name has all the words, they may be spread over those of one case; and where none has them
even so, what comes near is shown, and said to be that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, not_, or_, select, text, tuple_, union_all
from sqlalchemy.orm import aliased

from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.lists.marking import Piece, excerpt, marked
from cases.lists.worklist import SHOWN, Line, lines
from cases.permissions import guarded, visible
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
_MOST_SPREAD = 5
"""So many words are looked for in different places, or left out one by one."""
_LONG_WORD, _BEGINNING = 6, 4
"""A word of so many letters that is found nowhere may be misspelt after so many."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A case that was found: its subject, its member and its notes in pieces."""

    line: Line
    subject: tuple[Piece, ...]
    member: tuple[Piece, ...]
    notes: tuple[tuple[Piece, ...], ...]
    by_reference: bool = False
    """It has the reference that others gave to it."""
    unshown: bool = False
    """It was found by a note that is read on the case alone, where reading is written down."""


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
    near: str = ""
    """Nothing has all the words: ``one`` has been left out of each, or a word begins like the only one, with this."""


@dataclass(frozen=True)
class _Asked:
    """What somebody typed, and as whom."""

    wanted: str
    terms: Sequence[str]
    mine: ColumnElement[bool]
    members: ColumnElement[bool]


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
        lent = lent_teams(actor, here.staffing, here.env.calendar.local_date(here.now))
        return _found(conn, _Asked(wanted, terms, mine, visible_members(actor, lent)), here)


def _found(conn: Connection, asked: _Asked, here: World) -> Found:
    terms = asked.terms
    rows = _rows(conn, _ways(terms, asked.wanted), asked)
    if not rows and len(terms) > 1:
        rows = _rows(conn, _spread(terms), asked)
    members = _members(conn, terms, asked.wanted, asked.members)
    if rows or members:
        return _shown(conn, rows, members, terms, here)
    if len(terms) > 1:
        return replace(_shown(conn, _rows(conn, _all_but_one(terms), asked), [], terms, here), near="one")
    if len(terms[0]) < _LONG_WORD:
        return Found(None)
    near = terms[0][:_BEGINNING]
    rows, members = _rows(conn, _ways([near], near), asked), _members(conn, [near], near, asked.members)
    return replace(_shown(conn, rows, members, [near], here), near=near)


def _shown(conn: Connection, rows: list[Any], members: list[MemberCard], terms: Sequence[str], here: World) -> Found:
    shown = rows[:MOST]
    notes = _notes(conn, [row.id for row in shown], terms) if shown else {}
    hits = [_hit(line, row, notes.get(line.id, ()), terms) for line, row in zip(lines(shown, here), shown, strict=True)]
    return Found(None, tuple(hits), len(rows) > MOST, tuple(members[:MOST_MEMBERS]), len(members) > MOST_MEMBERS)


def _hit(line: Line, row: Any, notes: Sequence[str], terms: Sequence[str]) -> Hit:
    subject, member = tuple(marked(line.subject, terms)), tuple(marked(line.member or "", terms))
    plain = not notes and not any(meant for _, meant in (*subject, *member))
    excerpts = tuple(tuple(excerpt(note, terms)) for note in notes)
    return Hit(line, subject, member, excerpts, row.by_reference, plain and row.guarded and not row.by_reference)


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


def _rows(conn: Connection, ways: Iterable[Select[tuple[int]]], asked: _Asked) -> list[Any]:
    """The newest open cases, then the newest closed ones, each way to them cut by itself."""
    parts = [
        select(way.where(phase, asked.mine).order_by(CaseRow.id.desc()).limit(MOST + 1).subquery())
        for way in ways
        for phase in (CaseRow.closed_at.is_(None), CaseRow.closed_at.is_not(None))
    ]
    ids = select(union_all(*parts).subquery().c.id).distinct()
    by_reference = func.coalesce(CaseRow.external_ref == asked.wanted, false()).label("by_reference")
    statement = (
        select(*SHOWN, by_reference, guarded().label("guarded")).outerjoin(Member, Member.id == CaseRow.member_id)
        .where(CaseRow.id.in_(ids)).order_by(CaseRow.closed_at.is_not(None), CaseRow.id.desc()).limit(MOST + 1)
    )  # fmt: skip
    return list(conn.execute(statement))


def _said(terms: Sequence[str]) -> Select[tuple[int]]:
    """The cases of which the subject or a note has all these words."""
    return select(CaseRow.id).join(CaseWords, CaseWords.case_id == CaseRow.id).where(_has(CaseWords.words, terms))


def _of(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition that a case is of such a member."""
    return CaseRow.member_id.in_(select(Member.id).where(condition))


def _ways(terms: Sequence[str], wanted: str) -> Iterator[Select[tuple[int]]]:
    """By the words of subjects and notes, by the member, by the reference others gave to the case."""
    yield _said(terms)
    yield select(CaseRow.id).where(_of(_called(terms, wanted)))
    yield select(CaseRow.id).where(CaseRow.process.in_(sorted(processes())), CaseRow.external_ref == wanted)


def _spread(terms: Sequence[str]) -> Iterator[Select[tuple[int]]]:
    """The first words in one place and the others in another: subject or note and member, or two notes."""
    also = aliased(CaseWords)
    for cut in range(1, min(len(terms), _MOST_SPREAD)):
        first, rest = terms[:cut], terms[cut:]
        yield _said(first).where(_of(_has(Member.name_key, rest)))
        yield _said(rest).where(_of(_has(Member.name_key, first)))
        yield _said(first).join(also, also.case_id == CaseRow.id).where(_has(also.words, rest))


def _all_but_one(terms: Sequence[str]) -> Iterator[Select[tuple[int]]]:
    """All the words but one, which may be misspelt."""
    for number in range(min(len(terms), _MOST_SPREAD)):
        rest = [*terms[:number], *terms[number + 1 :]]
        yield _said(rest)
        yield select(CaseRow.id).where(_of(_has(Member.name_key, rest)))


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
    quoted = select(CaseRow.id).where(CaseRow.id.in_(ids), not_(guarded()))
    where = [CaseWords.case_id.in_(quoted), CaseWords.seq > 0, _has(CaseWords.words, terms)]
    same = tuple_(EventPersonal.case_id, EventPersonal.seq) == tuple_(CaseWords.case_id, CaseWords.seq)
    kept = select(EventPersonal.case_id, EventPersonal.data).join(CaseWords, same).where(*where)
    found: dict[int, list[str]] = {}
    for case_id, data in conn.execute(kept.order_by(EventPersonal.case_id, EventPersonal.seq.desc())):
        notes = found.setdefault(case_id, [])
        if len(notes) < 2:
            notes.append(str(data.get("text") or data.get("note") or ""))
    return found
