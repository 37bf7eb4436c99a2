"""States that cases may be in, in some installation. One disappears only with a migration that moves its cases on.

``known_states.json`` is the list as of the last release. A new state is added to it; a state that is renamed or removed
needs a migration in ``migrations/versions`` that names it, and only then leaves the list.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from state_machines.registry import processes

FILE = Path(__file__).with_name("known_states.json")
KNOWN: dict[str, list[str]] = json.loads(FILE.read_text(encoding="utf-8"))


def gone(known: dict[str, list[str]], defined: dict[str, set[str]]) -> list[str]:
    """States of the list that no definition has any more."""
    return [
        f"{name}.{state}" for name, states in known.items() for state in states if state not in defined.get(name, ())
    ]


def defined() -> dict[str, set[str]]:
    return {process.name: set(process.by_name) for process in processes().values()}


def test_no_state_in_which_a_case_may_be_has_disappeared() -> None:
    lost = gone(KNOWN, defined())

    assert lost == [], (
        f"{', '.join(lost)} disappeared, and cases may be in it. Write a migration that moves them on and names the "
        f"state, then take it off {FILE.name}."
    )


@pytest.mark.parametrize("name", list(processes()))
def test_every_state_is_on_the_list(name: str) -> None:
    new = sorted(defined()[name] - set(KNOWN.get(name, ())))

    assert new == [], f"Add to {FILE.name} under {name}: {', '.join(new)}."


def test_the_list_is_in_order_and_names_each_state_once() -> None:
    for name, states in KNOWN.items():
        assert states == sorted(set(states)), name
    assert list(KNOWN) == sorted(KNOWN)


def test_a_state_that_is_renamed_is_noticed() -> None:
    fewer = defined() | {"complaint": defined()["complaint"] - {"stage_1"} | {"first_stage"}}

    assert gone(KNOWN, fewer) == ["complaint.stage_1"]
    assert gone(KNOWN | {"bakery": ["oven"]}, defined()) == ["bakery.oven"], "a whole process as well"
