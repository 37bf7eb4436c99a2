"""The API as an application of its own, mounted at /api/v1: its own errors, its own description."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Mount

from cases.environment import Environment
from web.access import PUBLIC
from web.api import campaigns, cases, evidence, following, members, messages, moving, processes, proposals
from web.api.description import described
from web.api.methods import HeadAndOptions, allowed
from web.api.problems import TOLD, answer_to, log, problem_of

AT = "/api/v1"
ROOMS = (cases, moving, evidence, campaigns, members, proposals, messages, following, processes)


class ApiMount(Mount):
    """Where the API is: everything below AT, also addresses with a line break, which a mount would leave to others."""

    def __init__(self, env: Environment) -> None:
        super().__init__(AT, app=make_api(env), name="api")
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


def make_api(env: Environment) -> FastAPI:
    """Return the API of an installation."""
    api = FastAPI(title="Muster", version="1", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    api.state.env, api.state.noted = env, {}
    for room in ROOMS:
        api.router.routes += room.api.routes
    api.add_api_route(
        "/openapi.json", openapi_json, dependencies=[Depends(PUBLIC)], include_in_schema=False, response_model=None
    )
    for kind in (RequestValidationError, HTTPException, *TOLD):
        api.add_exception_handler(kind, answer_to)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(Exception, _broken)
    api.add_middleware(HeadAndOptions, api=api)
    return api


async def openapi_json() -> JSONResponse:
    """Return the description of the API, OpenAPI 3.1."""
    return JSONResponse(description())


@cache
def description() -> dict[str, Any]:
    """Return the description of the API, OpenAPI 3.1; it is the same for every installation."""
    return described([route for room in ROOMS for route in room.api.routes])


async def _http(request: Request, error: Any) -> JSONResponse:
    """Return the answer to what no route takes; a path that is there says which methods it has."""
    found = problem_of(error)
    if error.status_code == 405:
        found.headers = {"Allow": ", ".join(allowed(request.app, request.scope))}
    return found.answer()


async def _broken(request: Request, error: Exception) -> JSONResponse:
    """Return the answer to a mistake of ours, which is in the log with its traceback."""
    log.error("an answer of the API failed", exc_info=error)
    return problem_of(error).answer()
