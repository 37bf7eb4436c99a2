"""Pages that need nothing but their words: no database, no session. They say what happened and how to go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse

from cases.environment import Environment
from web import rendering
from web.desk_page import THEME_COOKIE, is_local
from web.headers import headers_for
from web.posted import Posted

TITLES = {
    400: "That could not be read",
    401: "Please sign in",
    403: "This is not yours to do",
    404: "There is nothing here",
    405: "That is not possible here",
    409: "Somebody was faster",
    410: "This link is too old",
    413: "That is too large",
    422: "That cannot be used as it is",
    429: "Please wait a little",
    500: "Something went wrong inside Muster",
    503: "Muster is not ready",
}
OURS = {500: "Something went wrong here", 503: "This page is away for a moment"}
"""The same for members, who need not know what Muster is."""

SAYS = {
    (500, "desk", "asked"): (
        "It is written to the log, and nothing was changed. Please try again; if it stays, tell whoever runs Muster."
    ),
    (500, "desk", "sent"): (
        "It is written to the log, and nothing was half done: either all of it or nothing. Look in another tab first. "
        "If it stays, tell whoever runs Muster."
    ),
    (500, "member", "asked"): (
        "The mistake is ours. Nothing that you saved or sent before is lost. Please try again in a few minutes."
    ),
    (500, "member", "sent"): (
        "The mistake is ours, and it is not certain whether what you sent has arrived. Nothing that you saved or sent "
        "before is lost. Open your page in another tab and look first."
    ),
    (503, "desk", "asked"): "The database does not answer. Nothing is lost. Please try again in a minute.",
    (503, "desk", "sent"): (
        "The database stopped answering, so it is not certain whether what you sent was done. Wait a minute, and open "
        "the page in another tab and look first."
    ),
    (503, "member", "asked"): "Nothing that you saved or sent before is lost. Please try again in a minute.",
    (503, "member", "sent"): (
        "It is not certain whether what you sent has arrived. Nothing that you saved or sent before is lost. Wait a "
        "minute, then open your page in another tab and look first."
    ),
}  # fmt: skip
"""By status, who reads it, and whether they asked for a page or sent a form."""
KEPT = "What you typed is kept here, and can be sent once more."

_OWN = {"m": 2, "p": 3, "unsubscribe": 2}
"""Pages of a personal link, by how many pieces of their address are the link."""
_OPEN = ("/complain", "/cancel", "/links/")
_ACCOUNT = ("/sign-in", "/password/")
PASSWORDS = ("password", "new_password", "current_password")


@dataclass(frozen=True, slots=True)
class Way:
    """Where somebody goes on from a page that says what went wrong."""

    address: str
    words: str
    member: bool
    """Whether they came to a page for people without an account."""


def way_on(path: str) -> Way:
    """Return where to go on from this path: members to a page of their own, never to the staff's desk."""
    pieces = path.split("/")[1:]
    long = _OWN.get(pieces[0])
    if long is not None and len(pieces) >= long and all(pieces[:long]):
        return Way(quote("/" + "/".join(pieces[:long])), "Back to your page", member=True)
    if path.startswith(_OPEN):
        return Way(quote(path), "Back to the form", member=True)
    return Way("/", "To the sign-in page" if path.startswith(_ACCOUNT) else "Back to my desk", member=False)


def plain(
    request: Request, status: int, sentence: str, headers: dict[str, str] | None = None, **again: Any
) -> HTMLResponse:
    """Return a page that needs nothing but its words, and perhaps a form that is sent ``again``; or a piece of one."""
    env: Environment = request.app.state.env
    way, there = way_on(request.url.path), _asked_for(request)
    title = OURS.get(status, TITLES.get(status, "")) if way.member else TITLES.get(status, "")
    html = rendering.plain(
        title or "That did not work", sentence, again=again, way=way, there=there if status >= 500 else None,
        organisation=env.policy.organisation, theme=request.cookies.get(THEME_COOKIE, "auto"),
        block="message" if wants_a_piece(request) else None,
    )  # fmt: skip
    https = env.settings.base_url.startswith("https://")
    return HTMLResponse(html, status, headers_for(request.url.path, https=https) | (headers or {}))


def broken(request: Request, status: int, headers: dict[str, str] | None = None) -> HTMLResponse:
    """Say that it is our fault; what was typed stands in a form that can be sent again, and is not lost with it."""
    who, sent = "member" if way_on(request.url.path).member else "desk", request.method not in ("GET", "HEAD")
    told = SAYS[status, who, "sent" if sent else "asked"]
    posted: Posted | None = getattr(request.state, "posted", None)
    if not posted or wants_a_piece(request) or any(name in posted for name in PASSWORDS):
        return plain(request, status, told, headers)
    kept = [(name, text) for name, texts in posted.texts.items() for text in texts]
    return plain(
        request, status, f"{told} {KEPT}", headers, path=_address(request), kept=kept, files=bool(posted.uploads)
    )


def wants_a_piece(request: Request) -> bool:
    """Whether a script asked for a piece of a page; a form that is sent with one gets a whole page."""
    return "hx-request" in request.headers and "hx-boosted" not in request.headers


def _asked_for(request: Request) -> str | None:
    """Return the address that can simply be asked for again."""
    address = _address(request)
    return address if request.method == "GET" and is_local(address) else None


def _address(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(request.url.path) + query
