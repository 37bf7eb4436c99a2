"""A program that calls the API as somebody of the cast."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.testclient import TestClient

from cases import commands
from config import clock
from config.database import transaction
from tests.cast import Cast
from web.accounts import tokens

AT = "/api/v1"


def token_of(cast: Cast, name: str, scopes: Sequence[str] = ()) -> str:
    """Return a new token of somebody, with all scopes unless some are named."""
    staff_id = int(cast.actor(name).person.removeprefix("staff:"))
    with transaction(cast.env.engine) as conn:
        return tokens.make(
            conn, "tests", scopes or list(tokens.SCOPES), staff_id=staff_id, made_by=staff_id, now=clock.utc_now()
        )


def caller(app: FastAPI, cast: Cast, name: str, scopes: Sequence[str] = ()) -> TestClient:
    """Return a program with a token of somebody; what breaks inside is an answer, as it is for a program."""
    headers = {"authorization": f"Bearer {token_of(cast, name, scopes)}"}
    return TestClient(app, base_url=f"http://testserver{AT}", headers=headers, raise_server_exceptions=False)


def a_complaint(cast: Cast, team: str = "North", subject: str = "Cold pool", **payload: object) -> str:
    """Open a complaint about a new member and return its reference."""
    [member] = cast.members(f"{subject} {team} Ltd", team=team)
    ref = cast.scalar("SELECT ref FROM members WHERE id = :id", id=member)
    actor = cast.actor("Amara" if team == "North" else "Bo")
    wanted = {"category": "service", **payload}
    return commands.open_one(cast.env, "complaint", member=ref, subject=subject, payload=wanted, actor=actor).after.ref
