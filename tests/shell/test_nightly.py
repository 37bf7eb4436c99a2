"""The night: promises are checked, clocks put right, the record sealed; and on Mondays managers get their digest."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from cases import audit, commands, digest, evidence, health, nightly, opening, promises, sweep
from cases.environment import Environment, working_calendar, world
from cases.locking import lock_ref
from cases.store import apply
from cases.writing import Change
from config import clock
from config.database import reading, transaction
from notifications import rendering
from notifications.context import context_for, organisation_text
from notifications.values import QueuedMessage, Recipient
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Outcome, Step
from tests.cast import MONDAY, Cast


def a_complaint(cast: Cast, subject: str = "Cold pool", team: str = "North", who: str = "Amara", **more: Any) -> str:
    member = cast.members(f"{subject} Ltd", team=team)[0]
    ref = cast.scalar("SELECT ref FROM members WHERE id = :id", id=member)
    return commands.open_one(
        cast.env, "complaint", member=ref, subject=subject, payload={"category": "service", **more},
        actor=cast.actor(who),
    ).after.ref  # fmt: skip


def do(cast: Cast, *statements: str, **values: Any) -> None:
    with transaction(cast.env.engine) as conn:
        for statement in statements:
            assert conn.execute(text(statement), values).rowcount > 0, statement


def checks(cast: Cast, now: datetime = MONDAY) -> dict[str, list[Any]]:
    """What the checks found, by name, without what says that nothing sweeps in a test."""
    with reading(cast.env.engine) as conn:
        found = promises.broken_promises(conn, cast.env, now)
    by_name: dict[str, list[Any]] = {}
    for finding in found:
        by_name.setdefault(finding.check, []).append(finding)
    return by_name


# --- promises


def test_every_promise_is_kept_in_a_normal_week(cast: Cast) -> None:
    a_complaint(cast)
    for day in range(14):
        now = cast.go_to(MONDAY + timedelta(days=day))
        sweep.sweep_due(cast.env)
        assert [f for found in checks(cast, now).values() for f in found if not f.warning] == []


BREAKS: dict[str, str] = {
    "no_owner": "UPDATE cases SET owner_id = NULL",
    "owner_left": "UPDATE cases SET owner_id = (SELECT id FROM staff WHERE name = 'Dov')",
    "no_clock": "UPDATE cases SET clocks = '{}'",
    "nothing_due": "UPDATE cases SET due_at = NULL",
    "clock_after_end": "UPDATE cases SET closed_at = opened_at",
    "unknown_state": "UPDATE cases SET state = 'limbo'",
    "state_without_event": "UPDATE cases SET state = 'stage_1'",
    "parked": "UPDATE cases SET parked_at = opened_at, parked_why = 'see its history'",
}


@pytest.mark.parametrize("check", BREAKS)
def test_a_broken_promise_is_found_with_the_case(cast: Cast, check: str) -> None:
    refs = [a_complaint(cast, "A"), a_complaint(cast, "B")]
    sweep.sweep_due(cast.env)
    assert checks(cast) == {}
    do(cast, BREAKS[check] + " WHERE ref = :ref", ref=refs[1])
    found = checks(cast)
    assert [f.ref for f in found[check]] == [refs[1]]
    assert not found[check][0].warning


def message(cast: Cast, key: str, kind: str, ref: str, **values: Any) -> None:
    """Put a message into the outbox as it stands after something went wrong."""
    row = {
        "key": key, "kind": kind, "audience": "member", "purpose": "service", "state": "queued", "event_seq": None,
        "not_before": MONDAY, "created_at": MONDAY, "sent_at": None, "decided_at": None, "to_email": None,
        "lease_until": None, "case_id": cast.scalar("SELECT id FROM cases WHERE ref = :r", r=ref), **values,
    }  # fmt: skip
    names = ", ".join(row)
    do(cast, f"INSERT INTO messages ({names}) VALUES ({', '.join(':' + name for name in row)})", **row)


def test_one_person_who_got_one_message_twice_is_found(cast: Cast) -> None:
    ref = a_complaint(cast)
    sent = {"state": "sent", "sent_at": MONDAY, "decided_at": MONDAY, "event_seq": 1}
    for number, address in enumerate(("a@x.example", "b@x.example", "A@x.example")):
        message(cast, f"k{number}", "case_overdue", ref, to_email=address, **sent)
    found = checks(cast)["sent_twice"]
    assert [(f.ref, f.why) for f in found] == [(ref, "one event sent the same person case_overdue 2 times")]


def a_response(cast: Cast) -> str:
    """A survey response as a campaign opens it."""
    member = cast.members("Chandra's Mill")[0]
    with transaction(cast.env.engine) as conn:
        here = world(conn, cast.env)
        payload = {
            "campaign_title": "Self-assessment", "launch": "2026-03-02", "deadline": "2026-04-16",
            "questionnaire": "self-assessment", "questionnaire_version": "1", "questionnaire_fingerprint": "x",
        }  # fmt: skip
        wish = opening.Wish(process_named("survey_response"), "Survey", payload, member, "North")
        (found,) = opening.decided(conn, [wish], here, actor=SYSTEM)
        assert not isinstance(found, tuple), found
        apply(conn, [found], here)
        return found.outcome.after.ref


def test_a_reminder_that_was_sent_after_the_answer_was_in_is_found(cast: Cast) -> None:
    ref = a_response(cast)
    later = MONDAY + timedelta(days=8)
    sent = {"state": "sent", "sent_at": later, "decided_at": later}
    message(cast, "fine", "survey_week_left", ref, **sent)
    assert "sent_too_late" not in checks(cast, later)
    moved(cast, ref, "complete", at=MONDAY + timedelta(days=7))
    (finding,) = checks(cast, later)["sent_too_late"]
    assert finding.ref == ref and "survey_week_left was sent while the case was complete" in finding.why
    assert "sent_too_late" not in checks(cast, later + timedelta(days=60)), "history is told for a month"


def test_a_reminder_that_left_in_the_very_moment_of_the_answer_is_no_broken_promise(cast: Cast) -> None:
    ref = a_response(cast)
    at = MONDAY + timedelta(days=7)
    moved(cast, ref, "complete", at=at)
    message(cast, "fine", "survey_week_left", ref, state="sent", sent_at=at, decided_at=at)
    assert "sent_too_late" not in checks(cast, at)


def test_a_reminder_that_still_waits_an_hour_after_the_answer_is_found(cast: Cast) -> None:
    ref = a_response(cast)
    moved(cast, ref, "complete", at=MONDAY)
    message(cast, "vain", "survey_week_left", ref)
    assert "waits_in_vain" not in checks(cast, MONDAY + timedelta(minutes=59))
    found = checks(cast, MONDAY + timedelta(minutes=61))["waits_in_vain"]
    assert {f.ref for f in found} == {ref}
    assert "survey_week_left still waits" in found[-1].why


def moved(cast: Cast, ref: str, state: str, *, at: datetime) -> None:
    """Write a move that the process was not asked about."""
    with transaction(cast.env.engine) as conn:
        here = world(conn, cast.env, at)
        locked = lock_ref(conn, ref)
        assert locked is not None
        target = process_named(locked.case.process).state(state)
        after = replace(locked.case, state=state, clocks={} if target.final else locked.case.clocks)
        step = Step("transition", "moved", locked.case.state, state, SYSTEM, at)
        outcome = Outcome(locked.case, after, (step,), target.owner, target.final)
        apply(conn, [Change(outcome, 1, locked.owner_id, locked.coordinator_id, locked)], here)


def test_who_approved_what_they_had_proposed_is_found(cast: Cast) -> None:
    rules = promises._definitions()
    at = rules["eyes_process"].index("complaint")
    source, trigger, target, asked = (rules[f"eyes_{n}"][at] for n in ("source", "trigger", "target", "asked"))
    mina, max_ = cast.actor("Mina"), cast.actor("Max")
    acting = replace(cast.actor("Sol"), on_behalf_of=mina.person)
    refs = [a_complaint(cast, subject) for subject in ("fine", "broken", "by deputy")]
    for ref, second in zip(refs, (max_, mina, acting), strict=True):
        with transaction(cast.env.engine) as conn:
            here = world(conn, cast.env, MONDAY)
            locked = lock_ref(conn, ref)
            assert locked is not None
            steps = tuple(
                Step("transition", *move, actor, MONDAY) for move, actor in
                (((asked, "received", source), mina), ((trigger, source, target), second))
            )  # fmt: skip
            state = process_named("complaint").state(target)
            outcome = Outcome(locked.case, replace(locked.case, state=target), steps, state.owner, False)
            apply(conn, [Change(outcome, 1, locked.owner_id, locked.coordinator_id, locked)], here)
    assert [f.ref for f in checks(cast)["one_pair_of_eyes"]] == refs[1:]


def test_what_is_late_by_itself_is_a_warning_and_breaks_no_promise(cast: Cast) -> None:
    ref = a_complaint(cast)
    message(cast, "old", "case_overdue", ref)
    gone = clock.utc_now() - timedelta(minutes=6)
    message(cast, "gone", "case_overdue", ref, state="sending", lease_until=gone)
    found = nightly.run_checks(cast.env, now=MONDAY + timedelta(days=30))
    assert {f.check for f in found.findings} == {"swept_late", "no_sweep", "outbox_late", "sending_stuck"}
    assert found.ok and found.to_dict()["findings"] == []
    assert {w["check"] for w in found.to_dict()["warnings"]} == {f.check for f in found.findings}


def test_the_heartbeat_is_by_the_real_clock_whatever_the_sandbox_says(cast: Cast) -> None:
    a_complaint(cast)
    assert "there has been no sweep" in checks(cast)["no_sweep"][0].why
    cast.go_to(MONDAY + timedelta(days=400))
    sweep.sweep_due(cast.env)
    assert "no_sweep" not in checks(cast)
    do(cast, "UPDATE sweeps SET started_at = started_at - interval '6 minutes'")
    assert "the last sweep was at" in checks(cast)["no_sweep"][0].why


# --- the night


def test_a_clean_night_finds_nothing_and_seals_the_record_once(cast: Cast) -> None:
    ref = a_complaint(cast)
    evidence.add(cast.env, ref, "a.txt", b"hello", actor=cast.actor("Amara"))
    sweep.sweep_due(cast.env)
    assert nightly.run_checks(cast.env, now=MONDAY).to_dict() == {"ok": True, "findings": [], "warnings": []}
    nightly.run_checks(cast.env, now=MONDAY + timedelta(hours=1))
    (seal,) = cast.rows("SELECT period, finished_at, result FROM job_runs WHERE job = 'seal'")
    assert (seal.period, seal.result["cases"], seal.result["events"]) == ("2026-03-02", 1, 2)
    assert seal.finished_at is not None


def test_a_bad_night_names_record_file_and_promise(cast: Cast) -> None:
    ref = a_complaint(cast)
    file = evidence.add(cast.env, ref, "a.txt", b"hello", actor=cast.actor("Amara"))
    evidence.path_of(cast.env.settings.evidence, file.sha256).unlink()
    do(cast, "UPDATE cases SET owner_id = NULL, last_hash = 'x'")
    found = nightly.run_checks(cast.env, now=MONDAY).to_dict()
    assert not found["ok"]
    assert {f["check"] for f in found["findings"]} == {"no_owner", "head_unlike_events", "record", "evidence"}
    assert {f["ref"] for f in found["findings"]} == {ref}
    assert all(set(f) == {"check", "ref", "why", "advice"} for f in found["findings"])
    json.dumps(found)


def with_closure(cast: Cast, *days: date) -> Environment:
    organisation = cast.env.policy.organisation.model_copy(update={"closures": days})
    policy = cast.env.policy.model_copy(update={"organisation": organisation})
    return replace(cast.env, policy=policy, calendar=working_calendar(cast.env.settings, policy))


def test_a_closure_day_moves_a_clock_of_working_days_writes_it_down_and_the_second_time_nothing_moves(
    cast: Cast,
) -> None:
    ref, other = a_complaint(cast), a_complaint(cast, "B")
    before = cast.scalar("SELECT clocks -> 'acknowledge' ->> 'due' FROM cases WHERE ref = :r", r=ref)
    due_at = cast.scalar("SELECT due_at FROM cases WHERE ref = :r", r=ref)
    do(cast, "UPDATE cases SET closed_at = opened_at WHERE ref = :r", r=other)
    env, told = with_closure(cast, date(2026, 3, 4)), list[int]()
    assert nightly.recalculate_clocks(cast.env, now=MONDAY) == 0
    assert nightly.recalculate_clocks(env, now=MONDAY, progress=told.append) == 1
    assert told == [1]
    after = cast.scalar("SELECT clocks -> 'acknowledge' ->> 'due' FROM cases WHERE ref = :r", r=ref)
    assert (before, after) == ("2026-03-09T23:59:00+00:00", "2026-03-10T23:59:00+00:00")
    assert cast.scalar("SELECT due_at FROM cases WHERE ref = :r", r=ref) > due_at
    (event,) = cast.rows("SELECT details, actor, source, target FROM case_events WHERE kind = 'clocks_moved'")
    assert event.details["clocks_due"]["acknowledge"] == after
    assert event.details["clocks_were"]["acknowledge"] == before
    assert (event.actor, event.source, event.target) == ("system:sweep", "received", "received")
    assert nightly.recalculate_clocks(env, now=MONDAY) == 0
    assert cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'clocks_moved'") == 1
    with reading(cast.env.engine) as conn:
        assert audit.verify(conn).ok
        assert audit.rebuild(conn, 1)["clocks"]["acknowledge"] == after


def test_many_cases_are_put_right_in_batches(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        a_complaint(cast, f"No {number}")
    monkeypatch.setattr(nightly, "BATCH", 2)
    told: list[int] = []
    assert nightly.recalculate_clocks(with_closure(cast, date(2026, 3, 4)), now=MONDAY, progress=told.append) == 5
    assert told == [2, 4, 5]


def test_one_broken_case_does_not_keep_the_clocks_of_the_others_wrong(cast: Cast) -> None:
    refs = [a_complaint(cast, f"No {number}") for number in range(3)]
    do(cast, "UPDATE cases SET process = 'gone' WHERE ref = :r", r=refs[0])
    assert nightly.recalculate_clocks(with_closure(cast, date(2026, 3, 4)), now=MONDAY) == 2


# --- digest


def digests(cast: Cast) -> dict[str, dict[str, Any]]:
    rows = cast.rows("SELECT s.name, m.* FROM messages m JOIN staff s ON m.audience = 'staff:' || s.id "
                     "WHERE m.kind = 'manager_digest' ORDER BY m.id")  # fmt: skip
    return {row.name: row.data for row in rows}


def test_each_manager_gets_one_digest_a_week_however_often_it_is_asked_for(cast: Cast) -> None:
    assert digest.send_digests(cast.env, now=MONDAY) == 3
    assert digest.send_digests(cast.env, now=MONDAY + timedelta(days=6)) == 0
    assert set(digests(cast)) == {"Mina", "Max", "Sol"}
    assert digest.send_digests(cast.env, now=MONDAY + timedelta(days=7)) == 3
    keys = cast.rows("SELECT key, case_id FROM messages WHERE kind = 'manager_digest' ORDER BY id")
    assert keys[0].key.startswith("digest:2026-W10:") and keys[3].key.startswith("digest:2026-W11:")
    assert all(row.case_id is None for row in keys)


def test_a_digest_tells_what_is_late_escalated_parked_and_waits_for_a_decision(cast: Cast) -> None:
    late, fresh = a_complaint(cast, "Late"), a_complaint(cast, "Fresh")
    mina = cast.actor("Mina")
    for day in range(12):
        cast.go_to(MONDAY + timedelta(days=day))
        sweep.sweep_due(cast.env)
    now = cast.env_now
    do(cast, "UPDATE cases SET deadline_at = :later, due_at = :later WHERE ref = :r", r=fresh, later=now + timedelta(9))
    do(cast, "UPDATE cases SET entered_at = :now, parked_at = :now, owner_id = :mina, owner_role = 'manager' "
             "WHERE ref = :r", r=fresh, now=now, mina=int(mina.person[6:]))  # fmt: skip
    message(cast, "late", "case_overdue", late)
    digest.send_digests(cast.env, now=now)
    told = digests(cast)["Mina"]
    refs = {name: [c["ref"] for c in told[name]["cases"]] for name in ("decisions", "overdue", "escalated", "parked")}
    assert refs == {"decisions": [fresh], "overdue": [late], "escalated": [late], "parked": [fresh]}
    assert (told["overdue"]["total"], refs["overdue"]) == (1, [late])
    assert told["messages"]["waiting"] >= 1
    assert digests(cast)["Sol"]["overdue"]["total"] == 0, "a senior manager hears of what is ten working days late"
    assert digests(cast)["Sol"]["escalated"]["total"] == 0
    later = cast.go_to(MONDAY + timedelta(days=28))
    sweep.sweep_due(cast.env)
    digest.send_digests(cast.env, now=later)
    sol = digests(cast)["Sol"]
    assert sol["overdue"]["cases"][0]["ref"] == late
    assert late in [c["ref"] for c in sol["escalated"]["cases"]]


def test_what_few_may_see_is_counted_and_not_named_and_nothing_personal_is_in_a_digest(cast: Cast) -> None:
    mina = cast.actor("Mina")
    walled = a_complaint(cast, "About Mina", about_staff=[mina.person])
    confidential, plain = a_complaint(cast, "Secret"), a_complaint(cast, "Jo Doe fell", complainant_name="Jo Doe")
    commands.restrict(cast.env, confidential, ["amara@muster.example"], actor=mina)
    now = MONDAY + timedelta(days=40)
    digest.send_digests(cast.env, now=now)
    told = digests(cast)
    assert [c["ref"] for c in told["Mina"]["overdue"]["cases"]] == [plain]
    assert (told["Mina"]["overdue"]["total"], told["Mina"]["overdue"]["confidential"]) == (2, 1)
    assert walled not in json.dumps(told["Mina"])
    assert told["Sol"]["overdue"]["total"] == 2 and told["Sol"]["overdue"]["confidential"] == 1, "the walled-off one"
    assert "Secret" not in json.dumps(told) and "About Mina" not in json.dumps(told)
    assert plain in json.dumps(told) and "complainant" not in json.dumps(told)


def test_the_letter_of_a_digest_renders(cast: Cast) -> None:
    a_complaint(cast)
    digest.send_digests(cast.env, now=MONDAY + timedelta(days=40))
    data = digests(cast)["Mina"]
    sent = QueuedMessage(1, "k", "manager_digest", "staff:2", "internal", data=data)
    to = Recipient("mina@muster.example", "Mina", "staff", staff_id=2)
    organisation = organisation_text(cast.env.policy.organisation)
    context = context_for(sent, None, to, organisation, cast.env.calendar, payload={}, link="https://x.example/")
    assert "1 late" in rendering.render("manager_digest", context).subject


# --- health


def test_health_tells_the_sweep_the_work_and_the_outbox(cast: Cast) -> None:
    assert health.status(cast.env)["sweep"] == {
        "at": None, "age_seconds": None, "late": True, "due": None, "fired": None, "parked": None,
        "milliseconds": None, "worker": None, "machines": [],
    }  # fmt: skip
    ref = a_complaint(cast)
    do(cast, "INSERT INTO absences (staff_id, from_date, until_date, created_at) "
             "SELECT id, '2026-03-01', '2026-03-09', :now FROM staff WHERE name = 'Bo'", now=MONDAY)  # fmt: skip
    sweep.sweep_due(cast.env)
    message(cast, "late", "case_overdue", ref)
    now = cast.go_to(MONDAY + timedelta(days=1))
    found = health.status(cast.env, head="0001")
    assert (found["kind"], found["sandbox"], found["clock"]) == ("sandbox", True, now.isoformat())
    assert found["sweep"]["late"] is False and found["sweep"]["fired"] == 0
    assert found["open_cases"]["complaint"] == 1 and found["open_cases"]["monitoring"] == 0
    assert found["outbox"]["queued"] >= 1 and found["outbox"]["oldest_age_seconds"] == 24 * 3600
    assert found["away_without_deputy"] == ["Bo"]
    assert found["migrations"]["head"] == "0001" and found["migrations"]["current"] is not None
    assert (found["due"], found["overdue"], found["parked"]) == (0, 0, 0)
    cast.go_to(MONDAY + timedelta(days=30))
    late = health.status(cast.env)
    assert (late["due"], late["overdue"]) == (1, 1) and late["oldest_due_at"] is not None
    do(cast, "UPDATE sweeps SET started_at = started_at - interval '6 minutes'")
    assert health.status(cast.env)["sweep"]["late"] is True
