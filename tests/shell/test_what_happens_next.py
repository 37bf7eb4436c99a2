"""What happens next, said before, is what sweeps and deliveries then do when nobody acts: for random cases of every
process, to the minute, with everybody who gets a message.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cases import commands
from cases import facts as case_facts
from cases.delivering import deliver
from cases.demo import KeepingTransport
from cases.environment import world
from cases.errors import CaseError, CaseNotFound
from cases.explaining.coming import what_happens_next
from cases.explaining.foretold import Coming
from cases.rows import case_of
from cases.sweep import sweep_due
from config.database import Engine, reading
from members.commands import set_absence
from state_machines.choosing import choices
from state_machines.process import Process
from state_machines.registry import process_named, processes
from state_machines.values import SYSTEM, Actor, Role
from tests import campaign_story
from tests.cast import MONDAY, Cast, cast_of
from tests.core.test_processes_under_fire import COMPLAINANT, dice, filled, pulled_by_muster
from tests.pages.case_cast import a_complaint

SOAK = int(os.environ.get("MUSTER_SOAK", "0"))
SEEDS = range(max(SOAK, 1))
"""``MUSTER_SOAK=50`` tries so many organisations, each for longer."""
CASES = 6 if SOAK else 3
DAYS = 120 if SOAK else 40
CAST = ("Amara", "Bo", "Mina", "Max", "Sol", "Cara")


def _generous(cast: Cast) -> Cast:
    """Budgets of a day count the mail of other cases too; here nobody's is used up."""
    mail = cast.env.policy.mail.model_copy(update={"contact_budget_per_day": 999, "notice_budget_per_day": 9999})
    return Cast(replace(cast.env, policy=cast.env.policy.model_copy(update={"mail": mail})))


@dataclass
class Organisation:
    """Random cases of every process, each of a member of its own."""

    cast: Cast
    told: list[str]
    now: datetime = MONDAY

    def begin(self, chance: Random) -> None:
        for process in processes().values():
            for number in range(CASES):
                self._open(process, number, chance)
        for days in (0, 1, 4, 9):
            self.now += timedelta(days=days, minutes=7)
            self.settle(self.now)
            for _ in range(2 * CASES * len(processes())):
                self._pull(chance)
        self.settle(self.now)
        away = self.cast.env.calendar.local_date(self.now) + timedelta(days=chance.randint(1, 12))
        set_absence(self.cast.env.engine, "amara@muster.example", away, away + timedelta(days=9),
                    deputy="bo@muster.example", actor=SYSTEM, now=self.now)  # fmt: skip

    def _open(self, process: Process, number: int, chance: Random) -> None:
        name = f"{process.name} {number}"
        self.cast.members(name, team=chance.choice(["North", "South"]), category="lone")
        for _ in range(8):
            today = self.cast.env.calendar.local_date(MONDAY)
            payload = filled(process.opening, chance, today) if process.opening else {}
            try:
                commands.open_one(self.cast.env, process.name, member=name, subject=f"{name} begins", payload=payload,
                                  actor=self._opener(process), now=MONDAY)  # fmt: skip
            except CaseError:
                continue
            return

    def _opener(self, process: Process) -> Actor:
        people = [self.cast.actor(name) for name in CAST]
        return next((who for who in people if who.roles & set(process.opened_by)), SYSTEM)

    def _pull(self, chance: Random) -> None:
        rows = self.cast.rows("SELECT * FROM cases WHERE closed_at IS NULL ORDER BY id")
        row = chance.choice(rows)
        case, process = case_of(row), process_named(row.process)
        member = Actor(f"member:{row.member_id}", "The member", frozenset({Role.MEMBER}), member_id=row.member_id)
        actor = chance.choice([*map(self.cast.actor, CAST), member, COMPLAINANT, SYSTEM])
        with reading(self.cast.env.engine) as conn:
            here = world(conn, self.cast.env, self.now)
            context = here.context(case_facts.gather(conn, [case], now=self.now)[case.id])
            offered = [c.transition for c in choices(process, case, actor=actor, context=context, now=self.now)
                       if c.refused is None]  # fmt: skip
        if actor is SYSTEM:
            offered = [t for t in offered if t.trigger not in pulled_by_muster(process)]
        moving = [t for t in offered if t.target is not None and not process.state(t.target).final]
        staying = [t for t in offered if t.target is None]
        ways = moving or staying or (offered if chance.random() < 0.1 else [])
        if not ways:
            return
        chosen = chance.choice(ways)
        payload = filled(chosen.needs, chance, self.now.date()) if chosen.needs else {}
        try:
            commands.fire(self.cast.env, row.ref, chosen.trigger, payload=payload, actor=actor, now=self.now)
        except CaseError:
            return
        self.told.append(f"{actor.name} pulls {chosen.trigger} on {row.ref} ({row.state}) with {payload}")

    def settle(self, now: datetime) -> None:
        while sweep_due(self.cast.env, now=now).due:
            pass
        deliver(self.cast.env, transport=KeepingTransport({}), now=now)

    def live(self, since: datetime, until: datetime) -> None:
        """Let time pass and nobody act: at every moment at which there is something to do, a sweep and a delivery."""
        while True:
            due = self.cast.scalar(
                "SELECT least((SELECT min(due_at) FROM cases), "
                "(SELECT min(not_before) FROM messages WHERE state = 'queued'))"
            )
            if due is None or due > until:
                return
            since = max(since, due)
            self.settle(since)


