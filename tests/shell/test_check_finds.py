"""Each thing that may be wrong in a database is seeded by hand, found by its name with what to do, and put right where
the record or the rules say what is right: by an event, once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from cases import audit, campaigns, commands, evidence, opening, promises
from cases.advice import ADVICE
from cases.consistency import CHECKS as OF_CONSISTENCY
from cases.environment import world
from cases.findings import Finding
from cases.locking import lock_ref
from cases.repairing import others
from cases.repairing.repair import repaired
from cases.store import apply
from cases.sweep import sweep_due
from cases.writing import Change
from config.database import Engine, make_engine, reading, transaction
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Outcome, Role, Step
from tests.cast import MONDAY, Cast, cast_of
from tests.conftest import fresh_database
from tests.shell.cli_runner import muster_of
from tests.shell.test_promises_under_fire import PLAN

LATER = MONDAY + timedelta(days=1, hours=2)
UNLOCKED = "ALTER TABLE case_events DISABLE TRIGGER USER"


@dataclass(frozen=True)
class Seed:
    """What is done to the database, and what must come of it."""

    finds: str
    """The names of the checks that tell of it, and no others."""
    sql: Sequence[str] = ()
    do: Callable[[Cast, str], None] | None = None
    case: str = "complaint"
    """The kind of case it is done to."""
    mended: bool = True
    event: bool = True
    """Whether a repair writes an event on the case."""


def a_complaint(cast: Cast, subject: str) -> str:
    member = cast.scalar("SELECT ref FROM members WHERE team = 'North' ORDER BY id LIMIT 1")
    return commands.open_one(
        cast.env, "complaint", member=member, subject=subject, payload={"category": "service"},
        actor=cast.actor("Amara"),
    ).after.ref  # fmt: skip


def a_campaign(cast: Cast, folder: Path) -> str:
    """A survey that is under way, with a case for each of two members."""
    folder.mkdir(exist_ok=True)
    plan = folder / "plan.yaml"
    plan.write_text(PLAN)
    mina = cast.actor("Mina")
    ref = campaigns.plan(cast.env, plan, actor=cast.actor("Amara")).after.ref
    commands.fire(cast.env, ref, "approve_plan", payload={"data_protection_checked": True}, actor=mina)
    commands.fire(cast.env, ref, "skip_pilot", payload={"reason": "As last year"}, actor=mina)
    return ref


def a_document(cast: Cast, number: str) -> str:
    """A version of a document that is in force, whoever let it."""
    amara = cast.actor("Amara")
    with transaction(cast.env.engine) as conn:
        here = world(conn, cast.env)
        said = {"title": "Code of Practice", "number": number, "effective_on": "2026-03-01", "material": True,
                "summary": "New words", "languages": {"en": number[-1] * 64}, "authoritative": "en"}  # fmt: skip
        wish = opening.Wish(process_named("code_document"), f"Code of Practice {number}", said)
        (found,) = opening.decided(conn, [wish], here, actor=amara)
        assert not isinstance(found, tuple), found
        apply(conn, [found], here)
        ref = found.outcome.after.ref
    moved(cast, ref, "effective", "take_effect", final=False)
    put_in_order(cast, "clock_of_other_state")
    return ref


def put_in_order(cast: Cast, check: str) -> None:
    """Mend what a move by hand left behind beside what a test is about."""
    done = repaired(cast.env, found(cast).get(check, []), now=LATER)
    assert all(one.done for one in done), done


@pytest.fixture(scope="module")
def prepared(database_admin: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    """Two complaints and a survey under way, a file, and a sweep that has just been: nothing is wrong."""
    home = tmp_path_factory.mktemp("prepared")
    with fresh_database(database_admin) as url:
        engine = make_engine(url, pool_size=1)
        cast = cast_of(engine, home / "home")
        cast.members("Chandra's Mill", "South Gym")
        ref = a_complaint(cast, "Cold pool")
        evidence.add(cast.env, ref, "a.txt", b"hello", actor=cast.actor("Amara"))
        a_complaint(cast, "Parking")
        a_campaign(cast, home)
        cast.go_to(LATER)
        sweep_due(cast.env)
        assert found(cast) == {}
        engine.dispose()
        yield cast


@pytest.fixture
def organisation(prepared: Cast, database_admin: Engine, tmp_path: Path) -> Iterator[Cast]:
    """A copy of it, for a test to spoil."""
    home, name = tmp_path / "home", prepared.env.engine.url.database
    shutil.copytree(prepared.env.settings.home, home)
    with fresh_database(database_admin, template=str(name)) as url:
        engine = make_engine(url, pool_size=2)
        settings = prepared.env.settings.model_copy(
            update={"home": home, "evidence": home / "evidence", "database_url": SecretStr(url)}
        )
        yield Cast(replace(prepared.env, engine=engine, settings=settings))
        engine.dispose()


def found(cast: Cast) -> dict[str, list[Finding]]:
    """What every check finds, by name."""
    by_name: dict[str, list[Finding]] = {}
    with reading(cast.env.engine) as conn:
        told = promises.broken_promises(conn, cast.env, LATER)
        told += [Finding("record", bad.ref, bad.why) for bad in audit.verify(conn).problems]
    for finding in (*told, *evidence.verify_files(cast.env)):
        by_name.setdefault(finding.check, []).append(finding)
    return by_name


def message(state: str, **values: Any) -> str:
    row = {"key": "'k'", "kind": "'case_overdue'", "audience": "'owner'", "purpose": "'internal'",
           "state": f"'{state}'", "not_before": "now()", "created_at": "now()", "case_id": ":id", **values}  # fmt: skip
    return f"INSERT INTO messages ({', '.join(row)}) VALUES ({', '.join(map(str, row.values()))})"


def no_file(cast: Cast, ref: str) -> None:
    _file(cast).unlink()


def other_file(cast: Cast, ref: str) -> None:
    _file(cast).write_bytes(b"jello")


def _file(cast: Cast) -> Path:
    return evidence.path_of(cast.env.settings.evidence, cast.scalar("SELECT sha256 FROM evidence_files"))


def two_in_force(cast: Cast, ref: str) -> None:
    a_document(cast, "3.0")
    a_document(cast, "3.1")


ON = "UPDATE cases SET {} WHERE id = :id"
SEEDS: dict[str, Seed] = {
    "nobody owns it": Seed("no_owner", [ON.format("owner_id = NULL")]),
    "its owner has left": Seed("owner_left", [ON.format("owner_id = (SELECT id FROM staff WHERE name = 'Dov')")]),
    "its owner is walled off": Seed("owner_kept_out", [ON.format("walled_off = ARRAY[owner_id]")]),
    "no clock runs": Seed("no_clock", [ON.format("clocks = jsonb_build_object(), due_at = NULL")]),
    "it is never looked at again": Seed("nothing_due", [ON.format("due_at = NULL")]),
    "it is looked at too late": Seed("due_unlike_clocks", [ON.format("due_at = due_at + interval '9 days'")]),
    "its deadline is another": Seed("due_unlike_clocks", [ON.format("deadline_at = deadline_at - interval '1 day'")]),
    "a clock of another state runs": Seed("clock_of_other_state", [
        ON.format("clocks = jsonb_build_object('answer_stage_2', clocks -> 'acknowledge')")]),
    "a hold where there is none": Seed("hold_without_end", [ON.format("on_hold = true")]),
    "it is in a state that never was": Seed("unknown_state", [ON.format("state = 'limbo'")]),
    "it is in a state that is gone": Seed("unknown_state", do=lambda cast, ref: of_old(cast, ref),
                                          mended=False),
    "it is of a process that is gone": Seed("unknown_process", [ON.format("process = 'bakery'")], mended=False),
    "its state is not the record's": Seed("state_without_event clock_of_other_state",
                                          [ON.format("state = 'acknowledged'")]),
    "it is closed and its state is not": Seed("clock_after_end closed_unlike_state",
                                              [ON.format("closed_at = opened_at")]),
    "it is final and not closed": Seed("state_without_event closed_unlike_state clock_of_other_state",
                                       [ON.format("state = 'withdrawn'")]),
    "it was left at an event before the last": Seed("head_unlike_events record", [
        ON.format("last_seq = 1, last_hash = (SELECT hash FROM case_events WHERE case_id = :id AND seq = 1)")]),
    "it was left at no such hash": Seed("head_unlike_events record", [ON.format("last_hash = 'x'")]),
    "an event was changed": Seed("record", [UNLOCKED, "UPDATE case_events SET actor = 'x' WHERE case_id = :id"],
                                 mended=False),
    "an event is missing": Seed("record", [UNLOCKED, "DELETE FROM case_events WHERE case_id = :id AND seq = 1"],
                                mended=False),
    "its last event is missing": Seed("record head_unlike_events", [
        UNLOCKED, "DELETE FROM case_events WHERE case_id = :id AND seq = 2"], mended=False),
    "an event is still to come": Seed("future_event record", [
        UNLOCKED, "UPDATE case_events SET at = at + interval '9 days' WHERE case_id = :id"], mended=False),
    "a rung fired twice": Seed("fired_twice record", [
        "ALTER TABLE case_events DROP CONSTRAINT uq_case_events_occurrence", UNLOCKED,
        "UPDATE case_events SET occurrence = '1:a:b:0.0:c' WHERE case_id = :id"], mended=False),
    "it is parked": Seed("parked", [ON.format("parked_at = opened_at, parked_why = 'see its history'")], mended=False),
    "it is closed and something is to do": Seed("task_after_end", [
        "INSERT INTO case_tasks (case_id, kind, title, role, due_at, data, created_at) "
        "SELECT id, 'phone_call', 'Ring them', 'coordinator', now(), '{}', now() FROM cases WHERE id = :id"],
        do=lambda cast, ref: close(cast, ref)),
    "one message is sent twice": Seed("sent_twice", [
        message("sent", key=f"'k{n}'", event_seq=1, sent_at="CAST('2026-03-02 10:00Z' AS timestamptz)",
                decided_at="CAST('2026-03-02 10:00Z' AS timestamptz)", to_email=f"'{address}'")
        for n, address in enumerate(("a@x.example", "A@x.example"))], mended=False),
    "a message is about no case": Seed("message_without_case", [message("queued", case_id="99999")], event=False),
    "a message is being sent by nobody": Seed("sending_without_lease", [message("sending")]),
    "a delivery has died": Seed("sending_stuck", [
        message("sending", lease_until="now() - interval '1 hour'", lease_by="'gone'")]),
    "a file is gone": Seed("evidence", do=no_file, mended=False),
    "a file is another": Seed("evidence", do=other_file, mended=False),
    "a case of a campaign lost it": Seed("child_without_parent", [ON.format("parent_id = NULL")],
                                         case="survey_response"),
    "a campaign is closed and a case of it is open": Seed("open_after_campaign", do=lambda cast, ref: over(cast),
                                                          case="survey_response"),
    "two versions are in force": Seed("in_force_twice", do=two_in_force, case="code_document"),
    "work was never finished": Seed("job_unfinished", [
        "INSERT INTO job_runs (job, period, started_at, attempts) "
        "VALUES ('weekly_digest', '2026-W02', now() - interval '9 days', 1)"], event=False),
    "who asked for a decision has left": Seed("asked_by_who_left", do=lambda cast, ref: asked_and_left(cast, ref),
                                              mended=False),
}  # fmt: skip


def close(cast: Cast, ref: str) -> None:
    """Let a complaint be withdrawn, with every promise kept."""
    payload = {"note": "All is well"}
    commands.fire(cast.env, ref, "withdraw", payload=payload, actor=cast.actor("Amara"))


def of_old(cast: Cast, ref: str) -> None:
    """Let a case be where a version of the process put it that is gone."""
    moved(cast, ref, "limbo", "moved", final=False)


def moved(cast: Cast, ref: str, state: str, trigger: str, *, final: bool, **changes: Any) -> None:
    """Write a move that the process was not asked about."""
    with transaction(cast.env.engine) as conn:
        here = world(conn, cast.env)
        locked = lock_ref(conn, ref)
        assert locked is not None
        after = replace(locked.case, state=state, **changes)
        step = Step("transition", trigger, locked.case.state, state, SYSTEM, here.now)
        outcome = Outcome(locked.case, after, (step,), Role(locked.owner_role), final)
        apply(conn, [Change(outcome, 1, locked.owner_id, locked.coordinator_id, locked)], here)


def over(cast: Cast) -> None:
    """Let a campaign be closed without a word to its cases."""
    ref = cast.scalar("SELECT ref FROM cases WHERE process = 'survey_campaign'")
    moved(cast, ref, "closed_exception", "close_with_exceptions", final=True, clocks={})
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE cases SET closed_at = closed_at - interval '2 hours' WHERE ref = :ref"), {"ref": ref})


def asked_and_left(cast: Cast, ref: str) -> None:
    source, asked = next(
        (source, asked) for process, source, asked in zip(
            *(promises._definitions()[f"eyes_{n}"] for n in ("process", "source", "asked")), strict=True)
        if process == "complaint" and source == "stage_1_approval"
    )  # fmt: skip
    moved(cast, ref, source, asked, final=False, people={asked: ["staff:8"]})
    put_in_order(cast, "clock_of_other_state")


def seed(cast: Cast, what: Seed) -> str:
    """Do it, and return the case it was done to."""
    if what.case == "code_document":
        assert what.do is not None
        what.do(cast, "")
        return str(cast.scalar("SELECT ref FROM cases WHERE process = 'code_document' ORDER BY id LIMIT 1"))
    row = cast.rows("SELECT id, ref FROM cases WHERE process = :p ORDER BY id LIMIT 1", p=what.case)[0]
    if what.do is not None:
        what.do(cast, row.ref)
    with transaction(cast.env.engine) as conn:
        for statement in what.sql:
            conn.execute(text(statement), {"id": row.id} if ":id" in statement else {})
    return str(row.ref)


@pytest.mark.parametrize("name", SEEDS)
def test_what_is_wrong_is_found_by_its_name_and_put_right_by_an_event(organisation: Cast, name: str) -> None:
    cast, what = organisation, SEEDS[name]
    ref = seed(cast, what)
    before = found(cast)
    events = cast.scalar("SELECT count(*) FROM case_events")

    assert set(before) == set(what.finds.split())
    assert all(finding.advice for fs in before.values() for finding in fs)
    assert ref in {finding.ref for fs in before.values() for finding in fs} or not what.event or what.do is not None \
        or {"sending_without_lease", "sending_stuck"} & set(before)  # fmt: skip

    findings = [finding for fs in before.values() for finding in fs]
    trial = repaired(cast.env, findings, trial=True, now=LATER)
    assert cast.scalar("SELECT count(*) FROM case_events") == events, "a trial writes nothing"
    repairs = repaired(cast.env, findings, now=LATER)
    assert [(r.check, r.done) for r in repairs][:1] == [(r.check, r.done) for r in trial][:1]
    assert cast.scalar("SELECT count(*) FROM case_events") > events or not (what.mended and what.event)
    if what.mended:
        assert found(cast) == {}, [r.to_dict() for r in repairs]
        assert any(r.done and r.after for r in repairs)
    else:
        assert set(found(cast)) == set(before)
        assert all(not r.done and r.why for r in repairs), "it says why it is left alone"
    after = cast.scalar("SELECT count(*) FROM case_events")
    assert not [r for r in repaired(cast.env, findings, now=LATER) if r.done and r.after], "twice is harmless"
    assert cast.scalar("SELECT count(*) FROM case_events") == after


def test_there_is_advice_for_every_check() -> None:
    names = {check.name for check in (*promises.CHECKS, *OF_CONSISTENCY)} | {"record", "evidence", "process", "letters"}

    assert names == set(ADVICE)
    assert len({finds for what in SEEDS.values() for finds in what.finds.split()}) >= 20


@pytest.mark.parametrize("gone", ["process = 'bakery'", "state = 'limbo'"])
def test_a_case_of_a_version_that_is_gone_is_parked_and_stops_no_sweep(organisation: Cast, gone: str) -> None:
    cast = organisation
    one, other = cast.rows("SELECT id, ref FROM cases WHERE process = 'complaint' ORDER BY id")
    with transaction(cast.env.engine) as conn:
        conn.execute(text(f"UPDATE cases SET {gone} WHERE id = :id"), {"id": one.id})
    cast.go_to(LATER + timedelta(days=21))
    sweep_due(cast.env)

    assert cast.scalar("SELECT parked_at FROM cases WHERE id = :id", id=one.id) is not None
    assert cast.scalar("SELECT max(at) FROM case_events WHERE case_id = :id", id=other.id) > LATER
    with reading(cast.env.engine) as conn:
        assert audit.verify(conn).ok


def test_the_command_says_what_to_do_what_it_would_do_and_what_it_did(organisation: Cast) -> None:
    cast = organisation
    muster = muster_of(cast)
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE cases SET owner_id = NULL WHERE id = 1"))
    ref = cast.scalar("SELECT ref FROM cases WHERE id = 1")

    assert "muster check --repair" in muster("check", code=1).out
    told = muster.json("check", "--repair", "--dry-run", code=1)
    assert [(one["ref"], one["done"], one["before"]) for one in told["repairs"]] == [(ref, True, {"owner": None})]
    assert cast.scalar("SELECT owner_id FROM cases WHERE id = 1") is None
    done = muster("check", "--repair").out
    assert f"{ref} (no_owner): owner: None → staff:4" in done
    assert "All promises hold." in done
    assert muster.json("check", "--repair")["repairs"] == []
    assert muster("check", "--dry-run", code=2).err


def test_a_message_that_a_delivery_took_up_meanwhile_is_not_put_back_under_its_hands(organisation: Cast) -> None:
    cast = organisation
    number = cast.scalar("SELECT min(id) FROM messages")
    with transaction(cast.env.engine) as conn:
        taken = "UPDATE messages SET state = 'sending', lease_by = 'gone', lease_until = now() {} WHERE id = :n"
        conn.execute(text(taken.format("- interval '1 hour'")), {"n": number})
        assert others.abandoned(conn) == [number]
        conn.execute(text(taken.format("+ interval '9 minutes'")), {"n": number})
        assert others.release(conn, number, world(conn, cast.env)) is None
    assert cast.scalar("SELECT state FROM messages WHERE id = :n", n=number) == "sending"


def test_what_has_fired_does_not_fire_again_after_its_clock_was_begun_anew(organisation: Cast) -> None:
    cast = organisation
    now = cast.go_to(LATER + timedelta(days=4))
    sweep_due(cast.env)
    case = "SELECT clocks FROM cases WHERE id = 1"
    before, fired = cast.scalar(case), cast.scalar("SELECT count(*) FROM case_events WHERE occurrence IS NOT NULL")
    assert before["acknowledge"]["fired"]
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE cases SET clocks = jsonb_build_object(), due_at = NULL WHERE id = 1"))
    with reading(cast.env.engine) as conn:
        told = [one for one in promises.broken_promises(conn, cast.env, now) if one.check == "no_clock"]
    assert [one.done for one in repaired(cast.env, told, now=now)] == [True]

    after = cast.scalar(case)
    assert {name: after["acknowledge"][name] for name in ("anchor", "due", "fired", "next")} == {
        name: before["acknowledge"][name] for name in ("anchor", "due", "fired", "next")
    }
    assert sweep_due(cast.env).parked == 0
    assert cast.scalar("SELECT count(*) FROM case_events WHERE occurrence IS NOT NULL") == fired
