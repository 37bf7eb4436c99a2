"""One's own account: who one is here, who stands in, where one is signed in, password, appearance, keys."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from cases.errors import BadInput, CaseError
from config import clock
from config.database import reading, transaction
from members import staff_store
from members.commands import end_absence
from members.errors import MembersError
from web import sessions
from web.access import STAFF
from web.accounts import absence_form, feeds, identities, password_links, passwords, throttle, tokens
from web.accounts.devices import device
from web.accounts.ending import end_secrets, has_secrets
from web.accounts.entering import WrongPassword
from web.accounts.forgotten import chosen_twice
from web.desk_page import A_YEAR, THEME_COOKIE, THEMES, Desk, DeskPage, set_cookie
from web.posted import Form, Posted
from web.routing import Pages

pages = Pages(may=STAFF)


@pages.get("/account", statements=11)
def account(desk: Desk) -> Response:
    """The reader's own account."""
    return _page(desk)


def _page(
    desk: DeskPage, *, problem: str = "", about: str = "", typed: Posted | None = None, status: int = 200
) -> Response:
    """``about``: which form the problem belongs to, ``absence`` or ``password``."""
    return desk.page(
        "accounts/account.html",
        title="My account",
        status=status,
        problem=problem,
        about=about,
        **_account(desk, typed),
    )


def _account(desk: DeskPage, typed: Posted | None) -> dict[str, Any]:
    me, staffing, real = desk.person, desk.staffing, clock.utc_now()
    with reading(desk.env.engine) as conn:
        found: dict[str, Any] = {
            "absences": staff_store.absences(conn, since=desk.today, staff_id=me.id),
            "browsers": [(row, device(row.agent)) for row in sessions.of(conn, me.id, now=real)],
            "keys": tokens.listed(conn, of_staff=me.id),
            "feeds": feeds.listed(conn, me.id),
            "has_password": passwords.kept_hash(conn, me.id) is not None,
            "provider": identities.of(conn, me.id),
        }
    acting = staffing.acting(me.id, desk.today)
    return found | {
        "secrets": has_secrets(found["keys"], found["feeds"], now=real),
        "manager": staffing.manager_of(me.id), "away": staffing.away(me.id, desk.today), "acting": acting.staff,
        "stands_in_for": sorted(staffing.people[n].name for n in desk.stands_in_for), "people": staffing.people,
        "fields": absence_form.fields(staffing, me, today=desk.today, typed=typed), "real": real, "themes": THEMES,
        "shortest": passwords.SHORTEST, "longest": passwords.LONGEST, "scopes": tokens.SCOPES,
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------- being away


@pages.post("/account/absences")
def add_absence(desk: Desk, posted: Form) -> Response:
    """Record that the reader will be away."""
    try:
        absence_form.record(desk.env.engine, desk.person.person, posted, actor=desk.actor, desk=desk)
    except (MembersError, BadInput) as refused:
        return _page(desk, problem=str(refused), about="absence", typed=posted, status=422)
    return desk.see_other("/account#absences", "Your absence is recorded.")


@pages.post("/account/absences/end")
def back(desk: Desk, posted: Form) -> Response:
    """Record that the reader is back, or stays after all."""
    on = posted.day("on") or desk.today
    end_absence(desk.env.engine, desk.person.person, back_on=on, actor=desk.actor, now=desk.now)
    return desk.see_other("/account#absences", "The absence has been ended." if on <= desk.today else "You stay.")


# ----------------------------------------------------------------------------------------------------- the password


@pages.post("/account/password")
def change_password(desk: Desk, posted: Form) -> Response:
    """Change the password, knowing the one before, and sign out every other browser."""
    try:
        _require_current(desk, posted.text("current_password"))
        chosen = chosen_twice(posted)
        with transaction(desk.env.engine) as conn:
            password_links.change(conn, desk.person, chosen, now=clock.utc_now())
            sessions.end_all(conn, desk.person.id, but=desk.session.id)
    except CaseError as refused:
        return _page(desk, problem=str(refused), about="password", status=refused.status)
    return desk.see_other("/account", "Your password is changed, and every other browser is signed out.")


def _require_current(desk: DeskPage, typed: str) -> None:
    """Raise WrongPassword unless this is the reader's password; an open browser is no place to guess for ever."""
    key = throttle.account(desk.person.email, what="password")
    with transaction(desk.env.engine) as conn:
        tries = throttle.presume_failure(conn, [key], now=clock.utc_now())
    with reading(desk.env.engine) as conn:
        kept = passwords.kept_hash(conn, desk.person.id)
    if not passwords.matches(kept, typed):
        raise WrongPassword("The current password is not right.")
    with transaction(desk.env.engine) as conn:
        throttle.take_back(conn, tries, key)


@pages.post("/account/password/link")
def send_link(desk: Desk) -> Response:
    """Mail the reader a link to choose a first password: an open browser alone is not enough for that."""
    key = throttle.account(desk.person.email, what="forgotten", free=3)
    with transaction(desk.env.engine) as conn:
        throttle.presume_failure(conn, [key], now=clock.utc_now())
        password_links.forgotten(conn, desk.env, desk.person, now=clock.utc_now())
    return desk.see_other("/account", f"A link to choose a password is on its way to {desk.person.email}.")


# -------------------------------------------------------------------------------------- browsers, appearance, keys


@pages.post("/account/sessions/end")
def end_session(desk: Desk, posted: Form) -> Response:
    """Sign out one of the reader's browsers, or with ``all`` every one, this one too."""
    if posted.yes("all"):
        with transaction(desk.env.engine) as conn:
            sessions.end_all(conn, desk.person.id)
            if posted.yes("secrets"):
                end_secrets(conn, desk.person.id, now=clock.utc_now())
        ended = ", and your calendar addresses and keys are ended" if posted.yes("secrets") else ""
        return desk.see_other("/sign-in", f"You are signed out everywhere{ended}.")
    with transaction(desk.env.engine) as conn:
        sessions.end(conn, [posted.number("id") or 0], staff_id=desk.person.id)
    return desk.see_other("/account#browsers", "That browser is signed out.")


@pages.post("/account/appearance")
def appearance(desk: Desk, posted: Form) -> Response:
    """Keep which appearance the reader wants on this browser."""
    chosen = posted.text("theme")
    response = desk.see_other("/account#appearance")
    if chosen in THEMES:
        set_cookie(response, desk.env.settings, THEME_COOKIE, chosen, seconds=A_YEAR)
    return response


@pages.post("/account/keys/revoke")
def revoke_key(desk: Desk, posted: Form) -> Response:
    """End a key that acts as the reader."""
    with transaction(desk.env.engine) as conn:
        tokens.revoke(conn, posted.number("id") or 0, of_staff=desk.person.id, now=clock.utc_now())
    return desk.see_other("/account#keys", "The key works no more.")
