"""How the number of members that a campaign is measured against came about, and whom it does not count, with reasons.

The population is frozen at the launch. After that it changes only by what the campaign's own record says: who was asked
late, who was left out and who was taken back in, each with the day and the person. Nothing here is kept twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, true

from cases.campaigning.counts import left_out_at_launch
from cases.campaigning.moves import Move, moves_of
from cases.campaigning.sight import RESPONSE, Acting, Sight, looking
from cases.environment import Environment
from cases.tables import CampaignMember, CaseEvent, CaseRow
from config.database import without_nul
from members.tables import Member
from notifications.eligibility import LEFT
from state_machines.english import capital
from state_machines.processes.leaving_out import CAUSES, Cause
from state_machines.standing import RESPONDED, Standing, count_in
from state_machines.values import Actor

PAGE = 50
MOST_SUGGESTED = 50
ADD, LEAVE_OUT, TAKE_BACK = "add_member", "leave_out", "take_back_in"
GROUPS: tuple[tuple[str, frozenset[Standing]], ...] = (
    ("{what} in", RESPONDED),
    ("Exempt, by approval", frozenset({Standing.EXEMPT})),
    ("Unreachable, decided", frozenset({Standing.UNREACHABLE})),
    ("No {what}, decided", frozenset({Standing.UNANSWERED})),
    ("{what} awaited", frozenset({Standing.AWAITED})),
    ("Waits for a manager", frozenset({Standing.UNDECIDED})),
    ("Mail comes back", frozenset({Standing.UNREACHED})),
)
"""Where everybody who counts stands now; nobody is in two of them."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A member who came to count, or stopped counting, after the launch."""

    member: str
    member_ref: str
    at: datetime
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Excluded:
    """A member whom the rule of the campaign left out at the launch."""

    member: str
    member_ref: str
    reason: str


@dataclass(frozen=True)
class Denominator:
    """The denominator as one person is told of it; who does not see every team is told of their own teams' members."""

    ref: str
    title: str
    whole: bool
    launched: bool
    at_launch: int
    added: int
    left_out: int
    added_named: list[Changed]
    """Those of them whom this person may see by name."""
    left_out_named: list[Changed]
    eligible: int
    groups: list[tuple[str, int]]
    excluded: list[Excluded]
    """One page of whom the rule left out."""
    excluded_total: int
    reasons: list[tuple[str, int]]
    """How many were left out by the rule for each of the commonest reasons."""
    gone: list[Excluded]
    """Members who count and who have left the register since, with what they are now."""
    after: str | None
    moves: Mapping[str, Move]

    @property
    def balanced(self) -> bool:
        """Whether the parts make up the whole, both ways."""
        return self.at_launch + self.added - self.left_out == self.eligible == sum(number for _, number in self.groups)


def denominator(
    env: Environment, ref: str, *, after: str = "", acting: Acting | None = None, actor: Actor,
    now: datetime | None = None,
) -> Denominator:  # fmt: skip
    """Return how a campaign's denominator came about. Raises CaseNotFound, or BadInput for a case that is no campaign.

    The number of statements does not depend on the number of members.
    """
    with looking(env, ref, actor=actor, now=now) as sight:
        record = record_of(sight)
        added = list(_last(record, ADD).values())
        left_out = [each for each in _last(record, LEAVE_OUT).values() if not each.counts]
        rows, reasons, total = _excluded(sight, after)
        following = rows[PAGE - 1].member_ref if len(rows) > PAGE else None
        eligible = _eligible(sight)
        return Denominator(
            sight.row.ref, sight.row.subject, sight.whole, bool(sight.row.data.get("launched_on")),
            _at_launch(sight, eligible, len(added), len(left_out)), len(added), len(left_out),
            [each.told for each in added if each.shown], [each.told for each in left_out if each.shown],
            eligible, _groups(sight), rows[:PAGE], total, reasons, _gone(sight), following,
            {name: move for name, move in moves_of(sight, sight.row, acting).items() if name in (LEAVE_OUT, TAKE_BACK)},
        )  # fmt: skip


def _mine(sight: Sight) -> ColumnElement[bool]:
    """The members that make up this person's numbers."""
    return true() if sight.whole else sight.members


def _at_launch(sight: Sight, eligible: int, added: int, left_out: int) -> int:
    """The number that was frozen; for one's own teams, and for old campaigns, reckoned back from today."""
    frozen = sight.row.data.get("eligible_at_launch")
    if frozen is not None and sight.whole:
        return int(frozen)
    return eligible - added + left_out


