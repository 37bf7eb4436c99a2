"""Each criterion from the finding to its end, and appeals: where they go back to, and which clock runs on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from state_machines.values import Actor, Case
from tests.core.builders import NOW, at, messages
from tests.core.monitoring_story import (
    COORD,
    COUNCIL,
    MANAGER,
    MANAGER_2,
    MEMBER,
    MUSTER,
    SENIOR,
    do,
    in_state,
    no,
    past,
    play,
    until,
)

TIMES = {
    "commitment_conduct": ("2026-06-02", "2026-06-02"),
    "business_integrity": ("2026-06-02", "2026-06-02"),
    "decent_work": ("2026-06-02", "2026-06-02"),
    "environmental": ("2026-06-02", "2026-06-02"),
    "sourcing": ("2026-06-02", "2026-06-02"),
    "communication": ("2026-04-01", "2026-05-01"),
    "default_list": ("2026-03-02", "2026-06-02"),
    "fees": ("2026-07-20", "2026-04-02"),
    "survey_signoff": ("2027-03-02", "2027-03-02"),
}
"""The last day to resolve when warned, and the last day after a suspension, both on 2 March 2026.

Fees count from the invoice of 20 February.
"""
CRITERIA = tuple(TIMES)


def warned(criterion: str) -> Case:
    """A warned member; what stands on a default list is warned by the senior manager only."""
    if criterion != "default_list":
        return in_state("warned", criterion=criterion)
    return do(in_state_of_senior(criterion), "warn", SENIOR).after


def in_state_of_senior(criterion: str) -> Case:
    """A case that waits for the senior manager."""
    return in_state("senior_decision", criterion=criterion)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_each_criterion_has_its_own_time_to_resolve_and_after_a_suspension(criterion: str) -> None:
    resolve, expel = TIMES[criterion]
    assert warned(criterion).clocks["resolve"].due == at(f"{resolve} 23:59")
    suspended = do(in_state_of_senior(criterion), "suspend", SENIOR).after
    assert suspended.clocks["expel"].due == at(f"{expel} 23:59")
    assert "resolve" not in suspended.clocks


@pytest.mark.parametrize("criterion", CRITERIA)
def test_each_criterion_goes_from_finding_to_closure(criterion: str) -> None:
    case = play(warned(criterion), [
        ("file_plan", MEMBER), ("accept_plan", MANAGER), ("report_complete", MEMBER),
        ("close_resolved", MANAGER_2),
        ("confirm_lasting", COORD),
    ])  # fmt: skip
    assert (case.state, case.data["outcome"]) == ("closed", "RESOLVED")


def suspended_in_the_end(criterion: str) -> tuple[Case, datetime]:
    """Warned, silent, told, and suspended eight days after the time to resolve."""
    case = warned(criterion)
    then = max(case.clocks["resolve"].due, NOW).replace(hour=12) + (at("2026-03-10") - at("2026-03-02"))
    case, steps = until(case, then)
    assert ("monitoring_pre_notice", "signatory") in messages(steps)
    return do(case, "suspend", SENIOR, now=then).after, then


@pytest.mark.parametrize("criterion", CRITERIA)
def test_each_criterion_goes_from_finding_to_suspension_expulsion_and_appeal(criterion: str) -> None:
    case, _ = suspended_in_the_end(criterion)
    case, then = past(case, "expel")
    case = do(case, "give_notice", SENIOR, now=then).after
    case, then = past(case, "representations")
    case = do(case, "terminate", SENIOR, now=then).after
    assert (case.state, case.data["stage"]) == ("terminated", "expulsion")
    appealed = do(case, "appeal", MEMBER).after
    assert set(appealed.clocks) == {"appeal"}
    ended, _ = past(case, "appeal_window")
    assert ended.state == "expelled"
    restored = do(appealed, "uphold_appeal", COUNCIL)
    assert restored.after.data["outcome"] == "APPEAL_UPHELD"
    assert restored.steps[0].member_changes == {"status": "active"}


@pytest.mark.parametrize("criterion", CRITERIA)
def test_each_criterion_can_be_reinstated_after_a_suspension(criterion: str) -> None:
    case, _ = suspended_in_the_end(criterion)
    found = do(do(case, "report_remedy", MEMBER).after, "reinstate", SENIOR)
    assert found.after.data["outcome"] == "RESOLVED"
    assert found.steps[0].member_changes == {"status": "active"}


# --- where an appeal goes back to

BACK = [
    "warned",
    "cap_review",
    "cap_active",
    "verification",
    "suspended",
    "reinstatement_check",
    "terminated",
]


@pytest.mark.parametrize("state", BACK)
def test_a_dismissed_appeal_goes_back_to_where_it_came_from(state: str) -> None:
    appealed = do(in_state(state), "appeal", MEMBER).after
    assert appealed.data["appealed_from"] == state
    assert do(appealed, "dismiss_appeal", COUNCIL).after.state == state


@pytest.mark.parametrize(("state", "clock"), [("warned", "resolve"), ("suspended", "expel")])
def test_an_appeal_neither_stops_nor_restarts_the_time(state: str, clock: str) -> None:
    case = in_state(state)
    appealed = do(case, "appeal", MEMBER, now=at("2026-03-10")).after
    assert {"resolve", "expel"} & set(appealed.clocks) == {clock}
    back = do(appealed, "dismiss_appeal", COUNCIL, now=at("2026-03-20")).after
    assert back.clocks[clock].due == case.clocks[clock].due
    assert back.clocks[clock].anchor == case.clocks[clock].anchor


@pytest.mark.parametrize(("state", "clock"), [("warned", "resolve"), ("suspended", "expel")])
def test_a_stay_gives_the_time_back(state: str, clock: str) -> None:
    case = in_state(state, criterion="sourcing")
    appealed = do(case, "appeal", MEMBER, now=at("2026-03-10")).after
    stayed = do(appealed, "stay", MANAGER, now=at("2026-03-10")).after
    assert stayed.clocks[clock].paused
    back = do(stayed, "dismiss_appeal", COUNCIL, now=at("2026-03-20")).after
    assert (back.clocks[clock].due.date() - case.clocks[clock].due.date()).days == 10


STAYS: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("warned", {}, {}),
    ("suspended", {"status": "active"}, {"status": "suspended"}),
    ("terminated", {"status": "suspended"}, {"status": "terminated"}),
]


@pytest.mark.parametrize(("state", "stayed", "again"), STAYS)
def test_a_stay_takes_the_sanction_back_by_one_step(state: str, stayed: dict[str, str], again: dict[str, str]) -> None:
    found = do(do(in_state(state), "appeal", MEMBER).after, "stay", MANAGER)
    assert found.steps[0].member_changes == stayed
    assert do(found.after, "lift_stay", MANAGER).steps[0].member_changes == again
    assert do(found.after, "dismiss_appeal", COUNCIL).steps[0].member_changes == again


def test_a_critical_case_is_not_stayed() -> None:
    case = do(in_state("suspended", severity="critical"), "appeal", MEMBER).after
    assert no(case, "stay", MANAGER).rule == "not_critical"


def test_no_further_sanction_is_decided_while_the_panel_sits_but_the_senior_manager_hears_of_the_end() -> None:
    case = do(in_state("warned"), "appeal", MEMBER).after
    case, steps = until(case, at("2026-04-02"))
    assert {"pre_notice", "resolve_over"} <= {s.trigger for s in steps}
    assert no(case, "suspend", SENIOR).rule == "state"
    back = do(case, "dismiss_appeal", COUNCIL, now=at("2026-04-02")).after
    assert do(back, "suspend", SENIOR, now=at("2026-04-02")).after.state == "suspended"


# --- whether an appeal is heard, and by whom


@pytest.mark.parametrize(("profile", "last"), [("", "2026-04-01"), ("RSPO", "2026-05-29")])
def test_an_appeal_comes_within_its_time(profile: str, last: str) -> None:
    case = in_state("suspended", profile=profile)
    assert case.data["appeal_until"] == last
    assert do(case, "appeal", MEMBER, now=at(f"{last} 23:00")).after.state == "appeal"
    late = at(f"{last} 23:00") + (at("2026-03-03") - at("2026-03-02"))
    assert no(case, "appeal", MEMBER, now=late).rule == "in_time_to_appeal"


def test_a_sanction_is_appealed_against_once() -> None:
    case = do(do(in_state("suspended"), "appeal", MEMBER).after, "dismiss_appeal", COUNCIL).after
    assert no(case, "appeal", MEMBER).rule == "first_appeal_of_stage"


DECIDED = [("warned", MANAGER), ("suspended", SENIOR), ("terminated", SENIOR)]


@pytest.mark.parametrize(("state", "decider"), DECIDED)
@pytest.mark.parametrize("trigger", ["dismiss_appeal", "uphold_appeal", "vary_appeal"])
def test_whoever_decided_before_does_not_decide_the_appeal(state: str, decider: Actor, trigger: str) -> None:
    case = do(in_state(state), "appeal", MEMBER).after
    both = replace(decider, roles=decider.roles | COUNCIL.roles)
    assert no(case, trigger, both).rule == "four_eyes"
    assert no(case, trigger, COUNCIL, panel=f"{decider.person}\na\nb").rule == "panel_is_independent"


VARIED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("warned", "advisory", "closed", {}),
    ("suspended", "advisory", "closed", {"status": "active"}),
    ("suspended", "warning", "warned", {"status": "active"}),
    ("terminated", "warning", "warned", {"status": "active"}),
    ("terminated", "suspension", "suspended", {"status": "suspended"}),
]


@pytest.mark.parametrize(("state", "instead", "target", "register"), VARIED)
def test_a_panel_puts_something_milder_in_place(
    state: str, instead: str, target: str, register: dict[str, Any]
) -> None:
    case = do(in_state(state), "appeal", MEMBER, now=at("2026-03-10")).after
    found = do(case, "vary_appeal", COUNCIL, instead=instead, now=at("2026-03-20"))
    assert found.after.state == target
    assert found.steps[0].member_changes == register
    assert ("monitoring_appeal_decided", "member") in messages(found)


def test_a_warning_in_place_of_a_suspension_starts_its_time_with_the_panels_decision() -> None:
    case = do(in_state("suspended"), "appeal", MEMBER, now=at("2026-03-10")).after
    after = do(case, "vary_appeal", COUNCIL, instead="warning", now=at("2026-03-20")).after
    assert after.clocks["resolve"].due == at("2026-04-19 23:59")
    assert after.data["stage"] == "warning"
    assert "expel" not in after.clocks


def test_the_time_to_appeal_against_an_expulsion_is_not_cut_short_by_the_register() -> None:
    case = in_state("terminated")
    assert no(case, "member_left", MUSTER).rule == "not_expelled_here"
    assert do(case, "appeal", MEMBER, now=at("2026-03-30")).after.state == "appeal"


def test_a_hold_gives_its_time_back_and_ends_by_itself() -> None:
    case = in_state("suspended")
    held = do(case, "hold", MANAGER).after
    assert held.clocks["expel"].paused
    after, _ = until(held, at("2026-04-02"))
    assert not after.on_hold
    assert (after.clocks["expel"].due.date() - case.clocks["expel"].due.date()).days == 30
