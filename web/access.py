"""Who may enter a page. A rule stands on every route; what is not allowed is refused before the handler runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from sqlalchemy import select, true
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from cases.environment import Environment
from cases.errors import CaseError, NotAllowed
from config import clock
from config.database import asking, reading, transaction
from config.tables import Installation
from members import staff_store
from state_machines.values import STAFF as STAFF_ROLES
from state_machines.values import Role
from web import csrf, posted, sessions, shell
from web.accounts import tokens
from web.desk_page import DeskPage, VisitorPage, session_cookie
from web.tables import WebSession

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


ASKED_BY_SCRIPTS = ("/viewers",)
"""What a page asks by itself: nobody is there because of it."""


class SignInNeeded(CaseError):
    """You were signed out in the meantime. Nothing was changed, and what you typed is kept."""

    status = 401
    then = ""
    """Where to go after signing in."""


class FormTooOld(CaseError):
    """This form was open for too long, or belongs to another session. Nothing was changed; please look at it again."""

    status = 403


class OtherSite(CaseError):
    """This was sent by another site, not by a page of ours. Nothing was changed."""

    status = 403


class TokenRefused(CaseError):
    """This needs a valid API token."""

    status = 401


@dataclass(frozen=True)
class Rule:
    """Who may enter. Called by FastAPI with the request; raises where the answer is no."""

    name: str
    roles: frozenset[Role] = frozenset()
    """Of whom one is needed; for rules about the staff."""
    scope: str | None = None
    """For rules about API tokens."""
    form: bool = True
    """Whether a form must carry the CSRF field."""

    async def __call__(self, request: Request) -> None:
        """Let a request in, and put who asks on it. Raises SignInNeeded, NotAllowed, TokenRefused or FormTooOld."""
        if self.scope is not None:
            await run_in_threadpool(_with_token, request, self)
            return
        if request.method not in SAFE:
            _require_same_site(request)
            request.state.posted = await posted.read(request)
        await run_in_threadpool(self._admit, request)

    def _admit(self, request: Request) -> None:
        page = _signed_in(request, self) if self.roles else _visitor(request)
        request.state.page = page
        if request.method not in SAFE and self.form:
            _require_form(request, page)


PUBLIC = Rule("everybody")
OPEN_POST = Rule("everybody, also programs", form=False)
"""For the one-click unsubscription of RFC 8058, which mail providers send without having seen a form."""
STAFF = Rule("the staff", STAFF_ROLES)


def staff(*roles: Role) -> Rule:
    """Return the rule that lets in members of staff with one of these roles, and who stands in for one today."""
    return Rule(" or ".join(sorted(role.label for role in roles)), frozenset(roles))


def token(scope: str) -> Rule:
    """Return the rule that lets in programs with an API token of this scope; the actor is ``request.state.actor``."""
    return Rule(f"tokens with {scope}", scope=scope)


# --------------------------------------------------------------------------------------------------- the staff


_WHO = (
    select(*sessions.COLUMNS, *shell.COLUMNS, staff_store.version().label("staff"))
    .outerjoin_from(WebSession, Installation, true())
    .where(sessions.IS_ASKED_FOR)
)
"""All that a page of the staff begins with, in one statement that is made once."""


def _signed_in(request: Request, rule: Rule) -> DeskPage:
    """Return the desk of who is signed in. Raises SignInNeeded or NotAllowed."""
    env: Environment = request.app.state.env
    real = clock.utc_now()
    key = request.cookies.get(session_cookie(env.settings))
    if not key:
        raise _sign_in_first(request)
    with asking(env.engine) as conn:
        row = conn.execute(_WHO, {"token_sha256": sessions.sha256(key)}).one_or_none()
        session = sessions.living(row, key, now=real)
        if row is None or session is None:
            raise _sign_in_first(request)
        staffing = staff_store.staffing(conn, row.staff)
    found = shell.shell_of(row, real)
    person = staffing.get(session.staff_id)
    if person is None or not person.active:
        raise _sign_in_first(request)
    if session.is_stale(real) and not request.url.path.endswith(ASKED_BY_SCRIPTS):
        with transaction(env.engine) as conn:
            sessions.seen(conn, session, now=real)
    desk = DeskPage(request, env, found, session, person, staffing)
    if not rule.roles & desk.roles_today:
        request.state.page = desk  # who is signed in is told so on a page of the desk
        raise NotAllowed(f"This page is for {rule.name}s. You are signed in as {person.name}.")
    return desk


def _sign_in_first(request: Request) -> SignInNeeded:
    """Return the error that leads to the sign-in page, and from there back to what was asked for."""
    needed = SignInNeeded()
    query = f"?{request.url.query}" if request.url.query else ""
    needed.then = quote(request.url.path, safe="/") + query
    return needed


def sign_in_address(then: str) -> str:
    """Return the address of the sign-in page that leads back to ``then``."""
    return "/sign-in" + (f"?{urlencode({'next': then})}" if then not in ("", "/") else "")


def _visitor(request: Request) -> VisitorPage:
    env: Environment = request.app.state.env
    real = clock.utc_now()
    with reading(env.engine) as conn:
        return VisitorPage(request, env, shell.facts(conn, real))


# ------------------------------------------------------------------------------------------------------ forms


def _require_same_site(request: Request) -> None:
    """Raise OtherSite for a form that another site sends. Browsers say where a form comes from."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise OtherSite


def _require_form(request: Request, page: DeskPage | VisitorPage) -> None:
    given = request.headers.get(csrf.HEADER) or request.state.posted.text(csrf.FIELD)
    if not csrf.holds(page.env.settings.secret_key.get_secret_value(), page.reader, given):
        raise FormTooOld


# ----------------------------------------------------------------------------------------------------- tokens


def _with_token(request: Request, rule: Rule) -> None:
    """Put the actor of an API token on the request. Raises TokenRefused or NotAllowed."""
    env: Environment = request.app.state.env
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not key.strip():
        raise TokenRefused
    with reading(env.engine) as conn:
        bearer = tokens.find(conn, key.strip(), now=clock.utc_now())
        staffing = staff_store.staffing(conn)
        now = clock.current(conn)
    person = staffing.get(bearer.staff_id) if bearer else None
    if bearer is None or person is None or not person.active:
        raise TokenRefused
    _require_scope(rule, bearer.scopes)
    request.state.bearer, request.state.actor = bearer, staffing.actor(person.id)
    request.state.staffing, request.state.now = staffing, now


def _require_scope(rule: Rule, scopes: Collection[str]) -> None:
    if rule.scope not in scopes:
        raise NotAllowed(f"This token lacks the scope {rule.scope}.")
