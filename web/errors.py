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
from web import shell
from web.access import SAFE, FormTooOld, SignInNeeded, TokenRefused, sign_in_address
from web.api.problems import problem
from web.csrf import FIELD
from web.desk_page import DeskPage, VisitorPage
from web.last_resort import PASSWORDS, TITLES, broken, plain, way_on
from web.limits import MEGABYTES
from web.posted import Posted

log = logging.getLogger(__name__)

NOT_KEPT = (FIELD, *PASSWORDS)
_TOO_LARGE = "22003"
_FULL = (
    f"{MEGABYTES} MB is the most that can be sent at once. Nothing of it was kept, and nothing was changed. "
    "Go back in your browser, where what you typed still stands, and choose smaller files, or send a few at a time."
)


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
    """Show what was typed into a form that came too late, or too often, ready to be sent again."""
    posted: Posted = request.state.posted
    kept = [(name, text) for name, texts in posted.texts.items() if name not in NOT_KEPT for text in texts]
    title = {401: TITLES[401], 429: TITLES[429]}.get(error.status, "Please send it once more")
    return await _shown(
        request, error.status, str(error), "again.html", path=request.url.path, kept=kept, files=bool(posted.uploads),
        sign_in=isinstance(error, SignInNeeded), wait=error.status == 429, title=title,
    )  # fmt: skip


async def _refused(request: Request, error: Any) -> Response:
    posted: Posted | None = getattr(request.state, "posted", None)
    if error.status == 429 and posted is not None and not any(name in posted for name in PASSWORDS):
        return await _once_more(request, error)
    return await _shown(request, error.status, str(error))


async def _token(request: Request, error: Any) -> Response:
    return plain(request, 401, str(error), {"www-authenticate": "Bearer"})


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
    log.error("the database does not answer", exc_info=error)
    return broken(request, 503, {"retry-after": "10"})


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
    return broken(request, 500)


async def _shown(request: Request, status: int, sentence: str, template: str = "error.html", **values: Any) -> Response:
    """Return the error as a page with the frame of who is there, or as a piece of one for htmx."""
    page = getattr(request.state, "page", None)
    if page is None:
        page = await run_in_threadpool(_stranger, request)
    if page is None:
        return plain(request, status, sentence)
    title = values.pop("title", TITLES.get(status, "That did not work"))
    make: Callable[..., HTMLResponse] = page.page
    signed_in = isinstance(page, DeskPage)
    return await run_in_threadpool(
        lambda: make(
            template,
            title=title,
            status=status,
            sentence=sentence,
            signed_in=signed_in,
            way=way_on(request.url.path),
            block="message",
            **values,
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


def too_large(request: Request) -> Response:
    """Return the answer to a request that brings more than is read: a page, or a problem for a program."""
    if request.url.path.startswith("/api/"):
        return problem("too-large", f"The body is larger than {MEGABYTES} MB, the most that is taken.").answer()
    return plain(request, 413, _FULL)
