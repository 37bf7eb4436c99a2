"""Asking for a new link, and hearing no more offers."""

from __future__ import annotations

from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, Response

from cases.own.links import ask_for_links
from cases.own.offers import stop_offers, stopped
from notifications.recipients import is_address
from web.access import OPEN_POST, PUBLIC
from web.desk_page import Visit
from web.posted import Form
from web.routing import Pages
from web.visitors.leaving import slow_down

pages = Pages(may=PUBLIC)


@pages.get("/links/new", statements=8)
def form(visit: Visit) -> Response:
    """Where somebody asks for a new link."""
    return visit.page("visitor/new_link.html", title="Ask for a new link", typed="", error="")


@pages.post("/links/new")
def ask(visit: Visit, posted: Form) -> Response:
    """Mail fresh links to an address that is known. The answer is the same for everybody, and as quick."""
    typed = posted.text("email").strip()
    if not is_address(typed):
        told = "Enter an e-mail address such as name@example.org."
        return visit.page("visitor/new_link.html", title="Ask for a new link", typed=typed, error=told, status=422)
    slow_down(visit, typed, "links")
    words = "If we know this address, a new link is on its way. It can take a few minutes."
    response = visit.page("visitor/thanks.html", title="Look into your e-mail", words=words)
    response.background = BackgroundTask(ask_for_links, visit.env, typed, now=visit.now)
    return response


@pages.get("/unsubscribe/{key}", statements=10)
def ask_first(visit: Visit, key: str) -> Response:
    """What would happen. Looking changes nothing: mail scanners open every link."""
    done = stopped(visit.env, key, now=visit.now)
    return visit.page("visitor/unsubscribe.html", title="Offers by e-mail", done=done, key=key)


@pages.post("/unsubscribe/{key}", may=OPEN_POST)
def stop(visit: Visit, posted: Form, key: str) -> Response:
    """Send no more offers. RFC 8058: mail providers send this without a cookie and without having seen a page."""
    stop_offers(visit.env, key, now=visit.now)
    if posted.text("List-Unsubscribe") == "One-Click":
        return PlainTextResponse("You will get no more offers.\n")
    return visit.page("visitor/unsubscribe.html", title="Offers by e-mail", done=True, key=key)
