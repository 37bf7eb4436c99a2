"""Offers, saves and hardship: beside the exit, never in front of it."""

from __future__ import annotations

from typing import Any

import pytest

from state_machines.processes.cancellation import PROCESS
from state_machines.processes.cancellation_offers import read_catalogue
from state_machines.values import Case, Outcome, Role
from tests.core.builders import (
    at,
    context,
    fire,
    member,
    messages,
    opening,
    policy,
    refused,
    staff,
    system,
    tasks,
    wait,
)
from tests.core.test_cancellation import FREEZE, YES, ask, notice, offered, saved

TAKEN = {"code": "freeze", "accepted_on": "2025-07-01"}
HELP = {"help": "reduced_rate", "months": 6, "percent": 50, "terms": "Half the price for six months."}


def test_every_offer_of_the_catalogue_can_be_read() -> None:
    catalogue = read_catalogue(policy().setting("cancellation", "offers"))
    assert len(catalogue) == 8
    assert catalogue["hardship_rate"].percent == (50, 100)
    assert catalogue["freeze"].months == (1, 3)


def test_an_accepted_offer_saves_and_withdraws_the_notice() -> None:
    found = fire(PROCESS, offered(), "accept_offer", actor=member(), **YES)
    assert found.after.state == "saved"
    assert found.after.data["end_date"] is None
    assert set(found.after.clocks) == {"save_window"}
    assert ("cancellation_offer_confirmed", "member") in messages(found)
    assert {"apply_offer", "advance_notice"} <= set(tasks(found))


def test_an_acceptance_is_explicit_and_the_members_own() -> None:
    assert refused(PROCESS, offered(), "accept_offer", actor=member()).rule == "payload"
    assert refused(PROCESS, offered(), "accept_offer", **YES).errors.keys() == {"evidence"}
    assert fire(PROCESS, offered(), "accept_offer", evidence="call 12", **YES).after.state == "saved"
    assert refused(PROCESS, ask(), "accept_offer", actor=member(), **YES).rule == "state"


def test_a_save_counts_when_the_member_is_still_here_after_ninety_days() -> None:
    case = saved()
    assert case.clocks["save_window"].due == at("2026-09-06 23:59")
    after, _ = wait(PROCESS, case, at("2026-09-07"), context())
    assert (after.state, after.data["outcome"]) == ("retained", "saved_freeze")


def test_a_second_cancellation_in_the_save_window_undoes_the_save() -> None:
    after = fire(PROCESS, saved(), "new_cancellation", actor=system(), now=at("2026-08-07")).after
    assert (after.state, after.data["outcome"]) == ("save_failed", "save_failed")
    assert refused(PROCESS, saved(), "new_cancellation").rule == "role"
    kept, _ = wait(PROCESS, saved(), at("2026-09-07"), context())
    assert refused(PROCESS, kept, "new_cancellation", actor=system()).rule == "state"


def test_opening_a_cancellation_tells_the_earlier_ones() -> None:
    found = opening(PROCESS, {"channel": "web"})
    assert isinstance(found, Outcome)
    assert [(f.trigger, f.where) for f in found.steps[0].fires] == [("new_cancellation", "member:cancellation")]


def test_an_open_offer_does_not_hold_up_the_notice_and_can_still_be_accepted() -> None:
    case = ask(member(), channel="web")
    case = fire(PROCESS, case, "ask_for_offer", actor=member()).after
    assert case.state == "offer_made"
    case, _ = wait(PROCESS, case, at("2026-06-09 10:00"), context())
    assert case.state == "notice_running"
    assert fire(PROCESS, case, "accept_offer", actor=member(), now=at("2026-06-10"), **YES).after.state == "saved"
    late = refused(PROCESS, case, "accept_offer", actor=member(), now=at("2026-06-12"), **YES)
    assert late.rule == "offer_on_the_table"


def test_offers_are_shown_once() -> None:
    case = fire(PROCESS, ask(member(), channel="web"), "ask_for_offer", actor=member()).after
    assert refused(PROCESS, case, "ask_for_offer", actor=member()).rule == "state"


def test_a_third_offer_is_refused() -> None:
    case = fire(PROCESS, offered(), "make_offer", **FREEZE).after
    assert refused(PROCESS, case, "make_offer", **FREEZE).rule == "offers_left"
    assert len(case.data["offers"]) == 2


@pytest.mark.parametrize(
    ("form", "facts", "rule"),
    [
        ({**FREEZE, "code": "gold"}, {}, "known_and_eligible"),
        ({**FREEZE, "code": "site_transfer"}, {}, "known_and_eligible"),
        (FREEZE, {"history": {"offers_24m": [TAKEN]}}, "known_and_eligible"),
        ({**FREEZE, "months": 4}, {}, "within_terms"),
        ({**FREEZE, "credit": "5"}, {}, "within_terms"),
    ],
    ids=["unknown", "not for this reason", "used up", "too long", "no credit"],
)
def test_an_offer_comes_from_the_catalogue(form: dict[str, Any], facts: dict[str, Any], rule: str) -> None:
    assert refused(PROCESS, ask(), "make_offer", facts=facts, **form).rule == rule


