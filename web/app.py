"""The application: middleware, static files, and every room's pages."""

from __future__ import annotations

from importlib import import_module

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from cases.environment import Environment
from web import errors
from web.assets import FOLDER, Kept
from web.headers import Headers
from web.limits import Limits
from web.routing import require_rules

ROOMS: tuple[str, ...] = (
    "web.accounts.sign_in",
    "web.accounts.oidc_pages",
    "web.accounts.forgotten",
)
"""Modules with routes named ``pages``. Static paths (/cases/new) stand before those with a variable."""


def create_app(env: Environment) -> FastAPI:
    """Return the desk of an installation. Raises NoRule when a route does not say who may enter."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, title="Muster")
    app.state.env = env
    errors.add_handlers(app)
    for room in ROOMS:
        import_module(room).pages.add_to(app)
    require_rules(app)
    app.mount("/static", Kept(directory=FOLDER), name="static")
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(Headers, https=env.settings.base_url.startswith("https://"))
    app.add_middleware(Limits)
    return app
