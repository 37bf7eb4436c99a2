"""One member, as text for people and as values for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cli.asking import staff_names
from cli.output import local

if TYPE_CHECKING:
    from cases.environment import Environment
    from config.database import Connection
    from members.cards import Contact, MemberCard
    from state_machines.values import Actor

RECENT = 20
MOST_CASES = 1000
FACTS = ("external_ref", "kind", "status", "tier", "category", "country", "region", "site", "team", "website",
         "language", "joined_on", "left_on", "flags")  # fmt: skip


# ---------------------------------------------------------------------------------- which members a viewer may see


def members_page(
    env: Environment, criteria: Mapping[str, Any], words: str | None, viewer: Actor, limit: int, offset: int
) -> tuple[list[MemberCard], int]:
    """Return one page of the members the viewer may see, and how many there are in all."""
    from cases.environment import world
    from cases.member_lists import lent
    from config.database import reading
    from members.browsing import MemberFilter, listed

    with reading(env.engine) as conn:
        teams = lent(viewer, world(conn, env))
        narrow = MemberFilter(words=words or "", **criteria)
        return listed(conn, narrow, limit=limit, offset=offset, lent=teams, viewer=viewer)


def found(env: Environment, ref: str, viewer: Actor) -> MemberCard:
    """Return a member the viewer may see. Raises NotFound also for one they may not, or Ambiguous."""
    from cases.environment import world
    from cases.member_lists import lent
    from config.database import reading
    from members.visibility import find_member

    with reading(env.engine) as conn:
        return find_member(conn, ref, lent=lent(viewer, world(conn, env)), actor=viewer)


def lent_today(env: Environment, actor: Actor) -> frozenset[str]:
    """Return the teams of those for whom a person stands in today."""
    from cases.environment import world
    from cases.member_lists import lent
    from config.database import reading

    with reading(env.engine) as conn:
        return lent(actor, world(conn, env))


def card_values(card: MemberCard) -> dict[str, Any]:
    """Return a member as plain values."""
    from dataclasses import asdict

    values = asdict(card)
    return {name: values[name] for name in values if name not in ("id", "merged_into")} | {"flags": sorted(card.flags)}


# ------------------------------------------------------------------------------------------ everything about one


def as_values(env: Environment, card: MemberCard, viewer: Actor) -> dict[str, Any]:
    """Return everything about a member that the viewer may see."""
    from cases.mailroom import outbox
    from cases.queries import Filter, list_cases
    from config.database import reading
    from members import store

    cases, _ = list_cases(env, Filter(member=card.ref), actor=viewer, limit=MOST_CASES)
    messages, _ = outbox(env, member_id=card.id, viewer=viewer, limit=RECENT)
    names = staff_names(env)
    with reading(env.engine) as conn:
        contacts = store.contacts_of(conn, [card.id])[card.id]
        changes = _changes(conn, card.id, names)
    return {
        **card_values(card), "contacts": [contact_values(each) for each in contacts],
        "open_cases": [case for case in cases if case["closed"] is None],
        "closed_cases": [case for case in cases if case["closed"] is not None],
        "messages": messages, "changes": changes,
    }  # fmt: skip


def contact_values(contact: Contact) -> dict[str, Any]:
    """Return a contact as plain values."""
    names = ("id", "position", "name", "email", "phone", "role", "language", "status", "bounced_at", "bounce_reason")
    return {name: getattr(contact, name) for name in names}


def _changes(conn: Connection, member_id: int, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what was changed lately, the newest first, with the names of who did it."""
    from members.history import changes_of

    return [
        {"at": entry.at, "actor": entry.actor, "by": names.get(entry.actor, "Muster"), "source": entry.source,
         "changes": entry.changes}
        for entry in changes_of(conn, member_id, limit=RECENT)
    ]  # fmt: skip


def as_text(values: Mapping[str, Any], zone: ZoneInfo) -> str:
    """Return a member's page as a person reads it at a terminal."""
    return "\n".join(_lines(values, zone))


def _lines(values: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    yield f"{values['ref']}  {values['name']}"
    for name in FACTS:
        if values[name]:
            yield f"{name.replace('_', ' ').capitalize():<14}{local(values[name])}"
    for title, lines in (
        ("Contacts, first to be written to first", map(contact_line, values["contacts"])),
        ("Open cases", (_case(each, zone) for each in values["open_cases"])),
        ("Closed cases", (_case(each, zone) for each in values["closed_cases"])),
        ("Recent messages", (_message(each, zone) for each in values["messages"])),
        ("What was changed", (_change(each, zone) for each in values["changes"])),
    ):
        found = list(lines)
        if found:
            yield ""
            yield title
            yield from (f"   {each}" for each in found)


def contact_line(contact: Mapping[str, Any]) -> str:
    """Return a contact in one line."""
    named = f"{contact['name']} <{contact['email']}>" if contact["name"] and contact["email"] else None
    parts = [named or contact["email"] or contact["name"], contact["phone"], contact["role"]]
    if contact["status"] != "ok":
        why = f" ({contact['bounce_reason']})" if contact["bounce_reason"] else ""
        parts.append(f"{contact['status'].upper()}{why}")
    return f"{contact['position']}. {', '.join(filter(None, parts))}"


def _case(case: Mapping[str, Any], zone: ZoneInfo) -> str:
    ended = f"{case['outcome'] or 'closed'} on" if case["closed"] else "due"
    instant = case["closed"] or case["deadline"]
    when = f", {ended} {local(datetime.fromisoformat(instant), zone)}" if instant else ""
    owner = f", {case['owner_name']}" if case["owner_name"] and not case["closed"] else ""
    return f"{case['ref']}  {case['subject'][:60]}: {case['state_title']}{owner}{when}"


def _message(message: Mapping[str, Any], zone: ZoneInfo) -> str:
    reason = f" ({message['reason']})" if message["reason"] else ""
    when = local(message["sent_at"] or message["not_before"], zone)
    return f"{when:<21}  {message['state']:<10} {message['title']} to {message['receiver']}{reason}"


def _change(change: Mapping[str, Any], zone: ZoneInfo) -> str:
    told = "; ".join(_told(name, what) for name, what in change["changes"].items())
    return f"{local(change['at'], zone):<21}  {change['by']} ({change['source']})  {told}"


def _told(name: str, what: object) -> str:
    """Return one change as people say it: before and after, or what was said about it."""
    label = name.replace("_", " ")
    if isinstance(what, list) and len(what) == 2:
        before, after = (local(each) or "nothing" for each in what)
        return f"{label} {after}" if before == "nothing" else f"{label} {before} → {after}"
    if isinstance(what, Mapping):
        return f"{label} " + ", ".join(f"{key} {local(item)}" for key, item in what.items() if item)
    return f"{label} {local(what)}"
