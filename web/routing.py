"""A router whose every route says who may enter, and how many statements its page may ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from state_machines.values import Role
from web.access import Rule

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Pages:
    """Routes of pages. ``may`` is the rule of all of them, unless a route names its own."""

    def __init__(self, *, may: Rule | None = None) -> None:
        self.router = APIRouter(default_response_class=Response)
        self._may = may

    def get(self, path: str, *, may: Rule | None = None, statements: int) -> Callable[[Handler], Handler]:
        """Show something. ``statements``: how many the page may ask, with those that find out who is there."""
        return self._page(path, ["GET", "HEAD"], may, statements)

    def post(self, path: str, *, may: Rule | None = None) -> Callable[[Handler], Handler]:
        """Do something; the form's CSRF field has been checked before the handler runs."""
        return self._page(path, ["POST"], may, None)

    def add_to(self, app: FastAPI) -> None:
        """Make these pages part of an application, as they are: `include_router` would hide them behind its own."""
        app.router.routes.extend(self.router.routes)

    def _page(
        self, path: str, methods: list[str], may: Rule | None, statements: int | None
    ) -> Callable[[Handler], Handler]:
        rule = may or self._may
        if rule is None:
            raise NoRule(f"{path} does not say who may enter.")

        def added(handler: Handler) -> Handler:
            self.router.add_api_route(
                path, handler, methods=methods, dependencies=[Depends(rule)], include_in_schema=False,
                response_model=None, openapi_extra={} if statements is None else {"x-statements": statements},
            )  # fmt: skip
            return handler

        return added


class NoRule(Exception):
    """A route is not declared as it must be."""


def rule_of(route: APIRoute) -> Rule | None:
    """Return the rule that guards a route, or None."""
    return next((d.dependency for d in route.dependencies if isinstance(d.dependency, Rule)), None)


def budget_of(route: APIRoute) -> int | None:
    """Return how many statements a route may ask, or None where that is not limited."""
    return (route.openapi_extra or {}).get("x-statements")


def routes_of(app: FastAPI) -> list[tuple[str, APIRoute]]:
    """Return every route with the whole path it is reached under, those of mounted applications too.

    Raises NoRule for what cannot be looked into, such as a router that was included rather than added.
    """
    found: list[tuple[str, APIRoute]] = []
    for route in app.routes:
        if isinstance(route, APIRoute):
            found.append((route.path, route))
        elif isinstance(route, Mount) and isinstance(route.app, FastAPI):
            found += [(route.path + path, inner) for path, inner in routes_of(route.app)]
        elif not (isinstance(route, Mount) and isinstance(route.app, StaticFiles)):
            raise NoRule(f"{route} is no page with a rule; add its routes to app.router.routes themselves.")
    return found


def require_rules(app: FastAPI) -> None:
    """Raise NoRule when a route has no rule: what nobody thought about is closed."""
    for path, route in routes_of(app):
        if rule_of(route) is None:
            raise NoRule(f"{sorted(route.methods or ())} {path} does not say who may enter.")


def roles_by_path(app: FastAPI) -> dict[str, frozenset[Role]]:
    """Return whom the rules of the staff's pages let in, so that a link to a page asks the page's own rule."""
    pages = [(path, rule_of(route)) for path, route in routes_of(app) if "GET" in (route.methods or ())]
    return {path: rule.roles for path, rule in pages if rule is not None and rule.roles}
