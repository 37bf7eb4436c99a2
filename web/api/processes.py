"""Processes: which kinds of case there are, their states, and what their forms ask for."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator

from config.database import without_nul
from state_machines.process import Process, State, Transition
from state_machines.registry import processes
from state_machines.values import Role
from web.api.asking import Who
from web.api.bodies import ProcessName, Told, about
from web.api.paging import Listed
from web.api.problems import problem
from web.api.routes import Endpoints

api = Endpoints("Processes")
_SCHEMA = {"type": "object", "properties": {}}


class ProcessLine(Told):
    """A kind of case."""

    name: Annotated[ProcessName, about("Its name.", "complaint")]
    version: Annotated[int, about("The version of its definition.", 1)]
    title: Annotated[str, about("What people call it.", "Complaint")]
    prefix: Annotated[str, about("With which its references begin.", "CO")]


class StateOne(Told):
    """A state of a process."""

    name: Annotated[str, about("Its name.", "received")]
    title: Annotated[str, about("What people call it.", "Received")]
    help: Annotated[str, about("What it means, where the title does not say.", "")]
    owner: Annotated[Role, about("Whose turn it is.", "coordinator")]
    final: Annotated[bool, about("Whether the case has ended then.", False)]
    clocks: Annotated[list[str], about("Which clocks run.", ["acknowledge"])]


class TransitionOne(Told):
    """A move that a trigger makes."""

    trigger: Annotated[str, about("Its name.", "acknowledge")]
    title: Annotated[str, about("What the button says.", "Acknowledge")]
    sources: Annotated[list[str], about("The states it starts from.", ["received"])]
    target: Annotated[str | None, about("The state it leads to; null where the state stays.", "stage_1")]
    by: Annotated[list[Role], about("Who may do it.", ["coordinator"])]
    not_by_who_did: Annotated[list[str], about("Who did one of these may not do this: four eyes.", [])]
    payload: Annotated[dict[str, Any] | None, about("The JSON Schema of what it asks for.", _SCHEMA)]


class ProcessOne(ProcessLine):
    """The definition of a kind of case."""

    opened_by: Annotated[list[Role], about("Who may open one.", ["coordinator"])]
    opening: Annotated[dict[str, Any] | None, about("The JSON Schema of the payload that opens one.", _SCHEMA)]
    states: Annotated[list[StateOne], about("Its states.")]
    transitions: Annotated[list[TransitionOne], about("Its transitions.")]


@api.read("/processes", "cases:read", response_model=Listed[ProcessLine])
def list_processes(asked: Who) -> Any:
    """List the kinds of case."""
    return {"items": [_line(each) for each in processes().values()], "next": None}


@api.read("/processes/{name}", "cases:read", response_model=ProcessOne, problems=("not-found",))
def show_process(
    asked: Who,
    name: Annotated[
        str, AfterValidator(without_nul), Path(max_length=80, description="Its name.", examples=["complaint"])
    ],
) -> Any:
    """Show a kind of case with its states, transitions and forms."""
    process = processes().get(name.replace("-", "_"))
    if process is None:
        raise problem("not-found", f"There is no process named {name}; there are {', '.join(processes())}.")
    return {
        **_line(process), "opened_by": sorted(process.opened_by),
        "opening": process.opening.model_json_schema() if process.opening else None,
        "states": [_state(each) for each in process.states],
        "transitions": [_transition(process, each) for each in process.transitions],
    }  # fmt: skip


def _line(process: Process) -> dict[str, Any]:
    return {"name": process.name, "version": process.version, "title": process.title, "prefix": process.prefix}


def _state(state: State) -> dict[str, Any]:
    return {
        "name": state.name, "title": state.title, "help": state.help, "owner": state.owner, "final": state.final,
        "clocks": [clock.name for clock in state.clocks],
    }  # fmt: skip


def _transition(process: Process, each: Transition) -> dict[str, Any]:
    return {
        "trigger": each.trigger, "title": each.title, "sources": list(process.sources_of(each)), "target": each.target,
        "by": sorted(each.by), "not_by_who_did": list(each.four_eyes),
        "payload": each.needs.model_json_schema() if each.needs else None,
    }  # fmt: skip
