"""What one case means for another: incidents from surveys and complaints, walls between them, no joint closing."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cases import audit, campaigns, commands, queries
from cases.answers import member_actor
from cases.delivering import deliver
from cases.errors import TransitionRefused
from cases.sweep import sweep_due
from config.database import reading
from tests.cast import Cast
from tests.core.monitoring_story import DECISION, FORMS

LONDON = ZoneInfo("Europe/London")
NAME, ADDRESS, WORDS = "Priya Naseem", "priya.naseem@worker.example", "My brother Yusuf was not paid at gate seven"
ACKNOWLEDGED = {
    "issues": [{"category": "Wages"}], "understanding": "Wages were not paid.", "adjustments_asked": True,
}  # fmt: skip


def member_of(cast: Cast, name: str = "Acme Gins", **columns: Any) -> str:
    """A member and their reference."""
    [number] = cast.members(name, **columns)
    return str(cast.scalar("SELECT ref FROM members WHERE id = :id", id=number))


def complaint(cast: Cast, member: str, **payload: Any) -> str:
    """A complaint about a member by a worker who gave their name."""
    given = {
        "category": "Wages", "description": WORDS, "complainant_name": NAME, "complainant_email": ADDRESS,
        "complainant_type": "worker", "profile": "BETTER_COTTON", **payload,
    }  # fmt: skip
    found = commands.open_one(
        cast.env, "complaint", member=member, subject="Wages", payload=given, actor=cast.actor("Amara")
    )
    return found.after.ref


def alleging(cast: Cast, member: str) -> tuple[str, str]:
    """A complaint that alleges a breach, acknowledged, and the incident it has opened."""
    ref = complaint(cast, member, alleges_breach=True, criterion="decent_work")
    do(cast, ref, "acknowledge", "Amara", **ACKNOWLEDGED)
    [row] = incidents(cast)
    return ref, row.ref


def do(cast: Cast, ref: str, trigger: str, who: str, **payload: Any) -> str:
    """Pull a trigger; monitoring forms are filled in. Return the new state."""
    forms = FORMS.get(trigger, {}) if ref.startswith("MC") else {}
    actor = cast.actor(who)
    return commands.fire(cast.env, ref, trigger, payload={**forms, **payload}, actor=actor).after.state


def answered(cast: Cast, ref: str, decision: str, **more: Any) -> str:
    """Let the handler answer a complaint at the first stage."""
    amara = cast.actor("Amara").person
    do(cast, ref, "allocate", "Mina", handler=amara)
    findings = [{"decision": decision, "reasons": "The payroll shows it."}]
    return do(cast, ref, "respond", "Amara", findings=findings, answer="This is what we found.", **more)


def incidents(cast: Cast) -> list[Any]:
    """The monitoring cases there are."""
    return cast.rows("SELECT id, ref, state, data, member_id FROM cases WHERE process = 'monitoring' ORDER BY id")


def links(cast: Cast) -> list[tuple[str, str, str]]:
    """The links there are: from, type, to."""
    rows = cast.rows(
        "SELECT a.ref AS a, l.type, b.ref AS b FROM case_links l JOIN cases a ON a.id = l.from_id "
        "JOIN cases b ON b.id = l.to_id ORDER BY a.id"
    )
    return [(row.a, row.type, row.b) for row in rows]


def state(cast: Cast, ref: str) -> str:
    """The state of a case."""
    return str(cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=ref))


def on(cast: Cast, day: str, hour: int = 9, minute: int = 30) -> None:
    """Move to a day and sweep."""
    found = date.fromisoformat(day)
    cast.go_to(datetime(found.year, found.month, found.day, hour, minute, tzinfo=LONDON))
    sweep_due(cast.env)


def is_whole(cast: Cast) -> bool:
    """Whether the chain of every case fits."""
    with reading(cast.env.engine) as conn:
        return audit.verify(conn).ok


# --- surveys ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(cast: Cast, tmp_path: Path) -> tuple[Cast, str]:
    """A member asked in a survey, and the reference of the response."""
    cast.go_to(datetime(2026, 2, 20, 9, tzinfo=LONDON))
    cast.members("Acme Gins", tier="General")
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "kind: survey\ntitle: Survey 2026\nquestionnaire: self-assessment\nlaunch: 2026-03-02\ndeadline: 2026-04-17\n"
        "population: {status: active, tier: [General]}\nladder: standard\n"
    )
    ref = campaigns.plan(cast.env, plan, actor=cast.actor("Amara")).after.ref
    do(cast, ref, "approve_plan", "Mina", data_protection_checked=True)
    do(cast, ref, "skip_pilot", "Mina", reason="The questions are those of last year")
    on(cast, "2026-02-27")
    on(cast, "2026-03-02")
    return cast, str(cast.scalar("SELECT ref FROM cases WHERE process = 'survey_response'"))


def test_a_response_that_failed_opens_exactly_one_incident_that_it_caused(asked: tuple[Cast, str]) -> None:
    cast, ref = asked
    for day in ("2026-03-09", "2026-03-23", "2026-04-18", "2026-05-01", "2026-05-18", "2026-06-02"):
        on(cast, day)
    assert state(cast, ref) == "decision"
    assert do(cast, ref, "fail", "Mina", reason="No answer to three letters") == "failed"
    with pytest.raises(TransitionRefused):
        do(cast, ref, "fail", "Mina", reason="Once more")
    [incident] = incidents(cast)
    assert (incident.state, incident.data["criterion"]) == ("signal", "commitment_conduct")
    assert "case_opened_at" not in incident.data, "an incident is not counted"
    assert links(cast) == [(incident.ref, "caused_by", ref)]
    assert incident.member_id == cast.scalar("SELECT member_id FROM cases WHERE ref = :ref", ref=ref)
    on(cast, "2026-06-10")
    assert len(incidents(cast)) == 1
    assert is_whole(cast)


def test_a_refusal_opens_exactly_one_incident_that_it_caused(asked: tuple[Cast, str]) -> None:
    cast, ref = asked
    member = member_actor(cast.scalar("SELECT member_id FROM cases WHERE ref = :ref", ref=ref))
    given = {"in_writing": True, "statement": "We do not share such figures."}
    assert commands.fire(cast.env, ref, "refuse", payload=given, actor=member).after.state == "refused"
    with pytest.raises(TransitionRefused):
        commands.fire(cast.env, ref, "refuse", payload=given, actor=member)
    [incident] = incidents(cast)
    assert links(cast) == [(incident.ref, "caused_by", ref)]


# --- complaints that allege a breach ---------------------------------------------------------------------------------


def test_a_complaint_that_alleges_a_breach_opens_one_incident_and_each_keeps_its_own_clock(cast: Cast) -> None:
    ref = complaint(cast, member_of(cast), alleges_breach=True, criterion="decent_work")
    assert incidents(cast) == []
    do(cast, ref, "acknowledge", "Amara", **ACKNOWLEDGED)
    [incident] = incidents(cast)
    assert (incident.state, incident.data["criterion"]) == ("signal", "decent_work")
    assert links(cast) == [(incident.ref, "spawned_from", ref)]
    with pytest.raises(TransitionRefused, match="opened from this complaint already"):
        do(cast, ref, "open_monitoring", "Amara", criterion="decent_work")
    assert len(incidents(cast)) == 1
    clocks = {row.ref: set(row.clocks) for row in cast.rows("SELECT ref, clocks FROM cases")}
    assert clocks[incident.ref] == {"triage"}
    assert "stage_1" in clocks[ref]
    both = queries.case_page(cast.env, ref, actor=cast.actor("Amara")).links
    assert [(link["ref"], link["type"]) for link in both] == [(incident.ref, "spawned_from")]


def test_the_third_complaint_in_twelve_months_raises_one_signal_and_the_fourth_none(cast: Cast) -> None:
    member = member_of(cast)
    for number in range(4):
        complaint(cast, member)
        assert len(incidents(cast)) == (1 if number >= 2 else 0)


def test_old_complaints_that_are_entered_late_make_no_trend(cast: Cast) -> None:
    member = member_of(cast)
    for _ in range(4):
        commands.open_one(
            cast.env, "complaint", member=member, subject="Wages", payload={"category": "Wages"},
            received_at=datetime(2024, 5, 1, 9, tzinfo=LONDON), actor=cast.actor("Amara"),
        )  # fmt: skip
    assert incidents(cast) == []


def test_closing_a_complaint_never_closes_the_incident_it_opened(cast: Cast) -> None:
    ref, incident = alleging(cast, member_of(cast))
    assert do(cast, ref, "withdraw", "Amara") == "withdrawn"
    on(cast, "2026-03-03")
    assert state(cast, incident) == "signal"
    assert do(cast, incident, "start_triage", "Amara") == "triage"


def test_closing_an_incident_never_closes_the_complaint_it_came_from(cast: Cast) -> None:
    ref, incident = alleging(cast, member_of(cast))
    before = state(cast, ref)
    do(cast, incident, "start_triage", "Amara")
    assert do(cast, incident, "dismiss", "Amara") == "closed"
    on(cast, "2026-03-03")
    assert state(cast, ref) == before == "acknowledged"
    assert answered(cast, ref, "upheld") == "stage_1_responded"


# --- a complaint that was upheld -------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", [False, True], ids=["answered", "closed"])
@pytest.mark.parametrize("decision", ["upheld", "partly_upheld"])
def test_an_incident_is_not_dismissed_while_its_complaint_is_upheld_unless_a_manager_says_why(
    cast: Cast, decision: str, closed: bool
) -> None:
    ref, incident = alleging(cast, member_of(cast))
    answered(cast, ref, decision)
    if closed:
        assert do(cast, ref, "accept", "Amara") == "closed"
    do(cast, incident, "start_triage", "Amara")
    with pytest.raises(TransitionRefused, match="only a manager may close this"):
        do(cast, incident, "dismiss", "Amara")
    with pytest.raises(TransitionRefused, match="say why"):
        do(cast, incident, "dismiss", "Mina")
    with pytest.raises(TransitionRefused):
        do(cast, incident, "dismiss", "Amara", despite_complaint="I think so")
    why = "The wages were late and paid; the code asks for no more."
    assert do(cast, incident, "dismiss", "Mina", despite_complaint=why) == "closed"
    kept = cast.scalar(
        "SELECT e.details FROM case_events e JOIN cases c ON c.id = e.case_id WHERE c.ref = :ref "
        "AND e.trigger = 'dismiss'",
        ref=incident,
    )
    assert kept["payload"]["despite_complaint"] == why


def test_a_case_that_was_assessed_is_not_closed_without_a_word_on_the_upheld_complaint_either(cast: Cast) -> None:
    ref, incident = alleging(cast, member_of(cast))
    answered(cast, ref, "upheld")
    for trigger, who in (
        ("start_triage", "Amara"), ("accept", "Amara"), ("waive_reply", "Mina"), ("submit_assessment", "Amara"),
        ("accept_pack", "Mina"),
    ):  # fmt: skip
        do(cast, incident, trigger, who)
    with pytest.raises(TransitionRefused, match="linked complaint on the same facts is upheld"):
        do(cast, incident, "close_without_case", "Mina")
    told = DECISION | {"chosen": "NO_CASE", "despite_complaint": "The code does not cover it."}
    assert do(cast, incident, "close_without_case", "Mina", **told) == "closed"


@pytest.mark.parametrize("decision", ["not_upheld", "no_finding"])
def test_a_complaint_that_was_not_upheld_stands_in_nobodys_way(cast: Cast, decision: str) -> None:
    ref, incident = alleging(cast, member_of(cast))
    answered(cast, ref, decision)
    do(cast, incident, "start_triage", "Amara")
    assert do(cast, incident, "dismiss", "Amara") == "closed"


def test_a_remedied_case_waits_for_the_actions_promised_to_the_complainant_or_says_where_they_go_on(cast: Cast) -> None:
    ref, incident = alleging(cast, member_of(cast))
    answered(cast, ref, "upheld", remedies=[{"what": "Pay the wages", "due_on": "2026-04-01"}])
    assert do(cast, ref, "accept", "Amara") == "actions_open"
    for trigger, who in (
        ("start_triage", "Amara"), ("accept", "Amara"), ("waive_reply", "Mina"), ("submit_assessment", "Amara"),
        ("accept_pack", "Mina"), ("warn", "Mina"), ("file_plan", "Amara"), ("accept_plan", "Mina"),
        ("report_complete", "Amara"),
    ):  # fmt: skip
        do(cast, incident, trigger, who)
    with pytest.raises(TransitionRefused, match="still has open actions"):
        do(cast, incident, "close_resolved", "Max")
    assert do(cast, incident, "close_resolved", "Max", split_off="They go on in the complaint") == "follow_up"
    assert state(cast, ref) == "actions_open"


# --- who complained --------------------------------------------------------------------------------------------------


def test_nothing_in_the_monitoring_case_tells_who_complained_or_what_they_said(cast: Cast) -> None:
    ref, incident = alleging(cast, member_of(cast))
    for trigger, who in (
        ("start_triage", "Amara"), ("accept", "Amara"), ("ask_member", "Amara"), ("reply", "Amara"),
        ("submit_assessment", "Amara"), ("accept_pack", "Mina"), ("warn", "Mina"),
    ):  # fmt: skip
        do(cast, incident, trigger, who)
    on(cast, "2026-03-30")
    deliver(cast.env)
    number = cast.scalar("SELECT id FROM cases WHERE ref = :ref", ref=incident)
    words = [NAME, "Naseem", ADDRESS, "Yusuf", "gate seven"]
    for table in ("cases", "case_events", "event_personal", "messages", "case_tasks", "evidence_files"):
        key = "id" if table == "cases" else "case_id"
        for word in words:
            sql = f"SELECT count(*) FROM {table} t WHERE t.{key} = :id AND t::text ILIKE :word"
            assert cast.scalar(sql, id=number, word=f"%{word}%") == 0, (table, word)
    page = repr(queries.case_page(cast.env, incident, actor=cast.actor("Mina"), last_events=None))
    assert not any(word in page for word in words)
    assert cast.scalar("SELECT count(*) FROM event_personal WHERE data::text LIKE '%Yusuf%'") == 1, (
        "it stays with the complaint"
    )
    assert cast.scalar("SELECT parties::text FROM cases WHERE ref = :ref", ref=ref).count(NAME) == 1


def test_the_member_it_is_about_hears_of_the_complaint_without_the_complainant(cast: Cast) -> None:
    alleging(cast, member_of(cast))
    rows = cast.rows("SELECT data::text AS data FROM messages WHERE audience = 'member'")
    assert rows
    assert all(NAME not in row.data and ADDRESS not in row.data for row in rows)


# --- the end of a membership -----------------------------------------------------------------------------------------


def test_a_membership_that_ends_closes_the_open_monitoring_case_and_marks_the_register(cast: Cast) -> None:
    member = member_of(cast, joined_on=date(2024, 1, 10))
    ref, incident = alleging(cast, member)
    leaving = commands.open_one(
        cast.env, "cancellation", member=member, subject="Leaves", payload={"channel": "email"},
        actor=cast.actor("Amara"),
    ).after.ref  # fmt: skip
    on(cast, "2026-03-03")
    assert (state(cast, leaving), state(cast, incident)) == ("notice_running", "signal")
    on(cast, "2026-04-01")
    assert (state(cast, leaving), state(cast, incident)) == ("end_confirmed", "closed")
    assert cast.scalar("SELECT outcome FROM cases WHERE ref = :ref", ref=incident) == "MEMBER_LEFT"
    row = cast.rows("SELECT status, flags FROM members WHERE ref = :ref", ref=member)[0]
    assert row.status == "left"
    assert [flag.lower() for flag in row.flags] == ["left_under_case"]
    assert state(cast, ref) not in {"closed", "withdrawn"}, "the complainant is still owed an answer"
    assert is_whole(cast)
