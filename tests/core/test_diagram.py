"""The diagram of a process as DOT text: everything is in it, and what leads from many states is drawn once."""

from __future__ import annotations

import re

import pytest

from state_machines.diagram import digest, dot, tips
from state_machines.process import Clock, Process, State, Transition
from state_machines.registry import processes
from state_machines.values import Role

BOTH = frozenset({Role.COORDINATOR})
SYSTEM = frozenset({Role.SYSTEM})


def process(*transitions: Transition) -> Process:
    states = [State(name, clocks=(Clock("x", "standard"),)) for name in ("a", "b", "c", "d")]
    return Process("small", 1, "SM", "Small", "a", [*states, State("end", final=True)], transitions)


@pytest.mark.parametrize("name", list(processes()))
def test_every_state_is_drawn_and_every_move_is_said_somewhere(name: str) -> None:
    drawn, said = dot(processes()[name]), " ".join(tips(processes()[name]).values())

    for state in processes()[name].states:
        assert f'state-{state.name}"' in drawn
    for transition in processes()[name].transitions:
        if transition.target is not None and "*" not in transition.sources:
            assert transition.title.replace(":", " -").replace(";", ",") in said


def test_what_leads_from_many_states_to_one_is_drawn_once_and_names_them_all() -> None:
    small = process(Transition("stop", ("a", "b", "c"), "end", by=BOTH))

    assert re.findall(r"(\S+) -> end \[label", dot(small)) == ["many_0"]
    assert tips(small)["many_0"] == "Stop, from: A, B, C"


def test_what_leads_back_to_one_of_many_states_is_drawn_once() -> None:
    small = process(*(Transition("back", "d", target, by=BOTH) for target in ("a", "b", "c")))

    assert re.findall(r"  d -> (\S+) \[", dot(small)) == ["many_0"]
    assert tips(small)["many_0"] == "Back, to one of: A, B, C"


def test_what_muster_does_by_itself_is_dashed() -> None:
    small = process(Transition("go", "a", "b", by=BOTH), Transition("run_out", "b", "end", by=SYSTEM))

    lines = {line.split("[")[0].strip(): line for line in dot(small).splitlines()}
    assert "dashed" not in lines["a -> b"]
    assert "dashed" in lines["b -> end"] and "(Run out)" in lines["b -> end"]


def test_the_digest_changes_with_what_is_drawn() -> None:
    one, two = (process(Transition("go", "a", "b", by=BOTH, label=label)) for label in ("Go", "Go on"))

    assert digest(one) != digest(two)
