"""The whole organisation under fire: people of the cast pull random triggers, write notes, hand cases over, while time
passes, the sweep comes by and mail goes out. After every step the database is asked for every promise.

What one process does with one case is asked without a database in ``tests/core/test_processes_under_fire.py``; here it
is many cases that open, close and move each other, and what is written of them.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cases import audit, campaigns, commands, promises
from cases import facts as case_facts
from cases.delivering import deliver
from cases.environment import world
from cases.errors import CaseError, TransitionRefused
from cases.rows import case_of
from cases.sweep import sweep_due
from config.database import Engine, reading
from members.commands import set_absence
from members.errors import MembersError
from state_machines.choosing import choices
from state_machines.process import Transition
from state_machines.registry import process_named, processes
from state_machines.values import SYSTEM, Actor, Role
from tests.cast import MONDAY, Cast, cast_of
from tests.core.test_processes_under_fire import COMPLAINANT, dice, filled, pulled_by_muster
from tests.post import letterbox

STEPS = 60
SEEDS = range(int(os.environ.get("MUSTER_FIRE", "3")))
"""``MUSTER_FIRE=200`` plays so many stories; the first ones are the same everywhere, so a failure comes again."""
CAST = ("Amara", "Bo", "Mina", "Max", "Sol", "Cara")
PLAN = """
kind: survey
title: Short survey 2026
questionnaire: pulse
launch: 2026-03-03
deadline: 2026-04-17
population: {status: active, team: [North, South]}
ladder: standard
"""


class Fire:
    """An organisation, and chance that decides what happens next."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.env = cast, cast.env
        self.people = {name: cast.actor(name) for name in CAST}
        self.told: list[str] = []
        self.done: Counter[str] = Counter()

    def open_everything(self, folder: Path) -> None:
        """Two members in each team, a campaign under way, and a case of each kind."""
        for team in ("North", "South"):
            self.cast.members(f"{team} Mill", f"{team} Gym", team=team)
        plan = folder / "plan.yaml"
        plan.write_text(PLAN)
        campaign = campaigns.plan(self.env, plan, actor=self.people["Amara"]).after.ref
        self.fire(campaign, "approve_plan", "Mina", data_protection_checked=True)
        self.fire(campaign, "skip_pilot", "Mina", reason="The questions of last year")
        self.cast.go_to(MONDAY + timedelta(days=1))
        sweep_due(self.env)
        for row in self.cast.rows("SELECT ref, team FROM members ORDER BY id"):
            who = self.people["Amara" if row.team == "North" else "Bo"]
            self.open("complaint", row.ref, who, {"category": "Opening hours", "complainant_email": "jo@example.org"})
            self.open("cancellation", row.ref, who, {"channel": "phone", "reasons": ["lack_of_time"]})
            finding = {
                "criterion": "decent_work",
                "source": "press",
                "source_date": "2026-02-20",
                "evidence": "photographs",
            }
            self.open("monitoring", row.ref, who, finding)

    def open(self, process: str, member: str, actor: Actor, payload: dict[str, Any]) -> None:
        commands.open_one(self.env, process, member=member, subject=f"A {process}", payload=payload, actor=actor)

    def fire(self, ref: str, trigger: str, who: str, **payload: Any) -> None:
        commands.fire(self.env, ref, trigger, payload=payload, actor=self.people[who])

    # --- what can happen

    def step(self, chance: Random) -> None:
        """Let one thing happen; what is refused is refused with a sentence and leaves everything as it was."""
        what = chance.choices(
            [
                self.pull,
                self.let_time_pass,
                self.post,
                self.write_note,
                self.hand_over,
                self.open_another,
                self.go_away,
            ],
            [12, 5, 2, 1, 1, 1, 0.3],
        )[0]
        try:
            what(chance)
        except (CaseError, MembersError) as refused:
            assert str(refused).rstrip().endswith((".", "!", "?")) or ":" in str(refused), str(refused)
            self.done["refused"] += 1
        else:
            self.done[what.__name__] += 1

    def somebody(self, chance: Random, member_id: int | None) -> Actor:
        member = Actor(f"member:{member_id}", "The member", frozenset({Role.MEMBER}), member_id=member_id)
        return chance.choice([*self.people.values(), *self.people.values(), member, COMPLAINANT, SYSTEM])

    def pull(self, chance: Random) -> None:
        """Somebody pulls a trigger, and tries again when the form was not filled in well."""
        row = self.some_case(chance, closed=chance.random() < 0.05)
        actor, transition = self.wished(row, chance)
        today = self.env.calendar.local_date(self.env.now())
        for last in (False, False, True):
            payload = filled(transition.needs, chance, today) if transition.needs else {}
            if "handler" in payload:
                payload["handler"] = chance.choice(list(self.people.values())).person
            self.told.append(f"{actor.name} pulls {transition.trigger} on {row.ref} ({row.state}) with {payload}")
            note = "Noted in passing" if chance.random() < 0.1 else None
            try:
                outcome = commands.fire(self.env, row.ref, transition.trigger, payload=payload, note=note, actor=actor)
            except TransitionRefused:
                if last:
                    raise
            else:
                self.told.append(f"   -> {outcome.after.state}")
                return

    def wished(self, row: Any, chance: Random) -> tuple[Actor, Transition]:
        """Who wants what: mostly a move that is offered to them and leads on, sometimes anything at all."""
        process, case = process_named(row.process), case_of(row)
        with reading(self.env.engine) as conn:
            here = world(conn, self.env)
            context = here.context(case_facts.gather(conn, [case], now=here.now)[case.id])
            for _ in range(4):  # guards look things up as long as they are asked
                actor = self.somebody(chance, case.member_id)
                found = choices(process, case, actor=actor, context=context, now=here.now)
                ways = [choice.transition for choice in found if choice.refused is None or chance.random() < 0.1]
                if actor is SYSTEM:
                    ways = [t for t in ways if t.trigger not in pulled_by_muster(process)]
                moving = [t for t in ways if t.target is not None and not process.state(t.target).final]
                if moving and chance.random() < 0.8:
                    return actor, chance.choice(moving)
        people = [t for t in process.transitions if set(t.by) != {Role.SYSTEM}]
        return actor, chance.choice(ways or people)

    def some_case(self, chance: Random, *, closed: bool = False) -> Any:
        rows = self.cast.rows("SELECT * FROM cases WHERE (closed_at IS NOT NULL) = :closed ORDER BY id", closed=closed)
        return chance.choice(rows or self.cast.rows("SELECT * FROM cases ORDER BY id"))

    def let_time_pass(self, chance: Random) -> None:
        soonest = self.cast.scalar("SELECT min(due_at) FROM cases")
        jump = timedelta(minutes=chance.choice([20, 300, 60 * 24, 60 * 24 * 4, 60 * 24 * 20]))
        then = self.env.now() + jump
        if isinstance(soonest, datetime) and chance.random() < 0.5:
            then = max(self.env.now() + timedelta(minutes=1), soonest)
        self.cast.go_to(then)
        self.told.append(f"it is {then:%Y-%m-%d %H:%M}")
        report = sweep_due(self.env, batch=chance.choice([3, 2000]))
        assert report.parked == 0, [row.parked_why for row in self.cast.rows("SELECT parked_why FROM cases")]
        assert sweep_due(self.env).due == 0, "swept, and still due"
        deliver(self.env)

    def post(self, chance: Random) -> None:
        deliver(self.env)

    def write_note(self, chance: Random) -> None:
        commands.note(
            self.env,
            self.some_case(chance).ref,
            "They called about it.",
            actor=chance.choice(list(self.people.values())),
        )

    def hand_over(self, chance: Random) -> None:
        to = f"{chance.choice([*CAST, 'Dov', 'Nobody']).lower()}@muster.example"
        commands.assign(self.env, self.some_case(chance).ref, to, actor=chance.choice(list(self.people.values())))

    def open_another(self, chance: Random) -> None:
        name = chance.choice(["complaint", "cancellation", "monitoring"])
        process, member = processes()[name], chance.choice(self.cast.rows("SELECT ref FROM members ORDER BY id")).ref
        form = filled(process.opening, chance, self.env.calendar.local_date(self.env.now())) if process.opening else {}
        self.told.append(f"a {name} about {member} with {form}")
        self.open(name, member, chance.choice(list(self.people.values())), form)

    def go_away(self, chance: Random) -> None:
        who, deputy = chance.sample(["amara", "bo", "mina", "max"], 2)
        today = self.env.calendar.local_date(self.env.now())
        set_absence(
            self.env.engine, f"{who}@muster.example", today, today + timedelta(days=chance.randint(1, 20)),
            deputy=f"{deputy}@muster.example", actor=SYSTEM, now=self.env.now(),
        )  # fmt: skip

    # --- the promises

    def check(self) -> None:
        with reading(self.env.engine) as conn:
            broken = [each for each in promises.broken_promises(conn, self.env, self.env.now()) if not each.warning]
            report = audit.verify(conn)
        assert broken == []
        assert report.problems == []


def play(fire: Fire, seed: int, steps: int) -> None:
    try:
        for place in range(steps):
            fire.step(dice(seed, place))
            fire.check()
    except BaseException as broken:
        broken.add_note("\n".join([f"seed {seed}", *fire.told[-40:]]))
        raise


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_the_cast_does_every_promise_is_kept_after_every_step(
    engine: Engine, tmp_path: Path, seed: int
) -> None:
    with letterbox() as box:
        fire = Fire(cast_of(engine, tmp_path / "home", box.url))
        fire.open_everything(tmp_path)
        fire.check()
        play(fire, seed, STEPS)
        assert fire.done["pull"] >= STEPS / 8, f"hardly anything was possible: {fire.done}"
        assert box.mails, "and somebody has heard of it"
