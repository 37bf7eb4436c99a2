"""Changing members: adding one, its facts, merging two. Who types on what somebody else changed is shown both."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from cases import member_decisions, member_pages
from cases.handing_over import follow_merges, follow_teams, take_apart
from members.adding import add_member
from members.cards import MemberCard
from members.contact_commands import CONTACT_FIELDS, checked_contact
from members.errors import Changed, MembersError, NotFound, Unusable
from members.member_commands import merge_members, update_member
from members.visibility import CHANGE_ALL_TEAMS, CHANGE_THEIR_TEAM, lent_teams, require_change_many, require_edit
from state_machines.values import STAFF as STAFF_ROLES
from web.access import STAFF, staff
from web.desk import member_forms as forms
from web.desk_page import Desk, DeskPage
from web.naming import plural
from web.posted import Form, Posted
from web.routing import Pages

pages = Pages(may=STAFF)
WRITERS = staff(*((CHANGE_ALL_TEAMS | CHANGE_THEIR_TEAM) & STAFF_ROLES))
MANY = staff(*(CHANGE_ALL_TEAMS & STAFF_ROLES))


def lent(desk: DeskPage) -> Collection[str]:
    """Return the teams of those for whom who is signed in stands in today."""
    return lent_teams(desk.actor, desk.staffing, desk.today)


def doing(desk: DeskPage) -> dict[str, Any]:
    """Return what every command on a member takes."""
    return {"lent": lent(desk), "actor": desk.actor, "now": desk.now}


# ---------------------------------------------------------------------------------------------------- a new member


@pages.get("/members/new", may=WRITERS, statements=5)
def new_member(desk: Desk) -> Response:
    """The form of a member that is not in the register yet."""
    return _new_form(desk, forms.values_of(None) | {"team": desk.person.team or ""}, forms.contact_values(None))


@pages.post("/members/new", may=WRITERS)
def add(desk: Desk, posted: Form) -> Response:
    """Add a member, with a first contact where one was typed."""
    values = forms.typed(posted, forms.MEMBER)
    contact = {name: posted.text(f"contact_{name}").strip() for name in CONTACT_FIELDS}
    given = {name: value for name, value in values.items() if value}
    errors = forms.member_errors({**given, "name": values.get("name", "")})
    people = [contact | {"role": "primary"}] if contact["name"] or contact["email"] or contact["phone"] else []
    errors |= {f"contact_{name}": told for name, told in forms.contact_errors(people[0] if people else {}).items()}
    if errors:
        return _new_form(desk, values, contact, errors, status=422)
    try:
        card = add_member(desk.env.engine, given, [checked_contact(each) for each in people], **doing(desk))
    except Unusable as bad:
        return _new_form(desk, values, contact, others=[str(bad)], status=422)
    return desk.see_other(f"/members/{card.ref}", f"{card.name} is in the register.")


def _new_form(
    desk: DeskPage, values: Mapping[str, str], contact: Mapping[str, str],
    errors: Mapping[str, Sequence[str]] | None = None, *, others: Sequence[str] = (), status: int = 200,
) -> Response:  # fmt: skip
    told = errors or {}
    first = [
        forms.renamed(field, f"contact_{field.name}", told)
        for field in forms.contact_fields(contact, {}, {})
        if field.name in ("name", "email", "phone", "language")
    ]
    return desk.page(
        "desk/member_new.html", title="Add a member", status=status, others=others,
        fields=forms.member_fields(values, _teams(desk), told, {}), contact=first,
    )  # fmt: skip


def _teams(desk: DeskPage) -> list[str]:
    """Return the teams that somebody works in or leads."""
    found = {person.team for person in desk.staffing.people.values() if person.active}
    return sorted({team for team in (*found, *desk.staffing.leads) if team}, key=str.casefold)


# ------------------------------------------------------------------------------------------------------- the facts


@pages.get("/members/{ref}/edit", may=WRITERS, statements=9)
def edit(desk: Desk, ref: str) -> Response:
    """The facts of a member, to be changed."""
    card = record(desk, ref).card
    return _edit_form(desk, card, forms.values_of(card), sorted(card.flags))


@pages.post("/members/{ref}/edit", may=WRITERS)
def change(desk: Desk, posted: Form, ref: str) -> Response:
    """Change what was typed anew. Raises NotFound or NotYours; somebody else's change is shown beside one's own."""
    values, stood = forms.typed(posted, forms.MEMBER), forms.before(posted, forms.MEMBER)
    flags, had = set(posted.all("flags")), set(posted.text("was.flags").split())
    changes: dict[str, Any] = dict(forms.touched(values, stood))
    if errors := forms.member_errors(changes):
        return _edit_form(desk, record(desk, ref).card, values, sorted(flags), errors, posted=posted, status=422)
    if not changes and flags == had:
        return _after(desk, record(desk, ref).card, "Nothing was changed: it stands as it was.")
    wanted = changes | {"add_flags": sorted(flags - had), "remove_flags": sorted(had - flags)}
    try:
        card = update_member(desk.env.engine, ref, wanted, seen_version=posted.number("version"), **doing(desk))
    except Changed as bad:
        return _edit_both(desk, record(desk, ref).card, values, stood, (flags, had), str(bad))
    except Unusable as bad:
        fresh = record(desk, ref).card
        return _edit_form(desk, fresh, values, sorted(flags), others=[str(bad)], posted=posted, status=422)
    moved = follow_teams(desk.env, [card.id], now=desk.now) if "team" in changes else 0
    gone = f" {plural(moved, 'case')} went with it." if moved else ""
    return _after(desk, card, f"{card.name} is changed.{gone}")


def _after(desk: DeskPage, card: MemberCard, sentence: str) -> Response:
    """Return the way to a member; to the list when it is now another team's, and out of sight."""
    try:
        member_pages.member_record(desk.env, card.ref, actor=desk.actor, now=desk.now)
    except NotFound:
        return desk.see_other("/members", f"{sentence} It is now the {card.team} team's.")
    return desk.see_other(f"/members/{card.ref}", sentence)


