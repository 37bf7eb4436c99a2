"""Members: lists of them, one with its contacts, adding and changing one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Path, Query
from starlette.responses import Response

from cases.handing_over import follow_teams
from cases.people import called
from config.database import reading
from members import browsing, commands, history, store
from members.adding import add_member
from members.cards import Contact, MemberCard
from members.contact_commands import checked_contact
from members.errors import Changed, Unusable
from members.member_commands import checked_fields
from web.api.asking import Asked, Cursor, IdempotencyKey, IfMatch, IfNoneMatch, Limit, MemberPath, Who, seen_version
from web.api.lookup import lent, member_seen
from web.api.member_models import (
    ContactChanges,
    ContactOne,
    Kind,
    MemberChanges,
    MemberLine,
    MemberOne,
    NewContact,
    NewMember,
    Status,
)
from web.api.paging import Listed, address, listed, place_of, versioned
from web.api.problems import problem, written
from web.api.routes import Endpoints

api = Endpoints("Members")


@api.read("/members", "members:read", response_model=Listed[MemberLine])
def list_members(
    asked: Who,
    q: Annotated[
        str, Query(max_length=200, description="Words of the name from their beginning, a reference, or the beginning "
                   "of an e-mail address.", examples=["acme"])
    ] = "",
    status: Annotated[Status | None, Query(description="Only with this status; merged ones are shown only so.")] = None,
    kind: Annotated[Kind | None, Query(description="Only organisations, or only people.")] = None,
    team: Annotated[
        str | None, Query(max_length=200, description="Only of this team; `-`: of none.", examples=["North"])
    ] = None,
    tier: Annotated[
        str | None, Query(max_length=200, description="Only of this tier; `-`: of none.", examples=["Premier"])
    ] = None,
    country: Annotated[str | None, Query(max_length=200, description="Only in this country; `-`: in none.")] = None,
    region: Annotated[str | None, Query(max_length=200, description="Only in this region; `-`: in none.")] = None,
    bounced: Annotated[bool, Query(description="Only with an address that mail came back from.")] = False,
    no_contact: Annotated[bool, Query(description="Only those to whom nobody can write.")] = False,
    external_ref: Annotated[
        str, Query(max_length=100, description="Only the one that has this number of yours.", examples=["4711"])
    ] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:  # fmt: skip
    """List members.

    In the order in which they were added, so that none is skipped or repeated whatever changes meanwhile.
    """
    place = place_of(cursor, int)
    narrow = browsing.MemberFilter(
        words=q, status=status, kind=kind, team=team, tier=tier, country=country, region=region, bounced=bounced,
        no_contact=no_contact, external_ref=external_ref,
    )  # fmt: skip
    with reading(asked.env.engine) as conn:
        found = browsing.by_id(
            conn, narrow, after=place[0] if place else 0, limit=limit + 1, lent=lent(asked), viewer=asked.actor
        )
    items = [member_values(card) for card in found[:limit]]
    return listed(asked.request, items, [found[limit - 1].id] if len(found) > limit else None)


@api.write(
    "/members", "members:write", status_code=201, response_model=MemberOne, marks={"x-location": "The new member."}
)
def create_member(asked: Who, response: Response, wanted: NewMember, key: IdempotencyKey = None) -> Any:
    """Add a member to the register.

    A member that the register has already is refused: one with the same number, or an organisation of the same name
    that neither a number nor a website tells apart.
    """
    given = wanted.model_dump(exclude_unset=True, exclude={"contacts", "flags"})
    values = {"kind": wanted.kind, "status": wanted.status, "language": wanted.language, **given}
    require_fields(values, lambda one: checked_fields(one))
    contacts = [_contact(each.model_dump(), f"contacts.{n}.") for n, each in enumerate(wanted.contacts)]
    flags = {"add_flags": wanted.flags} if wanted.flags else {}
    card = add_member(
        asked.env.engine, {**values, **flags}, contacts, lent=lent(asked), actor=asked.actor, now=asked.now
    )
    response.headers["location"] = address(asked.request, f"/members/{card.ref}")
    return _one(asked, card)


@api.read(
    "/members/{ref}",
    "members:read",
    response_model=MemberOne,
    problems=("not-found", "refused"),
    marks={"x-versioned": True},
)
def show_member(asked: Who, ref: MemberPath, known: IfNoneMatch = None) -> Response:
    """Show one member with its contacts.

    Who was merged into another member is found as that other member.
    """
    card = member_seen(asked, ref)
    return versioned(asked.request, MemberOne.model_validate(_one(asked, card)), card.version)


@api.write(
    "/members/{ref}", "members:write", method="PATCH", response_model=MemberOne, problems=("not-found", "changed")
)
def change_member(
    asked: Who, ref: MemberPath, wanted: MemberChanges, if_match: IfMatch = None, key: IdempotencyKey = None
) -> Any:
    """Change a member.

    What is left out stays as it is; null erases. Statuses that only a decision in a case may give or lift are
    refused. The cases of a member go along to another team.
    """
    values = wanted.model_dump(exclude_unset=True)
    require_fields(values, lambda one: checked_fields(one))
    with stale_told(asked, ref, if_match):
        card = commands.update_member(
            asked.env.engine, member_seen(asked, ref).ref, values, seen_version=seen_version(if_match),
            lent=lent(asked), actor=asked.actor, now=asked.now,
        )  # fmt: skip
    if "team" in values:
        follow_teams(asked.env, [card.id], now=asked.now)
    return _one(asked, card)


@api.read(
    "/members/{ref}/contacts", "members:read", response_model=Listed[ContactOne], problems=("not-found", "refused")
)
def list_contacts(asked: Who, ref: MemberPath) -> Any:
    """List the contacts of a member.

    All contacts of the member on one page, who is written to first at the top.
    """
    return {"items": _one(asked, member_seen(asked, ref))["contacts"], "next": None}


@api.write(
    "/members/{ref}/contacts",
    "members:write",
    status_code=201,
    response_model=Listed[ContactOne],
    problems=("not-found", "changed"),
)
def add_contact(
    asked: Who, ref: MemberPath, wanted: NewContact, if_match: IfMatch = None, key: IdempotencyKey = None
) -> Any:
    """Add a contact to a member.

    The new contact comes last. The answer is all contacts of the member.
    """
    return _saved(asked, ref, _contact(wanted.model_dump()), None, if_match)


@api.write(
    "/members/{ref}/contacts/{number}",
    "members:write",
    method="PATCH",
    response_model=Listed[ContactOne],
    problems=("not-found", "changed"),
)
def change_contact(
    asked: Who, ref: MemberPath, wanted: ContactChanges,
    number: Annotated[int, Path(ge=1, le=2**63 - 1, description="The `id` of the contact.", examples=[5])],
    if_match: IfMatch = None, key: IdempotencyKey = None,
) -> Any:  # fmt: skip
    """Change a contact of a member.

    What is left out stays as it is. A new address is taken to work. The answer is all contacts of the member.
    """
    return _saved(asked, ref, _contact(wanted.model_dump(exclude_unset=True)), number, if_match)


def _saved(
    asked: Asked, ref: str, values: Mapping[str, Any], contact_id: int | None, if_match: str | None
) -> Mapping[str, Any]:
    with stale_told(asked, ref, if_match):
        contacts = commands.save_contact(
            asked.env.engine, member_seen(asked, ref).ref, values, contact_id=contact_id,
            seen_version=seen_version(if_match), lent=lent(asked), actor=asked.actor, now=asked.now,
        )  # fmt: skip
    return {"items": [contact_values(each) for each in contacts], "next": None}


def _contact(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a contact as it is stored. Raises Problem by field."""
    given = dict(values)
    require_fields(given, lambda one: checked_contact(one), prefix)
    return checked_contact(given)


