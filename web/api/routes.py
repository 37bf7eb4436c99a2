"""A router whose every route names the scope its token needs; and what each request passes before its handler runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from inspect import cleandoc
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from config import clock
from config.database import transaction
from web.access import Rule
from web.accounts import tokens
from web.api import once
from web.api.requests import LARGEST_FORM, StrictRequest, require_acceptable, require_media_type
from web.routing import rule_of

_NOTED_EVERY = timedelta(minutes=1)
Handler = TypeVar("Handler", bound=Callable[..., Any])
READ_PROBLEMS = ("token-refused", "not-allowed", "not-acceptable", "invalid", "unavailable")
WRITE_PROBLEMS = (
    *READ_PROBLEMS, "malformed", "refused", "busy", "key-in-use", "answer-lost", "too-large", "unsupported-media-type",
    "key-reused",
)  # fmt: skip


def _linked(request: Request, found: Response) -> Response:
    """Return an answer with the way to the next page in its headers."""
    if link := getattr(request.state, "link", None):
        found.headers["link"] = link
    return found


@dataclass(frozen=True)
class TokenRule(Rule):
    """Which token may enter. It is asked before the body is read, and not a second time by FastAPI."""

    async def __call__(self, request: Request) -> None:
        """Let a request in, once. Raises TokenRefused or NotAllowed."""
        if not hasattr(request.state, "bearer"):
            await super().__call__(request)
            await run_in_threadpool(_note_use, request)


def _note_use(request: Request) -> None:
    """Write down that a key was used, where this process has not just done so."""
    now, noted, number = clock.utc_now(), request.app.state.noted, request.state.bearer.id
    if number not in noted or now - noted[number] > _NOTED_EVERY:
        noted[number] = now
        with transaction(request.app.state.env.engine) as conn:
            tokens.note_use(conn, number, now=now)


class ApiRoute(APIRoute):
    """A route of the API: first the token, then what may be sent and wanted, then whether it was done before."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        inner, rule = super().get_route_handler(), rule_of(self)
        form = bool((self.openapi_extra or {}).get("x-form"))

        async def handler(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if rule is not None:
                await rule(strict)
            require_acceptable(strict, anything="x-file" in (self.openapi_extra or {}))
            if request.method == "GET":
                return _linked(strict, await inner(strict))
            strict.largest = LARGEST_FORM if form else strict.largest
            require_media_type(strict, form=form)
            if once.HEADER in strict.headers:
                return await once.answer(strict, inner, request.app.state.env.engine)
            return await inner(strict)

        return handler


class Endpoints(APIRouter):
    """Routes of one kind of resource. A handler's docstring is what the description says: a summary, and more below."""

    def __init__(self, tag: str) -> None:
        super().__init__(route_class=ApiRoute, tags=[tag], redirect_slashes=False)

    def read(
        self, path: str, scope: str, *, problems: Collection[str] = (),
        responses: Mapping[int | str, Any] | None = None, **more: Any,
    ) -> Callable[[Handler], Handler]:  # fmt: skip
        """Show something. ``problems``: kinds beside those of every reading route."""
        return self._route("GET", path, scope, {*READ_PROBLEMS, *problems}, responses, more)

    def write(
        self, path: str, scope: str, *, method: str = "POST", problems: Collection[str] = (),
        responses: Mapping[int | str, Any] | None = None, **more: Any,
    ) -> Callable[[Handler], Handler]:  # fmt: skip
        """Do something, once for each Idempotency-Key. ``problems``: kinds beside those of every writing route."""
        return self._route(method, path, scope, {*WRITE_PROBLEMS, *problems}, responses, more)

    def _route(
        self, method: str, path: str, scope: str, problems: Collection[str],
        responses: Mapping[int | str, Any] | None, more: dict[str, Any],
    ) -> Callable[[Handler], Handler]:  # fmt: skip
        marks = {"x-scope": scope, "x-problems": sorted(problems), **more.pop("marks", {})}

        def added(handler: Handler) -> Handler:
            summary, _, help = cleandoc(handler.__doc__ or "").partition("\n\n")
            summary = summary.rstrip(".")
            self.add_api_route(
                path, handler, methods=[method], dependencies=[Depends(TokenRule(f"tokens with {scope}", scope=scope))],
                summary=summary, description=" ".join(help.split()) or f"{summary}.", operation_id=handler.__name__,
                responses=dict(responses or {}), openapi_extra=marks, **more,
            )  # fmt: skip
            return handler

        return added
