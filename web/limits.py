"""How much a request may bring."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEGABYTES = 32
MOST_BYTES = MEGABYTES * 1024 * 1024


class TooLarge(Exception):
    """A request brings more than anybody needs."""


class Limits:
    """Middleware that stops reading a request that is too large, whatever its headers say."""

    def __init__(self, app: ASGIApp, *, refusal: Callable[[Request], Response], most: int = MOST_BYTES) -> None:
        self._app, self._refusal, self._most = app, refusal, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer 413 once it has brought too much."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        said = headers.get(b"content-length", b"0")
        if not said.isdigit() or len(said) > 18 or int(said) > self._most:
            await self._refuse(scope, receive, send)
            return
        seen, answered = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise TooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal answered
            answered = answered or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except TooLarge:
            if not answered:
                await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._refusal(Request(scope))(scope, receive, send)
