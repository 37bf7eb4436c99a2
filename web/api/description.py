"""The OpenAPI description: what FastAPI finds out by itself, with scopes, problems and headers added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from state_machines.registry import processes
from web.accounts.tokens import SCOPES
from web.api import member_models, messages
from web.api.examples import example_of
from web.api.problem_kinds import KINDS

TITLE = "Muster"
ABOUT = """\
The cases, members, campaigns and messages of a Muster installation, for programs. A token acts as the member of staff
it was made for: it sees what they see, may do what they may do, and only within its scopes. Instants are RFC 3339 in
UTC, days are ISO 8601. Every error is a problem detail (RFC 9457) whose `type` is stable. Lists are turned page by page
with `next`, never by number. A POST or PATCH with an `Idempotency-Key` is done once, however often it is sent.
"""
TAGS = {
    "Cases": "What the organisation works on: each case is in a state, has an owner and a clock.",
    "Evidence": "Files that support a case.",
    "Campaigns": "Surveys of many members at once; each answer is a case of its own.",
    "Members": "The register, its contacts, and changes that somebody proposes.",
    "Messages": "Mail: sent, waiting, and not sent and why.",
    "Following": "What happened since you asked last.",
    "Processes": "Which kinds of case there are, and what their forms ask for.",
}


CHOICES: Mapping[str, Sequence[str]] = {
    "ProcessName": list(processes()), "MemberKind": get_args(member_models.Kind),
    "MemberStatus": get_args(member_models.Status), "ContactRole": get_args(member_models.ContactRole),
    "ContactStatus": get_args(member_models.ContactStatus), "MessageState": get_args(messages.Fate),
}  # fmt: skip
"""What is chosen from in several places, and what those choices are called."""


class ProblemBody(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(title="Problem", extra="allow")
    type: str = Field(description="Which kind of problem; stable.", examples=["/problems/not-found"])
    title: str = Field(description="The kind in words; the same for each problem of the kind.", examples=["Not found"])
    status: int = Field(description="The status of the answer.", examples=[404])
    detail: str = Field(description="A sentence for the person who asked.", examples=["There is no such case."])
    errors: dict[str, list[str]] = Field(
        default={}, description="What is wrong with each field of the request.",
        examples=[{"payload.reason": ["is required"]}],
    )  # fmt: skip


_ERROR_HEADERS = {
    "token-refused": {"WWW-Authenticate": "How to sign in: with a bearer token."},
    "unavailable": {"Retry-After": "After how many seconds to try again."},
}


def described(routes: Sequence[APIRoute]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of these routes."""
    found = get_openapi(
        title=TITLE, version="1", description=ABOUT, routes=routes, servers=[{"url": "/api/v1"}],
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )  # fmt: skip
    schemas = found["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = ProblemBody.model_json_schema()
    found["components"]["securitySchemes"] = {"token": _token()}
    for method, operation in operations(found):
        _complete(method, operation)
        _add_examples(operation, schemas)
    _name_choices(found, {tuple(choices): name for name, choices in CHOICES.items()})
    schemas |= {name: {"type": "string", "enum": list(choices), "title": name} for name, choices in CHOICES.items()}
    return found


def _name_choices(told: Any, names: Mapping[tuple[str, ...], str]) -> None:
    """Let each place that offers the same choices refer to them by name: a generated client has one type for them."""
    if isinstance(told, list):
        for each in told:
            _name_choices(each, names)
    elif isinstance(told, dict):
        enum = told.get("enum")
        if isinstance(enum, list) and (name := names.get(tuple(enum))):
            for word in ("enum", "type", "title"):
                told.pop(word, None)
            told["$ref"] = f"#/components/schemas/{name}"
        for each in told.values():
            _name_choices(each, names)


def operations(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the method of each operation, and the operation."""
    for item in description["paths"].values():
        for method, operation in item.items():
            if method in ("get", "post", "patch", "put", "delete"):
                yield method, operation


def _token() -> dict[str, Any]:
    scopes = "\n".join(f"* `{name}`: {text}" for name, text in SCOPES.items())
    return {
        "type": "http", "scheme": "bearer", "bearerFormat": "mst_…", "x-scopes": dict(SCOPES),
        "description": f"An API token, made under *Administration, API keys*. What each scope is for:\n\n{scopes}",
    }  # fmt: skip


def _complete(method: str, operation: dict[str, Any]) -> None:
    """Add what FastAPI does not know: scope, problems, headers."""
    operation["security"] = [{"token": [operation["x-scope"]]}]
    for parameter in operation.get("parameters", ()):
        _without_null(parameter)
    responses = operation["responses"]
    responses.pop("422", None)
    done = next(status for status in responses if status.startswith("2"))
    headers = responses[done].setdefault("headers", {})
    if told := operation.pop("x-location", None):
        headers["Location"] = _header(told, required=True)
    if method != "get":
        replayed = "Present, and `true`, when this is the answer that was given before."
        headers["Idempotency-Replayed"] = _header(replayed, enum=["true"])
    if any(each["name"] == "cursor" for each in operation.get("parameters", ())):
        headers["Link"] = _header('The next page, as `<address>; rel="next"`; absent on the last.')
    if operation.pop("x-versioned", False):
        headers["ETag"] = _header("Of which version this is; for If-Match and If-None-Match.", required=True)
        responses["304"] = {"description": "It is still what you have.", "headers": {"ETag": headers["ETag"]}}
    for mark in ("x-form", "x-file"):
        operation.pop(mark, None)
    for slug in operation.pop("x-problems"):
        _add_problem(responses, slug)
    operation["responses"] = dict(sorted(responses.items()))


def _without_null(parameter: dict[str, Any]) -> None:
    """A parameter may be left out, but nobody can send null in an address or a header."""
    schema = parameter["schema"]
    told = [each for each in schema.pop("anyOf", ()) if each.get("type") != "null"]
    parameter["schema"] = {**told[0], **schema} if told else schema


def _add_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Show what is sent and what is answered, whole."""
    done = next(told for status, told in operation["responses"].items() if status.startswith("2"))
    for content in (operation.get("requestBody", {}).get("content", {}), done.get("content", {})):
        if told := content.get("application/json"):
            told["examples"] = {"example": {"value": example_of(told["schema"], schemas)}}


def _add_problem(responses: dict[str, Any], slug: str) -> None:
    """Add a kind of problem to the answers; several may share a status."""
    kind = KINDS[slug]
    found = responses.setdefault(str(kind.status), {"description": "", "content": {"application/problem+json": {
        "schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}}})  # fmt: skip
    found["description"] = f"{found['description']} {kind.title}.".strip()
    found["content"]["application/problem+json"]["examples"][slug] = {
        "summary": kind.title,
        "value": {"type": kind.uri, "title": kind.title, "status": kind.status, "detail": kind.text},
    }
    for name, text in _ERROR_HEADERS.get(slug, {}).items():
        found.setdefault("headers", {})[name] = _header(text, required=True)


def _header(text: str, *, required: bool = False, **schema: Any) -> dict[str, Any]:
    return {"description": text, "required": required, "schema": {"type": "string", **schema}}