def happened(cast: Cast, ref: str, after: int, until: datetime) -> list[Any]:
    return cast.rows(
        "SELECT e.seq, e.at, e.kind, e.trigger, e.source, e.target, e.case_id FROM case_events e "
        "JOIN cases c ON c.id = e.case_id WHERE c.ref = :ref AND e.seq > :after AND e.at <= :until ORDER BY e.seq",
        ref=ref, after=after, until=until,
    )  # fmt: skip


def mail_that_left(cast: Cast, case_id: int) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    rows = cast.rows("SELECT * FROM messages WHERE case_id = :id ORDER BY id", id=case_id)
    for row in rows:
        state = {"sent": "sent", "suppressed": "not sent", "failed": "not sent", "queued": "waits"}[row.state]
        at = row.decided_at or row.not_before
        email = row.to_email if row.state == "sent" else None
        found.setdefault(row.event_seq, []).append((row.kind, row.audience, state, at, email))
    return found


def tasks_of(cast: Cast, case_id: int) -> set[tuple[str, datetime]]:
    return {(r.kind, r.created_at) for r in cast.rows("SELECT * FROM case_tasks WHERE case_id = :id", id=case_id)}


def compare(cast: Cast, coming: Coming, after: int, until: datetime) -> None:
    events = happened(cast, coming.ref, after, until)
    said = [each for each in coming.items if each.at <= until]
    as_told = [(e.at, e.kind, e.trigger, e.source, e.target) for e in said]
    assert as_told == [(e.at, e.kind, e.trigger, e.source, e.target) for e in events]
    if not events:
        return
    case_id = events[0].case_id
    mails, tasks = mail_that_left(cast, case_id), tasks_of(cast, case_id)
    for each, event in zip(said, events, strict=True):
        assert each.seq == event.seq
        foreseen = sorted((m.kind, m.audience, m.state, m.at, m.to.email if m.to else None) for m in each.mails
                          if m.at <= until)  # fmt: skip
        left = sorted(mail for mail in mails.get(event.seq, []) if mail[3] <= until)
        assert [_plain(m) for m in foreseen] == [_plain(m) for m in left], (coming.ref, each.at, each.trigger)
        if not each.final:
            assert {(task.kind, each.at) for task in each.tasks} <= tasks, (coming.ref, each.trigger)


