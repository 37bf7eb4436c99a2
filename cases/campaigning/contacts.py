"""Whom a member's campaign mail goes to: naming another contact, and making old personal links worthless."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from cases import store
from cases.campaigning.risks import OVERDUE
from cases.campaigning.sight import RESPONSE, looking, response_of, sight_of
from cases.campaigns import INVITATIONS
from cases.commands import lock_seen, plain_change, require_staff, with_message
from cases.environment import Environment, world
from cases.errors import BadInput, NotAllowed
from config.database import transaction, without_nul
from members import store as member_store
from members.contact_commands import order_contacts, save_contact
from members.visibility import lent_teams
from notifications import links
from state_machines.standing import Standing
from state_machines.values import Actor, Message, Role

AT_WORK = frozenset({Role.COORDINATOR, Role.MANAGER, Role.SENIOR})


def name_contact(
    env: Environment, ref: str, case_ref: str, values: Mapping[str, str | None], *, actor: Actor,
    now: datetime | None = None,
) -> str:  # fmt: skip
    """Add a contact of a member and write to it before all others from now on; return the member's name.

    Raises CaseNotFound, NotAllowed, or Unusable with what is wrong with the contact.
    """
    _require_desk(actor)
    if not (values.get("email") or "").strip():
        raise BadInput("Give the e-mail address of the new contact.")
    with looking(env, ref, actor=actor, now=now) as sight:
        member_id = response_of(sight, case_ref).member_id
        card, moment = member_store.member_card(sight.conn, [member_id])[member_id], sight.here.now
        lent = lent_teams(actor, sight.here.staffing, sight.today)
    added = save_contact(env.engine, card.ref, without_nul(dict(values)), lent=lent, actor=actor, now=moment)
    last = max(added, key=lambda contact: contact.id).id
    order = [last, *(contact.id for contact in added if contact.id != last)]
    order_contacts(env.engine, card.ref, order, lent=lent, actor=actor, now=moment)
    return card.name


def renew_link(
    env: Environment, ref: str, case_ref: str, reason: str, *, seen_version: int | None = None, actor: Actor,
    now: datetime | None = None,
) -> bool:  # fmt: skip
    """Make a member's personal links worthless and send a new one where an answer is asked for; whether it was sent.

    Where none is sent, the next message carries the new link. It counts as writing to the member today.
    """
    _require_desk(actor)
    if len(reason.strip()) < 3:
        raise BadInput("Say why the old link must not work any more; it stays on the record.")
    with transaction(env.engine) as conn:
        sight = sight_of(conn, world(conn, env, now), ref, actor)
        response_of(sight, case_ref)
        locked = lock_seen(conn, case_ref, actor, sight.here, seen_version)
        if locked.row.closed_at is not None:
            raise BadInput("This response is closed, so its links do nothing any more.")
        links.revoke(conn, [locked.case.id], now=sight.here.now)
        resends = locked.case.state in sight.child.states_in(Standing.AWAITED) - OVERDUE
        today = {"last_written": sight.today.isoformat()} if resends else {}
        after = replace(locked.case, data={**locked.case.data, **today})
        details = {"payload": {"reason": without_nul(reason.strip())}, **({"data": today} if today else {})}
        change = plain_change(locked, after, "link_renewed", details, {}, actor=actor, now=sight.here.now)
        if resends:
            kind = INVITATIONS[locked.case.process]
            audience = "member" if locked.case.process == RESPONSE else "signatory"
            change = with_message(change, Message(kind, audience))
        store.apply(conn, [change], sight.here)
        return resends


def _require_desk(actor: Actor) -> None:
    require_staff(actor)
    if not actor.roles & AT_WORK:
        raise NotAllowed("Only coordinators and managers may do this.")
