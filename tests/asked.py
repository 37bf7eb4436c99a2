"""Members who have a personal link: one asked for a survey, one who complains, one who leaves."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from cases import campaigns, commands
from cases.own.links import token_of
from cases.sweep import sweep_due
from notifications import links
from state_machines.values import Actor, Role
from tests.cast import Cast

PLAN = """
kind: survey
title: Member pulse 2026
questionnaire: {questionnaire}
launch: 2026-03-02
deadline: 2026-04-17
population: {{status: active}}
ladder: standard
"""


def asked_survey(cast: Cast, tmp_path: Path, questionnaire: str = "pulse", member: str = "Chandra Mills") -> str:
    """Launch a campaign among one member and return the token of its personal link."""
    cast.members(member)
    cast.go_to(datetime(2026, 2, 20, 9, tzinfo=cast.env.calendar.zone))
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.format(questionnaire=questionnaire))
    ref = campaigns.plan(cast.env, path, actor=cast.actor("Amara")).after.ref
    fire(cast, ref, "approve_plan", "Mina", data_protection_checked=True)
    fire(cast, ref, "skip_pilot", "Mina", reason="The questions are those of last year")
    cast.go_to(datetime(2026, 3, 2, 10, tzinfo=cast.env.calendar.zone))
    sweep_due(cast.env)
    return token_of(cast.env, links.MEMBER, response(cast))


def response(cast: Cast) -> int:
    """Return the id of the one survey response."""
    return int(cast.scalar("SELECT id FROM cases WHERE process = 'survey_response'"))


def fire(cast: Cast, ref: str, trigger: str, who: str, **payload: object) -> str:
    """Do something as one of the staff and return the new state."""
    return commands.fire(cast.env, ref, trigger, payload=payload, actor=cast.actor(who)).after.state


def ref_of(cast: Cast, case_id: int) -> str:
    """Return the reference of a case."""
    return str(cast.scalar("SELECT ref FROM cases WHERE id = :id", id=case_id))


def complained(cast: Cast, email: str = "jo@example.org", **payload: object) -> tuple[str, str]:
    """Log a complaint of Jo Doe; return its reference and the token of their personal link."""
    given = {"description": "The doors were closed.", "complainant_name": "Jo Doe", "complainant_email": email}
    actor = Actor("party:complainant", "The complainant", frozenset({Role.COMPLAINANT}))
    case = commands.open_one(
        cast.env, "complaint", member=None, subject="Opening hours", payload={**given, **payload}, actor=actor
    ).after
    return case.ref, token_of(cast.env, links.party("complainant"), case.id)


def leaver(cast: Cast, name: str = "Chandra Rao", joined: str = "2024-01-10") -> int:
    """Add a person who has been a member for long, and return their id."""
    [number] = cast.members(name, kind="person", joined_on=date.fromisoformat(joined))
    return number