def record(desk: DeskPage, ref: str) -> member_pages.MemberRecord:
    """Return a member that who is signed in may change. Raises NotFound or NotYours."""
    found = member_pages.member_record(desk.env, ref, actor=desk.actor, now=desk.now)
    require_edit(desk.actor, found.card, lent(desk))
    return found


def _edit_both(
    desk: DeskPage, card: MemberCard, values: Mapping[str, str], stood: Mapping[str, str],
    flags: tuple[set[str], set[str]], told: str,
) -> Response:  # fmt: skip
    """Return the form with what somebody else changed and what was typed."""
    fresh = forms.values_of(card)
    shown, both = forms.joined(values, stood, fresh)
    ticked, had = flags
    on = (card.flags | (ticked - had)) - (had - ticked)
    theirs = {name: fresh[name] for name in both}
    return _edit_form(desk, card, shown, sorted(on), theirs=theirs, conflict=told, status=409)


def _edit_form(
    desk: DeskPage, card: MemberCard, values: Mapping[str, str], flags: Sequence[str],
    errors: Mapping[str, Sequence[str]] | None = None, *, theirs: Mapping[str, str] | None = None, conflict: str = "",
    others: Sequence[str] = (), posted: Posted | None = None, status: int = 200,
) -> Response:  # fmt: skip
    """Return the form. What stood there goes along, and with a form that was sent already, what stood there first."""
    stood = forms.before(posted, forms.MEMBER) if posted else forms.values_of(card)
    recent = member_pages.member_record(desk.env, card.ref, actor=desk.actor, now=desk.now) if conflict else None
    return desk.page(
        "desk/member_edit.html", title=f"Edit {card.name}", status=status, card=card, conflict=conflict, others=others,
        fields=forms.member_fields(values, _teams(desk), errors or {}, theirs or {}), flags=forms.flag_field(flags),
        stood=stood, had=posted.text("was.flags") if posted else " ".join(sorted(card.flags)),
        version=posted.text("version") if posted else card.version, recent=recent.changes[:3] if recent else [],
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------- merging


@pages.get("/members/{ref}/merge", may=MANY, statements=17)
def merge(desk: Desk, ref: str, other: str = "") -> Response:
    """Choose whom to make part of a member, and see what that would do."""
    require_change_many(desk.actor)
    kept = record(desk, ref).card
    wrong = ""
    found = None
    if other.strip():
        try:
            found = member_decisions.merging(desk.env, ref, other.strip(), actor=desk.actor, now=desk.now)
        except MembersError as bad:
            wrong = str(bad)
    return desk.page(
        "desk/member_merge.html", title=f"Merge into {kept.name}", card=kept, found=found, other=other, wrong=wrong
    )  # fmt: skip


@pages.post("/members/{ref}/merge", may=MANY)
def do_merge(desk: Desk, posted: Form, ref: str) -> Response:
    """Make another entry part of a member, as it was seen, and let its open cases follow."""
    seen = (posted.number("version") or 0, posted.number("other_version") or 0)
    card = merge_members(
        desk.env.engine, ref, posted.text("other"), seen_versions=seen, actor=desk.actor, now=desk.now
    )  # fmt: skip
    follow_merges(desk.env, now=desk.now)
    follow_teams(desk.env, [card.id], now=desk.now)
    return desk.see_other(f"/members/{card.ref}", f"The two are one now: {card.name}. “Take apart again” undoes this.")


@pages.post("/members/{ref}/take-apart", may=MANY)
def undo_merge(desk: Desk, posted: Form, ref: str) -> Response:
    """Make two of a member again, while nothing was changed on it since."""
    try:
        again, cases = take_apart(desk.env, ref, posted.text("other"), actor=desk.actor, now=desk.now)
    except Unusable as bad:
        return desk.see_other(f"/members/{ref}", str(bad), tone="warning")
    went = f" {plural(cases, 'case')} went back with it." if cases else ""
    return desk.see_other(f"/members/{again.ref}", f"{again.name} is an entry of its own again.{went}")