def require_fields(values: Mapping[str, Any], check: Callable[[dict[str, Any]], Any], prefix: str = "") -> None:
    """Raise Problem with what is wrong with each field."""
    errors: dict[str, list[str]] = {}
    for field, value in values.items():
        try:
            check({field: value})
        except Unusable as bad:
            errors[prefix + field] = [str(bad)]
    if errors:
        text = "; ".join(f"{name}: {' '.join(found)}" for name, found in errors.items())
        raise problem("invalid", f"Please mend {text}", errors=errors)


def member_values(card: MemberCard) -> dict[str, Any]:
    """Return a member as lists show it."""
    return {name: getattr(card, name) for name in MemberLine.model_fields} | {"flags": sorted(card.flags)}


def contact_values(contact: Contact) -> dict[str, Any]:
    """Return a contact."""
    return {name: getattr(contact, name) for name in ContactOne.model_fields}


def _one(asked: Asked, card: MemberCard) -> dict[str, Any]:
    with reading(asked.env.engine) as conn:
        contacts = store.contacts_of(conn, [card.id])[card.id]
    return {**member_values(card), "contacts": [contact_values(each) for each in contacts]}


@contextmanager
def stale_told(asked: Asked, ref: str, if_match: str | None) -> Iterator[None]:
    """Tell the version a member is at, when it is no longer at that of If-Match, and who changed what."""
    try:
        yield
    except Changed as changed:
        card = member_seen(asked, ref)
        more = {"version": card.version, "changes": _changes(asked, card, seen_version(if_match))}
        raise problem("changed", str(changed), more=more) from None


def _changes(asked: Asked, card: MemberCard, seen: int | None) -> list[dict[str, Any]]:
    """Who changed which fields since a version, the earliest first; each version is an entry of the log or more."""
    new = min(max(card.version - seen, 0), history.RECENT) if seen is not None else 0
    with reading(asked.env.engine) as conn:
        entries = history.changes_of(conn, card.id, limit=new)
    return [
        {"at": written(each.at), "by": called(each.actor, asked.staffing), "fields": sorted(each.changes)}
        for each in reversed(entries)
    ]
