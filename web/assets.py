"""The files a page loads, all of them ours; a fingerprint in their address lets browsers keep them."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"


@cache
def address(name: str) -> str:
    """Return the address of a file under ``static/``. Raises FileNotFoundError: a page must not ask for nothing."""
    return f"/static/{name}?v={hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]}"


@cache
def _icons() -> frozenset[str]:
    return frozenset(re.findall(r'<symbol id="([a-z0-9-]+)"', (FOLDER / "icons.svg").read_text()))


def icon_exists(name: str) -> bool:
    """Whether the sprite has this icon."""
    return name in _icons()


class Kept(StaticFiles):
    """Static files that a browser asks for once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file; one that was asked for with its fingerprint may be kept for ever."""
        response = await super().get_response(path, scope)
        fingerprinted = b"v=" in scope.get("query_string", b"") and response.status_code < 400
        response.headers["cache-control"] = (
            "public, max-age=31536000, immutable" if fingerprinted else "public, max-age=300"
        )
        return response
