"""Whom of a member Muster writes to, and what happens when somebody is not the right person.

A case remembers which contacts it has turned away from (``contacts_passed``) and who said that they are not the right
person (``contacts_declined``), by the numbers of the contacts. So a contact that bounces, leaves or is moved up in the
register never makes the ladder skip somebody. ``contact_step`` counts the turns: 0 is the first contact.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from state_machines.draft import Draft
from state_machines.process import Guard
from state_machines.processes.chasing import member_name
from state_machines.standing import Standing
from state_machines.values import Role

OPEN_DOMAINS = frozenset({
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.co.uk", "live.com", "yahoo.com",
    "yahoo.co.uk", "icloud.com", "me.com", "aol.com", "gmx.de", "gmx.net", "gmx.com", "web.de", "proton.me",
    "protonmail.com", "mail.com", "btinternet.com", "qq.com", "163.com",
})  # fmt: skip
"""Where anybody gets a mailbox: such an address does not show that somebody belongs to the member."""

Known = Mapping[str, Any]
"""A contact as the shell tells of it: ``id``, ``role``, ``usable`` and ``domain``."""

# --- the contacts of a member, in their order


def contacts_left(draft: Draft) -> list[Known]:
    """The usable contacts that were neither turned away from nor declined; the first of them is written to."""
    gone = {*(draft.get("contacts_passed") or ()), *(draft.get("contacts_declined") or ())}
    return [each for each in contacts(draft) if each["usable"] and each["id"] not in gone]


def contacts(draft: Draft) -> Sequence[Known]:
    """All contacts of the member, those in the roles that are written to first before the others."""
    first: Sequence[str] = draft.setting("contact_roles_first")
    found: Sequence[Known] = draft.fact("contact_list") or ()
    return sorted(found, key=lambda each: first.index(each["role"]) if each["role"] in first else len(first))


def written_to(draft: Draft) -> int | None:
    """The number of the contact who is written to now; None when nobody is."""
    if left := contacts_left(draft):
        return int(left[0]["id"])
    declined = draft.get("contacts_declined", ())
    last = [each["id"] for each in contacts(draft) if each["usable"] and each["id"] not in declined]
    return int(last[-1]) if last else None


def another_contact_is_left(draft: Draft) -> bool:
    """There is no other contact to turn to."""
    return len(contacts_left(draft)) > 1


def every_contact_was_tried(draft: Draft) -> bool:
    """Another contact can be written to, or the member has only one, who is rung after the deadline."""
    tried = int(draft.get("contact_step", 0)) > 0 and len(contacts_left(draft)) <= 1
    return tried and not draft.get("contacts_exhausted")


def is_in_time(draft: Draft) -> bool:
    """The deadline has passed; the ladder has calls of its own from here."""
    return draft.today <= str(draft.get("deadline"))


def nothing_was_opened(unopened: Collection[str]) -> Guard:
    """Return the guard that asks whether the contact who is written to has been silent."""

    def guard(draft: Draft) -> bool:
        return draft.case.state in unopened or not is_in_time(draft)

    guard.__name__, guard.__doc__ = "nothing_was_opened", "Somebody has opened what we sent; they are left to it."
    return guard


def turn(draft: Draft) -> None:
    """Write to the next contact from now on, and send copies to the earlier ones where the policy says so."""
    _pass(draft, contacts_left(draft)[0]["id"])
    draft.set(last_written=draft.today)
    hand_on(draft, "silent")
    if draft.taken is not None and draft.taken.trigger in draft.setting("copies_to_earlier"):
        send_copies(draft)


def _pass(draft: Draft, contact: int) -> None:
    passed = [*draft.get("contacts_passed", ()), contact]
    draft.set(contacts_passed=passed, contact_step=len(passed))


def hand_on(draft: Draft, why: str) -> None:
    """Ask the contact who comes next: they have not heard of it yet."""
    draft.send("reach_handed_on", draft.setting("letters_to"), why=why, late=not is_in_time(draft))


def send_copies(draft: Draft) -> None:
    """Tell those who were written to before that a colleague of theirs is asked now."""
    declined = draft.get("contacts_declined", ())
    usable = {each["id"] for each in contacts(draft) if each["usable"] and each["id"] not in declined}
    for contact in draft.get("contacts_passed", ()):
        if contact in usable:
            draft.send("reach_also_asked", f"contact:{contact}")


def ask_call(draft: Draft) -> None:
    """Somebody rings the member: every contact was written to, and nobody has opened anything."""
    draft.set(contacts_exhausted=True)
    title = f"Ring {member_name(draft)}: every contact was written to, and nobody has opened anything"
    draft.task("phone", title, Role.COORDINATOR, draft.setting("call_within"), attempt=1)


# --- whom a person chooses


def chosen_can_be_asked(draft: Draft) -> bool:
    """No mail reaches this contact, or it is none whom this may be asked of."""
    found = next((each for each in contacts(draft) if each["id"] == draft.typed("contact")), None)
    roles = draft.setting("contact_roles_first") if draft.setting("letters_to") == "signatory" else ()
    return found is not None and bool(found["usable"]) and (not roles or found["role"] in roles)


def chosen_is_another(draft: Draft) -> bool:
    """This contact is the one who is written to now."""
    return bool(draft.typed("contact") != written_to(draft))


def choose(draft: Draft) -> None:
    """Write to the chosen contact from now on, also where the ladder had turned away or somebody had said no."""
    chosen = draft.typed("contact")
    declined = [each for each in draft.get("contacts_declined", ()) if each != chosen]
    passed = [each for each in draft.get("contacts_passed", ()) if each != chosen]
    draft.set(contacts_declined=declined, contacts_passed=passed, contacts_exhausted=False)
    while (now := written_to(draft)) is not None and now != chosen:
        _pass(draft, now)
    draft.set(contact_step=len(draft.get("contacts_passed", ())))
    if draft.get("last_written") != draft.today:
        draft.set(last_written=draft.today)
        hand_on(draft, "chosen")


# --- "I am not the right person", and contacts that are lost


def may_still_say_so(draft: Draft) -> bool:
    """Several people of this member have said that they are not the right person; we ring instead of writing on."""
    return draft.count("not_me") < int(draft.setting("not_me_most"))


def contact_is_of_this_member(draft: Draft) -> bool:
    """There is no such contact any more; choose who you are again."""
    contact = draft.typed("contact")
    return contact is None or any(each["id"] == contact for each in contacts(draft))


def says_so_for_the_first_time(draft: Draft) -> bool:
    """You have told us already, and somebody is at it. Thank you."""
    contact = draft.typed("contact")
    return contact is None or contact not in draft.get("contacts_declined", ())


def names_somebody(draft: Draft) -> bool:
    """Whether somebody else was named."""
    return any(draft.typed(name) for name in ("name", "email", "phone"))


def named_is_a_colleague(draft: Draft) -> bool:
    """Whether the address that was named is at a domain of the member's own."""
    domain = str(draft.typed("email", "") or "").rpartition("@")[2].strip().lower()
    own = {each["domain"] for each in contacts(draft) if each["domain"]} - OPEN_DOMAINS
    return bool(domain) and domain in own


