from __future__ import annotations
import json, re, traceback
from datetime import datetime, timedelta, date, UTC
from pathlib import Path
import pytest
from sqlalchemy import text, event
from cases import commands, queries, campaigns
from cases.errors import *
from cases.sweep import sweep_due
from cases.importing import import_cases
from config.database import reading, transaction
from members.staff_commands import staff_left, set_absence
from state_machines.values import SYSTEM, Actor, Role
from tests.cast import MONDAY, Cast
from tests.shell.test_commands import a_complaint


def owner(cast, ref):
    return cast.scalar("SELECT s.email FROM cases c JOIN staff s ON s.id=c.owner_id WHERE ref=:r", r=ref)

def test_wall_owner(cast: Cast):
    ref = a_complaint(cast)
    commands.fire(cast.env, ref, "wall_off", payload={"about_staff": [cast.actor("Amara").person], }, actor=cast.actor("Mina"))
    assert owner(cast, ref) != "amara@muster.example"

def test_restrict_owner(cast: Cast):
    ref = a_complaint(cast)
    commands.restrict(cast.env, ref, ["max@muster.example"], actor=cast.actor("Mina"))
    assert any(queries.queue(cast.env, actor=cast.actor(n))[1] for n in ("Mina", "Max", "Amara"))

def test_memberless(cast: Cast):
    a = commands.open_one(cast.env, "cancellation", member=None, subject="A", payload={"channel": "bank"}, actor=cast.actor("Amara")).after
    print(a.state)
    commands.open_one(cast.env, "cancellation", member=None, subject="B", payload={"channel": "email"}, actor=cast.actor("Amara"))
    assert cast.scalar("SELECT state FROM cases WHERE ref=:r", r=a.ref) == a.state

def test_import_two(cast: Cast, tmp_path):
    m = cast.members("One Ltd")[0]
    ref = cast.scalar("SELECT ref FROM members")
    a = commands.open_one(cast.env, "cancellation", member=ref, subject="A", payload={"channel": "bank"}, actor=cast.actor("Amara")).after
    f = tmp_path / "x.csv"
    f.write_text("member,channel,ref\nOne Ltd,email,1\nOne Ltd,email,2\n")
    r = import_cases(cast.env, "cancellation", f, {"member": "member", "channel": "channel", "external_ref": "ref"}, actor=cast.actor("Amara"))
    print(r.to_dict())
    assert r.created == 2

@pytest.mark.parametrize("when", ["0001-01-01", "1926-03-02", "1999-12-31", "2001-01-01"])
@pytest.mark.parametrize("process", ["complaint", "cancellation"])
def test_old(cast: Cast, tmp_path, when, process):
    cast.members("One Ltd")
    f = tmp_path / "x.csv"
    f.write_text(f"member,channel,ref,at\nOne Ltd,email,1,{when}\nOne Ltd,email,2,2026-02-03\n")
    r = import_cases(cast.env, process, f, {"member": "member", "channel": "channel", "external_ref": "ref", "received_at": "at"}, actor=cast.actor("Amara"))
    print(r.to_dict())
    assert r.created >= 1
    s = sweep_due(cast.env)
    print(s.to_dict())
    assert s.parked == 0

@pytest.mark.parametrize("bad", ["\0", "\ud800", "x" * 5_000_000, "CO-2026-000001\0"])
def test_bad_refs(cast: Cast, bad):
    a = cast.actor("Amara")
    errs = []
    for f in (lambda: queries.case_page(cast.env, bad, actor=a), lambda: commands.note(cast.env, bad, "x", actor=a),
              lambda: queries.list_cases(cast.env, queries.Filter(member=bad), actor=a),
              lambda: queries.list_cases(cast.env, queries.Filter(parent=bad), actor=a),
              lambda: queries.list_cases(cast.env, queries.Filter(state=bad), actor=a),
              lambda: campaigns.status(cast.env, bad, actor=a),
              lambda: commands.open_one(cast.env, "complaint", member=bad, subject="x", payload={"category": "service"}, actor=a)):
        try:
            f()
        except CaseError:
            pass
        except Exception as e:
            errs.append(type(e).__mro__[:3].__repr__() + str(e)[:100])
    assert not errs, errs

DEEP = {}
for _ in range(2000):
    DEEP = {"a": DEEP}

@pytest.mark.parametrize("payload", [{"category": "\ud800"}, {"category": 10**40}, {"category": "service", "about_staff": ["staff:x"]},
    {"category": "service", "about_staff": ["staff:999"]}, {"category": "service", "description": "\ud800"},
    {"category": "service", "about_staff": [10**40]}, {"category": "service", "x": DEEP}, {"category":"service", "complainant_name": "\ud800"}, {"category": "service", 3: 4}, {"category": float("nan")},
    {"category": "service", "about_staff": ["staff:" + "9"*30]}], ids=list(map(str, range(11))))
def test_bad_payload(cast: Cast, payload):
    a = cast.actor("Amara")
    try:
        commands.open_one(cast.env, "complaint", member=None, subject="x", payload=payload, actor=a)
    except CaseError as e:
        print(e)

@pytest.mark.parametrize("subject", ["\ud800", "a\0b"])
def test_bad_subject(cast: Cast, subject):
    try:
        ref = commands.open_one(cast.env, "complaint", member=None, subject=subject, payload={"category":"service"}, actor=cast.actor("Amara")).after.ref
        commands.note(cast.env, ref, subject, actor=cast.actor("Amara"))
    except CaseError as e:
        print(e)

def test_left(cast: Cast):
    ref = a_complaint(cast)
    staff_left(cast.env.engine, "amara@muster.example", left_on=MONDAY.date(), actor=SYSTEM, now=MONDAY)
    from cases.nightly import run_checks
    print(run_checks(cast.env, now=MONDAY).to_dict())
    seen = [n for n in ("Mina", "Max", "Bo", "Sol", "Ada") if queries.queue(cast.env, actor=cast.actor(n))[1]]
    print(seen)
    assert seen
    assert run_checks(cast.env, now=MONDAY).ok

def test_parked_reason(cast: Cast):
    ref = a_complaint(cast, complainant_name="Jo Secret", complainant_email="jo@secret.example")
    with transaction(cast.env.engine) as conn:
        conn.execute(text("CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.kind = 'transition' THEN RAISE EXCEPTION 'boom'; END IF; RETURN NEW; END $$"))
        conn.execute(text("CREATE TRIGGER boom BEFORE UPDATE ON cases FOR EACH ROW WHEN (OLD.parked_at IS NULL) EXECUTE FUNCTION boom2()") if False else text("ALTER TABLE messages ADD CONSTRAINT nope CHECK (kind <> 'case_due_soon' AND kind <> 'case_overdue')"))
    cast.go_to(MONDAY + timedelta(days=30))
    r = sweep_due(cast.env)
    print(r.to_dict())
    print(cast.rows("SELECT details::text FROM case_events WHERE kind='parked'"))
    print(cast.rows("SELECT parked_why FROM cases"))
