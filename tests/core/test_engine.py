"""The engine with small made-up processes: who may, what is written, what the clocks do, and what never happens."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from state_machines import choosing, engine
from state_machines.calendars import CalendarError, calendar
from state_machines.draft import Draft
from state_machines.engine import EndlessCase, people_after
from state_machines.escalation import escalations
from state_machines.holding import holding
from state_machines.policy import Policy
from state_machines.process import Clock, Process, Send, State, Transition
from state_machines.registry import processes
from state_machines.values import SYSTEM, Actor, Case, Context, Outcome, Refused, Role
from tests.core.builders import at, policy, staff

C, M, S, SYS = (frozenset({role}) for role in (Role.COORDINATOR, Role.MANAGER, Role.SENIOR, Role.SYSTEM))
NOW = at("2026-03-02 09:00")
AMARA, BO = staff(), staff(n=2)
MINA, MAX = staff(Role.MANAGER), staff(Role.MANAGER, 2)
RULES: dict[str, Any] = {
    "version": "t",
    "ladders": {
        "standard": [
            {"rung": "soon", "at": "soon", "fires": "due_soon", "late": "skip"},
            {"rung": "overdue", "at": "due", "fires": "overdue"},
            {"rung": "weekly", "at": "due+5wd 09:00", "fires": "still_overdue", "every": "5wd"},
        ],
        "expiry": [{"rung": "end", "at": "due", "fires": "$expires"}],
    },
    "processes": {"made_up": {"clocks": {
        "ask": {"allow": "WD(5)"}, "whole": {"allow": "CM(1)"}, "decide": {"allow": "WD(2)"}, "day": {"allow": "H(24)"},
        "loop": {"allow": "H(1)"}, "hold": {"allow": "CD(30)"}, "quick": {"allow": "CD(0)"},
        "odd": {"allow": None, "by": "kind", "profiles": {"slow": "WD(9)"}},
    }}},
}  # fmt: skip


class Wish(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(extra="forbid")
    amount: Annotated[int, Field(ge=1, le=100)]
    wanted_on: date | None = None
    name: Annotated[str, Field(max_length=20), "personal"] = ""


class MoreTime(BaseModel):
    """More time."""

    days: int | None = None
    until: date | None = None
    reason: str = ""


def may_go(draft: Draft) -> bool:
    """The door is closed; open it first."""
    return bool(draft.get("open", True))


def has_key(draft: Draft) -> bool:
    """Nobody has the key; ask the porter."""
    return bool(draft.get("key", True))


def is_small(draft: Draft) -> bool:
    """So much needs a manager; ask for less."""
    return bool(draft.typed("amount", 0) <= int(draft.get("most", 50))) or draft.because(
        f"{draft.typed('amount')} is more than {draft.get('most', 50)}; ask for less."
    )


def note_amount(draft: Draft) -> None:
    draft.set(total=int(draft.get("total", 0)) + draft.typed("amount", 0))


def is_mild(draft: Draft) -> bool:
    """It is not mild."""
    return draft.get("mild", False) is True


def made_up(*more: State | Transition, initial: str = "asked") -> Process:
    """A wish is proposed, decided by somebody else, done; two clocks run, of which one goes on into the next state."""
    states = [each for each in more if isinstance(each, State)]
    moves = [each for each in more if isinstance(each, Transition)]
    return Process(
        "made_up", 1, "MU", "Made up", initial,
        [
            State("asked", clocks=(Clock("ask", "standard"), Clock("whole", "standard"))),
            State("waiting", owner=Role.MANAGER, clocks=(Clock("decide", "standard"), Clock("whole", "standard"))),
            State("done", final=True), State("dropped", final=True),
            *states,
        ],
        [
            Transition("propose", "asked", "waiting", by=C, needs=Wish, keeps=("amount",), only_if=(may_go, has_key),
                       checks=(is_small,), does=(note_amount,),
                       sends=(Send("letter", "member"), Send("card", "owner", when=is_mild))),
            Transition("note", "asked", None, by=C | M, does=(note_amount,)),
            Transition("grant", "waiting", "done", by=M, four_eyes=("propose",), outcome="granted"),
            Transition("return", "waiting", "asked", by=M),
            Transition("restart", "waiting", "asked", by=M, restarts=("whole",)),
            Transition("extend", "waiting", None, by=M, needs=MoreTime, extends="decide"),
            Transition("drop", "asked", "dropped", by=C | M, outcome="dropped"),
            *escalations(), *holding(), *moves,
        ],
        opening=Wish, opening_keeps=("amount", "wanted_on"), opened_by=C | SYS,
    )  # fmt: skip


PROCESS = made_up()


def around(**facts: Any) -> Context:
    return Context(Policy.model_validate(RULES), calendar("EW"), facts)


AROUND = around()


def opened(process: Process = PROCESS, now: datetime = NOW, **seed: Any) -> Case:
    data = seed.pop("data", {})
    case = Case(1, "MU-2026-000001", "made_up", process.initial, 0, now, now, now, data=data, **seed)
    found = engine.open_case(process, case, payload={"amount": 7}, actor=AMARA, context=AROUND, now=now)
    assert isinstance(found, Outcome), found
    return replace(found.after, data={**found.after.data, **data})


def tried(
    case: Case, trigger: str, process: Process = PROCESS, *, actor: Actor = AMARA, now: datetime = NOW,
    payload: Any = None, context: Context = AROUND,
) -> Outcome | Refused:  # fmt: skip
    return engine.decide(process, case, trigger, payload=payload, actor=actor, context=context, now=now)


def done(case: Case, trigger: str, process: Process = PROCESS, **more: Any) -> Outcome:
    found = tried(case, trigger, process, **more)
    assert isinstance(found, Outcome), found
    return found


def refused(case: Case, trigger: str, process: Process = PROCESS, **more: Any) -> Refused:
    found = tried(case, trigger, process, **more)
    assert isinstance(found, Refused), found
    return found


def swept(case: Case, now: datetime, process: Process = PROCESS) -> Outcome:
    found = engine.advance(process, case, context=AROUND, now=now)
    assert found is not None
    return found


def proposed(**more: Any) -> Case:
    return done(opened(**more), "propose", payload={"amount": 7}).after


# --- what stands in the way, and in which order


WRONG: dict[str, Any] = {"payload": {"amount": 0}}


@pytest.mark.parametrize(
    ("changes", "given", "rule", "sentence"),
    [
        ({"on_hold": True, "data": {"open": False, "key": False}}, WRONG | {"actor": MINA}, "role",
         "Only a coordinator may do this (propose)."),
        ({"on_hold": True, "data": {"open": False, "key": False}}, WRONG, "on_hold",
         "This case is on hold; resume it first."),
        ({"member_id": 7, "data": {"open": False}}, WRONG | {"actor": replace(AMARA, conflicts=frozenset({7}))},
         "conflict_of_interest", "You have a recorded conflict of interest with this member."),
        ({"data": {"open": False, "key": False}}, WRONG, "may_go", "The door is closed; open it first."),
        ({"data": {"key": False}}, WRONG, "has_key", "Nobody has the key; ask the porter."),
        ({}, WRONG, "payload", "Please complete the form: amount: must be 1 or more."),
        ({}, {}, "payload", "Please complete the form: amount: is required."),
        ({}, {"payload": {"amount": 7, "colour": "red"}}, "payload",
         "Please complete the form: colour: is not known here."),
        ({"data": {"most": 10}}, {"payload": {"amount": 11}}, "is_small", "11 is more than 10; ask for less."),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)  # fmt: skip
def test_the_first_thing_in_the_way_is_the_one_that_is_told(
    changes: dict[str, Any], given: dict[str, Any], rule: str, sentence: str
) -> None:
    case = replace(opened(), **changes)
    found = refused(case, "propose", **given)
    assert (found.rule, found.sentence) == (rule, sentence)


def test_what_is_typed_wrongly_is_told_by_field() -> None:
    found = refused(opened(), "propose", payload={"amount": "many", "wanted_on": "soon", "colour": 1})
    assert set(found.errors) == {"amount", "wanted_on", "colour"}
    assert found.errors["colour"] == ("is not known here",)
    assert found.errors["amount"] == ("is not a whole number",)
    assert found.errors["wanted_on"] == ("is not a date",)


def test_a_trigger_that_is_not_possible_here_names_it_and_the_state() -> None:
    found = refused(opened(), "grant", actor=MINA)
    assert (found.rule, found.sentence) == ("state", "“Grant” is not possible while the case is in the state “Asked”.")
    assert refused(opened(), "fly").sentence == "“fly” is not possible while the case is in the state “Asked”."


def test_of_several_ways_the_reason_of_the_one_that_came_closest_is_told() -> None:
    other = Transition("propose", "asked", "done", by=S)
    assert refused(opened(), "propose", made_up(other), payload={"amount": 0}).rule == "payload"


def test_the_first_way_whose_conditions_hold_is_taken() -> None:
    short = Transition("leave", "asked", "dropped", by=C, needs=Wish, checks=(is_small,), outcome="small")
    long = Transition("leave", "asked", "done", by=C, outcome="big")
    process = made_up(short, long)
    assert done(opened(), "leave", process, payload={"amount": 5}).after.data["outcome"] == "small"
    assert done(opened(), "leave", process, payload={"amount": 60}).after.data["outcome"] == "big"


def test_what_was_typed_for_a_way_that_was_refused_is_not_written_down_with_the_other() -> None:
    short = Transition("leave", "asked", "dropped", by=C, needs=Wish, checks=(is_small,))
    long = Transition("leave", "asked", "done", by=C, does=(note_amount,))
    (step,) = done(opened(), "leave", made_up(short, long), payload={"amount": 60, "name": "Jo"}).steps
    assert "payload" not in step.details and step.personal == {}
    assert "data" in step.details and step.details["data"] == {"total": 0}


def test_a_date_that_no_calendar_knows_is_refused_with_a_sentence_and_not_an_error() -> None:
    dated = State("dated", clocks=(Clock("decide", "standard", until="wanted_on"),))
    process = made_up(dated, Transition("on", "asked", "dated", by=C, needs=Wish, keeps=("wanted_on",)))
    found = refused(opened(process), "on", process, payload={"amount": 1, "wanted_on": "0206-03-02"})
    assert (found.rule, found.sentence) == (
        "dates", "One of the dates cannot be right. The calendar EW knows the years 2000 to 2100, not 0206-03-01.",
    )  # fmt: skip
    assert refused(opened(process), "on", process, payload={"amount": 1, "wanted_on": "9999-12-31"}).rule == "dates"


def test_a_case_whose_own_dates_are_wrong_is_an_error_since_nobody_typed_it() -> None:
    dated = State("dated", clocks=(Clock("decide", "standard", until="wanted_on"),))
    process = made_up(dated, Transition("on", "asked", "dated", by=C))
    with pytest.raises(CalendarError):
        tried(replace(opened(process), data={"wanted_on": "0206-03-02"}), "on", process)


# --- two people


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (MINA, True),
        (replace(AMARA, roles=C | M), False),
        (replace(MINA, on_behalf_of=AMARA.person), False),
        (replace(MINA, on_behalf_of=BO.person), True),
    ],
)
def test_who_asked_does_not_decide_nor_does_whoever_acts_for_them(who: Actor, may: bool) -> None:
    found = tried(proposed(), "grant", actor=who)
    assert isinstance(found, Outcome) is may
    if isinstance(found, Refused):
        assert found.rule == "four_eyes"
        assert found.sentence == "Someone other than the person who did “Propose” must do this."


def test_asking_again_by_somebody_else_does_not_make_the_first_a_stranger() -> None:
    case = done(proposed(), "return", actor=MINA).after
    case = done(case, "propose", actor=BO, payload={"amount": 2}).after
    assert list(case.people["propose"]) == [AMARA.person, BO.person]
    for person in (AMARA, BO):
        assert refused(case, "grant", actor=replace(person, roles=M)).rule == "four_eyes"


def test_whoever_opened_the_case_can_be_the_one_who_may_not_decide() -> None:
    process = made_up(Transition("bless", "asked", "done", by=C | M, four_eyes=("open",)))
    assert refused(opened(process), "bless", process).rule == "four_eyes"
    assert done(opened(process), "bless", process, actor=BO).final


def test_muster_itself_is_no_second_person_and_is_not_counted_as_one() -> None:
    process = made_up(Transition("propose", "asked", "waiting", by=SYS))
    case = done(opened(process), "propose", process, actor=SYSTEM).after
    assert "propose" not in case.people and case.counts["propose"] == 1
    assert done(case, "grant", process, actor=MINA).final


# --- what is written


def test_a_step_says_what_was_done_typed_kept_and_asked() -> None:
    outcome = done(opened(), "propose", payload={"amount": 7, "name": "Jo Doe"})
    (step,) = outcome.steps
    assert (step.kind, step.trigger, step.source, step.target, step.actor) == (
        "transition", "propose", "asked", "waiting", AMARA,
    )  # fmt: skip
    assert step.details["payload"] == {"amount": 7}
    assert step.personal == {"name": "Jo Doe"}
    assert step.details["data"] == {"total": 7}, "the amount had been kept at the opening, and is the same"
    assert step.details["guards"] == {"may_go": True, "has_key": True, "is_small": True}
    assert "name" not in outcome.after.data
    assert [(m.kind, m.audience) for m in step.messages] == [("letter", "member")]
    assert (outcome.owner_role, outcome.final) == (Role.MANAGER, False)


def test_a_message_under_a_condition_goes_only_when_it_holds() -> None:
    (step,) = done(opened(data={"mild": True}), "propose", payload={"amount": 7}).steps
    assert [m.kind for m in step.messages] == ["letter", "card"]


def test_a_final_state_has_its_outcome_and_no_clock() -> None:
    outcome = done(proposed(), "grant", actor=MINA)
    assert outcome.final and outcome.after.data["outcome"] == "granted"
    assert outcome.after.clocks == {} and outcome.due_at is None and outcome.deadline is None
    assert set(outcome.steps[0].details["clocks_ended"]) == {"decide", "whole"}
    assert engine.advance(PROCESS, outcome.after, context=AROUND, now=NOW + timedelta(days=900)) is None


def test_an_opening_is_the_first_step_and_keeps_what_was_typed() -> None:
    case = Case(1, "MU-1", "made_up", "asked", 5, NOW, NOW, NOW)
    payload = {"amount": 7, "wanted_on": "2026-04-01", "name": "Jo"}
    found = engine.open_case(PROCESS, case, payload=payload, actor=AMARA, context=AROUND, now=NOW)
    assert isinstance(found, Outcome)
    (step,) = found.steps
    assert (step.kind, step.source, step.target, step.personal) == ("opened", None, "asked", {"name": "Jo"})
    assert found.after.data == {"amount": 7, "wanted_on": "2026-04-01"} and found.after.people["open"] == [AMARA.person]


@pytest.mark.parametrize(("actor", "payload", "rule"), [(MINA, {"amount": 1}, "role"), (AMARA, {}, "payload")])
def test_a_case_is_not_opened_by_anybody_with_anything(actor: Actor, payload: dict[str, Any], rule: str) -> None:
    seed = Case(1, "MU-1", "made_up", "asked", 0, NOW, NOW, NOW)
    found = engine.open_case(PROCESS, seed, payload=payload, actor=actor, context=AROUND, now=NOW)
    assert isinstance(found, Refused) and found.rule == rule


def test_a_payload_may_come_as_the_form_itself() -> None:
    outcome = done(opened(), "propose", payload=Wish(amount=9, wanted_on=date(2026, 5, 1)))
    assert outcome.steps[0].details["payload"] == {"amount": 9, "wanted_on": "2026-05-01"}


# --- clocks


def dues(case: Case) -> dict[str, datetime]:
    return {name: running.due for name, running in case.clocks.items()}


def test_leaving_a_state_stops_its_clocks_and_a_shared_one_goes_on() -> None:
    case = opened()
    later = NOW + timedelta(days=3)
    after = done(case, "propose", payload={"amount": 7}, now=later).after
    assert set(after.clocks) == {"decide", "whole"}
    assert after.clocks["whole"] == case.clocks["whole"]
    assert after.clocks["decide"].anchor == after.entered_at == later


def test_coming_back_starts_the_clock_of_the_state_afresh_and_not_the_shared_one() -> None:
    case = proposed()
    later = NOW + timedelta(days=4)
    after = done(case, "return", actor=MINA, now=later).after
    assert after.clocks["ask"].anchor == later
    assert after.clocks["whole"].anchor == NOW
    again = done(case, "restart", actor=MINA, now=later).after
    assert again.clocks["whole"].anchor == later


def test_an_internal_move_keeps_state_and_clocks() -> None:
    case = opened()
    after = done(case, "note", now=NOW + timedelta(days=2)).after
    assert after.clocks is case.clocks
    assert (after.state, after.entered_at, after.counts["note"]) == ("asked", NOW, 1)


def test_an_internal_move_may_restart_one_clock() -> None:
    process = made_up(Transition("again", "asked", None, by=C, restarts=("ask",)))
    case = opened(process)
    after = done(case, "again", process, now=NOW + timedelta(days=1)).after
    assert after.clocks["ask"].anchor == NOW + timedelta(days=1)
    assert after.clocks["whole"] == case.clocks["whole"]


def test_a_clock_that_does_not_run_for_a_profile_is_not_there() -> None:
    process = made_up(State("odd", clocks=(Clock("ask", "standard"), Clock("odd", "standard"))), initial="odd")
    assert set(opened(process).clocks) == {"ask"}
    seed = Case(1, "MU-1", "made_up", "odd", 0, NOW, NOW, NOW, data={"kind": "slow"})
    found = engine.open_case(process, seed, payload={"amount": 1}, actor=AMARA, context=AROUND, now=NOW)
    assert isinstance(found, Outcome) and set(found.after.clocks) == {"ask", "odd"}


@pytest.mark.parametrize(
    ("anchor", "data", "due"),
    [
        ("entered", {}, "2026-03-12 23:59"),
        ("received", {}, "2026-03-04 23:59"),
        ("opened", {}, "2026-03-05 23:59"),
        ("since", {"since": "2026-03-03"}, "2026-03-10 23:59"),
        ("since", {"since": "2026-03-04T18:00:00+00:00"}, "2026-03-11 23:59"),
        ("since", {}, "2026-03-12 23:59"),
    ],
)
def test_a_clock_counts_from_where_it_is_anchored(anchor: str, data: dict[str, Any], due: str) -> None:
    process = made_up(
        State("next", clocks=(Clock("ask", "standard", anchor=anchor),)), Transition("on", "waiting", "next", by=M)
    )
    case = replace(proposed(), received_at=at("2026-02-25"), opened_at=at("2026-02-26"), data=data)
    assert done(case, "on", process, actor=MINA, now=at("2026-03-05")).after.clocks["ask"].due == at(due)


def test_a_clock_that_runs_to_a_date_of_the_case_is_due_at_its_end() -> None:
    process = made_up(
        State("next", clocks=(Clock("ask", "standard", until="until"),)), Transition("on", "waiting", "next", by=M)
    )
    for data, due in (({"until": "2026-05-08"}, "2026-05-08 23:59"), ({}, "2026-03-09 23:59")):
        case = replace(proposed(), data=data)
        assert done(case, "on", process, actor=MINA).after.clocks["ask"].due == at(due)


@pytest.mark.parametrize(
    ("payload", "due"), [({"days": 3}, "2026-03-09 23:59"), ({"until": "2026-03-20"}, "2026-03-20 23:59")]
)
def test_more_time_is_counted_apart_and_keeps_its_count(payload: dict[str, Any], due: str) -> None:
    case = proposed()
    longer = done(case, "extend", actor=MINA, payload=payload | {"reason": "snow"}).after
    (given,) = longer.clocks["decide"].extensions
    assert longer.clocks["decide"].due == at(due)
    assert (given.was, given.until, given.by, given.reason) == (
        case.clocks["decide"].due, at(due), MINA.person, "snow",
    )  # fmt: skip
    twice = done(longer, "extend", actor=MINA, payload={"until": "2026-04-01"}).after
    assert len(twice.clocks["decide"].extensions) == 2
    assert twice.clocks["decide"].anchor == case.clocks["decide"].anchor


def test_more_time_given_on_the_way_into_another_state_restarts_the_clocks_named() -> None:
    process = made_up(
        State("slow", clocks=(Clock("ask", "standard"), Clock("whole", "standard"))),
        Transition("slow_down", "asked", "slow", by=M, needs=MoreTime, extends="whole", restarts=("ask",)),
    )
    later = NOW + timedelta(days=2)
    after = done(opened(process), "slow_down", process, actor=MINA, now=later, payload={"until": "2026-06-01"}).after
    assert after.clocks["whole"].due == at("2026-06-01 23:59")
    assert after.clocks["ask"].anchor == later, "it was named, so it starts afresh"


def test_more_time_brings_the_rungs_of_the_end_again_under_another_occurrence() -> None:
    case = proposed()
    late = swept(case, at("2026-03-05 10:00"))
    longer = done(late.after, "extend", actor=MINA, payload={"days": 5}, now=at("2026-03-05 10:00")).after
    again = swept(longer, at("2026-03-12"))
    keys = [step.occurrence for outcome in (late, again) for step in outcome.steps]
    assert len(set(keys)) == len(keys)
    assert [step.details["rung"] for step in again.steps if step.details["clock"] == "decide"] == ["soon", "overdue"]


# --- on hold


def held(case: Case | None = None, now: datetime = NOW) -> Case:
    return done(case or opened(), "hold", actor=MINA, payload={"reason": "police"}, now=now).after


def test_on_hold_every_clock_stands_still_but_the_one_that_ends_it() -> None:
    case = held()
    assert case.on_hold
    assert {name: running.next_at is None for name, running in case.clocks.items()} == {
        "ask": True, "whole": True, "hold": False,
    }  # fmt: skip
    assert engine.advance(PROCESS, case, context=AROUND, now=NOW + timedelta(days=29)) is None
    assert refused(case, "drop").rule == "on_hold"
    assert refused(case, "hold", actor=MINA, payload={"reason": "again"}).rule == "on_hold"


def test_a_hold_gives_back_the_time_it_took() -> None:
    case = opened()
    after = done(held(case), "resume", actor=MINA, payload={}, now=at("2026-03-09 12:00")).after
    assert not after.on_hold and set(after.clocks) == {"ask", "whole"}
    assert after.clocks["ask"].due == at("2026-03-16 23:59"), "five working days later"
    assert after.clocks["whole"].due == at("2026-04-09 23:59"), "seven days later"
    assert all(running.next_at for running in after.clocks.values())


def test_a_hold_ends_by_itself_and_the_manager_hears_of_it() -> None:
    found = swept(held(), at("2026-04-02"))
    assert not found.after.on_hold
    assert [(m.kind, m.audience) for m in found.steps[0].messages] == [("case_hold_ended", "manager")]
    assert found.after.clocks["ask"].due > at("2026-04-02")


def test_whoever_resumes_by_hand_tells_nobody() -> None:
    (step,) = done(held(), "resume", actor=MINA, payload={}, now=NOW + timedelta(days=1)).steps
    assert step.messages == ()


def test_a_case_that_is_not_on_hold_cannot_be_resumed() -> None:
    assert refused(opened(), "resume", actor=MINA, payload={}).sentence == "The case is not on hold."


def test_a_clock_that_stands_still_in_its_state_stands_still_after_a_hold_as_well() -> None:
    still = State("still", clocks=(Clock("decide", "standard"), Clock("whole", "standard", paused=True)))
    process = made_up(still, Transition("freeze", "asked", "still", by=C), Transition("thaw", "still", "waiting", by=C))
    case = done(opened(process), "freeze", process).after
    assert case.clocks["whole"].paused
    case = done(case, "hold", process, actor=MINA, payload={"reason": "police"}).after
    case = done(case, "resume", process, actor=MINA, payload={}, now=NOW + timedelta(days=2)).after
    assert case.clocks["whole"].paused and not case.clocks["decide"].paused
    case = done(case, "thaw", process, now=NOW + timedelta(days=7)).after
    assert case.clocks["whole"].due == at("2026-04-09 23:59"), "seven days given back, once"


def test_a_pause_leaves_a_fixed_date_where_it_is_and_gives_back_an_allowance() -> None:
    dated = State("dated", clocks=(Clock("decide", "standard", until="until"),))
    process = made_up(dated, Transition("on", "asked", "dated", by=C))
    for data, due in (({"until": "2026-05-08"}, "2026-05-08 23:59"), ({}, "2026-03-11 23:59")):
        case = done(replace(opened(process), data=data), "on", process).after
        case = done(case, "hold", process, actor=MINA, payload={"reason": "police"}).after
        case = done(case, "resume", process, actor=MINA, payload={}, now=at("2026-03-09 12:00")).after
        assert case.clocks["decide"].due == at(due)


@pytest.mark.parametrize(("name", "due"), [("ask", "2026-06-02 23:59"), ("whole", "2026-06-04 23:59")])
def test_a_hold_after_an_extension_gives_back_days_of_the_kind_the_clock_counts(name: str, due: str) -> None:
    process = made_up(Transition("more", "asked", None, by=M, needs=MoreTime, extends=name))
    case = done(opened(process), "more", process, actor=MINA, payload={"until": "2026-06-01"}).after
    case = done(case, "hold", process, actor=MINA, payload={"reason": "x" * 3}, now=at("2026-03-06 10:00")).after
    case = done(case, "resume", process, actor=MINA, payload={}, now=at("2026-03-09 10:00")).after
    assert case.clocks[name].due == at(due), "from Friday to Monday: one working day, three days"


# --- moves by itself


def chain(*names: str) -> Process:
    states = [State(name, clocks=(Clock("decide", "standard"),), auto=("go",)) for name in names]
    targets = [*names[1:], "done"]
    moves = [Transition("go", a, b, by=SYS) for a, b in zip(names, targets, strict=True)]
    return made_up(*states, *moves, Transition("enter", "asked", names[0], by=C))


def test_automatic_states_are_run_through_at_once_and_each_is_a_step() -> None:
    outcome = done(opened(), "enter", chain("one", "two", "three"))
    assert [(step.source, step.target) for step in outcome.steps] == [
        ("asked", "one"), ("one", "two"), ("two", "three"), ("three", "done"),
    ]  # fmt: skip
    assert [step.actor for step in outcome.steps] == [AMARA, SYSTEM, SYSTEM, SYSTEM]
    assert outcome.final and outcome.before.state == "asked"


def test_of_automatic_triggers_the_first_that_is_not_refused_is_pulled() -> None:
    process = made_up(
        State("fork", clocks=(Clock("decide", "standard"),), auto=("left", "right")),
        Transition("left", "fork", "dropped", by=SYS, only_if=(is_mild,)), Transition("right", "fork", "done", by=SYS),
        Transition("enter", "asked", "fork", by=C),
    )  # fmt: skip
    assert done(opened(process), "enter", process).after.state == "done"
    assert done(opened(process, data={"mild": True}), "enter", process).after.state == "dropped"


def test_an_automatic_state_with_no_way_on_is_an_error_that_names_it() -> None:
    process = made_up(
        State("fork", clocks=(Clock("decide", "standard"),), auto=("left",)),
        Transition("left", "fork", "dropped", by=SYS, only_if=(is_mild,)), Transition("enter", "asked", "fork", by=C),
    )  # fmt: skip
    with pytest.raises(EndlessCase, match="is stuck in the state fork: none of left is allowed"):
        tried(opened(process), "enter", process)


def test_an_endless_round_of_automatic_moves_is_stopped() -> None:
    process = made_up(
        State("tick", clocks=(Clock("decide", "standard"),), auto=("on",)),
        State("tock", clocks=(Clock("decide", "standard"),), auto=("on",)),
        Transition("on", "tick", "tock", by=SYS), Transition("on", "tock", "tick", by=SYS),
        Transition("enter", "asked", "tick", by=C),
    )  # fmt: skip
    with pytest.raises(EndlessCase, match="moves on by itself without end"):
        tried(opened(process), "enter", process)


def test_an_endless_round_of_clocks_is_stopped() -> None:
    process = made_up(
        State("tick", clocks=(Clock("quick", "expiry", expires="on", until="past"),)),
        State("tock", clocks=(Clock("loop", "expiry", expires="on", until="past"),)),
        Transition("on", "tick", "tock", by=SYS), Transition("on", "tock", "tick", by=SYS),
        Transition("enter", "asked", "tick", by=C),
    )  # fmt: skip
    case = done(opened(process, data={"past": "2026-01-01"}), "enter", process).after
    with pytest.raises(EndlessCase, match="more than 60 rungs due at once"):
        engine.advance(process, case, context=AROUND, now=NOW)


def test_a_clock_that_runs_out_moves_the_case_and_the_automatic_moves_follow() -> None:
    process = made_up(
        State("late", clocks=(Clock("decide", "standard"),), auto=("close",)),
        State("timed", clocks=(Clock("day", "expiry", expires="over"),)),
        Transition("enter", "asked", "timed", by=C), Transition("over", "timed", "late", by=SYS),
        Transition("close", "late", "done", by=SYS),
    )  # fmt: skip
    case = done(opened(process), "enter", process).after
    outcome = swept(case, NOW + timedelta(hours=24), process)
    assert [(step.trigger, step.target, bool(step.occurrence)) for step in outcome.steps] == [
        ("over", "late", True), ("close", "done", False),
    ]  # fmt: skip


# --- rungs that do not fire


def test_a_rung_whose_guard_says_no_is_written_down_with_its_reason_and_does_not_come_back() -> None:
    process = made_up(
        State("timed", clocks=(Clock("day", "expiry", expires="over"), Clock("whole", "standard"))),
        Transition("enter", "asked", "timed", by=C), Transition("over", "timed", "done", by=SYS, only_if=(is_mild,)),
    )  # fmt: skip
    case = done(opened(process), "enter", process).after
    outcome = swept(case, NOW + timedelta(hours=30), process)
    (step,) = outcome.steps
    assert (step.kind, step.source, step.target) == ("not_fired", "timed", "timed")
    assert step.details["why"] == "It is not mild."
    assert (step.details["rule"], step.trigger, step.details["guards"]) == (
        "is_mild",
        "over",
        {"is_mild": False},
    )
    assert step.occurrence and step.messages == ()
    assert outcome.after.clocks["day"].next_at is None
    assert engine.advance(process, outcome.after, context=AROUND, now=NOW + timedelta(hours=31)) is None


def test_a_reminder_found_late_is_passed_over_and_written_down() -> None:
    outcome = swept(proposed(), at("2026-03-05 10:00"))
    assert [(step.kind, step.details["rung"]) for step in outcome.steps] == [
        ("passed_over", "soon"), ("transition", "overdue"),
    ]  # fmt: skip
    assert outcome.steps[0].details["why"] == "a later rung was due as well"
    assert outcome.steps[0].messages == ()


def test_messages_of_a_rung_name_their_clock() -> None:
    outcome = swept(proposed(), at("2026-03-05 10:00"))
    assert {m.clock for m in outcome.steps[1].messages} == {"decide"}


def test_what_muster_notes_without_moving_is_not_counted_as_a_move() -> None:
    outcome = swept(proposed(), at("2026-03-05 10:00"))
    assert "overdue" not in outcome.after.counts and "overdue" not in outcome.after.people


# --- what never happens


def frozen(value: Any) -> Any:
    """A picture of a value that later changes cannot reach."""
    return deepcopy(value)


def test_deciding_changes_nothing_of_the_case_it_was_asked_about() -> None:
    spoil = Transition("spoil", "asked", "waiting", by=C, does=(lambda d: d.set(list=[*d.get("list", []), 1]),))
    process = made_up(spoil)
    case = opened(process, data={"list": [0], "deep": {"a": [1]}})
    before = frozen(case)
    for trigger in ("spoil", "propose", "drop", "note", "hold", "grant"):
        for actor in (AMARA, MINA, SYSTEM):
            tried(case, trigger, process, actor=actor, payload={"amount": 3})
    engine.advance(process, case, context=AROUND, now=NOW + timedelta(days=400))
    assert case == before


def test_the_same_question_has_the_same_answer() -> None:
    case = opened()
    first, second = (done(case, "propose", payload={"amount": 7}) for _ in range(2))
    assert first == second


def test_eight_threads_on_one_shared_machine_get_the_answers_of_their_own_cases() -> None:
    cases = [replace(opened(), id=n, data={"most": n}) for n in range(1, 60)]

    def ask(case: Case) -> list[tuple[bool, int, int]]:
        found = []
        for amount in range(1, 60):
            answer = tried(case, "propose", payload={"amount": amount})
            kept = answer.after.data["amount"] if isinstance(answer, Outcome) else amount
            found.append((isinstance(answer, Outcome), amount, kept))
        return found

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, cases))
    for case, found in zip(cases, answers, strict=True):
        assert found == [(amount <= case.data["most"], amount, amount) for amount in range(1, 60)]


# --- choices and decisions are the same


ACTORS = [staff(role) for role in (Role.COORDINATOR, Role.MANAGER, Role.SENIOR, Role.COUNCIL, Role.FINANCE, Role.SITE)]
ACTORS += [Actor("member:7", "Member", frozenset({Role.MEMBER}), member_id=7), SYSTEM]


def agree(process: Process, case: Case, actor: Actor, context: Context, now: datetime) -> None:
    """What may be chosen is exactly what is not refused before something is typed."""
    offered: dict[str, list[bool]] = {}
    for choice in choosing.choices(process, case, actor=actor, context=context, now=now):
        offered.setdefault(choice.transition.trigger, []).append(choice.refused is None)
    for trigger in {t.trigger for t in process.transitions}:
        try:
            answer = engine.decide(process, case, trigger, payload={}, actor=actor, context=context, now=now)
        except EndlessCase:
            continue
        ways = [t for t in process.from_state[case.state] if t.trigger == trigger]
        typed = {"payload", *(guard.__name__ for t in ways for guard in t.checks)}
        allowed = isinstance(answer, Outcome) or answer.rule in typed
        assert any(offered.get(trigger, [])) is allowed, (trigger, case.state, actor.person, answer)


@pytest.mark.parametrize("actor", ACTORS, ids=lambda actor: actor.person)
@pytest.mark.parametrize("case", [opened(), proposed(), held()], ids=["asked", "waiting", "held"])
def test_what_may_be_chosen_is_what_would_be_decided(case: Case, actor: Actor) -> None:
    agree(PROCESS, case, actor, AROUND, NOW)


def real_states() -> Sequence[tuple[str, str]]:
    return [(process.name, state.name) for process in processes().values() for state in process.states]


@settings(deadline=None, max_examples=120)
@given(
    st.sampled_from(real_states()),
    st.sampled_from(ACTORS),
    st.booleans(),
    st.frozensets(st.sampled_from([actor.person for actor in ACTORS])),
)
def test_in_every_state_of_every_process_what_may_be_chosen_is_what_would_be_decided(
    where: tuple[str, str], actor: Actor, on_hold: bool, before: frozenset[str]
) -> None:
    process = processes()[where[0]]
    people = {t.trigger: sorted(before) for t in process.transitions} | {"open": sorted(before)}
    case = Case(1, "X-1", process.name, where[1], 1, NOW, NOW, NOW, member_id=7, on_hold=on_hold, people=people)
    facts = {"children": {}, "linked": [], "history": {}, "population": {"eligible": 0, "deliverable": 0}}
    agree(process, case, actor, Context(policy(), calendar("EW"), facts), NOW)


def test_an_unguarded_choice_is_offered_to_its_roles_only() -> None:
    def offered(actor: Actor) -> set[str]:
        found = choosing.choices(PROCESS, opened(), actor=actor, context=AROUND, now=NOW)
        return {choice.transition.trigger for choice in found}

    assert offered(AMARA) == {"propose", "note", "drop"}
    assert offered(MINA) == {"note", "drop", "hold", "resume"}
    assert "due_soon" in offered(SYSTEM)


# --- the fingerprint


def test_whoever_was_asked_for_by_a_deputy_is_no_second_pair_of_eyes() -> None:
    deputy = replace(AMARA, person="staff:77", on_behalf_of=MINA.person)
    assert people_after([], deputy.person, deputy.on_behalf_of) == [MINA.person, "staff:77"]
    assert people_after(["staff:77", "staff:5"], "staff:77", None) == ["staff:5", "staff:77"]
