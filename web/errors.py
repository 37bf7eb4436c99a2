"""What is shown when something is refused or goes wrong: one place turns an error into a page or a piece of one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from cases.errors import CaseError
from config import clock
from config.database import reading
from members.errors import MembersError
from notifications.links import LinkExpired, LinkForged
from state_machines.registry import UnknownProcess
from web import rendering, shell
from web.access import SAFE, FormTooOld, SignInNeeded, TokenRefused, sign_in_address
from web.csrf import FIELD
from web.desk_page import DeskPage, VisitorPage
from web.posted import Posted

log = logging.getLogger(__name__)

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
    429: "Too many tries",
    500: "Something went wrong inside Muster",
    503: "Muster is not ready",
}
_PASSWORDS = ("password", "new_password", "current_password")
NOT_KEPT = (FIELD, *_PASSWORDS)
_TOO_LARGE = "22003"
GONE = "The database does not answer. Please try again in a minute."
PERHAPS = (
    "The database stopped answering, so it is not certain whether what you sent was done. What you typed is kept here: "
    "wait a minute, then send it once more, or open the page in another tab and look first."
)
BROKEN = "It is written to the log, and nothing was half done. Please try again; if it stays, tell whoever runs Muster."


def add_handlers(app: FastAPI) -> None:
    """Turn every error into an answer with its own status."""
    answers = {
        SignInNeeded: _sign_in,
        FormTooOld: _once_more,
        TokenRefused: _token,
        CaseError: _refused,
        MembersError: _refused,
        UnknownProcess: _unknown,
        LinkForged: _link,
        LinkExpired: _link,
        HTTPException: _http,
        RequestValidationError: _unknown,
        OperationalError: _database,
        DBAPIError: _driver,
        NoConnectionLeft: _database,
        DataError: _beyond,
        Exception: _broken,
    }
    for kind, answer in answers.items():
        app.add_exception_handler(kind, answer)


async def _sign_in(request: Request, error: Any) -> Response:
    if request.method not in SAFE:
        return await _once_more(request, error)
    address = sign_in_address(error.then)
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"hx-redirect": address})
    return Response(status_code=303, headers={"location": address})


async def _once_more(request: Request, error: Any) -> Response:
    """Show what was typed into a form that came too late, ready to be sent again."""
    posted: Posted = request.state.posted
    kept = [(name, text) for name, texts in posted.texts.items() if name not in NOT_KEPT for text in texts]
    return await _shown(
        request, error.status, str(error), "again.html", path=request.url.path, kept=kept, files=bool(posted.uploads),
        sign_in=isinstance(error, SignInNeeded),
        title=TITLES[401] if isinstance(error, SignInNeeded) else "Please send it once more",
    )  # fmt: skip


async def _refused(request: Request, error: Any) -> Response:
    return await _shown(request, error.status, str(error))


async def _token(request: Request, error: Any) -> Response:
    return _plain(401, str(error), {"www-authenticate": "Bearer"})


async def _unknown(request: Request, error: Any) -> Response:
    return await _shown(request, 404, "Nothing is to be found at this address.")


async def _link(request: Request, error: Any) -> Response:
    status = 410 if isinstance(error, LinkExpired) else 404
    title = TITLES[410] if status == 410 else "This link does not work"
    return await _shown(request, status, str(error), template="visitor/link_error.html", title=title)


async def _http(request: Request, error: Any) -> Response:
    told = "Nothing is to be found at this address." if error.status_code == 404 else str(error.detail)
    answer = await _shown(request, error.status_code, told)
    answer.headers.update(error.headers or {})
    return answer


async def _database(request: Request, error: Any) -> Response:
    """Say so; what was typed stands in a form that can be sent again, and is not lost with the answer."""
    log.error("the database does not answer", exc_info=error)
    posted: Posted | None = getattr(request.state, "posted", None)
    headers = {"retry-after": "10"}
    if posted is None or _wants_a_piece(request) or any(name in posted for name in _PASSWORDS):
        return _plain(503, GONE, headers)
    kept = [(name, text) for name, texts in posted.texts.items() for text in texts]
    query = f"?{request.url.query}" if request.url.query else ""
    return _plain(503, PERHAPS, headers, path=request.url.path + query, kept=kept, files=bool(posted.uploads))


def _wants_a_piece(request: Request) -> bool:
    """Whether a script asked for a piece of a page; a form that is sent with one gets a whole page."""
    return "hx-request" in request.headers and "hx-boosted" not in request.headers


async def _driver(request: Request, error: Any) -> Response:
    """A connection that was lost is the database gone, whatever the driver calls it; the rest is a mistake of ours."""
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return await _database(request, error)
    return await _broken(request, error)


async def _beyond(request: Request, error: Any) -> Response:
    """A number larger than the database has any leads nowhere; everything else it cannot take is a mistake of ours."""
    if getattr(error.orig, "sqlstate", None) == _TOO_LARGE:
        return await _unknown(request, error)
    return await _broken(request, error)


async def _broken(request: Request, error: Any) -> Response:
    log.error("a page failed", exc_info=error)
    return _plain(500, BROKEN)


async def _shown(request: Request, status: int, sentence: str, template: str = "error.html", **values: Any) -> Response:
    """Return the error as a page with the frame of who is there, or as a piece of one for htmx."""
    page = getattr(request.state, "page", None)
    if page is None:
        page = await run_in_threadpool(_stranger, request)
    if page is None:
        return _plain(status, sentence)
    title = values.pop("title", TITLES.get(status, "That did not work"))
    make: Callable[..., HTMLResponse] = page.page
    signed_in = isinstance(page, DeskPage)
    return await run_in_threadpool(
        lambda: make(
            template, title=title, status=status, sentence=sentence, signed_in=signed_in, block="message", **values
        )
    )


def _stranger(request: Request) -> VisitorPage | None:
    """Return the frame for somebody unknown; None when not even the database answers."""
    env = request.app.state.env
    try:
        with reading(env.engine) as conn:
            return VisitorPage(request, env, shell.facts(conn, clock.utc_now()))
    except (DBAPIError, NoConnectionLeft):
        return None


def _plain(status: int, sentence: str, headers: dict[str, str] | None = None, **again: Any) -> HTMLResponse:
    """Return a page that needs nothing but its words, and perhaps a form that is sent ``again``."""
    html = rendering.plain(TITLES.get(status, "That did not work"), sentence, **again)
    return HTMLResponse(html, status_code=status, headers=headers)
