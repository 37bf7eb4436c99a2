"""The staff: who works here, adding somebody, changing who they are, and letting them in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from cases.errors import BadInput
from config import clock
from config.database import reading, transaction
from members import staff_record, staff_store
from members.commands import add_staff, edit_staff
from members.errors import Changed, MembersError, NotFound
from members.staffing import Person
from state_machines.values import STAFF, Role
from web import sessions
from web.accounts import feeds, identities, password_links, passwords, tokens
from web.accounts.devices import device
from web.accounts.ending import has_secrets
from web.accounts.sign_in import DOES
from web.desk.admin_history import history
from web.desk.admin_rules import ADMINISTRATORS
from web.desk_page import Desk, DeskPage
from web.forms import Field, Option
from web.posted import Form, Posted, number_of
from web.routing import Pages

pages = Pages(may=ADMINISTRATORS)

ON_A_PAGE = 50


# ------------------------------------------------------------------------------------------------------- the list


@pages.get("/admin/staff", statements=7)
def listed(desk: Desk) -> Response:
    """The staff, narrowed to words, a role, and who is still here."""
    asked = desk.request.query_params
    narrow = {"q": asked.get("q", "").strip()[:200], "role": asked.get("role", ""), "here": asked.get("here", "active")}
    found = [p for p in desk.staffing.people.values() if _wanted(p, narrow)]
    found.sort(key=lambda p: (not p.active, p.name.casefold(), p.id))
    number = max(number_of(asked.get("page", "")) or 1, 1)
    shown = found[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
    with reading(desk.env.engine) as conn:
        with_password = passwords.who_have_one(conn)
        seen = sessions.last_seen(conn, [p.id for p in shown])
    return desk.page(
        "desk/admin/staff.html", title="Staff", block="list", lines=[_line(desk, p) for p in shown], narrow=narrow,
        total=len(found), number=number, more=number * ON_A_PAGE < len(found), with_password=with_password, seen=seen,
        roles=[role for role in DOES if any(role in p.roles for p in desk.staffing.people.values())],
    )  # fmt: skip


def _wanted(person: Person, narrow: dict[str, str]) -> bool:
    words = narrow["q"].casefold().split()
    about = f"{person.name} {person.email} {person.team or ''}".casefold()
    of_role = not narrow["role"] or narrow["role"] in {role.value for role in person.roles}
    here = narrow["here"] == "all" or person.active is (narrow["here"] != "left")
    return of_role and here and all(word in about for word in words)


def _line(desk: DeskPage, person: Person) -> dict[str, Any]:
    away = desk.staffing.away(person.id, desk.today) if person.active else None
    manager = desk.staffing.get(person.manager_id) if person.manager_id else None
    acting = desk.staffing.acting(person.id, desk.today).staff
    return {"person": person, "manager": manager, "away": away, "acting": acting}


# ------------------------------------------------------------------------------------------------------- somebody new


@pages.get("/admin/staff/new", statements=5)
def new(desk: Desk) -> Response:
    """A form for somebody who is new."""
    return _new(desk)


def _new(desk: DeskPage, *, typed: Posted | None = None, problem: str = "", status: int = 200) -> Response:
    fields = _fields(desk, None, typed)
    title = "Somebody new"
    return desk.page("desk/admin/staff_new.html", title=title, fields=fields, problem=problem, status=status)


_NEEDED = {
    "name": "The name is required.", "email": "The e-mail address is required.", "roles": "Tick at least one role.",
}  # fmt: skip


@pages.post("/admin/staff")
def add(desk: Desk, posted: Form) -> Response:
    """Add somebody to the staff and, if so wanted, send the invitation."""
    missing = [said for name, said in _NEEDED.items() if not any(text.strip() for text in posted.all(name))]
    if missing:
        return _new(desk, typed=posted, problem=" ".join(missing), status=422)
    try:
        added = add_staff(
            desk.env.engine, posted.text("name"), posted.text("email"), posted.all("roles"),
            team=posted.text("team").strip() or None, manager=posted.text("manager") or None, actor=desk.actor,
            now=desk.now,
        )  # fmt: skip
    except MembersError as refused:
        return _new(desk, typed=posted, problem=str(refused), status=422)
    if not posted.yes("invite"):
        return desk.see_other(f"/admin/staff/{added.id}", f"{added.name} is on the staff.")
    send_link(desk, added)
    return desk.see_other(f"/admin/staff/{added.id}", f"{added.name} is on the staff; an invitation is on its way.")


def send_link(desk: DeskPage, person: Person) -> None:
    """Ask for a mail with a link to choose a password."""
    with transaction(desk.env.engine) as conn:
        password_links.invite(conn, desk.env, person, actor=desk.actor, now=clock.utc_now())


# ------------------------------------------------------------------------------------------------------ one person


@pages.get("/admin/staff/{number}", statements=15)
def one(desk: Desk, number: int) -> Response:
    """Somebody on the staff, and everything about their account."""
    return _one(desk, person_of(desk, number))


def person_of(desk: DeskPage, number: int | None) -> Person:
    """Return the person with this number. Raises BadInput where none was chosen, and NotFound."""
    if not number:
        raise BadInput("Please choose a person.")
    found = desk.staffing.get(number)
    if found is None:
        raise NotFound("There is nobody with this number on the staff.")
    return found


def _one(
    desk: DeskPage, person: Person, *, typed: Posted | None = None, problem: str = "", status: int = 200
) -> Response:
    with reading(desk.env.engine) as conn:
        found: dict[str, Any] = {
            "absences": staff_store.absences(conn, since=desk.today, staff_id=person.id),
            "left_on": staff_store.left_on(conn, person.id),
            "browsers": [(row, device(row.agent)) for row in sessions.of(conn, person.id, now=clock.utc_now())],
            "has_password": passwords.kept_hash(conn, person.id) is not None,
            "open_links": password_links.count_open(conn, person.id, now=clock.utc_now()),
            "provider": identities.of(conn, person.id),
            "secrets": has_secrets(
                tokens.listed(conn, of_staff=person.id), feeds.listed(conn, person.id), now=clock.utc_now()
            ),
            "seen": staff_record.newest_change(conn, person.id),
            "changes": history(staff_record.changes_of(conn, person.id), desk.staffing),
        }
    return desk.page(
        "desk/admin/person.html", title=person.name, status=status, who=person, problem=problem, **found,
        fields=_fields(desk, person, typed), line=_line(desk, person), people=desk.staffing.people,
        manages=_names(desk, lambda p: p.active and p.manager_id == person.id),
    )  # fmt: skip


def _names(desk: DeskPage, wanted: Any) -> list[str]:
    return sorted(p.name for p in desk.staffing.people.values() if wanted(p))


@pages.post("/admin/staff/{number}")
def edit(desk: Desk, posted: Form, number: int) -> Response:
    """Change who somebody is; a new address makes links that went to the old one void."""
    person = person_of(desk, number)
    try:
        after = edit_staff(
            desk.env.engine, person.person, name=posted.text("name"), email=posted.text("email"),
            roles=posted.all("roles"), team=posted.text("team"), manager=posted.text("manager") or None,
            seen=posted.number("seen"), actor=desk.actor, now=desk.now,
        )  # fmt: skip
    except (MembersError, BadInput) as refused:
        status = 409 if isinstance(refused, Changed) else 422
        return _one(desk, person, typed=posted, problem=str(refused), status=status)
    if after.email != person.email:
        with transaction(desk.env.engine) as conn:
            password_links.revoke(conn, person.id, now=clock.utc_now())
    return desk.see_other(f"/admin/staff/{number}", f"{after.name} is as you want it.")


def _fields(desk: DeskPage, person: Person | None, typed: Posted | None) -> Sequence[Field]:
    manager = desk.staffing.get(person.manager_id) if person and person.manager_id else None
    now = {
        "name": person.name if person else "", "email": person.email if person else "",
        "team": (person.team if person else "") or "", "manager": manager.person if manager else "",
    }  # fmt: skip
    value = {name: typed.text(name) if typed else kept for name, kept in now.items()}
    held = typed.all("roles") if typed else [role.value for role in person.roles] if person else []
    roles = tuple(Option(role.value, f"{role.label.capitalize()}: {DOES[role]}") for role in DOES if role in STAFF)
    others = sorted((p for p in desk.staffing.people.values() if p != person), key=lambda p: p.name.casefold())
    chiefs = [p for p in others if p == manager or (p.active and p.roles & {Role.MANAGER, Role.SENIOR})]
    return [
        Field("name", "Name", "text", required=True, value=value["name"], limits={"maxlength": 120}),
        Field("email", "E-mail address", "email", required=True, value=value["email"], limits={"maxlength": 254},
              help="They sign in with it, and get their mail there."),
        Field("roles", "Roles", "several", required=True, options=roles, value=held),
        Field("team", "Team", "text", value=value["team"], limits={"maxlength": 80, "list": "teams"},
              help="Coordinators see the members and cases of their team."),
        Field("manager", "Manager", "select", value=value["manager"],
              options=(Option("", "Nobody"), *(Option(p.person, p.name) for p in chiefs)),
              help="Stands in where no deputy is named, and decides what they propose."),
    ]  # fmt: skip