def _eligible(sight: Sight) -> int:
    counted = select(func.count()).select_from(CampaignMember).join(Member, Member.id == CampaignMember.member_id)
    where = (CampaignMember.campaign_id == sight.row.id, CampaignMember.included, _mine(sight))
    return sight.conn.execute(counted.where(*where)).scalar_one()


def _groups(sight: Sight) -> list[tuple[str, int]]:
    """How many stand where, of those who count."""
    standings = sight.child.standings
    counted = select(CaseRow.state, func.count()).where(sight.counted).group_by(CaseRow.state)
    by_state = dict(sight.conn.execute(counted).tuples().all())
    what = "answer" if sight.child.name == RESPONSE else "signature"
    return [(capital(title.format(what=what)), count_in(by_state, standings, these)) for title, these in GROUPS]


# --- what was changed since the launch


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the campaign's record, and whether its member counts now and may be named to this person."""

    trigger: str
    counts: bool
    shown: bool
    told: Changed


def record_of(sight: Sight) -> list[Entry]:
    """Return what the campaign's record says of members who were added, left out or taken back in, oldest first."""
    payload = CaseEvent.details["payload"]
    ref = func.upper(func.btrim(payload["member"].as_string()))
    wanted = (
        select(
            CaseEvent.trigger, CaseEvent.at, CaseEvent.actor, payload["cause"].as_string().label("cause"),
            payload["note"].as_string().label("note"), payload["reason"].as_string().label("reason"),
            Member.ref.label("member_ref"), Member.name.label("member"), CampaignMember.included,
            sight.members.label("shown"),
        )
        .join(Member, Member.ref == ref)
        .join(CampaignMember, and_(CampaignMember.campaign_id == CaseEvent.case_id,
                                   CampaignMember.member_id == Member.id))
        .where(CaseEvent.case_id == sight.row.id, CaseEvent.trigger.in_([ADD, LEAVE_OUT, TAKE_BACK]), _mine(sight))
        .order_by(CaseEvent.seq)
    )  # fmt: skip
    names = sight.here.staffing.names_in_record
    return [
        Entry(row.trigger, row.included, bool(row.shown),
               Changed(row.member, row.member_ref, row.at, names.get(row.actor, "Muster"), _why(row)))
        for row in sight.conn.execute(wanted)
    ]  # fmt: skip


def _why(row: Any) -> str:
    if row.cause:
        return f"{CAUSES[Cause(row.cause)].capitalize()}: {row.note or ''}".rstrip(": ")
    return str(row.reason or "")


def _last(record: list[Entry], trigger: str) -> dict[str, Entry]:
    """The newest entry of a kind for each member, by its reference."""
    return {each.told.member_ref: each for each in record if each.trigger == trigger}


# --- whom the rule left out, and who has left since


def _excluded(sight: Sight, after: str) -> tuple[list[Excluded], list[tuple[str, int]], int]:
    joined = CampaignMember.__table__.join(Member.__table__, Member.id == CampaignMember.member_id)
    where = left_out_at_launch(sight)
    counted = select(CampaignMember.reason, func.count().label("n"), func.sum(func.count()).over().label("everybody"))
    grouped = counted.select_from(joined).where(*where).group_by(CampaignMember.reason)
    reasons = sight.conn.execute(grouped.order_by(func.count().desc(), CampaignMember.reason).limit(20)).all()
    listed = select(Member.name, Member.ref, CampaignMember.reason).select_from(joined).where(*where)
    if after:
        listed = listed.where(Member.id > _number(after))
    rows = sight.conn.execute(listed.order_by(Member.id).limit(PAGE + 1))
    return [Excluded(*row) for row in rows], [(r.reason, r.n) for r in reasons], int(reasons[0][2]) if reasons else 0


def _number(ref: str) -> int:
    digits = without_nul(ref).removeprefix("M-")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else 0


def _gone(sight: Sight) -> list[Excluded]:
    """Members with an open case who are members no longer: whether they count is for a manager to say."""
    wanted = (
        select(Member.name, Member.ref, Member.status)
        .join(CaseRow, CaseRow.member_id == Member.id)
        .where(sight.listed, CaseRow.closed_at.is_(None), Member.status.in_(sorted(LEFT)), CaseRow.state != "left_out")
        .order_by(Member.name_key, Member.id).limit(MOST_SUGGESTED)
    )  # fmt: skip
    return [Excluded(*row) for row in sight.conn.execute(wanted)]
