"""Addresses as the database can keep them: NUL, which no text of ours holds, is replaced before anything reads it."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from config.database import without_nul

_ESCAPED = b"%EF%BF%BD"


class Storable:
    """Middleware that does for paths and queries what `web.posted` does for forms, so that no handler has to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with an address that can be looked up."""
        if scope["type"] == "http":
            query = scope.get("query_string", b"").replace(b"%00", _ESCAPED).replace(b"\0", _ESCAPED)
            scope = {**scope, "path": without_nul(scope["path"]), "query_string": query}
        await self._app(scope, receive, send)
