"""The filters of a list of cases: what may be chosen, what is chosen, and the address without one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cases.lists.narrowing import ME, NONE, Due, Narrow, Phase, narrow_from
from cases.lists.tallies import Tallies
from members.staffing import Staffing
from state_machines.registry import process_named, processes
from web.forms import Option, choice_title
from web.naming import process_title, state_title, words
from web.posted import number_of
from web.wording import day_words

DUE = {"overdue": "Overdue", "today": "Due today", "week": "Due within 7 days", "none": "No deadline"}
PHASES = {"": "Open", "closed": "Closed", "all": "Open and closed"}
FLAGS = {"hold": "On hold", "parked": "Set aside after an error", "restricted": "Restricted", "newest": "Newest first"}


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on, in words, and the address of the list without it."""

    words: str
    without: str


@dataclass(frozen=True, slots=True)
class Count:
    """A line beside a list: a process or a state, how many cases it has, and where these are."""

    title: str
    number: str
    address: str
    here: bool
    states: tuple[Count, ...] = ()


@dataclass(frozen=True)
class Choices:
    """What each filter offers."""

    processes: tuple[Option, ...]
    states: tuple[Option, ...]
    owners: tuple[Option, ...]
    teams: tuple[Option, ...]
    outcomes: tuple[Option, ...]
    due: tuple[Option, ...] = tuple(Option(*pair) for pair in DUE.items())
    phases: tuple[Option, ...] = tuple(Option(*pair) for pair in PHASES.items())


def address(path: str, narrow: Narrow, **more: str) -> str:
    """Return where a list is, narrowed like this."""
    query = narrow.query() | {name: value for name, value in more.items() if value}
    return f"{path}?{urlencode(query)}" if query else path


def choices(narrow: Narrow, staffing: Staffing) -> Choices:
    """Return what each filter offers: people who work here, teams that have any, states of the chosen process."""
    teams = sorted({p.team for p in staffing.people.values() if p.team} | set(staffing.leads))
    chosen = processes().get(narrow.process.replace("-", "_"))
    states = tuple(Option(state.name, state.title) for state in chosen.states) if chosen else ()
    return Choices(
        tuple(Option(p.name, p.title) for p in processes().values()),
        states,
        (Option(ME, "Me"), Option(NONE, "Nobody"), *(Option(str(p.id), p.name) for p in staffing.active)),
        (*(Option(team, team) for team in teams), Option(NONE, "No team")),
        tuple(Option(name, choice_title(name)) for name in _outcomes(narrow)),
    )


def _outcomes(narrow: Narrow) -> Iterable[str]:
    moves = (t for p in processes().values() if narrow.process in ("", p.name) for t in p.transitions)
    return sorted({t.outcome for t in moves if t.outcome} | ({narrow.outcome} if narrow.outcome else set()))


def chips(path: str, narrow: Narrow, staffing: Staffing) -> list[Chip]:
    """Return the filters that are on, each with the address of the list without it."""
    said: Mapping[str, Any] = narrow.query()
    found = []
    for name in said:
        also = {"process": "state"}.get(name)  # a state belongs to its process
        without = narrow_from({each: value for each, value in said.items() if each not in (name, also)})
        found.append(Chip(_words(name, narrow, staffing), address(path, without)))
    return found


def soon(path: str, narrow: Narrow) -> list[Chip]:
    """Return what a day begins with, one click away: the list as far as it is overdue, due today or this week."""
    if narrow.due or narrow.listed is not Phase.OPEN:
        return []
    wanted = (Due.OVERDUE, Due.TODAY, Due.WEEK)
    return [Chip(DUE[due], address(path, replace(narrow, due=due.value))) for due in wanted]


def _words(name: str, narrow: Narrow, staffing: Staffing) -> str:
    value: Any = getattr(narrow, name)
    match name:
        case "process":
            return process_title(value.replace("-", "_"))
        case "state":
            return f"State: {state_title(narrow.process.replace('-', '_'), value)}"
        case "owner":
            return f"Owner: {_owner(value, staffing)}"
        case "team":
            return "No team" if value == NONE else f"Team: {value}"
        case "waits":
            return f"Waiting for a decision, coordinator: {_owner(value, staffing)}"
        case "due":
            return DUE.get(value, str(value))
        case "phase":
            return PHASES.get(value, "Open")
        case "received_from" | "received_until":
            return f"Received {'from' if name == 'received_from' else 'until'} {_day(value)}"
        case "hold" | "parked" | "restricted" | "newest":
            return FLAGS[name]
        case "outcome":
            return f"Outcome: {choice_title(value)}"
        case _:
            return f"{words(name)}: {value}"


def _owner(value: str, staffing: Staffing) -> str:
    if value in (ME, NONE):
        return {ME: "me", NONE: "nobody"}[value]
    person = staffing.get(number_of(value) or 0)
    return person.name if person else "somebody unknown"


def _day(value: date) -> str:
    return day_words(value)


def counts(path: str, narrow: Narrow, tallies: Tallies) -> list[Count]:
    """Return every process of a list with its states, in the order of the definitions, each with its number."""
    rest = urlencode(narrow.anywhere.query())
    way = f"{path}?{rest}&process=" if rest else f"{path}?process="
    inside: dict[str, dict[str, int]] = {}
    for (process, state), number in tallies.counts.items():
        inside.setdefault(process, {})[state] = number
    return [_count(way, narrow, tallies, name, inside[name]) for name in processes() if name in inside]


def _count(way: str, narrow: Narrow, tallies: Tallies, name: str, inside: Mapping[str, int]) -> Count:
    process = process_named(name)
    chosen = narrow.state if narrow.process == name else None
    states = tuple(
        Count(state.title, tallies.said(inside[state.name]), f"{way}{name}&state={state.name}", chosen == state.name)
        for state in process.states
        if state.name in inside
    )
    more = tallies.most is not None and any(count >= tallies.most for count in inside.values())
    number = f"{sum(inside.values())}{'+' if more else ''}"
    return Count(process.title, number, f"{way}{name}", chosen == "", states)


def parsed(query: str) -> list[tuple[str, str]]:
    """Return the names and values of a part of an address; what is no such part has none."""
    try:
        return parse_qsl(query[:2000], max_num_fields=40)
    except ValueError:
        return []
