"""Adding one member by hand."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from config.database import Connection, Engine, transaction
from members import store
from members.cards import DECIDED, MemberCard
from members.contact_commands import write_contact
from members.errors import NotYours, Unusable
from members.matching import name_key, website_domain
from members.member_commands import check_external_ref, checked_fields
from members.tables import Member
from members.visibility import may_edit, visible_members
from members.writing import insert_members
from state_machines.values import Actor


def add_member(
    engine: Engine,
    values: Mapping[str, Any],
    contacts: Sequence[Mapping[str, Any]] = (),
    *,
    lent: Collection[str] = (),
    actor: Actor,
    now: datetime,
) -> MemberCard:
    """Add a member with its checked contacts, the first to be written to first, and return it.

    Raises Unusable with a sentence, also for one that is there already, and NotYours for another team's.
    """
    wanted = checked_fields(values)
    flags = wanted.pop("add_flags", [])
    if wanted.get("status") in DECIDED:
        raise Unusable(f"Only a decision in a case can make a member {wanted['status']}.")
    if not may_edit(actor, wanted.get("team"), lent):
        raise NotYours(f"Members of {wanted.get('team') or 'no team'} are added by their coordinators and by managers.")
    with transaction(engine) as conn:
        _check_is_new(conn, wanted, lent, actor)
        [member_id] = insert_members(conn, [{**wanted, "flags": sorted(flags)}], source="desk", actor=actor, now=now)
        card = store.member_card(conn, [member_id])[member_id]
        for each in contacts:
            write_contact(conn, card, each, source="desk", actor=actor, now=now)
        return card


def _check_is_new(conn: Connection, wanted: Mapping[str, Any], lent: Collection[str], actor: Actor) -> None:
    """Raise Unusable when the register has this number, or a member of this name that is not surely another."""
    check_external_ref(conn, wanted, lent=lent, actor=actor)
    kind = wanted.get("kind", "organisation")
    same_name = (Member.kind == kind, Member.name_key == name_key(wanted["name"], person=kind == "person"))
    named = select(Member.ref, Member.name, Member.external_ref, Member.website).where(
        *same_name, Member.status != "merged", visible_members(actor, lent)
    )
    for other in conn.execute(named):
        numbers = bool(wanted.get("external_ref") and other.external_ref)
        mine, theirs = website_domain(wanted.get("website")), website_domain(other.website)
        if kind == "organisation" and not numbers and not (mine and theirs and mine != theirs):
            raise Unusable(
                f"{other.ref} {other.name} is in the register already; give an external_ref or a website that tells "
                "the two apart."
            )