def take_not_me(draft: Draft) -> None:
    """Write to somebody else from now on. Nobody is written to at an address that was only named: a link can be passed
    on, and its holder could have our letters sent anywhere. A person confirms it first."""
    contact, before = draft.typed("contact"), written_to(draft)
    if contact is not None:
        draft.set(contacts_declined=[*draft.get("contacts_declined", ()), contact])
    colleague, now = named_is_a_colleague(draft), written_to(draft)
    if names_somebody(draft):
        _ask_confirmation(draft, colleague)
    elif now is None:
        _ask_right_person(draft)
    awaited = draft.process.standings.get(draft.case.state) is Standing.AWAITED
    if awaited and contact is not None and contact == before and now is not None and not colleague:
        draft.set(last_written=draft.today)
        hand_on(draft, "not_me")
    draft.send("reach_not_me", "owner", named=names_somebody(draft), colleague=colleague, nobody_left=now is None)


def _ask_confirmation(draft: Draft, colleague: bool) -> None:
    how = "of the member's own domain" if colleague else "not of the member's domain: ring before you write"
    title = f"Confirm who is the right person at {member_name(draft)}: somebody was named ({how})"
    draft.task("contact_repair", title, Role.COORDINATOR, draft.setting("repair_within"))


def _ask_right_person(draft: Draft) -> None:
    title = f"Find the right person at {member_name(draft)}: nobody we know of is"
    draft.task("contact_repair", title, Role.COORDINATOR, draft.setting("repair_within"))


def count_bounce(draft: Draft) -> None:
    """Count a letter that came back for good."""
    draft.set(bounces=int(draft.get("bounces", 0)) + 1)


def take_loss(draft: Draft) -> None:
    """Turn to the next contact at once where the one who was written to is not there any more."""
    count_bounce(draft)
    lost, now = draft.typed("contact"), written_to(draft)
    if lost is None:
        return
    draft.set(contacts_lost=[*draft.get("contacts_lost", ()), lost])
    if not _was_written_to(draft, lost):
        return
    _pass(draft, lost)
    if now is not None and now != lost:
        draft.set(last_written=draft.today)
        hand_on(draft, "lost")


def _was_written_to(draft: Draft, lost: int) -> bool:
    """Whether it was this contact's turn, as long as it could be reached."""
    gone = {*draft.get("contacts_passed", ()), *draft.get("contacts_declined", ())}
    there = [each["id"] for each in contacts(draft) if each["usable"] or each["id"] == lost]
    return next((each for each in there if each not in gone), None) == lost
