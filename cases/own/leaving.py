"""Ending one's own membership: what it would mean is worked out without writing, then it is done in one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from cases import facts as case_facts
from cases import opening, store
from cases.answers import member_actor
from cases.commands import typed, unhindered
from cases.environment import Environment, World, world
from cases.errors import TransitionRefused
from cases.own.links import LeaveLink, leave_link
from cases.own.pages import Holder
from cases.rows import day_of
from cases.tables import CaseRow
from config.database import Connection, reading, transaction
from members.cards import GONE
from members.tables import Member
from state_machines.engine import decide
from state_machines.registry import process_named
from state_machines.values import Actor, Case, Refused

PROCESS = "cancellation"
END = "end_now_without_offers"
OFFER = "ask_for_offer"
_OVER = ("saved", "revoked", "retained", "save_failed", "intent_closed", "not_the_member", "cancelled", "refunded")
"""States after which a member who wants to leave makes a new statement."""


@dataclass(frozen=True)
class WhatItMeans:
    """What happens if the membership is ended now."""

    ends_on: date | None
    why: str
    last_payment_on: date | None
    refund: str
    cooled_off: bool
    payments_known: bool
    """Whether we know when payments are taken; where we do not, nothing may be promised about the last one."""


def preview(env: Environment, holder: Holder, *, now: datetime) -> WhatItMeans | None:
    """Return what ending now would mean for a cancellation that is under way; None where it cannot be ended now."""
    with reading(env.engine) as conn:
        return _meaning(holder.case, holder.actor, conn, world(conn, env, now))


def _meaning(case: Case, actor: Actor, conn: Connection, here: World) -> WhatItMeans | None:
    context = here.context(case_facts.gather(conn, [case], now=here.now)[case.id])
    found = decide(process_named(PROCESS), case, END, payload={}, actor=actor, context=context, now=here.now)
    return None if isinstance(found, Refused) else meaning(found.after)


def meaning(case: Case) -> WhatItMeans:
    """Return what a cancellation says about the end."""
    data = case.data
    cooled_off = data.get("end_rule") == "COOLING_OFF"
    return WhatItMeans(
        day_of(data.get("end_date")), str(data.get("end_explained") or ""), day_of(data.get("last_payment_on")),
        str(data.get("refund") or "0"), cooled_off, _payments_known(data) or cooled_off,
    )  # fmt: skip


def _payments_known(data: Mapping[str, Any]) -> bool:
    """Whether the day of payments is on record; who has paid in advance or leaves at once has none ahead anyhow."""
    none_ahead = data.get("contract_type") == "annual_prepaid" or str(data.get("end_rule")).startswith("IMMEDIATE")
    return none_ahead or data.get("billing_day") is not None


@dataclass(frozen=True)
class Leaving:
    """The page of a link for ending a membership, before anything was said."""

    link: LeaveLink
    means: WhatItMeans | None
    offers: bool
    """Whether the member may be shown an offer; which one fits depends on the reasons they give."""
    open_case: int | None
    """A cancellation of this member that is under way already."""


def leaving(env: Environment, token: str, *, now: datetime) -> Leaving:
    """Return whose membership a link ends and what that would mean. Raises LinkForged or LinkExpired."""
    with reading(env.engine) as conn:
        link = leave_link(conn, env, token, now=now)
        here = world(conn, env, now)
        under_way = _under_way(conn, link)
        if under_way is not None or link.member.status in GONE:
            return Leaving(link, None, False, under_way)
        return Leaving(link, *_tried(conn, link, here), None)


def _tried(conn: Connection, link: LeaveLink, here: World) -> tuple[WhatItMeans | None, bool]:
    """Decide what would happen, without writing and without using up a reference."""
    ended = _decided(conn, link, {"wants_no_offers": True}, here, trial=True)
    heard = _decided(conn, link, {}, here, trial=True)
    means = meaning(ended.outcome.after) if not isinstance(ended, tuple) else None
    return means, not isinstance(heard, tuple) and heard.outcome.after.state == "contact_offered"


def _decided(conn: Connection, link: LeaveLink, payload: Mapping[str, Any], here: World, *, trial: bool = False) -> Any:
    card = link.member
    wish = opening.Wish(
        process_named(PROCESS), "Ends the membership", {**typed(payload), "channel": "web"}, card.id,
        card.team, None, link.asked_at, _once(link),
    )  # fmt: skip
    return opening.decided(conn, [wish], here, actor=member_actor(card.id), trial=trial)[0]


def leave(env: Environment, token: str, payload: Mapping[str, Any], *, now: datetime | None = None) -> int:
    """Take a member's notice and return the id of its case; the one that is under way where there is one.

    Raises LinkForged, LinkExpired, or TransitionRefused with the rule's sentence.
    """

    def once() -> int:
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            link = leave_link(conn, env, token, now=here.now)
            conn.execute(select(Member.id).where(Member.id == link.member.id).with_for_update())  # one notice at a time
            if (known := _under_way(conn, link)) is not None:
                return known
            found = _decided(conn, link, payload, here)
            if isinstance(found, tuple):
                raise TransitionRefused(found[1])
            store.apply(conn, [found], here)
            return int(found.outcome.after.id)

    return unhindered(once)


def _once(link: LeaveLink) -> str:
    """What makes two notices by one link one notice."""
    return f"link:{link.member.id}:{link.asked_at:%Y%m%d%H%M}"


def _under_way(conn: Connection, link: LeaveLink) -> int | None:
    """The member's cancellation that goes on now, or the one this link was used for."""
    rows = conn.execute(
        select(CaseRow.id, CaseRow.external_ref, CaseRow.state)
        .where(CaseRow.process == PROCESS, CaseRow.member_id == link.member.id).order_by(CaseRow.id.desc())
    ).all()  # fmt: skip
    used = next((row.id for row in rows if row.external_ref == _once(link)), None)
    return used if used is not None else next((row.id for row in rows if row.state not in _OVER), None)
