"""Coming and going: leaving with a look at who gets the work, coming back, invitations, being signed out."""

from __future__ import annotations

from starlette.responses import Response

from cases.errors import BadInput
from cases.handing_over import hand_over, would_go_to
from config import clock
from config.database import transaction
from members.commands import bring_back, staff_left
from members.errors import MembersError, Unusable
from members.staff_record import note_deed
from members.staffing import Person
from web import sessions
from web.accounts import identities, password_links
from web.accounts.ending import end_secrets
from web.desk.admin_rules import ADMINISTRATORS
from web.desk.admin_staff import person_of, send_link
from web.desk_page import Desk, DeskPage
from web.naming import plural
from web.posted import Form
from web.routing import Pages

pages = Pages(may=ADMINISTRATORS)


@pages.get("/admin/staff/{number}/leave", statements=7)
def leaving(desk: Desk, number: int) -> Response:
    """What happens when somebody leaves: who gets their open cases, and what else must be arranged."""
    return _leaving(desk, person_of(desk, number))


def _leaving(desk: DeskPage, person: Person, *, problem: str = "", status: int = 200) -> Response:
    people = desk.staffing.people
    goes = would_go_to(desk.env, person.id, now=desk.now)
    others = [p for p in desk.staffing.active if p != person]
    deputises = {a.staff_id for a in desk.staffing.absences if a.deputy_id == person.id and a.until_date >= desk.today}
    return desk.page(
        "desk/admin/leaving.html", title=f"{person.name} leaves", who=person, problem=problem, status=status,
        goes=[(people[staff_id], count) for staff_id, count in goes.items()], total=sum(goes.values()),
        manages=[p.name for p in others if p.manager_id == person.id],
        leads=sorted(team for team, lead in desk.staffing.leads.items() if lead == person.id),
        deputises=sorted(people[each].name for each in deputises),
    )  # fmt: skip


@pages.post("/admin/staff/{number}/leave")
def leave(desk: Desk, posted: Form, number: int) -> Response:
    """Record that somebody has left, sign them out everywhere, and hand their cases over."""
    person = person_of(desk, number)
    try:
        if person == desk.person:
            raise Unusable("Another administrator must record that you leave.")
        left_on = posted.day("on") or desk.today
        staff_left(desk.env.engine, person.person, left_on=left_on, actor=desk.actor, now=desk.now)
    except (MembersError, BadInput) as refused:
        return _leaving(desk, person, problem=str(refused), status=422)
    with transaction(desk.env.engine) as conn:
        sessions.end_all(conn, person.id)
        password_links.revoke(conn, person.id, now=clock.utc_now())
        end_secrets(conn, person.id, now=clock.utc_now())
    given = hand_over(desk.env, now=desk.now)
    told = f"{person.name} has left and is signed out. {plural(given, 'case')} went to others."
    return desk.see_other(f"/admin/staff/{number}", told)


@pages.post("/admin/staff/{number}/back")
def back(desk: Desk, number: int) -> Response:
    """Record that somebody works here again. Keys from before stay dead, whoever recorded the leaving."""
    person = person_of(desk, number)
    if not person.active:  # a second click ends no key that was made since the first
        with transaction(desk.env.engine) as conn:
            end_secrets(conn, number, now=clock.utc_now())
    person = bring_back(desk.env.engine, person.person, actor=desk.actor, now=desk.now)
    return desk.see_other(f"/admin/staff/{number}", f"{person.name} works here again, with the same roles as before.")


@pages.post("/admin/staff/{number}/invite")
def invite(desk: Desk, number: int) -> Response:
    """Send somebody a link to choose a password."""
    person = _here(desk, number)
    send_link(desk, person)
    return desk.see_other(f"/admin/staff/{number}", f"A link to choose a password is on its way to {person.email}.")


@pages.post("/admin/staff/{number}/sign-out")
def sign_out(desk: Desk, posted: Form, number: int) -> Response:
    """Sign somebody out everywhere, and make the links they were sent void; with ``secrets`` keys and calendars too."""
    person = person_of(desk, number)
    with transaction(desk.env.engine) as conn:
        sessions.end_all(conn, person.id)
        password_links.revoke(conn, person.id, now=clock.utc_now())
        note_deed(conn, person.id, "was signed out everywhere", actor=desk.actor, now=desk.now)
        if posted.yes("secrets"):
            end_secrets(conn, person.id, now=clock.utc_now())
            note_deed(conn, person.id, "lost all keys and calendar addresses", actor=desk.actor, now=desk.now)
    ended = "; their keys and calendar addresses are ended" if posted.yes("secrets") else ""
    return desk.see_other(f"/admin/staff/{number}", f"{person.name} is signed out everywhere{ended}.")


@pages.post("/admin/staff/{number}/untie")
def untie(desk: Desk, number: int) -> Response:
    """Forget who somebody is at the OpenID provider; the next time they sign in there ties them anew."""
    person = person_of(desk, number)
    with transaction(desk.env.engine) as conn:
        identities.untie(conn, person.id)
        note_deed(conn, person.id, "was untied from the OpenID provider", actor=desk.actor, now=desk.now)
    return desk.see_other(f"/admin/staff/{number}", f"{person.name} is no longer tied to the provider.")


def _here(desk: DeskPage, number: int) -> Person:
    person = person_of(desk, number)
    if not person.active:
        raise Unusable(f"{person.name} has left.")
    return person
