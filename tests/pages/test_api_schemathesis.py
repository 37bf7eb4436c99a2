"""Whatever is sent, the API answers as it says it answers: never 500, never a status, header or body not described.

Each operation is tried on a sandbox with cases, members, a live campaign, mail and proposals, as a manager. Half of the
addresses name something that is there. MUSTER_API_EXAMPLES=500 looks for longer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from cases import commands, evidence
from config.database import Engine, make_engine
from members import proposals
from tests.campaign_story import launched
from tests.cast import Cast, cast_of
from tests.conftest import fresh_database
from tests.pages.api_caller import a_complaint, token_of
from web.api.app import description
from web.app import create_app

EXAMPLES = int(os.environ.get("MUSTER_API_EXAMPLES", "6"))
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance, unsupported_method, allow_header_conformance, missing_required_header,
]  # fmt: skip
CONFIG = SchemathesisConfig.from_dict({
    "generation": {"mode": "all", "max-examples": EXAMPLES, "deterministic": os.environ.get("MUSTER_CI") == "1"},
})  # fmt: skip

schema = schemathesis.openapi.from_dict(description(), config=CONFIG)


@dataclass(frozen=True)
class Sandbox:
    """An application on a database of its own, a token, and what there is by the names in addresses."""

    app: FastAPI
    token: str
    there: Mapping[str, str]


@pytest.fixture(scope="module")
def sandbox(database_admin: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that all operations share: what one breaks, the next must bear."""
    with fresh_database(database_admin) as url:
        engine = make_engine(url)
        yield _seeded(cast_of(engine, tmp_path_factory.mktemp("home")))
        engine.dispose()


def _seeded(cast: Cast) -> Sandbox:
    story = launched(cast)
    case = a_complaint(cast)
    commands.note(cast.env, case, "Called, no answer", actor=cast.actor("Amara"))
    file = evidence.add(cast.env, case, "note.txt", b"what was said", actor=cast.actor("Amara"))
    member = cast.rows("SELECT id, ref FROM members ORDER BY id LIMIT 1")[0]
    number = proposals.propose(
        cast.env.engine, member.id, {"website": "https://new.example"}, proposed_by=f"member:{member.id}",
        source="tests", now=cast.env_now,
    )  # fmt: skip
    there = {
        "cases": case, "members": member.ref, "campaigns": story.ref, "trigger": "acknowledge", "sha256": file.sha256,
        "name": "complaint", "messages": str(cast.scalar("SELECT max(id) FROM messages")), "proposals": str(number),
        "contacts": str(cast.scalar("SELECT min(id) FROM contacts WHERE member_id = :id", id=member.id)),
    }  # fmt: skip
    return Sandbox(create_app(cast.env), token_of(cast, "Mina"), there)


def _at_home(case: Any, there: Mapping[str, str]) -> bool:
    """Let every second request be about something that is there, and return whether this one is."""
    drawn = f"{case.path_parameters} {case.query} {case.body!r}"
    if not case.path_parameters or crc32(drawn.encode("utf-8", "replace")) % 2:
        return False
    parts = case.operation.path.strip("/").split("/")
    for place, part in enumerate(parts):
        if part.startswith("{"):
            known = there.get(part.strip("{}")) or there[parts[place - 1]]
            case.path_parameters[part.strip("{}")] = known
    return True


def _keyless(case: Any) -> bool:
    """Whether what is wrong with the headers of a request is that it came without a token, which it is given below."""
    headers = case.meta.components.get(ParameterLocation.HEADER) if case.meta else None
    wrong = headers is not None and headers.mode is GenerationMode.NEGATIVE
    return wrong and not any(name.lower() == "authorization" for name in case.headers or ())


@schema.parametrize()
@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=EXAMPLES)
def test_every_operation_answers_as_it_is_described(case: schemathesis.Case, sandbox: Sandbox) -> None:
    keyless = _keyless(case)
    at_home = _at_home(case, sandbox.there)
    # With an address that is there, and with the token, what was wrong with a request may be right now.
    checks = CHECKS if at_home or keyless else [*CHECKS, negative_data_rejection]
    case.call_and_validate(app=sandbox.app, headers={"authorization": f"Bearer {sandbox.token}"}, checks=checks)
