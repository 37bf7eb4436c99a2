"""Reaching a member: its contacts in turn, "I am not the right person", promises, and proof that nobody is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from state_machines.process import personal_fields
from state_machines.processes.reaching_forms import NotMe, PostedLetter
from state_machines.processes.reaching_proof import in_words
from state_machines.processes.survey_response import PROCESS
from state_machines.standing import Standing
from state_machines.values import Case, Role, Step
from tests.core.builders import at, context, fire, member, messages, opened, refused, staff, system, tasks, wait
from tests.core.test_survey_response import ANSWER, INVITATION

AMARA, MINA, SOL = staff(), staff(Role.MANAGER), staff(Role.SENIOR)
ANN, BEA, CAI = 1, 2, 3
PEOPLE = [
    {"id": ANN, "role": "primary", "usable": True, "domain": "wool.example"},
    {"id": BEA, "role": "deputy", "usable": True, "domain": "wool.example"},
    {"id": CAI, "role": "executive", "usable": True, "domain": "gmail.com"},
]


def known(*, people: Any = PEOPLE) -> dict[str, Any]:
    return {"contact_list": people, "member": {"name": "Wool Ltd"}}


def asked() -> Case:
    return opened(PROCESS, INVITATION, actor=system(), now=at("2026-03-03"), member_id=7)


def live(until: str, case: Case | None = None, **facts: Any) -> tuple[Case, list[Step]]:
    return wait(PROCESS, case or asked(), at(until), context(**(facts or known())))


def audiences(kind: str, steps: list[Step]) -> list[str]:
    return [audience for found, audience in messages(steps) if found == kind]


# --- silence


def test_silence_turns_to_the_next_contact_and_the_earlier_one_hears_of_it() -> None:
    case, steps = live("2026-03-17")

    assert case.data["contacts_passed"] == [ANN] and case.data["contact_step"] == 1
    assert messages(steps)[-2:] == [("reach_handed_on", "member"), ("reach_also_asked", f"contact:{ANN}")]


def test_whoever_has_opened_it_is_left_to_it_until_the_deadline() -> None:
    opened_it = fire(PROCESS, asked(), "view", actor=member()).after
    before, _ = live("2026-04-17", opened_it)
    late, _ = live("2026-04-21", opened_it)

    assert "contacts_passed" not in before.data
    assert late.data["contacts_passed"] == [ANN]


def test_when_every_contact_was_written_to_somebody_rings() -> None:
    case, steps = live("2026-03-31", **known(people=PEOPLE[:2]))
    calls = [task.title for step in steps for task in step.tasks]

    assert calls == ["Ring Wool Ltd: every contact was written to, and nobody has opened anything"]
    assert case.data["contacts_passed"] == [ANN]


def test_a_member_with_one_contact_is_not_rung_before_the_deadline() -> None:
    _, steps = live("2026-04-21", **known(people=PEOPLE[:1]))

    assert tasks(steps) == [] and audiences("reach_handed_on", steps) == []


def test_a_contact_that_leaves_the_list_does_not_make_the_ladder_skip_the_next() -> None:
    turned, _ = live("2026-03-17")
    _, steps = live("2026-03-31", turned, **known(people=PEOPLE[1:]))

    assert [s.details["data"]["contacts_passed"] for s in steps if s.trigger == "turn_to_next_contact"] == [[ANN, BEA]]


def test_a_contact_that_is_lost_is_turned_away_from_at_once_and_counts_as_proof() -> None:
    gone = known(people=[PEOPLE[0] | {"usable": False}, *PEOPLE[1:]])
    lost = fire(PROCESS, asked(), "contact_lost", actor=system(), facts=gone, contact=ANN, status="left")
    later = fire(PROCESS, asked(), "contact_lost", actor=system(), facts=known(people=PEOPLE[:2]), contact=CAI)

    assert messages(lost) == [("reach_handed_on", "member")]
    assert (lost.after.data["contacts_passed"], lost.after.data["bounces"]) == ([ANN], 1)
    assert messages(later) == [] and "contacts_passed" not in later.after.data


# --- "I am not the right person"


def not_me(case: Case, contact: int | None, facts: Any = None, **named: str) -> Any:
    return fire(PROCESS, case, "not_me", actor=member(), facts=facts or known(), contact=contact, **named)


def test_who_is_not_the_right_person_makes_way_for_the_next_and_the_owner_hears_of_it() -> None:
    found = not_me(asked(), ANN)

    assert messages(found) == [("reach_handed_on", "member"), ("reach_not_me", "owner")]
    assert found.after.data["contacts_declined"] == [ANN]
    assert (found.after.state, "respond" in found.after.clocks) == ("invited", True)


def test_saying_it_twice_is_refused_with_a_friendly_word() -> None:
    said = not_me(asked(), ANN).after

    assert refused(PROCESS, said, "not_me", actor=member(), facts=known(), contact=ANN).sentence.startswith("You have")


def test_a_contact_of_somebody_else_cannot_say_so() -> None:
    assert refused(PROCESS, asked(), "not_me", actor=member(), facts=known(), contact=99).rule == (
        "contact_is_of_this_member"
    )


def test_a_named_colleague_waits_for_a_person_to_confirm_and_is_not_written_to() -> None:
    found = not_me(asked(), ANN, name="Zoë Novák", email="zoe@wool.example")

    assert messages(found) == [("reach_not_me", "owner")]
    assert tasks(found) == ["contact_repair"]
    assert "zoe" not in str(found.steps[0].details).lower() + str(found.after.data).lower()


def test_an_address_elsewhere_does_not_stop_the_turn_to_the_next_contact() -> None:
    found = not_me(asked(), ANN, name="Zoë Novák", email="zoe@gmail.com")

    assert ("reach_handed_on", "member") in messages(found)
    assert "ring before you write" in found.steps[0].tasks[0].title


def test_when_nobody_is_left_somebody_looks_for_the_right_person() -> None:
    found = not_me(asked(), ANN, facts=known(people=PEOPLE[:1]))

    assert messages(found) == [("reach_not_me", "owner")]
    assert found.steps[0].tasks[0].title == "Find the right person at Wool Ltd: nobody we know of is"


def test_whoever_the_link_was_passed_on_to_changes_nothing_but_tells_the_owner() -> None:
    found = not_me(asked(), None)

    assert messages(found) == [("reach_not_me", "owner")] and "contacts_declined" not in found.after.data


def test_it_cannot_be_said_without_end() -> None:
    case = asked()
    for _ in range(5):
        case = not_me(case, None).after

    assert refused(PROCESS, case, "not_me", actor=member(), facts=known()).rule == "may_still_say_so"


def test_what_was_said_about_people_is_kept_beside_the_event() -> None:
    assert personal_fields(NotMe) == {"name", "position", "email", "phone"}
    assert "address" in personal_fields(PostedLetter)


def test_a_coordinator_chooses_who_is_written_to_and_so_undoes_a_no() -> None:
    said = not_me(live("2026-03-17")[0], BEA).after
    back = fire(PROCESS, said, "choose_contact", actor=AMARA, facts=known(), now=at("2026-03-18"), contact=BEA)

    assert (back.after.data["contacts_declined"], back.after.data["contacts_passed"]) == ([], [ANN])
    assert messages(back) == [("reach_handed_on", "member")]
    ahead = fire(PROCESS, asked(), "choose_contact", actor=AMARA, facts=known(), contact=CAI)
    assert ahead.after.data["contacts_passed"] == [ANN, BEA] and messages(ahead) == []
    for contact, rule in ((BEA, "chosen_is_another"), (99, "chosen_can_be_asked")):
        assert refused(PROCESS, back.after, "choose_contact", actor=AMARA, facts=known(), contact=contact).rule == rule


# --- promises


def promised(case: Case, day: str, now: str) -> Case:
    return fire(PROCESS, case, "promise", actor=member(), now=at(now), promised_on=day).after


def test_a_promise_holds_back_reminders_but_for_the_last_day() -> None:
    near = live("2026-04-09")[0]
    _, steps = live("2026-04-17", promised(near, "2026-04-20", "2026-04-09"))

    assert [kind for kind, _ in messages(steps)] == ["survey_last_day"]


def test_on_its_day_there_is_a_friendly_word_and_the_day_after_a_call() -> None:
    _, steps = live("2026-03-13", promised(asked(), "2026-03-12", "2026-03-05"))

    assert messages(steps) == [("reach_promise_today", "member"), ("reach_promise_broken", "owner")]
    assert [step.at for step in steps if step.trigger.startswith("promise")] == [at("2026-03-12"), at("2026-03-13")]
    assert tasks(steps) == ["phone"]


def test_after_a_broken_promise_the_ladder_goes_on_and_the_promise_has_no_clock() -> None:
    case, steps = live("2026-03-24", promised(asked(), "2026-03-12", "2026-03-05"))

    assert "promise" not in case.clocks and case.data["promises_broken"] == 1
    assert messages(steps)[-1] == ("survey_reminder_second", "member")


def test_a_promise_that_is_moved_counts_anew_and_the_old_day_passes_in_silence() -> None:
    first = promised(asked(), "2026-03-12", "2026-03-05")
    told, _ = live("2026-03-12", first)
    moved = promised(told, "2026-03-19", "2026-03-12 15:00")
    _, steps = live("2026-03-20", moved)

    assert [(step.trigger, step.at) for step in steps if step.trigger.startswith("promise")] == [
        ("promise_day", at("2026-03-19")), ("promise_broken", at("2026-03-20")),
    ]  # fmt: skip


def test_an_answer_ends_the_promise() -> None:
    done = fire(PROCESS, promised(asked(), "2026-03-12", "2026-03-05"), "submit", actor=member(), **ANSWER).after
    _, steps = live("2026-03-20", done)

    assert [step for step in steps if step.trigger.startswith("promise")] == []


@pytest.mark.parametrize(("day", "rule"), [
    ("2026-03-02", "promise_is_soon"), ("2026-03-18", "promise_is_soon"),
])  # fmt: skip
def test_a_promise_is_for_a_day_that_is_near(day: str, rule: str) -> None:
    assert refused(PROCESS, asked(), "promise", actor=member(), promised_on=day).rule == rule


def test_promises_come_to_an_end() -> None:
    case = asked()
    for day in ("2026-03-05", "2026-03-06", "2026-03-07"):
        case = promised(case, day, "2026-03-03")

    assert refused(PROCESS, case, "promise", actor=member(), promised_on="2026-03-08").rule == "a_promise_is_left"


def test_a_promise_for_today_is_not_reminded_of_on_the_same_day() -> None:
    _, steps = live("2026-03-05 18:00", promised(asked(), "2026-03-05", "2026-03-05 10:00"))

    assert messages(steps) == []


# --- unreachable

LETTER = {"posted_on": "2026-03-03", "address": "1 Mill Lane, Leeds"}


def proved() -> Case:
    case = fire(PROCESS, asked(), "bounce", actor=system(), status="5.1.1").after
    for outcome in ("voicemail", "not_reached"):
        case = fire(PROCESS, case, "log_call", actor=AMARA, outcome=outcome).after
    return fire(PROCESS, case, "log_letter", actor=AMARA, **LETTER).after


def unreachable() -> Case:
    said = fire(PROCESS, proved(), "propose_unreachable", actor=AMARA, reason="Nobody is there.").after
    return fire(PROCESS, said, "confirm_unreachable", actor=MINA, reason="All was tried.").after


def test_a_refusal_says_what_is_on_record_and_what_is_missing() -> None:
    case = fire(PROCESS, asked(), "bounce", actor=system(), status="5.1.1").after
    case = fire(PROCESS, case, "log_call", actor=AMARA, outcome="voicemail").after

    assert refused(PROCESS, case, "propose_unreachable", actor=AMARA, reason="Nobody is there.").sentence == (
        "One bounce and one call are on record; one more call and one more letter are needed before anybody can be"
        " called unreachable."
    )  # fmt: skip


def test_numbers_are_said_in_words() -> None:
    assert in_words({"bounces": 0, "calls": 2, "letters": 1}) == "two calls and one letter"
    assert in_words({"bounces": 1, "calls": 2, "letters": 11}) == "one bounce, two calls and 11 letters"


def test_whoever_was_spoken_to_is_not_out_of_reach() -> None:
    spoken = fire(PROCESS, proved(), "log_call", actor=AMARA, outcome="reached").after

    assert refused(PROCESS, spoken, "propose_unreachable", actor=AMARA, reason="Nobody.").rule == "evidence_suffices"


def test_two_people_decide_that_a_member_is_unreachable() -> None:
    both = replace(MINA, roles=frozenset({Role.MANAGER, Role.COORDINATOR}))
    said = fire(PROCESS, proved(), "propose_unreachable", actor=both, reason="Nobody is there.").after

    assert PROCESS.state(said.state).owner is Role.MANAGER
    assert refused(PROCESS, said, "confirm_unreachable", actor=both, reason="It is so.").rule == "four_eyes"
    assert refused(PROCESS, proved(), "propose_unreachable", actor=MINA, reason="Nobody.").rule == "role"
    assert unreachable().state == "unreachable"


def test_a_proposal_that_is_not_agreed_goes_back_to_where_it_was() -> None:
    said = fire(PROCESS, proved(), "propose_unreachable", actor=AMARA, reason="Nobody is there.").after
    back = fire(PROCESS, said, "decline_unreachable", actor=MINA, reason="Try the new address.")

    assert back.after.state == "bounced"
    assert messages(back) == [("reach_unreachable_declined", "owner")]


def test_an_answer_of_somebody_unreachable_is_taken_until_the_campaign_closes() -> None:
    assert fire(PROCESS, unreachable(), "submit", actor=member(), **ANSWER).after.state == "dq_review"
    ended = fire(PROCESS, unreachable(), "campaign_closed", actor=system()).after
    assert (ended.state, ended.data["outcome"]) == ("not_reached", "unreachable")
    assert PROCESS.standings["not_reached"] is PROCESS.standings["unreachable"] is Standing.UNREACHABLE


def test_a_contact_that_is_found_in_the_end_is_asked_anew() -> None:
    found = fire(PROCESS, unreachable(), "contact_repaired", actor=AMARA, note="A new secretary.")

    assert found.after.state == "invited" and messages(found) == [("survey_invitation", "member")]


def test_a_letter_is_written_down_only_once_it_was_posted() -> None:
    later = LETTER | {"posted_on": "2026-03-04"}
    assert refused(PROCESS, asked(), "log_letter", actor=AMARA, **later).rule == "letter_was_posted"


# --- left out


@pytest.mark.parametrize("state", ["invited", "dq_review", "unreachable"])
def test_a_member_that_is_taken_back_in_stands_where_it_stood(state: str) -> None:
    case = {"invited": asked(), "unreachable": unreachable()}.get(state) or fire(
        PROCESS, asked(), "submit", actor=member(), **ANSWER
    ).after
    out = fire(PROCESS, case, "left_out", actor=system(), cause="duplicate", note="Twice in the register.").after
    back = fire(PROCESS, out, "taken_back", actor=system(), reason="A mistake.").after

    assert PROCESS.standings[out.state] is Standing.DROPPED
    assert back.state == case.state == state


def test_who_was_left_out_is_not_written_to() -> None:
    out = fire(PROCESS, asked(), "left_out", actor=system(), cause="merged", note="Part of M-000004 now.")
    _, steps = live("2026-05-01", out.after)

    assert messages(out) == [] and messages(steps) == []
