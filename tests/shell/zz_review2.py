from __future__ import annotations
from collections import Counter
from datetime import datetime, timedelta, date, UTC
from random import Random
import pytest
from sqlalchemy import text, event
from cases import commands, queries, campaigns
from cases.errors import *
from cases.sweep import sweep_due
from cases.nightly import run_checks
from config.database import reading, transaction
from members.staff_commands import staff_left, set_absence
from state_machines.values import SYSTEM, Actor, Role
from tests.cast import MONDAY, Cast
from tests.shell.test_commands import a_complaint

PLAN = """
kind: survey
title: S
questionnaire: self-assessment
launch: 2026-03-02
deadline: 2026-04-17
population: {status: active}
ladder: standard
"""

def launch(cast, tmp_path, n):
    cast.members(*[f"M{i} Ltd" for i in range(n)])
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN)
    cast.go_to(datetime(2026, 2, 27, 9, tzinfo=cast.env.calendar.zone))
    ref = campaigns.plan(cast.env, plan, actor=cast.actor("Amara")).after.ref
    commands.fire(cast.env, ref, "approve_plan", payload={"data_protection_checked": True}, actor=cast.actor("Mina"))
    commands.fire(cast.env, ref, "skip_pilot", payload={"reason": "The questions are those of last year"}, actor=cast.actor("Mina"))
    return ref

@pytest.mark.parametrize("n", [3, 60])
def test_counts(cast: Cast, tmp_path, n):
    ref = launch(cast, tmp_path, n)
    c = Counter()
    def seen(conn, cursor, statement, *a): c[statement[:90]] += 1
    event.listen(cast.env.engine, "before_cursor_execute", seen)
    cast.go_to(datetime(2026, 3, 2, 9, tzinfo=cast.env.calendar.zone))
    r = sweep_due(cast.env); print(r.to_dict()); print("LAUNCH", n, sum(c.values())); c.clear()
    cast.go_to(datetime(2026, 3, 9, 9, tzinfo=cast.env.calendar.zone))
    r = sweep_due(cast.env); print("REMIND", n, r.due, sum(c.values())); c.clear()
    cast.go_to(datetime(2026, 8, 9, 9, tzinfo=cast.env.calendar.zone))
    r = sweep_due(cast.env); print("LATE", n, r.to_dict(), sum(c.values())); c.clear()
    commands.fire(cast.env, ref, "cancel", payload={"reason": "No more of it"}, actor=cast.actor("Mina"))
    print("CANCEL", n, sum(c.values()))
    print(run_checks(cast.env, now=cast.env.now()).to_dict())

def test_empty(cast: Cast, tmp_path):
    ref = launch(cast, tmp_path, 0)
    d = datetime(2026, 3, 2, 9, tzinfo=cast.env.calendar.zone)
    for i in range(90):
        cast.go_to(d + timedelta(days=i)); r = sweep_due(cast.env); assert r.parked == 0
    print(campaigns.status(cast.env, ref, actor=SYSTEM).to_dict())
    print(queries.case_page(cast.env, ref, actor=SYSTEM).next[:3])

def test_policy_change(cast: Cast):
    """a holiday is proclaimed: a rung that was due today moves, the sweep runs before the night"""
    ref = a_complaint(cast)
    from dataclasses import replace
    from state_machines.calendars import Calendar
    due = cast.scalar("SELECT due_at FROM cases")
    print(due)
    cal = cast.env.calendar
    env = replace(cast.env, calendar=Calendar(cal.name, cal.zone_name, frozenset(date(2026, 3, 2) + timedelta(days=i) for i in range(10))))
    cast.go_to(due)
    r = sweep_due(env); print(r.to_dict())
    print(cast.rows("SELECT due_at, parked_why FROM cases"))
    assert r.parked == 0

def test_walled_spawn_restricted(cast: Cast):
    ref = a_complaint(cast)
    commands.restrict(cast.env, ref, ["amara@muster.example"], actor=cast.actor("Mina"))
    commands.fire(cast.env, ref, "open_monitoring", payload={"criterion": "communication"}, actor=cast.actor("Amara"))
    rows = cast.rows("SELECT ref, owner_id, restricted_to, state FROM cases ORDER BY id")
    print(rows)
    assert rows[1].restricted_to == rows[0].restricted_to
    assert queries.list_cases(cast.env, queries.Filter(), actor=cast.actor("Max"))[1] == 0

def test_merged(cast: Cast):
    ref = a_complaint(cast)
    cast.members("Kept Ltd")
    from members.commands import merge_members
    merge_members(cast.env.engine, "Kept Ltd", "Cold pool Ltd", actor=SYSTEM, now=MONDAY)
    page = queries.case_page(cast.env, ref, actor=cast.actor("Amara"))
    print(page.line["member"], page.line["member_ref"])
    print(queries.list_cases(cast.env, queries.Filter(member="Kept Ltd"), actor=cast.actor("Amara"))[1])
    assert page.line["member"] == "Kept Ltd"

def test_dup_external(cast: Cast):
    for _ in range(2):
        try:
            commands.open_one(cast.env, "complaint", member=None, subject="x", payload={"category": "service"}, external_ref="A1", actor=cast.actor("Amara"))
        except CaseError as e:
            print(e)

def test_frozen_clock_refire(cast: Cast):
    ref = a_complaint(cast)

def test_deputy_walled(cast: Cast):
    ref = a_complaint(cast, about_staff=[cast.actor("Bo").person])
    set_absence(cast.env.engine, "amara@muster.example", MONDAY.date(), MONDAY.date() + timedelta(days=30), deputy="bo@muster.example", actor=SYSTEM, now=MONDAY)
    print([n for n in ("Mina", "Max", "Bo", "Amara", "Sol", "Ada") if queries.queue(cast.env, actor=cast.actor(n))[1]])
    assert any(queries.queue(cast.env, actor=cast.actor(n))[1] for n in ("Mina", "Max", "Bo", "Sol", "Ada"))
