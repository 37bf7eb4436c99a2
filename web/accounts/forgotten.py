"""Choosing a password with a link: because one is new, or has forgotten it."""

from __future__ import annotations

from starlette.background import BackgroundTask
from starlette.responses import Response

from cases.environment import Environment
from config import clock
from config.database import reading, transaction
from members import staff_store
from members.staffing import Person
from web.access import PUBLIC
from web.accounts import password_links, throttle
from web.accounts.entering import let_in
from web.accounts.password_links import LinkOver
from web.accounts.passwords import LONGEST, SHORTEST, WeakPassword
from web.desk_page import Visit, VisitorPage
from web.posted import Form, Posted
from web.routing import Pages

pages = Pages(may=PUBLIC)

ON_ITS_WAY = (
    "If somebody here has this address, a link to choose a new password is on its way to it. It holds for an hour; "
    "look among unwanted mail, too."
)


@pages.get("/password/forgotten", statements=1)
def forgotten_page(visit: Visit) -> Response:
    """Where to ask for a new password."""
    return visit.page("accounts/forgotten.html", title="Forgotten your password?")


@pages.post("/password/forgotten")
def forgotten(visit: Visit, posted: Form) -> Response:
    """Answer at once and the same for every address; whether there is a link to send is found out afterwards."""
    response = visit.see_other("/sign-in", ON_ITS_WAY, tone="info")
    response.background = BackgroundTask(_send_link, visit.env, posted.text("email").strip(), visit.address)
    return response


def _send_link(env: Environment, email: str, address: str) -> None:
    now = clock.utc_now()
    keys = (
        throttle.account(email, what="forgotten", free=3), throttle.address(address, what="forgotten", free=20),
    )  # fmt: skip
    with reading(env.engine) as conn:
        person = staff_store.staffing(conn).by_email(email)
    with transaction(env.engine) as conn:
        try:
            throttle.presume_failure(conn, keys, now=now)
        except throttle.TooManyTries:
            return
        if person is not None and person.active:
            password_links.forgotten(conn, env, person, now=now)


@pages.get("/password/{token}", statements=5)
def choose_page(visit: Visit, token: str) -> Response:
    """Where a password is chosen. Looking uses nothing up: mail programs look, too."""
    try:
        person = _whose(visit.env, token)
    except LinkOver as over:
        return _over(visit, over)
    return _choose(visit, person)


@pages.post("/password/{token}")
def choose(visit: Visit, posted: Form, token: str) -> Response:
    """Set the password, end every other session, and sign in."""
    try:
        person = _whose(visit.env, token)
        chosen = chosen_twice(posted)
        with transaction(visit.env.engine) as conn:
            password_links.use(conn, token, person, chosen, now=clock.utc_now())
    except LinkOver as over:
        return _over(visit, over)
    except WeakPassword as weak:
        return _choose(visit, person, problem=str(weak), status=422)
    return let_in(visit, person, "/", "Your password is set, and you are signed in.")


def chosen_twice(posted: Posted) -> str:
    """Return the new password, which a form takes twice. Raises WeakPassword when they differ."""
    first, second = [*posted.all("new_password"), "", ""][:2]
    if first != second:
        raise WeakPassword("The two are not the same.")
    return first


def _whose(env: Environment, token: str) -> Person:
    """Return whose link this is. Raises LinkOver."""
    with reading(env.engine) as conn:
        found = password_links.find(conn, token, now=clock.utc_now())
        return staff_store.staffing(conn).people[found.staff_id]


def _choose(visit: VisitorPage, person: Person, *, problem: str = "", status: int = 200) -> Response:
    return visit.page(
        "accounts/choose_password.html", title="Choose a password", status=status, person=person, problem=problem,
        path=visit.request.url.path, shortest=SHORTEST, longest=LONGEST,
    )  # fmt: skip


def _over(visit: VisitorPage, over: LinkOver) -> Response:
    title = "This link does not work any more"
    return visit.page("accounts/link_over.html", title=title, status=over.status, sentence=str(over))
