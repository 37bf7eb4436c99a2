"""The handbook page says what the definition and the policy say, and nothing that could break its tables."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from notifications import catalogue
from state_machines.diagram import mermaid
from state_machines.handbook import page
from state_machines.objections import sentence_of
from state_machines.process import Process, Transition
from state_machines.registry import processes
from state_machines.values import Role
from tests.core.builders import policy

TITLES = {kind.kind: kind.title for kind in catalogue.kinds()}
NAMES = list(processes())


def page_of(name: str) -> str:
    return page(processes()[name], policy(), TITLES)


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_state_move_clock_and_form_is_on_the_page(name: str) -> None:
    process, text = processes()[name], page_of(name)
    for state in process.states:
        assert f"| `{state.name}` | {state.title} |" in section(text, "States")
    for transition in process.transitions:
        assert f"(`{transition.trigger}`)" in section(text, "Who may do what")
        if transition.needs is not None:
            assert f"(`{transition.trigger}`)" in section(text, "Forms")
    for clock in {clock.title for state in process.states for clock in state.clocks}:
        assert f"| {clock} |" in section(text, "Clocks")
    for ladder in {clock.ladder for state in process.states for clock in state.clocks}:
        assert f"| {ladder} |" in section(text, "Ladders")


@pytest.mark.parametrize("name", NAMES)
def test_every_condition_and_every_second_person_can_be_read(name: str) -> None:
    rows = section(page_of(name), "Who may do what").replace("\\|", "|")
    for transition in processes()[name].transitions:
        for guard in (*transition.only_if, *transition.checks):
            assert sentence_of(guard) in rows
        if transition.four_eyes:
            assert f"Not by whoever did {', '.join(transition.four_eyes)}." in rows


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(name: str) -> None:
    for table in re.findall(r"(?:^\|.*\n?)+", page_of(name), re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table


@pytest.mark.parametrize("name", NAMES)
def test_messages_are_called_by_their_titles(name: str) -> None:
    rows = section(page_of(name), "Who may do what")
    for transition in processes()[name].transitions:
        for send in transition.sends:
            assert f"{TITLES[send.kind]} → {send.to.replace('_', ' ')}" in rows


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_the_same_each_time_it_is_made(name: str) -> None:
    assert page_of(name) == page_of(name)
    assert page_of(name).endswith("\n") and not page_of(name).endswith("\n\n")


def test_numbers_come_from_the_policy_with_their_source() -> None:
    clocks = section(page_of("monitoring"), "Clocks")
    assert "| triage | WD(3) | RSPO: WD(5) | standard |" in clocks
    assert "suspension: does not run" in clocks
    changed = policy().model_copy(update={"version": "another"})
    assert "policy another." in page(processes()["monitoring"], changed)


def test_fields_say_whether_they_are_required_and_personal() -> None:
    forms = section(page_of("survey_response"), "Forms")
    assert "* `respondent_name` (required, personal): Who answers for the member" in forms
    assert "* `note` (personal): " in forms


def test_a_ladder_says_when_its_rungs_lie_and_how_often_they_come_again() -> None:
    ladders = section(page_of("complaint"), "Ladders")
    assert "| progress | again | due+10wd 09:00, then every 10wd | `progress_late` |" in ladders
    assert "| expiry | end | due | what the clock says |" in ladders


# --- the diagram


@pytest.mark.parametrize("name", NAMES)
def test_the_diagram_draws_every_state_and_where_it_ends(name: str) -> None:
    process, drawn = processes()[name], mermaid(processes()[name])
    assert drawn.startswith("stateDiagram-v2\n")
    assert f"    [*] --> {process.initial}\n" in drawn
    for state in process.states:
        assert f'    state "{state.title}" as {state.name}\n' in drawn
        assert (f"    {state.name} --> [*]\n" in drawn) is state.final


@pytest.mark.parametrize("name", NAMES)
def test_a_label_of_the_diagram_holds_nothing_that_mermaid_reads_as_syntax(name: str) -> None:
    for line in mermaid(processes()[name]).splitlines():
        if " --> " in line and not line.strip().startswith("state"):
            assert line.count(":") <= 1 and ";" not in line, line


def test_the_diagram_marks_where_a_case_is_and_puts_clocks_in_brackets() -> None:
    process = processes()["complaint"]
    assert "class stage_1 current" in mermaid(process, "stage_1")
    assert "classDef" not in mermaid(process)
    assert "stage_1_responded --> actions_open: (Window ended)" in mermaid(process)


def test_what_may_happen_in_every_open_state_is_not_drawn() -> None:
    leave = Transition("vanish", "*", "closed", by=frozenset({Role.MANAGER}))
    process: Process = replace(processes()["complaint"], transitions=[leave])
    assert "Vanish" not in mermaid(process)
    assert "| any open state |" in page(process, policy())
