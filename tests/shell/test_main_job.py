"""The main job on real input: a survey campaign among 45 member organisations, driven to the last one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cases import answers, campaigns, commands
from cases.answers import AnswersInvalid, member_actor, sample_for, submit
from cases.delivering import deliver
from cases.errors import BadInput, TransitionRefused
from cases.sweep import sweep_due
from config.database import Engine
from members.importing import import_members
from state_machines.values import SYSTEM
from tests.cast import Cast, cast_of
from tests.post import Letterbox, letterbox

PLAN = """
kind: survey
title: Annual self-assessment 2026
questionnaire: self-assessment
launch: 2026-03-02
deadline: 2026-04-17
population: {status: active, tier: [Premier, General, Associate]}
ladder: standard
"""
CHECKED = {"data_protection_checked": True}
COLUMNS = {
    "name": "Organisation", "tier": "Membership tier", "website": "Website", "email": "Contact e-mail (made up)",
}  # fmt: skip
REMINDERS = {
    "first_reminder": date(2026, 3, 9), "second_reminder": date(2026, 3, 23), "week_left": date(2026, 4, 10),
    "three_days_left": date(2026, 4, 14), "one_day_left": date(2026, 4, 16), "last_day": date(2026, 4, 17),
    "overdue_notice": date(2026, 4, 18), "first_call": date(2026, 4, 22), "second_call": date(2026, 4, 27),
    "write_to_signatory": date(2026, 5, 1), "formal_notice": date(2026, 5, 18), "bring_to_decision": date(2026, 6, 2),
}  # fmt: skip


AFTER_AN_ANSWER = {"survey_invitation", "survey_receipt", "survey_complete", "survey_query"}
"""What somebody who has answered within the week may have got; no reminder of any kind."""


class Story:
    """A campaign and everything that happens around it."""

    def __init__(self, cast: Cast, box: Letterbox) -> None:
        self.cast, self.env, self.box = cast, cast.env, box
        self.ref = ""

    def at(self, day: str, hour: int = 9) -> None:
        """Move to a day, sweep and deliver, as the scheduled runs do."""
        self.cast.go_to(datetime.fromisoformat(f"{day}T{hour:02}:00:00").replace(tzinfo=self.env.calendar.zone))
        sweep_due(self.env)
        deliver(self.env)

    def days(self, first: str, last: str) -> None:
        """Live through days, with a look in the morning and one in the evening."""
        day = date.fromisoformat(first)
        while day <= date.fromisoformat(last):
            self.at(day.isoformat(), 9)
            self.at(day.isoformat(), 17)
            day += timedelta(days=1)

    def fire(self, ref: str, trigger: str, who: str, **payload: Any) -> str:
        """Do something as one of the staff; return the new state."""
        return commands.fire(self.env, ref, trigger, payload=payload, actor=self.cast.actor(who)).after.state

    def status(self) -> dict[str, Any]:
        """The counts of the campaign."""
        return campaigns.status(self.env, self.ref, actor=SYSTEM).to_dict()

    def responses(self) -> list[Any]:
        """The responses, in order of member name."""
        return self.cast.rows(
            "SELECT c.ref, c.id, c.state, c.member_id, m.name FROM cases c JOIN members m ON m.id = c.member_id "
            "WHERE c.process = 'survey_response' ORDER BY m.name"
        )

    def mails_of(self, member_id: int) -> list[str]:
        """The kinds of mail sent to a member, in order."""
        rows = self.cast.rows(
            "SELECT m.kind FROM messages m JOIN cases c ON c.id = m.case_id WHERE c.member_id = :id "
            "AND m.state = 'sent' AND m.contact_id IS NOT NULL AND c.process = 'survey_response' "
            "ORDER BY m.sent_at, m.id",
            id=member_id,
        )  # fmt: skip
        return [row.kind for row in rows]


@pytest.fixture
def story(engine: Engine, tmp_path: Path, shared_data: Path) -> Iterator[Story]:
    """A launched campaign among the 45 members, invitations delivered."""
    with letterbox() as box:
        cast = cast_of(engine, tmp_path / "home", box.url)
        story = Story(cast, box)
        cast.go_to(datetime(2026, 2, 20, 9, tzinfo=story.env.calendar.zone))
        report = import_members(
            engine, shared_data / "members-aswf.csv", COLUMNS, leaving_share=0.1, leaving_count=5, actor=SYSTEM,
            now=story.env.now(),
        )  # fmt: skip
        assert (report.created, report.refused) == (45, ())
        plan = tmp_path / "plan.yaml"
        plan.write_text(PLAN)
        story.ref = campaigns.plan(story.env, plan, actor=cast.actor("Amara")).after.ref
        story.fire(story.ref, "approve_plan", "Mina", data_protection_checked=True)
        story.fire(story.ref, "skip_pilot", "Mina", reason="The questions are those of last year")
        yield story


def test_a_plan_is_not_approved_by_whoever_made_it(engine: Engine, tmp_path: Path, shared_data: Path) -> None:
    cast = cast_of(engine, tmp_path / "home")
    cast.members("One Ltd", tier="Premier")
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN)
    cast.go_to(datetime(2026, 2, 20, 9, tzinfo=cast.env.calendar.zone))
    ref = campaigns.plan(cast.env, plan, actor=cast.actor("Mina")).after.ref
    with pytest.raises(TransitionRefused, match="Someone other than"):
        commands.fire(cast.env, ref, "approve_plan", payload=CHECKED, actor=cast.actor("Mina"))
    done = commands.fire(cast.env, ref, "approve_plan", payload=CHECKED, actor=cast.actor("Max"))
    assert done.after.state == "plan_approved"


def test_the_campaign_is_driven_until_everybody_is_accounted_for(story: Story) -> None:
    story.at("2026-02-27")
    assert story.status()["state"] == "ready"
    story.at("2026-03-02")
    launched = story.status()
    assert (launched["state"], launched["eligible"], launched["invited"]) == ("live", 45, 45)
    assert len(story.box.mails) == 45 + _staff_mails(story)
    responses = story.responses()
    early, exempt, silent = responses[:27], responses[27], responses[28:]

    story.days("2026-03-03", "2026-03-06")
    for number, row in enumerate(early):
        submit(story.env, row.ref, sample_for(story.env, row.ref, seed=number))
    story.fire(exempt.ref, "request_exemption", "Amara", exemption="under_12_months")
    story.fire(exempt.ref, "approve_exemption", "Mina", reason="Joined in January")
    _review(story, early)
    counts = story.status()
    assert (counts["responded"], counts["exempt"], counts["outstanding"]) == (27, 1, 17)
    story.at("2026-03-06", 17)  # their receipts and thanks leave
    before = {row.member_id: story.mails_of(row.member_id) for row in early}
    assert all(set(kinds) <= AFTER_AN_ANSWER for kinds in before.values())

    story.days("2026-03-07", "2026-04-21")
    story.days("2026-04-22", "2026-06-02")
    fired = _rungs(story, [row.id for row in silent])
    for rung, day in REMINDERS.items():
        assert fired[rung] == {row.id: day for row in silent}, rung
    for row in early:
        assert story.mails_of(row.member_id) == before[row.member_id], "who answered gets nothing more"
    reminded = Counter(kind for row in silent for kind in story.mails_of(row.member_id))
    assert reminded["survey_invitation"] == 17
    assert story.cast.scalar("SELECT count(*) FROM case_tasks WHERE kind = 'phone'") == 34
    assert {row.state for row in story.responses()[28:]} == {"decision"}

    failed, *late = silent
    assert story.fire(failed.ref, "fail", "Mina", reason="No answer to three letters") == "failed"
    incident = story.cast.rows("SELECT ref, state, data FROM cases WHERE process = 'monitoring'")
    assert len(incident) == 1 and incident[0].state == "signal"
    for number, row in enumerate(late):
        submit(story.env, row.ref, sample_for(story.env, row.ref, seed=100 + number))
    with pytest.raises(TransitionRefused):
        story.fire(story.ref, "close_100", "Mina")
    _review(story, late)
    story.days("2026-06-03", "2026-06-05")
    assert story.status()["state"] == "aggregation"
    story.fire(story.ref, "submit_report", "Amara", report="report-2026.pdf")
    story.fire(story.ref, "approve_report", "Mina")
    with pytest.raises(TransitionRefused, match="1"):
        story.fire(story.ref, "close_100", "Mina")

    submit(story.env, failed.ref, sample_for(story.env, failed.ref, seed=500))
    _review(story, [failed])
    assert story.fire(story.ref, "close_100", "Mina") == "closed_100"
    end = story.status()
    assert (end["complete"], end["exempt"], end["outstanding"], end["accounted_rate"]) == (44, 1, 0, 1.0)


def _staff_mails(story: Story) -> int:
    return sum(address.endswith("@muster.example") for address, _ in story.box.mails)


def _rungs(story: Story, ids: list[int]) -> dict[str, dict[int, date]]:
    """On which local day each rung fired for each case; a rung that fired twice fails here."""
    found: dict[str, dict[int, date]] = {}
    rows = story.cast.rows(
        "SELECT case_id, trigger, kind, (at AT TIME ZONE 'Europe/London')::date AS day FROM case_events "
        "WHERE occurrence IS NOT NULL AND case_id = ANY(:ids)", ids=ids,
    )  # fmt: skip
    for row in rows:
        assert row.case_id not in found.setdefault(row.trigger, {}), row
        if row.kind == "transition":
            found[row.trigger][row.case_id] = row.day
    return found


def _review(story: Story, rows: list[Any]) -> None:
    """Complete what needs nothing more; two answers are asked back and come again."""
    for number, row in enumerate(rows):
        flags = story.cast.scalar("SELECT data -> 'open_flags' FROM cases WHERE id = :id", id=row.id) or []
        if number < 2 and len(rows) > 5:
            story.fire(row.ref, "query", "Amara", questions=[{"question": "staff", "text": "Is this figure right?"}])
            again = sample_for(story.env, row.ref, seed=1000 + number)
            submit(story.env, row.ref, again)
            flags = story.cast.scalar("SELECT data -> 'open_flags' FROM cases WHERE id = :id", id=row.id) or []
        dismissed = [{"flag": f["id"], "reason": "Looked at and accepted"} for f in flags]
        try:
            story.fire(row.ref, "complete", "Amara", dismissed=dismissed)
        except TransitionRefused:
            story.fire(row.ref, "second_check", "Max", agreed=True)
            story.fire(row.ref, "complete", "Amara", dismissed=dismissed)


def test_an_answer_with_mistakes_is_refused_with_an_error_for_each_question_and_nothing_is_kept(story: Story) -> None:
    story.at("2026-03-02")
    row = story.responses()[0]
    good = sample_for(story.env, row.ref)
    bad = {**good, "declaration": False, "answers": {**good["answers"], "no_such_question": 1}}
    with pytest.raises(AnswersInvalid) as refused:
        submit(story.env, row.ref, bad)
    assert {"declaration", "no_such_question"} <= set(refused.value.errors)
    assert story.cast.scalar("SELECT count(*) FROM response_answers") == 0
    assert story.responses()[0].state == "invited"


def test_the_same_answers_sent_twice_are_taken_once(story: Story) -> None:
    story.at("2026-03-02")
    row = story.responses()[0]
    good = sample_for(story.env, row.ref)
    first, second = submit(story.env, row.ref, good), submit(story.env, row.ref, good)
    assert (first.revision, first.repeated, second.revision, second.repeated) == (1, False, 1, True)


def test_a_member_cannot_answer_for_another(story: Story) -> None:
    story.at("2026-03-02")
    one, other = story.responses()[:2]
    with pytest.raises(Exception, match="not yours to see"):
        answers.submit(story.env, one.ref, sample_for(story.env, one.ref), actor=member_actor(other.member_id))


def test_a_late_joiner_is_asked_from_the_day_of_joining_and_belongs_to_the_denominator(story: Story) -> None:
    story.at("2026-03-02")
    story.cast.members("Nouvelle Étoile, S.A.", tier="General")
    story.days("2026-03-03", "2026-03-05")
    ref = story.cast.scalar("SELECT ref FROM members WHERE name LIKE 'Nouvelle%'")
    story.fire(story.ref, "add_member", "Amara", member=ref, reason="Joined yesterday")
    story.at("2026-03-05", 17)
    assert (story.status()["eligible"], story.status()["invited"]) == (46, 46)
    with pytest.raises(Exception, match="in this campaign already"):
        story.fire(story.ref, "add_member", "Amara", member=ref, reason="Once more")


def test_an_answer_corrected_by_staff_is_marked_so_and_waits_for_a_second_person(story: Story) -> None:
    story.at("2026-03-02")
    row = story.responses()[0]
    submit(story.env, row.ref, sample_for(story.env, row.ref))
    amara = story.cast.actor("Amara")
    with pytest.raises(AnswersInvalid) as refused:
        answers.correct(story.env, row.ref, {"no_such_question": 1}, "A try", actor=amara)
    assert list(refused.value.errors) == ["no_such_question"]
    kept = story.cast.scalar("SELECT answers -> 'answers' FROM response_answers")
    with pytest.raises(BadInput, match="nothing was changed"):
        answers.correct(story.env, row.ref, {"org_summary": kept.get("org_summary")}, "A try", actor=amara)
    name = next(name for name, value in kept.items() if isinstance(value, str) and len(value) > 60)
    receipt = answers.correct(story.env, row.ref, {name: kept[name] + " So the member said."}, "By phone", actor=amara)
    assert (receipt.revision, receipt.state) == (2, "dq_review")
    assert story.cast.rows("SELECT revision, imputed, by FROM response_answers ORDER BY revision") == [
        (1, False, f"member:{row.member_id}"), (2, True, amara.person),
    ]  # fmt: skip
    flags = [f["id"] for f in story.cast.scalar("SELECT data -> 'open_flags' FROM cases WHERE id = :id", id=row.id)]
    settled = [{"flag": flag, "reason": "Looked at"} for flag in flags]
    with pytest.raises(TransitionRefused, match="second"):
        story.fire(row.ref, "complete", "Amara", dismissed=settled)
    with pytest.raises(TransitionRefused, match="Someone other than"):
        story.fire(row.ref, "second_check", "Amara", agreed=True)
    story.fire(row.ref, "second_check", "Max", agreed=True)
    assert story.fire(row.ref, "complete", "Amara", dismissed=settled) == "complete"
