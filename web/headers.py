"""The headers of every answer: what a browser may load, keep, and tell others."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
        "connect-src 'self'", "frame-src 'self'", "manifest-src 'self'", "form-action 'self'", "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)  # fmt: skip
EVERYWHERE = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
SECRET_PATHS = ("/m/", "/p/", "/unsubscribe/", "/password/", "/links/", "/calendar/feed/")
"""Their address is a key: nobody may learn where a reader came from, and no search engine keeps them."""


def headers_for(path: str, *, https: bool) -> dict[str, str]:
    """Return the headers of every answer to this path."""
    wanted = dict(EVERYWHERE)
    if https:
        wanted["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    if path.startswith(SECRET_PATHS):
        wanted |= {"referrer-policy": "no-referrer", "x-robots-tag": "noindex, nofollow"}
    return wanted


class Headers:
    """Middleware that adds the headers; one that a handler has set stays."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app, self._https = app, https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers added."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = headers_for(scope["path"], https=self._https)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in wanted.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)
