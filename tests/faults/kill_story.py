"""A campaign among many members on a simulated month, told so that its outcome hangs on simulated time alone.

Who does what at which step is drawn from a seed. Everything is done by workers that may be killed and are started
again; between steps nobody is at work. A person who does not know whether something was done does it again from the
page they have before them: with the version, or the last event, that they saw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy.engine import make_url

from cases import answers, campaigns, commands
from cases.delivering import deliver
from cases.environment import Environment, load_policy, working_calendar
from cases.errors import CaseChanged, TransitionRefused
from cases.own.deeds import act
from cases.own.links import token_of
from cases.own.pages import holder_of
from cases.sweep import sweep_due
from config.database import Engine, make_engine, transaction
from config.settings import load_settings
from members import store as member_store
from notifications import links
from state_machines.values import SYSTEM
from tests.campaign_story import PLAN
from tests.cast import MONDAY, Cast, cast_of
from tests.faults.kill_workers import Watch
from workflows import flows

LAUNCH, DEADLINE = date(2026, 3, 9), date(2026, 3, 27)
MORNING = time(9, 5)
RULES = """
mail: {notice_budget_per_day: 100000}  # which of too many notices are left out hangs on the order in which they leave
sweep: {batch: 300}                    # so that a sweep has more than one
breaker: {enabled: false}              # between two simulated moments much comes due at once, and late
"""
BY_WEB, BY_COMMAND = "answers on the page", "answers"
DEEDS = (BY_COMMAND, "request_exemption", "refuse", "nudge", "bounce", "log_call")
_OFTEN = (50, 6, 3, 5, 3, 3)


@dataclass(frozen=True)
class Deed:
    """What somebody does about the response of a member, who are counted from 0."""

    member: int
    what: str


@dataclass(frozen=True)
class Script:
    """So many members, the instants at which something happens, and what people do at each."""

    members: int
    days: Sequence[tuple[int, time]]
    deeds: Mapping[int, Sequence[Deed]]

    def dead(self) -> frozenset[str]:
        """The addresses that do not exist any more."""
        return frozenset(f"m{n}-1@x.example" for n in range(self.members) if n % 9 == 4)


def script(members: int, days: Sequence[tuple[int, time]], *, by_web: int, seed: int) -> Script:
    """Draw a script; ``by_web`` members answer on their page in a running desk."""
    chance = Random(seed)  # noqa: S311  a story, no secret
    deeds: dict[int, list[Deed]] = {}
    for member in range(members):
        if member >= by_web and chance.random() < 0.3:
            continue
        step = chance.randrange(1, len(days))
        what = BY_WEB if member < by_web else chance.choices(DEEDS, _OFTEN)[0]
        deeds.setdefault(step, []).append(Deed(member, what))
        if what == "request_exemption" and step + 2 < len(days):
            deeds.setdefault(step + 2, []).append(Deed(member, "approve_exemption"))
    return Script(members, days, deeds)


@dataclass
class World:
    """An organisation with its campaign. ``looking`` is the test's own way to the database; workers use the other."""

    cast: Cast
    script: Script
    campaign: str
    looking: Cast

    @property
    def env(self) -> Environment:
        """What workers work with."""
        return self.cast.env

    def at(self, step: int) -> datetime:
        """The instant of a step."""
        days, hour = self.script.days[step]
        return self.env.calendar.at(LAUNCH + timedelta(days=days), hour)

    def seen(self, deeds: Sequence[Deed]) -> list[tuple[Deed, Any]]:
        """Each deed with the response as it is on the screen of who does it."""
        found = {row.member: row for row in self.looking.rows(
            "SELECT c.id, c.ref, c.version, c.last_seq, m.team, substr(m.name, 7)::int AS member FROM cases c "
            "JOIN members m ON m.id = c.member_id WHERE c.process = 'survey_response'")}  # fmt: skip
        return [(deed, found[deed.member]) for deed in deeds]