def _plain(mail: tuple[Any, ...]) -> tuple[Any, ...]:
    kind, audience, state, at, email = mail
    return kind, audience, state, None if state == "waits" else at, email


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_said_to_happen_next_is_what_sweeps_and_deliveries_do_when_nobody_acts(
    engine: Engine, tmp_path: Path, seed: int
) -> None:
    organisation = Organisation(_generous(cast_of(engine, tmp_path / "home")), [])
    cast = organisation.cast
    organisation.begin(dice(seed))
    now, until = organisation.now, organisation.now + timedelta(days=DAYS)
    cases = cast.rows("SELECT ref, last_seq, process FROM cases WHERE closed_at IS NULL ORDER BY id")
    said = {c.ref: what_happens_next(cast.env, c.ref, until=until, every_repeat=True, actor=SYSTEM, now=now)
            for c in cases}  # fmt: skip
    assert len({c.process for c in cases}) >= 4, "of nearly every process there is a case that goes on"

    organisation.live(now, until)

    try:
        for case in cases:
            compare(cast, said[case.ref], case.last_seq, until)
    except AssertionError as wrong:
        wrong.add_note("\n".join(line for line in organisation.told if case.ref in line))
        raise
    assert sum(len(coming.items) for coming in said.values()) > 3 * len(cases)
    assert any(mail.to for coming in said.values() for each in coming.items for mail in each.mails)


def test_a_campaign_is_told_with_its_members_through_the_deadline_to_the_end_of_the_chase(cast: Cast) -> None:
    organisation = Organisation(_generous(cast), [])
    story = campaign_story.launched(organisation.cast, deadline="2026-03-23", population={"team": ["South"]})
    for member in campaign_story.SOUTH[2:]:
        story.answers(member)
        story.complete(member)
    story.at("2026-03-11")
    now, until = datetime(2026, 3, 11, 10, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    refs = [story.ref, *map(story.response, campaign_story.SOUTH[:2])]
    after = {r.ref: r.last_seq for r in cast.rows("SELECT ref, last_seq FROM cases")}
    said = {ref: what_happens_next(organisation.cast.env, ref, until=until, every_repeat=True, actor=SYSTEM, now=now)
            for ref in refs}  # fmt: skip

    organisation.live(now, until)

    for ref in refs:
        compare(cast, said[ref], after[ref], until)
    told = {each.trigger: each for each in said[story.ref].items}
    assert {"everyone_in", "deadline_passed", "tell_senior", "end_chase", "all_settled"} <= set(told)
    assert told["end_chase"].target == "review"
    assert told["all_settled"].kind == "not_fired"
    assert not [line for line in said[story.ref].assumed if "stand where" in line], "its members are run along"


def test_what_repeats_is_listed_once_with_its_rhythm_and_why_the_list_ends(cast: Cast) -> None:
    coming = what_happens_next(cast.env, a_complaint(cast), actor=cast.actor("Amara"), now=MONDAY)

    assert [each.title for each in coming.items[:2]] == ["Due soon", "Overdue: act now"]
    assert coming.items[0].mails[0].to is not None
    assert coming.items[0].mails[0].to.name == "Amara"
    assert coming.items[-1].rhythm == "every 5 working days"
    assert coming.ending == "It goes on like that until somebody acts."


def test_who_is_away_on_the_day_is_replaced_by_who_stands_in(cast: Cast) -> None:
    ref, day = a_complaint(cast), MONDAY.date()
    set_absence(cast.env.engine, "amara@muster.example", day + timedelta(days=3), day + timedelta(days=5),
                deputy="max@muster.example", actor=SYSTEM, now=MONDAY)  # fmt: skip

    soon = what_happens_next(cast.env, ref, actor=cast.actor("Amara"), now=MONDAY).items[0]

    assert (soon.owner, soon.acting) == ("Amara", "Max")
    assert soon.mails[0].to is not None
    assert (soon.mails[0].to.name, soon.mails[0].to.instead_of) == ("Max", "Amara")


def test_what_happens_next_is_nobodys_who_may_not_see_the_case(cast: Cast) -> None:
    ref = a_complaint(cast)
    with pytest.raises(CaseNotFound):
        what_happens_next(cast.env, ref, actor=cast.actor("Bo"), now=MONDAY)
