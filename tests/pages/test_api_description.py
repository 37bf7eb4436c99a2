"""The OpenAPI description tells all there is to know, its examples hold, and the reference in docs is made from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator, FormatChecker

from tests.cast import Cast
from tests.pages.api_caller import AT, caller
from tests.pages.inspector import Client
from web.accounts.tokens import SCOPES
from web.api.app import description
from web.api.problem_kinds import KINDS
from web.api.reference import page

DOCUMENT = description()
DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method.upper()} {path}")
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Return a check of a schema that may refer to the components of the document."""
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]}, format_checker=FormatChecker())


def test_the_document_is_openapi_31_and_open_to_everybody(app: FastAPI, cast: Cast) -> None:
    answer = TestClient(app).get(f"{AT}/openapi.json")
    assert answer.json() == DOCUMENT
    assert DOCUMENT["openapi"].startswith("3.1")
    assert caller(app, cast, "Mina").get("/docs").status_code == 404


@pytest.mark.parametrize("path, method, operation", OPERATIONS)
def test_each_operation_says_what_it_does_and_which_scope_it_needs(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert operation["description"].endswith(".")
    assert operation["operationId"]
    [requirement] = operation["security"]
    assert set(requirement["token"]) < set(SCOPES)
    assert operation["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}


def test_each_scope_is_described_where_the_token_is() -> None:
    told = DOCUMENT["components"]["securitySchemes"]["token"]
    assert told["x-scopes"] == SCOPES
    assert all(f"`{name}`: {text}" in told["description"] for name, text in SCOPES.items())


@pytest.mark.parametrize("path, method, operation", OPERATIONS)
def test_each_parameter_is_described_and_its_examples_hold(path: str, method: str, operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        assert parameter.get("description"), parameter["name"]
        for example in parameter["schema"].get("examples", ()):
            validator(parameter["schema"]).validate(example)
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    assert set(re.findall(r"{(\w+)}", path)) <= names
    assert ("Idempotency-Key" in names) == (method != "get")


@pytest.mark.parametrize("path, method, operation", OPERATIONS)
def test_each_operation_tells_its_problems_with_an_example_that_holds(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    problems = {status: told for status, told in operation["responses"].items() if status >= "400"}
    assert {"401", "403", "422"} <= problems.keys()
    assert ("404" in problems) or "{" not in path
    for status, told in problems.items():
        content = told["content"]["application/problem+json"]
        assert content["examples"]
        for slug, example in content["examples"].items():
            validator(content["schema"]).validate(example["value"])
            assert (str(KINDS[slug].status), example["value"]["type"]) == (status, KINDS[slug].uri)


def test_every_field_of_every_body_is_described_and_its_examples_hold() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for field, told in schema.get("properties", {}).items():
            assert told.get("description"), f"{name}.{field}"
            for example in told.get("examples", ()):
                validator(told).validate(example)


def test_a_body_in_which_what_is_left_out_stays_has_no_defaults_that_a_generated_client_would_send() -> None:
    for name in ("MemberChanges", "ContactChanges", "NewProposal"):
        schema = DOCUMENT["components"]["schemas"][name]
        assert not [field for field, told in schema["properties"].items() if "default" in told], name
        assert "required" not in schema


def test_every_default_is_one_that_may_be_sent() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for field, told in schema.get("properties", {}).items():
            if "default" in told:
                assert validator(told).is_valid(told["default"]), f"{name}.{field}"


def test_the_same_choices_have_one_name_wherever_they_are_offered() -> None:
    spelled = [tuple(told["enum"]) for told in _schemas(DOCUMENT) if len(told.get("enum", ())) > 2]
    assert len(spelled) == len(set(spelled))


def _schemas(told: Any) -> Iterator[dict[str, Any]]:
    for each in told.values() if isinstance(told, dict) else told if isinstance(told, list) else ():
        yield from _schemas(each)
    if isinstance(told, dict):
        yield told


@pytest.mark.parametrize("path, method, operation", OPERATIONS)
def test_what_is_sent_and_what_is_answered_has_a_whole_example_that_holds(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    done = next(told for status, told in operation["responses"].items() if status < "300")
    contents = [operation.get("requestBody", {}).get("content", {}), done.get("content", {})]
    assert [kind for content in contents for kind in content], operation["summary"]
    for content in contents:
        if told := content.get("application/json"):
            for example in told["examples"].values():
                validator(told["schema"]).validate(example["value"])


def test_the_reference_in_docs_is_the_one_the_description_gives() -> None:
    assert DOCS.is_file(), "docs/api.md is missing; run: make docs"
    assert DOCS.read_text(encoding="utf-8") == page(DOCUMENT), "docs/api.md is stale; run: make docs"


def test_the_type_of_each_problem_leads_to_a_page_that_explains_it(visitor: Client) -> None:
    everything = visitor.get("/problems")
    for kind in KINDS.values():
        assert kind.text in visitor.get(kind.uri).text
        assert everything.one(f'a[href="{kind.uri}"]')
    assert visitor.get("/problems/none", status=404)
