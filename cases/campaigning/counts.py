"""How far a campaign is, counted in one statement: responding, being exempt and being accounted for stay apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, select

from cases.campaigning.sight import Sight
from cases.campaigns import CANCELLED, kind_of
from cases.tables import CampaignMember, CaseRow
from members import store as member_store
from members.tables import Member
from state_machines.standing import RESPONDED, Standing, count_in


@dataclass(frozen=True)
class Counts:
    """The members of a campaign that one person is told of, by what became of them."""

    by_state: Mapping[str, int]
    standings: Mapping[str, Standing]
    """What each state means."""
    kind: str
    """``survey`` or ``signoff``."""
    child: str
    """The process of the members' cases."""
    teams: Mapping[str, int]
    tiers: Mapping[str, int]
    hidden: int
    """How many of them this person may not open: they are counted and not named."""
    launched: bool
    planned: int
    """Before the launch: how many the rule would take in today."""
    excluded: int
    whole: bool

    def of(self, states: Collection[str]) -> int:
        """Return how many are in one of these states."""
        return sum(self.by_state.get(state, 0) for state in states)

    def standing(self, *wanted: Standing) -> int:
        """Return how many stand in one of these ways."""
        return count_in(self.by_state, self.standings, wanted)

    @property
    def eligible(self) -> int:
        """Everybody who is asked; who was left out since is not."""
        return sum(self.by_state.values()) - self.left_out if self.launched else self.planned

    @property
    def responded(self) -> int:
        """Members whose answer is in."""
        return self.standing(*RESPONDED)

    @property
    def complete(self) -> int:
        """Members whose answer is in and reviewed."""
        return self.standing(Standing.COMPLETE)

    @property
    def in_review(self) -> int:
        """Members whose answer is in and not complete yet."""
        return self.responded - self.complete

    @property
    def to_review(self) -> int:
        """Members whose answer waits for somebody here to look at it."""
        return self.standing(Standing.IN_REVIEW)

    @property
    def exempt(self) -> int:
        """Members with an approved exemption."""
        return self.standing(Standing.EXEMPT)

    @property
    def unanswered(self) -> int:
        """Members of whom it was decided, or who said, that no answer comes."""
        return self.standing(Standing.UNANSWERED)

    @property
    def unreachable(self) -> int:
        """Members whom no mail reaches at the moment."""
        return self.standing(Standing.UNREACHED)

    @property
    def not_reached(self) -> int:
        """Members of whom it was decided, with proof, that they cannot be reached."""
        return self.standing(Standing.UNREACHABLE)

    @property
    def cancelled(self) -> int:
        """Members who are asked no longer, since the campaign was cancelled."""
        return self.of({CANCELLED})

    @property
    def left_out(self) -> int:
        """Members who do not count any more, by a decision."""
        return self.standing(Standing.DROPPED) - self.cancelled

    @property
    def outstanding(self) -> int:
        """Members who can be reached and have not answered; before the launch nobody is."""
        settled = self.accounted + self.unreachable + self.cancelled
        return self.eligible - settled if self.launched else 0

    @property
    def accounted(self) -> int:
        """Members whose answer is in, who are exempt, or whose silence was decided upon."""
        return self.responded + self.exempt + self.unanswered + self.not_reached

    @property
    def settled(self) -> int:
        """What closing at 100 % counts: complete, or exempt by approval."""
        return self.complete + self.exempt

    @property
    def is_100(self) -> bool:
        """Whether everybody is complete or exempt: the only thing that is called 100 %."""
        return self.launched and self.eligible > 0 and self.settled == self.eligible


def counts(sight: Sight) -> Counts:
    """Return the counts of a campaign: three statements, however many members."""
    rows = sight.conn.execute(
        select(CaseRow.state, CaseRow.team, Member.tier, func.count().label("n"),
               func.count().filter(sight.openable).label("seen"))
        .select_from(CaseRow.__table__.outerjoin(Member.__table__, Member.id == CaseRow.member_id))
        .where(sight.counted).group_by(CaseRow.state, CaseRow.team, Member.tier)
    ).all()  # fmt: skip
    found: dict[str, Counter[str]] = {"state": Counter(), "team": Counter(), "tier": Counter()}
    for row in rows:
        found["state"][row.state] += row.n
        found["team"][row.team or ""] += row.seen
        found["tier"][row.tier or ""] += row.seen
    launched = bool(sight.row.data.get("launched_on"))
    seen = sum(row.seen for row in rows)
    return Counts(
        found["state"], sight.child.standings, kind_of(sight.row.process), sight.child.name,
        _named(found["team"]), _named(found["tier"]),
        sum(found["state"].values()) - seen, launched, 0 if launched else _planned(sight),
        _excluded(sight) if launched else 0, sight.whole,
    )  # fmt: skip


def _named(counter: Counter[str]) -> dict[str, int]:
    return {name: number for name, number in sorted(counter.items()) if name and number}


def _planned(sight: Sight) -> int:
    """Whom the rule takes in today; of a coordinator's own teams only."""
    criteria = sight.row.data.get("population") or {}
    if sight.whole:
        return member_store.population_size(sight.conn, criteria)[0]
    statement = select(func.count()).select_from(Member).where(*member_store.meeting(criteria), sight.members)
    return sight.conn.execute(statement).scalar_one()


def left_out_at_launch(sight: Sight) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on members whom the rule left out at the launch; who was left out later has a case."""
    of_case = (CaseRow.parent_id == sight.row.id, CaseRow.member_id == CampaignMember.member_id)
    return (
        CampaignMember.campaign_id == sight.row.id, CampaignMember.included.is_(False), sight.members,
        ~exists().where(*of_case),
    )  # fmt: skip


def _excluded(sight: Sight) -> int:
    joined = CampaignMember.__table__.join(Member.__table__, Member.id == CampaignMember.member_id)
    statement = select(func.count()).select_from(joined).where(*left_out_at_launch(sight))
    return sight.conn.execute(statement).scalar_one()


def percent(part: int, whole: int) -> str:
    """Return a share in whole percent, rounded down: 100 % is everybody and nothing less; n/a of nobody."""
    if whole <= 0:
        return "n/a"
    found = part * 100 // whole
    return f"{found} %" if found or not part else "under 1 %"
