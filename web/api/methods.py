"""HEAD and OPTIONS for every route of the API, and the methods that a path takes."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def allowed(api: FastAPI, scope: Scope) -> list[str]:
    """Return the methods that the path of a request takes; none when there is nothing at it."""
    found: set[str] = set()
    for route in api.routes:
        if isinstance(route, APIRoute) and route.matches(dict(scope))[0] is not Match.NONE:
            found |= route.methods or set()
    return sorted(found | ({"HEAD"} if "GET" in found else set()) | ({"OPTIONS"} if found else set()))


class HeadAndOptions:
    """Middleware that answers OPTIONS with the methods of a path, and HEAD as GET without its body."""

    def __init__(self, app: ASGIApp, *, api: FastAPI) -> None:
        self._app, self._api = app, api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as what it means."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS" and (methods := allowed(self._api, scope)):
            await Response(status_code=204, headers={"allow": ", ".join(methods)})(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            await self._app(scope, receive, send)


def _without_body(send: Send) -> Send:
    async def bare(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return bare
