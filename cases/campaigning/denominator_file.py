"""The denominator of a campaign as rows of a file: each member of the register, whether it counts, and why.

Only members whom this person may see are in it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy import select

from cases.campaigning.denominator import record_of
from cases.campaigning.sight import looking
from cases.environment import Environment
from cases.exporting import STREAMED
from cases.tables import CampaignMember
from members.tables import Member
from state_machines.values import Actor

log = logging.getLogger(__name__)
HEADING = ("member", "name", "counts", "reason", "changed on", "changed by")


def denominator_rows(
    env: Environment, ref: str, *, actor: Actor, now: datetime | None = None
) -> Iterator[tuple[str | date | None, ...]]:
    """Yield the heading and one row for each member of the register at the launch: whether it counts, and why."""
    with looking(env, ref, actor=actor, now=now) as sight:
        yield HEADING
        changed = {each.told.member_ref: each.told for each in record_of(sight)}
        joined = CampaignMember.__table__.join(Member.__table__, Member.id == CampaignMember.member_id)
        wanted = select(Member.ref, Member.name, CampaignMember.included, CampaignMember.reason).select_from(joined)
        wanted = wanted.where(CampaignMember.campaign_id == sight.row.id, sight.members).order_by(Member.id)
        for row in sight.conn.execute(wanted, execution_options=STREAMED):
            last = changed.get(row.ref)
            day = sight.here.env.calendar.local_date(last.at) if last else None
            why = row.reason if last is None else f"{row.reason}: {last.why}" if row.included else last.why
            yield row.ref, row.name, "yes" if row.included else "no", why, day, last.by if last else None
        log.info("The denominator of %s was exported.", sight.row.ref, extra={"actor": actor.person})
