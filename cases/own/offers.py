"""Hearing no more offers: the link in a marketing mail ends them for its member, and nothing else."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from cases.answers import member_actor
from cases.environment import Environment
from cases.tables import CaseRow
from config.database import Connection, reading, transaction
from members import store as member_store
from members.cards import MemberCard
from notifications import links

OPT_OUT = "MARKETING_OPT_OUT"


def stopped(env: Environment, token: str, *, now: datetime) -> bool:
    """Return whether the member of a link gets no offers already. Raises LinkForged or LinkExpired."""
    with reading(env.engine) as conn:
        return OPT_OUT in _member(conn, env, token, now).flags


def stop_offers(env: Environment, token: str, *, now: datetime) -> None:
    """Send the member of a link no more offers; twice is once. Raises LinkForged or LinkExpired."""
    with transaction(env.engine) as conn:
        card = _member(conn, env, token, now)
        if OPT_OUT not in card.flags:
            changes = [(card.id, {"add_flags": [OPT_OUT]})]
            member_store.apply_changes(conn, changes, source="unsubscribe", actor=member_actor(card.id), now=now)


def _member(conn: Connection, env: Environment, token: str, now: datetime) -> MemberCard:
    """Whose offers a link ends. An old link ends them too: who wants to hear no more need not look for a newer one."""
    secret = env.settings.secret_key.get_secret_value()
    link = links.read(secret, links.UNSUBSCRIBE, token, now=now)
    member_id = conn.execute(select(CaseRow.member_id).where(CaseRow.id == link.case_id)).scalar_one_or_none()
    cards = member_store.member_card(conn, [member_id]) if member_id is not None else {}
    if member_id not in cards:
        raise links.LinkExpired
    return cards[member_id]
