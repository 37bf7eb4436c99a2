"""What the holder of a personal link says about whom to write to and by when: another person, or a promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cases.environment import Environment
from cases.errors import BadInput
from cases.own.deeds import act
from cases.own.pages import Holder, own_contacts
from config.database import Connection, reading, without_nul
from members import store as member_store
from members.cards import Contact
from members.errors import Unusable
from members.proposals import not_the_right_person, proposed
from notifications import links
from notifications.recipients import in_turn
from state_machines.registry import process_named
from state_machines.standing import Standing
from state_machines.values import Outcome, Role

NAMED = ("name", "email", "phone")
SOMEBODY_ELSE = "other"
"""Chosen by somebody the link was passed on to: none of the contacts we know."""


@dataclass(frozen=True)
class Reaching:
    """What the holder of a link may say about whom to write to, and by when an answer comes."""

    contacts: Sequence[Contact]
    """Whom we know and can write to; the one who is written to now is the first."""
    may_say_not_me: bool
    may_promise: bool
    first_day: date
    last_day: date
    """Until when an answer may be promised."""
    promised_on: date | None
    """The day that was promised and has not passed."""


def reaching(env: Environment, holder: Holder, *, now: datetime) -> Reaching:
    """Return what the holder of a link may say now; nothing is written."""
    case, process = holder.case, process_named(holder.case.process)
    mine = {t.trigger for t in process.from_state[case.state] if Role.MEMBER in t.by}
    today = env.calendar.local_date(now)
    member = holder.purpose == links.MEMBER
    ahead = int(env.policy.setting(process.name, "promise_days")) if "promise" in mine else 0
    return Reaching(
        own_contacts(env, holder), member and "not_me" in mine, member and "promise" in mine, today,
        today + timedelta(days=ahead), promised_on(holder, today),
    )  # fmt: skip


def promised_on(holder: Holder, today: date) -> date | None:
    """Return the day for which an answer was promised, while it is awaited and the day has not passed."""
    case, promised = holder.case, holder.case.data.get("promise_until")
    awaited = process_named(case.process).standings.get(case.state) is Standing.AWAITED
    return date.fromisoformat(promised) if awaited and promised and promised >= today.isoformat() else None


def not_me(
    env: Environment, holder: Holder, contact: int | None, named: Mapping[str, str], *, seen: int, now: datetime
) -> bool:
    """Take "I am not the right person" and return whether another contact of theirs is written to from now on.

    The register is not changed: what should change in it is proposed. Nobody is written to at an address that was named
    here before a person has confirmed it: a link can be passed on, and its holder could have our letters sent anywhere.
    Twice is harmless. Raises BadInput, Unusable with what is wrong with the person named, or TransitionRefused.
    """
    if holder.case.member_id is None or holder.purpose != links.MEMBER:
        raise BadInput("This page only shows something; please answer our letter instead.")
    given: dict[str, str] = without_nul({name: " ".join(text.split()) for name, text in named.items()})
    payload: dict[str, Any] = {"contact": contact, **{k: v for k, v in given.items() if v}}
    done = act(
        env, holder, "not_me", payload, seen=seen, also=lambda conn: _propose(conn, holder, contact, given, now),
        now=now,
    )  # fmt: skip
    state = done.after.state if done is not None else holder.case.state
    if process_named(holder.case.process).standings.get(state) is not Standing.AWAITED:
        return False
    with reading(env.engine) as conn:
        contacts = member_store.contacts_of(conn, [holder.case.member_id])[holder.case.member_id]
    declined = [*(holder.case.data.get("contacts_declined") or ()), contact]
    return contact is not None and bool(in_turn(contacts, {**holder.case.data, "contacts_declined": declined}))


def _propose(conn: Connection, holder: Holder, contact: int | None, given: Mapping[str, str], now: datetime) -> None:
    """Ask for the change of the register, unless there is nothing to change."""
    new = {name: given[name] for name in NAMED if given.get(name)}
    if contact is not None:
        changes = not_the_right_person(contact, **new)
    elif new:
        changes = {"contacts": [{"do": "add", **new}]}
    else:
        return
    if given.get("position"):
        changes["note"] = f"Position of the person named: {given['position']}"
    by = holder.actor.person
    try:
        proposed(conn, holder.case.member_id or 0, changes, proposed_by=by, source=holder.ref, now=now)
    except Unusable:
        if new or given.get("position"):
            raise  # what was typed cannot be kept; that a contact is gone already is no trouble


def promise(env: Environment, holder: Holder, day: date, *, seen: int, now: datetime) -> Outcome | None:
    """Keep the day by which an answer was promised; None when the same form was sent before.

    Raises TransitionRefused with the rule's sentence.
    """
    return act(env, holder, "promise", {"promised_on": day.isoformat()}, seen=seen, now=now)
