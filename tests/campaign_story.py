"""A survey campaign among members of two teams, told through the commands that people use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cases import campaigns, commands
from cases.answers import sample_for, submit
from cases.delivering import deliver
from cases.demo import KeepingTransport
from cases.errors import TransitionRefused
from cases.sweep import sweep_due
from tests.cast import Cast

LAUNCH, DEADLINE = date(2026, 3, 9), date(2026, 4, 20)
NORTH = (
    "Åkerlund Öster AB", "Brûlé & Fils", "Çelik Tekstil", "Dvořák Mills", "Ērgļi Wool", "Føroyar Ltd", "Gdańsk Linen",
    "Hød Trading", "Íslensk Ull", "Jõgeva Co-op", "Kraków Yarns", "Łódź Cotton", "Málaga Hilados", "Núñez e Hijos",
)  # fmt: skip
SOUTH = ("Nguyễn Cotton", "Ødegård Sør", "Peña Algodón", "Québec Laine", "Řehoř Bavlna", "São Paulo Fios", "Țesături")
PLAN = {
    "kind": "survey", "title": "Member pulse 2026", "questionnaire": "pulse", "launch": LAUNCH.isoformat(),
    "deadline": DEADLINE.isoformat(), "population": {"status": ["active"]}, "ladder": "standard",
}  # fmt: skip


@dataclass
class Story:
    """A campaign and what happens in it."""

    cast: Cast
    ref: str = ""

    def at(self, day: date | str, hour: int = 9, *, deliver_mail: bool = True) -> None:
        """Move to a day; the sweep and the delivery of that hour run."""
        day = day if isinstance(day, str) else day.isoformat()
        self.cast.go_to(datetime.fromisoformat(f"{day}T{hour:02}:00:00").replace(tzinfo=self.cast.env.calendar.zone))
        sweep_due(self.cast.env)
        if deliver_mail:
            deliver(self.cast.env, transport=KeepingTransport({}))

    def days(self, first: date, last: date) -> None:
        """Live through days, morning and evening."""
        while first <= last:
            self.at(first, 9)
            self.at(first, 17)
            first += timedelta(days=1)

    def fire(self, ref: str, trigger: str, who: str, **payload: Any) -> str:
        """Do something as one of the staff; return the new state."""
        done = commands.fire(self.cast.env, ref, trigger, payload=payload, actor=self.cast.actor(who))
        return done.after.state

    def response(self, member: str) -> str:
        """The reference of a member's response."""
        return str(self.cast.scalar(
            "SELECT c.ref FROM cases c JOIN members m ON m.id = c.member_id JOIN cases p ON p.id = c.parent_id "
            "WHERE m.name = :name AND p.ref = :ref", name=member, ref=self.ref,
        ))  # fmt: skip

    def answers(self, member: str, *, seed: int = 0, **changed: Any) -> str:
        """Have a member submit answers; return the reference of the response."""
        ref = self.response(member)
        raw = sample_for(self.cast.env, ref, seed=seed)
        raw = {**raw, "answers": {**raw["answers"], **changed}}
        submit(self.cast.env, ref, raw)
        return ref

    def complete(self, member: str) -> None:
        """Review what a member has submitted until it is complete."""
        ref = self.response(member)
        flags = self.cast.scalar("SELECT data -> 'open_flags' FROM cases WHERE ref = :ref", ref=ref) or []
        settled = [{"flag": flag["id"], "reason": "Looked at"} for flag in flags]
        try:
            self.fire(ref, "complete", "Mina", dismissed=settled)
        except TransitionRefused:
            self.fire(ref, "second_check", "Max", agreed=True)
            self.fire(ref, "complete", "Mina", dismissed=settled)


def planned(cast: Cast, by: str = "Mina", **changed: Any) -> Story:
    """Return a story whose campaign is planned among both teams' members."""
    if not cast.scalar("SELECT count(*) FROM members"):
        cast.members(*NORTH, tier="General")
        cast.members(*SOUTH, team="South", tier="Associate")
    plan: Mapping[str, Any] = {**PLAN, **changed}
    done = campaigns.plan_campaign(cast.env, plan, actor=cast.actor(by))
    return Story(cast, done.after.ref)


def launched(cast: Cast, **changed: Any) -> Story:
    """Return a story whose campaign is live, its invitations delivered."""
    story = planned(cast, **changed)
    story.fire(story.ref, "approve_plan", "Max", data_protection_checked=True)
    story.fire(story.ref, "skip_pilot", "Max", reason="Asked before")
    story.at(changed.get("launch", LAUNCH))
    return story
