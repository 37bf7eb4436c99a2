"""The handbook page of a process, made from its definition and the policy, so that it cannot say something else."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from state_machines.diagram import mermaid
from state_machines.ladders import EXPIRES
from state_machines.objections import sentence_of
from state_machines.policy import Policy, PolicyError
from state_machines.process import Clock, Process, Transition, personal_fields
from state_machines.values import Role


def page(process: Process, policy: Policy, kinds: Mapping[str, str] | None = None) -> str:
    """Return the page as Markdown. ``kinds`` gives the titles of message kinds."""
    parts = [
        f"# {process.title}",
        "<!-- Made by `make docs` from the definition and the policy. Change those, not this page. -->",
        _doc(process),
        f"Definition {process.name} version {process.version}, references {process.prefix}-…, policy {policy.version}.",
        "## The whole", f"```mermaid\n{mermaid(process)}```",
        "What Muster does by itself stands in brackets. What is possible in every open state is listed below, "
        "not drawn.",
        "## States", _states(process, policy),
        "## Who may do what", _transitions(process, kinds or {}),
        "## Forms", _forms(process),
        "## Clocks", _clocks(process, policy),
        "## Ladders", _ladders(process, policy),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part).rstrip() + "\n"


def _doc(process: Process) -> str:
    return "\n".join(line.strip() for line in process.doc.strip().splitlines())


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _states(process: Process, policy: Policy) -> str:
    rows = []
    for state in process.states:
        clocks = ", ".join(f"{c.title}{' (stands still)' if c.paused else ''}" for c in state.clocks)
        owner = "closed" if state.final else state.owner.label
        rows.append([f"`{state.name}`", state.title, owner, clocks, state.help])
    return _table(["state", "name", "owner", "clocks", "meaning"], rows)


def _transitions(process: Process, kinds: Mapping[str, str]) -> str:
    rows = []
    for t in process.transitions:
        sources = "any open state" if "*" in t.sources else ", ".join(f"`{s}`" for s in t.sources)
        conditions = [sentence_of(guard) for guard in (*t.only_if, *t.checks)]
        if t.four_eyes:
            conditions.append(f"Not by whoever did {', '.join(t.four_eyes)}.")
        sends = ", ".join(f"{kinds.get(s.kind, s.kind)} → {s.to.replace('_', ' ')}" for s in t.sends)
        rows.append([
            f"{t.title} (`{t.trigger}`)", sources, f"`{t.target}`" if t.target else "stays", _who(t),
            " ".join(conditions), sends,
        ])  # fmt: skip
    return _table(["what", "from", "to", "who", "only if", "sends"], rows)


def _who(transition: Transition) -> str:
    names = sorted("Muster" if role is Role.SYSTEM else role.label for role in transition.by)
    return ", ".join(names)


def _forms(process: Process) -> str:
    found: dict[str, tuple[str, type[BaseModel]]] = {}
    if process.opening is not None:
        found["open"] = ("Open", process.opening)
    for t in process.transitions:
        if t.needs is not None:
            found.setdefault(t.trigger, (t.title, t.needs))
    return "\n\n".join(_form(trigger, title, model) for trigger, (title, model) in found.items())


def _form(trigger: str, title: str, model: type[BaseModel]) -> str:
    private = personal_fields(model)
    lines = []
    for name, info in model.model_fields.items():
        marks = ["required"] * info.is_required() + ["personal"] * (name in private)
        lines.append(
            f"* `{name}`{' (' + ', '.join(marks) + ')' if marks else ''}: {info.description or name.replace('_', ' ')}"
        )
    return f"**{title}** (`{trigger}`)\n\n" + "\n".join(lines)


def _clocks(process: Process, policy: Policy) -> str:
    seen: dict[str, Clock] = {}
    for state in process.states:
        for clock in state.clocks:
            seen.setdefault(clock.name, clock)
    rows = []
    for clock in seen.values():
        try:
            numbers = policy.clock(process.name, clock.name)
        except PolicyError:
            rows.append([clock.title, f"until {clock.until}", "", clock.ladder, ""])
            continue
        profiles = ", ".join(f"{name}: {text or 'does not run'}" for name, text in numbers.profiles.items())
        basis = numbers.allow or (f"until {clock.until}" if clock.until else "only for some profiles")
        rows.append([clock.title, basis, profiles, clock.ladder, numbers.source])
    return _table(["clock", "time", "differs for", "ladder", "source"], rows)


def _ladders(process: Process, policy: Policy) -> str:
    names = {clock.ladder: clock for state in process.states for clock in state.clocks}
    rows = []
    for name in sorted(names):
        for rung in policy.ladder(process.name, name).rungs:
            at = f"{rung.at.base}{rung.at.count:+d}{rung.at.unit}" if rung.at.count else rung.at.base
            at = f"{rung.at.count} %" if rung.at.base == "percent" else at
            clock = rung.at.clock.strftime(" %H:%M") if rung.at.clock else ""
            again = f", then every {rung.every[0]}{rung.every[1]}" if rung.every else ""
            fires = "what the clock says" if rung.fires == EXPIRES else f"`{rung.fires}`"
            rows.append([name, rung.name, f"{at}{clock}{again}", fires])
    return _table(["ladder", "rung", "when", "fires"], rows)
