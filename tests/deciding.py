"""Decisions that wait: findings that coordinators have brought before their managers."""

from __future__ import annotations

from datetime import date

from cases import commands
from members.commands import set_absence
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.core.monitoring_story import FORMS


def staff_id(cast: Cast, name: str) -> int:
    return int(cast.actor(name).person.removeprefix("staff:"))


def a_finding(cast: Cast, subject: str = "Acme Gins", team: str = "North", severity: str = "major") -> str:
    """A monitoring case in triage, of a coordinator of the team."""
    [member] = cast.members(subject, team=team)
    ref = cast.scalar("SELECT ref FROM members WHERE id = :id", id=member)
    payload = {"criterion": "communication", "severity": severity, "source": "annual report",
               "source_date": "2026-02-20", "evidence": "screenshots"}  # fmt: skip
    who = cast.actor("Amara" if team == "North" else "Bo")
    found = commands.open_one(cast.env, "monitoring", member=ref, subject=f"Claims of {subject}", payload=payload,
                              actor=who)  # fmt: skip
    commands.fire(cast.env, found.after.ref, "start_triage", actor=who)
    return found.after.ref


def do(cast: Cast, ref: str, trigger: str, who: str, **more: object) -> None:
    commands.fire(cast.env, ref, trigger, payload={**FORMS.get(trigger, {}), **more}, actor=cast.actor(who))


def recommended(cast: Cast, subject: str = "Acme Gins", team: str = "North") -> str:
    """A finding that its coordinator has assessed and brought before the manager."""
    ref, who = a_finding(cast, subject, team), "Amara" if team == "North" else "Bo"
    do(cast, ref, "accept", who)
    do(cast, ref, "waive_reply", "Mina")
    do(cast, ref, "submit_assessment", who)
    return ref


def away(cast: Cast, who: str, deputy: str) -> None:
    set_absence(cast.env.engine, f"{who}@muster.example", date(2026, 3, 2), date(2026, 3, 6), reason="holiday",
                deputy=f"{deputy}@muster.example", actor=SYSTEM, now=MONDAY)  # fmt: skip