def test_an_offer_that_was_not_taken_does_not_use_it_up() -> None:
    facts = {"history": {"offers_24m": [{"code": "freeze"}]}}
    assert fire(PROCESS, ask(), "make_offer", facts=facts, **FREEZE).after.state == "offer_made"


def test_what_is_worth_more_than_one_may_give_a_manager_gives() -> None:
    case = ask(monthly_price="90")
    form = {**FREEZE, "months": 3}
    assert refused(PROCESS, case, "make_offer", **form).rule == "within_authority"
    assert fire(PROCESS, case, "make_offer", actor=staff(Role.MANAGER), **form).after.state == "offer_made"
    form = {"code": "hardship_rate", "months": 1, "percent": 50, "terms": "Half price."}
    at_site = refused(PROCESS, ask(reasons=["cost"]), "make_offer", actor=staff(Role.SITE), **form)
    assert at_site.rule == "within_authority"


@pytest.mark.parametrize(
    ("form", "facts"),
    [
        ({"wants_no_offers": True}, {}),
        ({"channel": "letter"}, {}),
        ({"reasons": ["bereavement"]}, {}),
        ({"reasons": ["minimum_age"]}, {}),
        ({"deceased": True}, {}),
        ({}, {"member": {"flags": ["no_offers"]}}),
        ({}, {"member": {"flags": ["vulnerable"]}}),
        ({}, {"linked": [{"process": "complaint", "state": "stage_1", "outcome": None}]}),
        ({}, {"history": {"open_complaints": 1}}),
        ({}, {"history": {"cancellations_window": 1}}),
        ({}, {"history": {"saved_case": {"ref": "CX-2026-000007"}}}),
    ],
)
def test_some_members_are_asked_nothing(form: dict[str, Any], facts: dict[str, Any]) -> None:
    assert ask(facts=facts, **form).state == "notice_running"


def test_a_complaint_that_is_closed_does_not_count() -> None:
    assert ask(facts={"linked": [{"process": "complaint", "outcome": "upheld"}]}).state == "contact_offered"


# --- hardship


def hardship() -> Case:
    return ask(reasons=["money_trouble"])


def test_hardship_is_heard_and_dunning_stops() -> None:
    case = hardship()
    assert (case.state, case.data["hardship_path"], case.data["dunning"]) == (
        "hardship",
        "waiting",
        "stopped",
    )
    assert case.clocks["hardship_decision"].due == at("2026-06-11 23:59")


def test_help_is_an_offer_the_member_must_accept() -> None:
    assert refused(PROCESS, hardship(), "offer_help", actor=staff(Role.SITE), **HELP).rule == "role"
    case = fire(PROCESS, hardship(), "offer_help", **HELP).after
    assert case.state == "offer_made"
    after = fire(PROCESS, case, "accept_offer", actor=member(), **YES).after
    assert (after.state, after.data["saved_kind"]) == ("saved", "hardship")


def test_a_reduced_rate_is_half_or_less() -> None:
    assert "percent" in refused(PROCESS, hardship(), "offer_help", **{**HELP, "percent": 20}).errors


def test_hardship_lets_go_free_of_charge() -> None:
    after = fire(PROCESS, hardship(), "let_go_free").after
    assert (after.state, after.data["end_date"], after.data["end_rule"]) == (
        "notice_running",
        "2026-06-08",
        "IMMEDIATE",
    )
    assert refused(PROCESS, notice(), "let_go_free").rule == "hardship_waits"


def test_when_nobody_decides_hardship_ends_it_free_of_charge_and_the_notice_is_not_late() -> None:
    case = ask(member(), channel="web", reasons=["money_trouble"])
    case, _ = wait(PROCESS, case, at("2026-06-09 10:00"), context())
    assert (case.state, case.data["end_date"]) == ("notice_running", "2026-07-31")
    case, steps = wait(PROCESS, case, at("2026-06-12 00:30"), context())
    assert case.data["end_date"] == "2026-06-08"
    assert ("cancellation_end_notice", "member") in messages(steps)
    assert case.state == "end_confirmed"


def test_hardship_can_be_declared_at_any_time_before_the_end() -> None:
    for case in (ask(), offered(), notice()):
        after = fire(PROCESS, case, "declare_hardship", actor=member(), category="debt").after
        assert after.data["hardship_category"] == "debt"
        assert "hardship_decision" in after.clocks
    assert refused(PROCESS, hardship(), "declare_hardship", actor=member()).rule == "state"
