"""The policy: which allowance a case gets, whose ladder goes first, and what is said when something is missing."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from pydantic import ValidationError

from state_machines.deadlines import Allowance, BadAllowance
from state_machines.ladders import BadLadder
from state_machines.policy import ClockPolicy, Policy, PolicyError
from state_machines.registry import processes
from tests.core.builders import policy

RUNG = {"rung": "end", "at": "due", "fires": "overdue"}


def rules(**changes: Any) -> Policy:
    whole: dict[str, Any] = {
        "version": "t",
        "ladders": {"standard": [RUNG], "expiry": [RUNG]},
        "processes": {
            "loan": {
                "clocks": {"ask": {"allow": "WD(5)"}},
                "settings": {"most": 3},
                "ladders": {"standard": [{**RUNG, "rung": "own"}]},
            }
        },
    }
    return Policy.model_validate(whole | changes)


@pytest.mark.parametrize(
    ("data", "allowance"),
    [
        ({}, "WD(5)"),
        ({"profile": "RSPO"}, "WD(10)"),
        ({"profile": "unheard of"}, "WD(5)"),
        ({"severity": "critical"}, "H(24)"),
        ({"profile": "RSPO", "severity": "critical"}, "H(24)"),  # the field named first goes first
        ({"profile": "OFF"}, None),
        ({"severity": "minor", "profile": "RSPO"}, "WD(10)"),
        ({"severity": 7, "profile": ["RSPO"]}, "WD(5)"),  # only texts name a profile
        ({"severity": None}, "WD(5)"),
    ],
)
def test_the_first_field_with_a_profile_picks_the_allowance(data: dict[str, Any], allowance: str | None) -> None:
    profiles = {"RSPO": "WD(10)", "critical": "H(24)", "OFF": None}
    clock = ClockPolicy(allow="WD(5)", by=("severity", "profile"), profiles=profiles)
    assert clock.allowance(data) == (Allowance.parse(allowance) if allowance else None)


def test_one_field_may_be_written_without_a_list() -> None:
    assert ClockPolicy.model_validate({"allow": "WD(1)", "by": "profile"}).by == ("profile",)


def test_a_clock_that_runs_for_some_profiles_only_does_not_run_for_others() -> None:
    clock = ClockPolicy(allow=None, by=("contact",), profiles={"wanted": "WD(1)"})
    assert clock.allowance({}) is None
    assert clock.allowance({"contact": "wanted"}) == Allowance.parse("WD(1)")


def test_a_ladder_of_the_process_goes_before_one_of_the_organisation() -> None:
    assert [rung.name for rung in rules().ladder("loan", "standard").rungs] == ["own"]
    assert [rung.name for rung in rules().ladder("other", "standard").rungs] == ["end"]
    assert [rung.name for rung in rules().ladder("loan", "expiry").rungs] == ["end"]


def test_a_ladder_is_made_once() -> None:
    whole = rules()
    assert whole.ladder("loan", "expiry") is whole.ladder("other", "expiry"), "the sweep remembers answers by ladder"


def test_what_is_missing_is_told_in_a_sentence() -> None:
    with pytest.raises(PolicyError, match=r"has no ladder 'rope' for the process loan\."):
        rules().ladder("loan", "rope")
    for process, name in (("loan", "sleep"), ("bakery", "ask")):
        with pytest.raises(PolicyError, match=f"has no clock '{name}' for the process {process}"):
            rules().clock(process, name)
    with pytest.raises(PolicyError, match=r"has no setting 'least' for the process loan\."):
        rules().setting("loan", "least")
    assert rules().setting("loan", "most") == 3


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"processes": {"loan": {"clocks": {"ask": {"allow": "soon"}}}}}, BadAllowance, "'soon' is no allowance"),
        ({"processes": {"loan": {"clocks": {"ask": {"profiles": {"x": "x"}}}}}}, BadAllowance, "'x' is no allowance"),
        ({"ladders": {"standard": [RUNG | {"at": "never"}]}}, BadLadder, "Ladder standard: 'never' is no moment"),
        ({"processes": {"loan": {"ladders": {"own": []}}}}, BadLadder, "Ladder own has no rungs"),
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_read_says_where(
    changes: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error) as bad:
        rules(**changes).check()
    assert sentence in str(bad.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"colour": "red"},
        {"processes": {"loan": {"clock": {}}}},
        {"processes": {"loan": {"clocks": {"ask": {"allowed": "WD(5)"}}}}},
        {"mail": {"windows": {"office": {"hours": [["8 o'clock", "18:00"]]}}}},
        {"organisation": {"closures": ["Christmas"]}},
    ],
)
def test_a_word_the_policy_does_not_know_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rules(**changes)


def test_a_policy_does_not_change_while_it_is_used() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        rules().version = "2"  # type: ignore[misc]  # that is the question


# --- the policy that ships


def test_the_policy_that_ships_can_be_read_to_the_last_allowance() -> None:
    policy().check()
    assert policy().version
    assert policy().organisation.cut_off == time(17)


def test_every_process_has_its_numbers_and_no_number_is_for_a_clock_that_does_not_exist() -> None:
    for process in processes().values():
        known = {clock.name for state in process.states for clock in state.clocks}
        known |= {"hold"} if any(t.holds for t in process.transitions) else set()
        numbers = set(policy().processes[process.name].clocks)
        assert known == numbers, process.name


def test_every_number_says_where_it_comes_from() -> None:
    silent = [
        f"{name}/{clock}"
        for name, numbers in policy().processes.items()
        for clock, number in numbers.clocks.items()
        if not number.source
    ]
    assert silent == []


def test_every_ladder_of_a_process_is_climbed_by_one_of_its_clocks() -> None:
    for process in processes().values():
        climbed = {clock.ladder for state in process.states for clock in state.clocks}
        assert set(policy().processes[process.name].ladders) <= climbed, process.name


def test_only_clocks_of_our_own_count_from_the_next_day_after_the_cut_off() -> None:
    cut = {
        (name, clock): number.source
        for name, numbers in policy().processes.items()
        for clock, number in numbers.clocks.items()
        if number.cutoff
    }
    assert set(cut) == {("monitoring", "triage"), ("monitoring", "assess")}
    assert all("default" in source for source in cut.values()), "a statutory time is never shortened"
