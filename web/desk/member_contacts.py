"""The contacts of a member: adding, repairing, ordering, letting go, with a way back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from starlette.responses import Response

from cases import member_pages
from cases.commands import fire
from cases.contacts_gone import contact_gone
from cases.errors import TransitionRefused
from members import contact_commands
from members.cards import Contact, MemberCard
from members.contact_commands import CONTACT_FIELDS, save_contact
from members.errors import Changed, NotFound, Unusable
from web.access import STAFF
from web.desk import member_forms as forms
from web.desk.member_changes import WRITERS, doing, record
from web.desk_page import Desk, DeskPage
from web.posted import Form, Posted
from web.routing import Pages

pages = Pages(may=STAFF)


@pages.get("/members/{ref}/contacts/new", may=WRITERS, statements=9)
def new_contact(desk: Desk, ref: str) -> Response:
    """The form of a contact to be added."""
    return _contact_form(desk, record(desk, ref).card, None, forms.contact_values(None))


@pages.post("/members/{ref}/contacts/new", may=WRITERS)
def add_contact(desk: Desk, posted: Form, ref: str) -> Response:
    """Add a contact, who is written to last until moved up."""
    return _save(desk, posted, ref, None)


@pages.get("/members/{ref}/contacts/{number}", may=WRITERS, statements=9)
def contact(desk: Desk, ref: str, number: int) -> Response:
    """The form of a contact."""
    found = record(desk, ref)
    one = _one(found, number)
    return _contact_form(desk, found.card, one, forms.contact_values(one))


@pages.post("/members/{ref}/contacts/{number}", may=WRITERS)
def change_contact(desk: Desk, posted: Form, ref: str, number: int) -> Response:
    """Change a contact; a new address is taken to work."""
    return _save(desk, posted, ref, number)


def _one(found: member_pages.MemberRecord, number: int) -> Contact:
    one = next((each for each in found.contacts if each.id == number), None)
    if one is None:
        raise NotFound(f"{found.card.name} has no such contact.")
    return one


def _save(desk: DeskPage, posted: Posted, ref: str, number: int | None) -> Response:
    values, stood = forms.typed(posted, CONTACT_FIELDS), forms.before(posted, CONTACT_FIELDS)
    changes = forms.touched(values, stood) if number is not None else values
    seen, errors, others = posted.number("version"), forms.contact_errors(changes), []
    if not errors and not changes:
        return desk.see_other(f"/members/{ref}#contacts", "Nothing was changed.", tone="info")
    if not errors:
        try:
            save_contact(desk.env.engine, ref, changes, contact_id=number, seen_version=seen, **doing(desk))
            return desk.see_other(f"/members/{ref}#contacts", "The contact is kept.")
        except Changed as bad:
            return _contact_both(desk, ref, number, values, stood, str(bad))
        except Unusable as bad:
            others = [str(bad)]
    found = record(desk, ref)
    one = _one(found, number) if number is not None else None
    return _contact_form(desk, found.card, one, values, errors, others=others, posted=posted, status=422)


def _contact_both(
    desk: DeskPage, ref: str, number: int | None, values: Mapping[str, str], stood: Mapping[str, str], told: str
) -> Response:
    found = record(desk, ref)
    one = _one(found, number) if number is not None else None
    fresh = forms.contact_values(one)
    shown, both = forms.joined(values, stood, fresh)
    theirs = {name: fresh[name] for name in both} if one else {}
    return _contact_form(
        desk, found.card, one, shown if one else values, theirs=theirs, conflict=told, recent=found.changes[:3],
        status=409,
    )  # fmt: skip


def _contact_form(
    desk: DeskPage, card: MemberCard, one: Contact | None, values: Mapping[str, str],
    errors: Mapping[str, Sequence[str]] | None = None, *, theirs: Mapping[str, str] | None = None, conflict: str = "",
    others: Sequence[str] = (), recent: Sequence[member_pages.Change] = (), posted: Posted | None = None,
    status: int = 200,
) -> Response:  # fmt: skip
    title = f"Edit {contact_commands.called(one)}" if one else f"Add a contact of {card.name}"
    return desk.page(
        "desk/member_contact.html", title=title, status=status, card=card, contact=one, conflict=conflict,
        others=others, recent=recent, fields=forms.contact_fields(values, errors or {}, theirs or {}),
        stood=forms.before(posted, CONTACT_FIELDS) if posted else forms.contact_values(one),
        version=posted.text("version") if posted else card.version,
    )  # fmt: skip


@pages.post("/members/{ref}/contacts/{number}/left", may=WRITERS)
def left(desk: Desk, ref: str, number: int) -> Response:
    """Record that a contact has left; the way back is beside them."""
    one = contact_commands.contact_left(desk.env.engine, ref, number, **doing(desk))
    contact_gone(desk.env, one.member_id, one.id, now=desk.now)
    name = contact_commands.called(one)
    return desk.see_other(f"/members/{ref}#contacts", f"{name} is no longer written to. “Bring back” undoes this.")


@pages.post("/members/{ref}/contacts/{number}/ask", may=WRITERS)
def ask(desk: Desk, posted: Form, ref: str, number: int) -> Response:
    """Write to this contact from now on in one campaign, whoever was written to before."""
    one, case = _one(record(desk, ref), number), posted.text("case")
    try:
        fire(desk.env, case, "choose_contact", payload={"contact": number}, actor=desk.actor, now=desk.now)
    except TransitionRefused as no:
        return desk.see_other(f"/members/{ref}#ladders", str(no), tone="warning")
    return desk.see_other(f"/members/{ref}#ladders", f"{contact_commands.called(one)} is written to from now on.")


@pages.post("/members/{ref}/contacts/{number}/back", may=WRITERS)
def back(desk: Desk, ref: str, number: int) -> Response:
    """Record that a contact is there after all."""
    one = contact_commands.contact_is_back(desk.env.engine, ref, number, **doing(desk))
    return desk.see_other(f"/members/{ref}#contacts", f"{contact_commands.called(one)} is a contact again.")


@pages.post("/members/{ref}/contacts/{number}/repaired", may=WRITERS)
def repaired(desk: Desk, ref: str, number: int) -> Response:
    """Record that an address that bounced works again."""
    one = contact_commands.contact_is_repaired(desk.env.engine, ref, number, **doing(desk))
    return desk.see_other(f"/members/{ref}#contacts", f"{contact_commands.called(one)} is written to again.")


@pages.post("/members/{ref}/contacts/{number}/up", may=WRITERS)
def up(desk: Desk, posted: Form, ref: str, number: int) -> Response:
    """Write to a contact before the one above."""
    return _move(desk, posted, ref, number, -1)


@pages.post("/members/{ref}/contacts/{number}/down", may=WRITERS)
def down(desk: Desk, posted: Form, ref: str, number: int) -> Response:
    """Write to a contact after the one below."""
    return _move(desk, posted, ref, number, 1)


def _move(desk: DeskPage, posted: Posted, ref: str, number: int, by: int) -> Response:
    order = [int(each) for each in re.findall(r"\d{1,18}", posted.text("order"), re.ASCII)]
    if number not in order:
        raise Changed("The contacts were changed by someone else in the meantime.")
    place = order.index(number)
    other = min(max(place + by, 0), len(order) - 1)
    order[place], order[other] = order[other], order[place]
    contact_commands.order_contacts(desk.env.engine, ref, order, **doing(desk))
    return desk.see_other(f"/members/{ref}#contacts", "The order is changed.")
