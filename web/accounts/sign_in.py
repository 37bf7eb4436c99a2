"""Signing in and out, and in a sandbox: as whom to try it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from cases.errors import BadInput, NotAllowed
from config.database import reading, transaction
from members import staff_store
from members.staffing import Person
from state_machines.values import Role
from web import sessions
from web.access import PUBLIC, STAFF
from web.accounts import oidc
from web.accounts.entering import WrongPassword, forget_cookie, known_by_password, let_in
from web.accounts.throttle import TooManyTries
from web.desk_page import Desk, Visit, VisitorPage
from web.posted import Form
from web.routing import Pages

pages = Pages(may=PUBLIC)

DOES = {
    Role.COORDINATOR: "Works the queue: answers, chases, and prepares decisions.",
    Role.MANAGER: "Decides what coordinators propose, and keeps an eye on the team.",
    Role.SENIOR: "Decides appeals and what is beyond a manager; sees every team.",
    Role.COUNCIL: "Confirms the gravest decisions.",
    Role.SITE: "Answers for what happened at a site.",
    Role.FINANCE: "Books refunds and payments.",
    Role.AUDITOR: "Reads everything and changes nothing.",
    Role.ADMINISTRATOR: "Looks after people, teams and the installation.",
}
"""What each role does, in the order in which somebody new meets them."""


@dataclass(frozen=True, slots=True)
class Guise:
    """A role somebody can try out, and who has it."""

    role: Role
    does: str
    people: Sequence[Person]


@pages.get("/sign-in", statements=5)
def sign_in_page(visit: Visit) -> Response:
    """The sign-in page; ``next`` is where to go afterwards."""
    return _page(visit, visit.request.query_params.get("next", ""))


@pages.post("/sign-in")
def sign_in(visit: Visit, posted: Form) -> Response:
    """Sign in with address and password."""
    email, then = posted.text("email").strip(), posted.text("next")
    try:
        person = known_by_password(visit.env, email, posted.text("password"), address=visit.address)
    except (WrongPassword, TooManyTries) as refused:
        return _page(visit, then, email=email[:254], problem=str(refused), status=refused.status)
    return let_in(visit, person, then)


@pages.post("/sandbox/sign-in")
def try_it_as(visit: Visit, posted: Form) -> Response:
    """Sign in as somebody made up, without a password. Raises NotAllowed in a production database."""
    if not visit.shell.sandbox:
        raise NotAllowed("Only in a sandbox can one be somebody else.")
    with reading(visit.env.engine) as conn:
        person = staff_store.staffing(conn).get(posted.number("as") or 0)
    if person is None or not person.active:
        raise BadInput("Nobody here goes by that name any more; choose somebody else.")
    roles = " and ".join(sorted(role.label for role in person.roles))
    return let_in(visit, person, posted.text("next"), f"You are {person.name} now, {roles}.")


@pages.post("/sign-out", may=STAFF)
def sign_out(desk: Desk) -> Response:
    """End this browser's session."""
    with transaction(desk.env.engine) as conn:
        sessions.end(conn, [desk.session.id], staff_id=desk.person.id)
    return forget_cookie(desk.see_other("/sign-in", "You are signed out."), desk.env)


def _page(visit: VisitorPage, then: str, *, email: str = "", problem: str = "", status: int = 200) -> Response:
    return visit.page(
        "accounts/sign_in.html", title="Sign in", status=status, then=then, email=email, problem=problem,
        guises=_guises(visit) if visit.shell.sandbox else [], provider=oidc.provider_name(visit.env.settings),
    )  # fmt: skip


def _guises(visit: VisitorPage) -> list[Guise]:
    """Return who can be tried out, each person once, under the role that says most about them."""
    with reading(visit.env.engine) as conn:
        staffing = staff_store.staffing(conn)
    active = sorted((p for p in staffing.people.values() if p.active), key=lambda p: (p.team or "", p.name.casefold()))
    grouped = [Guise(role, does, [p for p in active if _first(p) is role]) for role, does in DOES.items()]
    return [guise for guise in grouped if guise.people]


def _first(person: Person) -> Role:
    return next(role for role in DOES if role in person.roles)
