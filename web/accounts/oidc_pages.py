"""Signing in through an OpenID provider: the way out, and the way back."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from cases.environment import Environment
from config import clock
from config.database import transaction
from members import staff_store
from members.staffing import Person, Staffing
from web.access import PUBLIC
from web.accounts import identities, oidc
from web.accounts.entering import let_in
from web.accounts.oidc import Identity, NotConfirmed
from web.desk_page import Visit, set_cookie
from web.routing import Pages

pages = Pages(may=PUBLIC)

COOKIE = "muster_oidc"
LONGEST_WAY = 1000
"""Characters of the address to go to afterwards; a longer one would not fit into the cookie."""


@pages.get("/sign-in/oidc", statements=1)
def set_out(visit: Visit) -> Response:
    """Send somebody to the provider. Raises 404 where none is set up."""
    settings = visit.env.settings
    if oidc.provider_name(settings) is None:
        raise HTTPException(404)
    try:
        then = visit.request.query_params.get("next", "")
        address, sealed = oidc.set_out(settings, then if len(then) <= LONGEST_WAY else "")
    except NotConfirmed as why:
        return visit.see_other("/sign-in", str(why), tone="danger")
    response = RedirectResponse(address, status_code=303)
    set_cookie(response, settings, COOKIE, sealed, seconds=oidc.MINUTES * 60)
    return response


@pages.get("/sign-in/oidc/callback", statements=20)
def come_back(visit: Visit) -> Response:
    """Sign in whom the provider confirms, if they work here."""
    settings = visit.env.settings
    if oidc.provider_name(settings) is None:
        raise HTTPException(404)
    try:
        sealed = visit.request.cookies.get(COOKIE, "")
        identity, then = oidc.come_back(settings, sealed, visit.request.query_params)
        person = _bound(visit.env, identity)
        response = let_in(visit, person, then)
    except NotConfirmed as why:
        response = visit.see_other("/sign-in", str(why), tone="danger")
    response.delete_cookie(COOKIE, path="/")
    return response


def _bound(env: Environment, identity: Identity) -> Person:
    """Return whose identity this is; at first use it is bound to who has its address. Raises NotConfirmed."""
    with transaction(env.engine) as conn:
        staffing = staff_store.staffing(conn)
        bound = identities.bound_to(conn, identity.issuer, identity.subject)
        if bound is not None:
            return _here(staffing.get(bound))
        person = _by_address(staffing, identity)
        if not identities.bind(conn, identity.issuer, identity.subject, person.id, now=clock.utc_now()):
            raise NotConfirmed("Your account here is tied to another identity there; an administrator can untie it.")
        return person


def _by_address(staffing: Staffing, identity: Identity) -> Person:
    if not identity.email:
        raise NotConfirmed("It has not verified your e-mail address.")
    return _here(staffing.by_email(identity.email))


def _here(person: Person | None) -> Person:
    if person is None or not person.active:
        raise NotConfirmed("It knows you, but nobody here has your address; ask an administrator to add you.")
    return person
