"""A process as a Mermaid state diagram, for the handbook and for the page of a case."""

from __future__ import annotations

from state_machines.process import Process, Transition
from state_machines.values import Role


def mermaid(process: Process, current: str | None = None) -> str:
    """Return the diagram as Mermaid text, with the current state marked. What a clock does alone is in italics."""
    lines = ["stateDiagram-v2", "    direction TB"]
    lines += [f'    state "{state.title}" as {state.name}' for state in process.states]
    lines.append(f"    [*] --> {process.initial}")
    for (source, target), labels in _edges(process).items():
        lines.append(f"    {source} --> {target}: {' / '.join(labels)}")
    lines += [f"    {state.name} --> [*]" for state in process.states if state.final]
    if current is not None:
        lines += ["    classDef current fill:#1f6feb,color:#fff,stroke-width:3px", f"    class {current} current"]
    return "\n".join(lines) + "\n"


def _edges(process: Process) -> dict[tuple[str, str], list[str]]:
    """Arrows by source and target; what may happen in every open state is left out, or nothing else could be seen."""
    found: dict[tuple[str, str], list[str]] = {}
    for transition in process.transitions:
        if transition.target is None or "*" in transition.sources:
            continue
        for source in transition.sources:
            labels = found.setdefault((source, transition.target), [])
            label = _label(transition)
            if label not in labels:
                labels.append(label)
    return found


def _label(transition: Transition) -> str:
    text = transition.title.replace(":", " -").replace(";", ",")
    return f"({text})" if set(transition.by) == {Role.SYSTEM} else text
