"""Ending a membership without an account: a link is mailed, and its page says what it means before it is confirmed."""

from __future__ import annotations

from starlette.background import BackgroundTask
from starlette.responses import Response

from cases.errors import TransitionRefused
from cases.own.deeds import act
from cases.own.leaving import OFFER, Leaving, leave, leaving
from cases.own.links import ask_to_leave, token_of
from cases.own.pages import own_case
from config import clock
from config.database import transaction
from notifications import links
from state_machines.processes.cancellation_forms import Reason
from web.access import PUBLIC
from web.accounts import throttle
from web.desk_page import Visit, VisitorPage
from web.posted import Form, Posted
from web.routing import Pages

pages = Pages(may=PUBLIC)
WHY = "What we can offer depends on why you leave. Tick what fits, or end the membership without it."
REASONS = tuple(reason.value for reason in Reason if reason is not Reason.NOT_SAID)


@pages.get("/cancel", statements=8)
def entrance(visit: Visit) -> Response:
    """Where a member without a link begins."""
    return visit.page("visitor/cancel.html", title="End your membership", typed="", error="")


@pages.post("/cancel")
def ask(visit: Visit, posted: Form) -> Response:
    """Mail a link to an address that is known. The answer is the same for everybody, and as quick."""
    typed = posted.text("who").strip()
    if not typed:
        told = "Enter your e-mail address or your membership number."
        return visit.page("visitor/cancel.html", title="End your membership", typed="", error=told, status=422)
    slow_down(visit, typed, "leave")
    response = visit.page("visitor/cancel_sent.html", title="Look into your e-mail")
    response.background = BackgroundTask(ask_to_leave, visit.env, typed[:254], now=visit.now)
    return response


def slow_down(visit: VisitorPage, typed: str, what: str) -> None:
    """Raise TooManyTries for who asks again and again: from one place, or for one address."""
    with transaction(visit.env.engine) as conn:
        keys = [throttle.address(visit.address, what=what, free=20), throttle.account(typed, what=what, free=5)]
        throttle.presume_failure(conn, keys, now=clock.utc_now())


@pages.get("/links/leave/{key}", statements=22)
def show(visit: Visit, key: str) -> Response:
    """What ending the membership would mean; nothing is done by looking."""
    return _shown(visit, key, leaving(visit.env, key, now=visit.now))


def _shown(visit: VisitorPage, key: str, found: Leaving, *, error: str = "", verbatim: str = "") -> Response:
    own = f"/m/{token_of(visit.env, links.MEMBER, found.open_case)}" if found.open_case is not None else None
    return visit.page(
        "visitor/leave.html", title="End your membership", found=found, key=key, own=own, reasons=REASONS,
        error=error, verbatim=verbatim, status=422 if error else 200,
    )  # fmt: skip


@pages.post("/links/leave/{key}")
def confirm(visit: Visit, posted: Form, key: str) -> Response:
    """Take the notice. Whoever wants to see an offer first sees one, and may leave from there just as well."""
    wants_offer = posted.text("then") == "offer"
    if wants_offer and not set(posted.all("reasons")) & set(REASONS):
        found = leaving(visit.env, key, now=visit.now)
        if found.offers:
            return _shown(visit, key, found, error=WHY, verbatim=posted.text("verbatim")[:4000])
    case_id = leave(visit.env, key, _said(posted, wants_offer))
    own = token_of(visit.env, links.MEMBER, case_id)
    told = "Your notice is taken, and counts from when you asked for the link."
    if wants_offer and not _show_offer(visit, own):
        told = f"{told} There is no offer that fits; you need do nothing more."
    return visit.see_other(f"/m/{own}", told)


def _said(posted: Posted, wants_offer: bool) -> dict[str, object]:
    reasons = [reason for reason in posted.all("reasons") if reason in REASONS]
    words = posted.text("verbatim").strip()[:4000]
    said: dict[str, object] = {"reasons": reasons[:10], "wants_no_offers": not wants_offer}
    return {**said, "verbatim": words} if words else said


def _show_offer(visit: VisitorPage, own: str) -> bool:
    """Put the one offer that fits on the table, and return whether there is one."""
    found = own_case(visit.env, links.MEMBER, own, now=visit.now)
    if not found.may(OFFER):
        return found.state == "offer_made"
    try:
        act(visit.env, found.holder, OFFER, {}, seen=found.seen)
    except TransitionRefused:
        return False
    return True
