"""Who looked at what is restricted: written before it is shown. What cannot be written down is not shown."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cases.environment import Environment
from cases.looking.recording import Look, recorded
from cases.looking.store import keep
from config import clock

log = logging.getLogger(__name__)

REQUEST_ID = "x-request-id"
NOT_WRITTEN = "Muster cannot note that you look at this, so it does not show it. Please try again in a minute."


class Looks:
    """Middleware that numbers each request, and writes what was looked at before its answer begins."""

    def __init__(self, app: ASGIApp, *, env: Environment) -> None:
        self._app, self._env = app, env

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless a look cannot be written: then 503, and nothing of what was read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number, refused = secrets.token_hex(8), False

        async def written(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start":
                refused = bool(looks) and not await self._kept(looks, scope["path"], number)
                MutableHeaders(scope=message)[REQUEST_ID] = number
            if not refused:
                await send(message)

        with recorded() as looks:
            await self._app(scope, receive, written)
        if refused:
            await PlainTextResponse(NOT_WRITTEN, 503, {REQUEST_ID: number, "cache-control": "no-store"})(
                scope, receive, send
            )

    async def _kept(self, looks: Sequence[Look], path: str, number: str) -> bool:
        through = "api" if path.startswith("/api/") else "page"
        try:
            await run_in_threadpool(
                keep, self._env.engine, looks, through=through, request=number, now=clock.utc_now()
            )  # fmt: skip
        except SQLAlchemyError:
            log.exception("a look could not be written")
            return False
        return True
