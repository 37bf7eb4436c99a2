"""A page of the handbook in people's words: no keys of the code, no shorthand of the policy.

The page in ``docs/processes`` keeps both; who writes a process or a policy needs them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from state_machines.deadlines import Allowance
from state_machines.english import plural
from state_machines.process import Process
from web.naming import trigger_title, words

_UNITS = {"wd": "working day", "d": "day", "w": "week", "h": "hour"}
_BASES = {"due": "the deadline", "start": "the start"}
_ALLOWANCE = re.compile(r"\b(?:WD|CD|CM|H|BACK|BEGIN)\(\d+(?:, ?roll)?\)")
_RUNG = re.compile(
    r"(?<=\| )(due|start|soon)(?:([+-]\d+)(wd|d|w|h))?(?: (\d\d:\d\d))?(?:, then every (\d+)(wd|d|w|h))?(?= \|)"
)
_DID = re.compile(r"(?<=Not by whoever did )\w+(?:, \w+)*")
_UNTIL = re.compile(r"(?<=\| until )\w+")
_KEY = re.compile(r"(?<=\| )[a-z0-9]+(?:_[a-z0-9]+)+(?= \|)")
_PROFILE = re.compile(r"\b[a-z]+(?:_[a-z]+)+(?=: )")
Change = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def in_words(text: str, process: Process) -> str:
    """Return the Markdown of a page with everything that is only for programs said in words or left out."""
    parts = re.split(r"(?m)^(?=## )", text)
    return "".join(_changed(part, _changes(part, process)) for part in parts)


def _changed(text: str, changes: Sequence[Change]) -> str:
    for pattern, instead in changes:
        text = pattern.sub(instead, text)
    return text


def _changes(part: str, process: Process) -> list[Change]:
    """What is changed in a section, by its heading."""
    match part.partition("\n")[0].removeprefix("## "):
        case "States":
            names = (re.compile(r"(?m)^(\| `\w+` \|)[^|]*\|"), r"\1")
            return [names, (re.compile(r"\| state \| name \|"), "| state |"), (re.compile(r"(?m)^\|---\|"), "|")]
        case "Who may do what":
            return [(re.compile(r" \(`\w+`\)"), ""), (re.compile(r"\| only if \|"), "| refused with |"),
                    (re.compile(r"→ party:"), "→ the "), (re.compile(r"→ role:"), "→ "),
                    (_DID, lambda m: _titles(m[0], process))]  # fmt: skip
        case "Forms":
            return [(re.compile(r" \(`\w+`\)"), ""), (re.compile(r"(?m)^\* `(\w+)`"), lambda m: f"* {words(m[1])}")]
        case "Clocks":
            return [(_ALLOWANCE, _allowance), (_UNTIL, _spaced), (_KEY, _spaced), (_PROFILE, _spaced)]
        case "Ladders":
            fires = (re.compile(r"`(\w+)`"), lambda m: trigger_title(process.name, m[1]))
            return [(_RUNG, _rung), (_KEY, _spaced), fires]
        case _:
            return []


def _titles(triggers: str, process: Process) -> str:
    return ", ".join(f"“{trigger_title(process.name, trigger)}”" for trigger in triggers.split(", "))


def _spaced(found: re.Match[str]) -> str:
    return found[0].replace("_", " ")


def _allowance(found: re.Match[str]) -> str:
    return Allowance.parse(found[0]).words


def _rung(found: re.Match[str]) -> str:
    base, count, unit, clock, every, rhythm = found.groups()
    if base == "soon":
        said = "when time is running out"
    elif count:
        said = f"{_counted(abs(int(count)), unit)} {'after' if int(count) > 0 else 'before'} {_BASES[base]}"
    else:
        said = f"at {_BASES[base]}"
    again = f", then every {_counted(int(every), rhythm)}" if every else ""
    return f"{said}{f', {clock}' if clock else ''}{again}"


def _counted(count: int, unit: str) -> str:
    return plural(count, _UNITS[unit])
