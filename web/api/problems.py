"""What goes wrong, as RFC 9457 problem details: one sentence for people, a stable type for programs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from cases.environment import NotInitialised
from cases.errors import CaseBusy, CaseChanged, CaseError, TransitionRefused
from members.errors import Changed, MembersError
from state_machines.registry import UnknownProcess
from web.access import TokenRefused
from web.api.problem_kinds import KINDS, Kind, kind_of_status

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
INTERNAL = "Something went wrong inside Muster. It is written down; please tell whoever looks after the server."
IN_THE_WAY = "Somebody else is at work on the same at this very moment; please try again."
SAME = "Somebody else has just added or changed the same; look again, then try again."
_IN_THE_WAY = ("55P03", "40P01")
"""Waited for a lock in vain; deadlock."""
UNAVAILABLE = "Muster cannot reach its database at the moment; please try again."


@dataclass(eq=False)  # not frozen: Python notes the traceback on an exception
class Problem(Exception):
    """Something is wrong with a request, or with what it asks for."""

    kind: Kind
    detail: str
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What is wrong with each field of the request."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further members of the problem, such as what was changed."""
    headers: Mapping[str, str] = field(default_factory=dict)

    def answer(self) -> JSONResponse:
        """Return the problem as an answer."""
        body: dict[str, Any] = {
            "type": self.kind.uri, "title": self.kind.title, "status": self.kind.status, "detail": self.detail,
        }  # fmt: skip
        if self.errors:
            body["errors"] = {name: list(found) for name, found in self.errors.items()}
        return JSONResponse(body | dict(self.more), self.kind.status, dict(self.headers), MEDIA_TYPE)


def problem(slug: str, detail: str, **more: Any) -> Problem:
    """Return a problem of a known kind."""
    return Problem(KINDS[slug], detail, **more)


def invalid(name: str, sentence: str) -> Problem:
    """Return the problem that one field of the request cannot be used."""
    return problem("invalid", f"{name}: {sentence}", errors={name: [sentence]})


def problem_of(error: Exception) -> Problem:
    """Return what an error is to the one who asked."""
    told = next((told for kinds, told in _TOLD if isinstance(error, kinds)), None)
    return told(error) if told is not None else problem("internal", INTERNAL)


def _of_validation(error: Any) -> Problem:
    found: dict[str, list[str]] = {}
    for each in error.errors():
        if each["type"] == "json_invalid":
            why = (each.get("ctx") or {}).get("error", "it cannot be read")
            return problem("malformed", f"The body is not valid JSON: {why}.")
        name = ".".join(str(part) for part in each["loc"][1:]) or str(each["loc"][0])
        found.setdefault(name, []).append(_sentence(each))
    text = "; ".join(f"{name}: {' '.join(sentences)}" for name, sentences in found.items())
    return problem("invalid", f"Please mend {text}.", errors=found)


def _sentence(error: Mapping[str, Any]) -> str:
    known = {"missing": "is required", "extra_forbidden": "is not known here"}
    return known.get(error["type"], str(error["msg"]).removeprefix("Value error, "))


def _of_http(error: Any) -> Problem:
    kind = kind_of_status(error.status_code)
    return Problem(kind, kind.text if error.detail in _BARE else str(error.detail), headers=error.headers or {})


_BARE = frozenset({"Not Found", "Method Not Allowed", "There was an error parsing the body"})
"""What the framework says by itself; our own sentence is better."""


def _of_refusal(error: Any) -> Problem:
    refused = error.refused
    if refused.errors:
        return problem("invalid", str(error), errors={f"payload.{n}": found for n, found in refused.errors.items()})
    kind = "not-allowed" if refused.rule == "role" else "refused"
    return problem(kind, str(error), more={"rule": refused.rule})


def _of_shell(error: Any) -> Problem:
    return Problem(kind_of_status(error.status), str(error))


def _of_token(error: Any) -> Problem:
    return problem("token-refused", str(error), headers={"WWW-Authenticate": 'Bearer realm="Muster"'})


def _of_database(error: Any) -> Problem:
    """What the database could not do: others were in the way, or it does not answer."""
    if getattr(getattr(error, "orig", error), "sqlstate", None) in _IN_THE_WAY:
        return problem("busy", IN_THE_WAY, headers={"Retry-After": "1"})
    log.warning("The database could not be asked: %s", type(error).__name__)
    return problem("unavailable", UNAVAILABLE, headers={"Retry-After": "5"})


_TOLD: Sequence[tuple[Any, Callable[[Any], Problem]]] = (
    (Problem, lambda error: error),
    (RequestValidationError, _of_validation),
    (HTTPException, _of_http),
    (TokenRefused, _of_token),
    (TransitionRefused, _of_refusal),
    (CaseBusy, lambda error: problem("busy", str(error), headers={"Retry-After": "1"})),
    ((CaseChanged, Changed), lambda error: problem("changed", str(error))),
    (NotInitialised, lambda error: problem("unavailable", str(error), headers={"Retry-After": "60"})),
    ((CaseError, MembersError), _of_shell),
    (UnknownProcess, lambda error: invalid("process", str(error))),
    ((OperationalError, NoConnectionLeft, psycopg.OperationalError), _of_database),
    ((IntegrityError, psycopg.IntegrityError), lambda error: problem("busy", SAME, headers={"Retry-After": "1"})),
)


TOLD: tuple[type[Exception], ...] = tuple(
    kind for kinds, _ in _TOLD for kind in (kinds if isinstance(kinds, tuple) else (kinds,))
)
"""The errors that are told to who asked; every other is a mistake of ours."""


def written(at: datetime) -> str:
    """Return an instant in UTC as the API writes instants."""
    return at.isoformat().replace("+00:00", "Z")


async def answer_to(request: Request, error: Exception) -> JSONResponse:
    """Return the answer to a request that ended in an error."""
    return problem_of(error).answer()
