"""Getting in and out: from an address and a password, or from a proof of somebody else, to a session."""

from __future__ import annotations

from typing import TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cases.environment import Environment
from cases.errors import BadInput
from config import clock
from config.database import Connection, reading, transaction
from members import staff_store
from members.staffing import Person
from web import drafts, sessions
from web.accounts import passwords, throttle
from web.desk_page import LIST_COOKIE, VisitorPage, session_cookie, set_cookie

ToBrowser = TypeVar("ToBrowser", bound=Response)


class WrongPassword(BadInput):
    """The address or the password is not right."""


def known_by_password(env: Environment, email: str, password: str, *, address: str) -> Person:
    """Return who has this address and this password. Raises WrongPassword, and TooManyTries after several failures.

    It does the same, and takes as long, whether the address is unknown, somebody has left or the password is wrong.
    """
    now = clock.utc_now()
    account = throttle.account(email)
    with transaction(env.engine) as conn:
        tries = throttle.presume_failure(conn, (account, throttle.address(address)), now=now)
    with reading(env.engine) as conn:
        person = staff_store.staffing(conn).by_email(email)
        here = person is not None and person.active
        kept = passwords.kept_hash(conn, person.id if person is not None and here else 0)
    if not passwords.matches(kept, password) or person is None or kept is None:
        raise WrongPassword
    with transaction(env.engine) as conn:
        throttle.take_back(conn, tries, account)
        throttle.prune(conn, now=now)
        passwords.renew(conn, person.id, kept, password)
    return person


def let_in(visit: VisitorPage, person: Person, then: str, sentence: str | None = None) -> RedirectResponse:
    """Start a session under a new key, end the one this browser had, and lead to where the person wanted to go."""
    request, now = visit.request, clock.utc_now()
    agent = request.headers.get("user-agent", "")
    with transaction(visit.env.engine) as conn:
        _end(conn, request, visit.env)
        key = sessions.start(conn, person.id, address=visit.address, agent=agent, now=now)
        drafts.forget_old(conn, now=visit.now)
    response = visit.see_other(then if not then.startswith("/sign-in") else "/", sentence)
    seconds = int(sessions.LONGEST.total_seconds())
    set_cookie(response, visit.env.settings, session_cookie(visit.env.settings), key, seconds=seconds)
    return _without_list(response, visit.env)


def _end(conn: Connection, request: Request, env: Environment) -> None:
    kept = request.cookies.get(session_cookie(env.settings))
    found = sessions.find(conn, kept, now=clock.utc_now()) if kept else None
    if found is not None:
        sessions.end(conn, [found.id], staff_id=found.staff_id)


def forget_cookie(response: Response, env: Environment) -> Response:
    """Take the key of the session from the browser."""
    name = session_cookie(env.settings)
    response.delete_cookie(name, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="lax")
    return _without_list(response, env)


def _without_list(response: ToBrowser, env: Environment) -> ToBrowser:
    """Take from the browser what list somebody worked through: it may be another who comes next."""
    secure = session_cookie(env.settings).startswith("__Host-")
    response.delete_cookie(LIST_COOKIE, path="/", secure=secure, httponly=True, samesite="lax")
    return response