def begun(engine: Engine, home: Path, post: str, told: Script) -> World:
    """Return a world whose campaign is approved and not yet launched."""
    home.mkdir()
    rules = home / "rules.yaml"
    rules.write_text(RULES)
    address = str(engine.url.render_as_string(False))
    cast_of(engine, home, post)
    settings = load_settings({
        "MUSTER_HOME": str(home), "MUSTER_DATABASE_URL": address, "MUSTER_SMTP_URL": post, "MUSTER_POLICY": str(rules),
    })  # fmt: skip
    policy = load_policy(settings)
    cast = Cast(Environment(engine, settings, policy, working_calendar(settings, policy)))
    _members(cast, told)
    plan = {**PLAN, "launch": LAUNCH.isoformat(), "deadline": DEADLINE.isoformat()}
    ref = campaigns.plan_campaign(cast.env, plan, actor=cast.actor("Mina")).after.ref
    for trigger, payload in (("approve_plan", {"data_protection_checked": True}), ("skip_pilot", {"reason": "Before"})):
        commands.fire(cast.env, ref, trigger, payload=payload, actor=cast.actor("Max"))
    engine.dispose()
    watching = make_engine(make_url(address).update_query_dict({"application_name": "test"}), pool_size=1)
    looking = Cast(Environment(watching, settings, policy, cast.env.calendar))
    return World(cast, told, ref, looking)


def _members(cast: Cast, told: Script) -> None:
    """Members of both teams, with one to three contacts."""
    rows = [{"name": f"Mills {n}", "team": "South" if n % 2 else "North"} for n in range(told.members)]
    with transaction(cast.env.engine) as conn:
        ids = member_store.insert_members(conn, rows, source="test", actor=SYSTEM, now=MONDAY)
        member_store.insert_contacts(conn, [
            {"member_id": member, "position": p, "name": f"Contact {n}.{p}", "email": f"m{n}-{p}@x.example",
             "role": "primary" if p == 1 else "executive"}
            for n, member in enumerate(ids) for p in range(1, 2 + (n // 2) % 3)
        ])  # fmt: skip


# --- what workers do


def sweeps(world: World, watch: Watch) -> Any:
    """One sweep."""
    report = sweep_due(world.env, workers=1)
    return [report.fired, report.parked]


def delivers(world: World, watch: Watch) -> Any:
    """One delivery."""
    report = deliver(world.env)
    assert report.stopped is None, report.stopped
    return [report.sent, sum(report.suppressed.values()), report.failed, report.held]


def flow(name: str) -> Any:
    """Return one run of a flow, without Prefect's server."""

    def work(world: World, watch: Watch) -> Any:
        flows.open_environment = lambda *args, **named: world.env  # it is open here already
        getattr(flows, name).fn()

    return work


def people(seen: Sequence[tuple[Deed, Any]]) -> Any:
    """Return people at work, each doing one thing, and doing it again from the same page after a crash."""

    def work(world: World, watch: Watch) -> Any:
        return [_done(world, deed, page) for deed, page in seen]

    return work


def _done(world: World, deed: Deed, page: Any) -> str:
    env = world.env
    try:
        if deed.what == BY_COMMAND:
            answers.submit(env, page.ref, answers.sample_for(env, page.ref, seed=deed.member))
        elif deed.what in ("request_exemption", "refuse"):
            holder = holder_of(env, links.MEMBER, token_of(env, links.MEMBER, page.id), now=env.now())
            act(env, holder, deed.what, _PAYLOADS[deed.what], seen=page.last_seq)
        else:
            who = "Max" if deed.what == "approve_exemption" else "Bo" if page.team == "South" else "Amara"
            commands.fire(
                env, page.ref, deed.what, payload=_PAYLOADS[deed.what], seen_version=page.version,
                actor=world.cast.actor(who),
            )  # fmt: skip
    except (CaseChanged, TransitionRefused) as no:
        return type(no).__name__
    return "done"


_PAYLOADS: Mapping[str, Mapping[str, Any]] = {
    "request_exemption": {"exemption": "suspended", "details": "As written"},
    "refuse": {"in_writing": True, "statement": "We will not answer this."},
    "approve_exemption": {"reason": "As agreed"},
    "nudge": {},
    "bounce": {"status": "5.1.1"},
    "log_call": {"outcome": "voicemail"},
}
