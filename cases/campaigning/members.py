"""The members of a campaign, page by page, narrowed by what a coordinator asks: who, where, since when silent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, tuple_

from cases.campaigning.counts import Counts, counts
from cases.campaigning.groups import GROUPS, TO_RING, Listed, groups_of, states_of, to_ring
from cases.campaigning.lines import COLUMNS, SOURCE, Line, lines
from cases.campaigning.risks import at_risk
from cases.campaigning.sight import Sight, looking
from cases.environment import Environment
from cases.rows import ref_of
from cases.tables import CaseEvent, CaseRow
from config.database import without_nul
from members.matching import folded
from members.tables import Member
from state_machines.standing import Standing
from state_machines.values import Actor, Role

PAGE = 50


@dataclass(frozen=True)
class Narrowed:
    """What a list of members is narrowed to; empty means no matter."""

    state: str = ""
    team: str = ""
    tier: str = ""
    silent_since: date | None = None
    """Nothing was heard of them since this day, and an answer is awaited."""
    bounced: bool = False
    at_risk: bool = False
    words: str = ""

    @property
    def anything(self) -> bool:
        """Whether anything narrows the list."""
        return any(getattr(self, field.name) for field in fields(self))

    def as_query(self) -> dict[str, str]:
        """Return what narrows the list as it stands in an address."""
        found = {name: str(getattr(self, name)) for name in ("state", "team", "tier", "words")}
        found["silent_since"] = self.silent_since.isoformat() if self.silent_since else ""
        found |= {name: "yes" if getattr(self, name) else "" for name in ("bounced", "at_risk")}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True)
class MembersPage:
    """One page of the members of a campaign."""

    ref: str
    title: str
    counts: Counts
    lines: list[Line]
    total: int
    before: str | None
    """The reference before which the page before this one ends; None on the first."""
    after: str | None
    """The reference after which the next page begins; None on the last."""
    groups: Listed
    states: Listed


def members_page(
    env: Environment, ref: str, narrow: Narrowed, *, after: str = "", before: str = "", size: int = PAGE, actor: Actor,
    now: datetime | None = None,
) -> MembersPage:  # fmt: skip
    """Return one page of a campaign's members in order of name. Raises CaseNotFound or BadInput."""
    with looking(env, ref, actor=actor, now=now) as sight:
        found = counts(sight)
        where = narrowed(sight, narrow)
        total = sight.conn.execute(select(func.count()).select_from(SOURCE).where(*where)).scalar_one()
        rows, earlier, later = _page(sight, where, after, before, size)
        return MembersPage(
            sight.row.ref, sight.row.subject, found, lines(sight, rows), total,
            rows[0].ref if rows and earlier else None, rows[-1].ref if rows and later else None,
            groups_of(sight, found, narrow.state), states_of(sight, found, narrow.state),
        )  # fmt: skip


def responses_after(
    env: Environment, ref: str, narrow: Narrowed, *, after: int = 0, size: int = PAGE, actor: Actor,
    now: datetime | None = None,
) -> tuple[list[Line], int | None]:  # fmt: skip
    """Return some of a campaign's members by the ids of their cases, which no change of a name moves, and where the
    next ones begin; None after the last. Raises CaseNotFound or BadInput.
    """
    with looking(env, ref, actor=actor, now=now) as sight:
        statement = select(*COLUMNS).select_from(SOURCE).where(*narrowed(sight, narrow), CaseRow.id > after)
        rows = list(sight.conn.execute(statement.order_by(CaseRow.id).limit(size + 1)))
        return lines(sight, rows[:size]), rows[size - 1].id if len(rows) > size else None


def _page(
    sight: Sight, where: Collection[ColumnElement[bool]], after: str, before: str, size: int
) -> tuple[list[Any], bool, bool]:
    """The rows after one reference, or before another, and whether there are earlier and later ones."""
    order = (Member.name_key, CaseRow.id)
    place = tuple_(*order)
    mark = _mark(sight, after or before)
    statement = select(*COLUMNS).select_from(SOURCE).where(*where)
    if mark is None or after:
        if mark is not None:
            statement = statement.where(place > mark)
        rows = list(sight.conn.execute(statement.order_by(*order).limit(size + 1)))
        return rows[:size], mark is not None, len(rows) > size
    backwards = statement.where(place < mark).order_by(Member.name_key.desc(), CaseRow.id.desc())
    rows = list(sight.conn.execute(backwards.limit(size + 1)))
    return rows[:size][::-1], len(rows) > size, True


def _mark(sight: Sight, ref: str) -> Any:
    """The place of a response in the order of names, or None when there is no such response."""
    if not ref:
        return None
    wanted = (
        select(Member.name_key, CaseRow.id).select_from(SOURCE).where(sight.listed, CaseRow.ref == without_nul(ref))
    )
    row = sight.conn.execute(wanted).one_or_none()
    return None if row is None else tuple_(row.name_key, row.id)


def narrowed(sight: Sight, narrow: Narrowed) -> list[ColumnElement[bool]]:
    """Return the conditions of a list of members that somebody may see by name."""
    found: list[ColumnElement[bool]] = [sight.listed]
    if narrow.state:
        found.append(_in_state(sight, narrow.state))
    if narrow.team:
        found.append(CaseRow.team == without_nul(narrow.team))
    if narrow.tier:
        found.append(Member.tier == without_nul(narrow.tier))
    if narrow.bounced:
        found.append(sight.standing(Standing.UNREACHED))
    if narrow.at_risk:
        found.append(at_risk(sight.child, sight.here.env.policy, sight.today))
    if narrow.silent_since:
        found.append(_silent_since(sight, narrow.silent_since))
    if narrow.words.strip():
        found.append(_called(narrow.words))
    return found


def _in_state(sight: Sight, name: str) -> ColumnElement[bool]:
    """Whether a member is in a state, or in a group of which people speak."""
    if name == TO_RING:
        return to_ring(sight)
    return sight.standing(*GROUPS[name][1]) if name in GROUPS else CaseRow.state == without_nul(name)


def _called(words: str) -> ColumnElement[bool]:
    """Whether a member's name holds all of these words, accents and capitals aside, or its reference is meant."""
    each = [Member.name_key.contains(word, autoescape=True) for word in folded(without_nul(words)).split()]
    ref = ref_of(words)
    return or_(and_(*each) if each else Member.name == words.strip(), Member.ref == ref, CaseRow.ref == ref)


def _silent_since(sight: Sight, day: date) -> ColumnElement[bool]:
    """Whether an answer is awaited, and the member neither did anything nor could be spoken to since a day."""
    since = sight.here.env.calendar.at(day, time())
    spoken = CaseEvent.details["payload"]["outcome"].as_string().in_(["reached", "promised"])
    heard = or_(CaseEvent.role == Role.MEMBER.value, and_(CaseEvent.trigger == "log_call", spoken))
    acts = exists().where(CaseEvent.case_id == CaseRow.id, CaseEvent.at >= since, heard)
    return and_(sight.standing(Standing.AWAITED, Standing.UNREACHED), CaseRow.opened_at < since, ~acts)
