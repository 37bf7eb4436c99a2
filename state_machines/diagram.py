"""A process as a diagram: Mermaid text for the handbook, DOT text from which the drawings of the pages are made."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from state_machines.process import Process, State, Transition
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


Arrows = dict[tuple[str, str], list[str]]
"""Labels by source and target."""
MANY = 3
"""What leads from so many states to the same one, or to so many from one, is drawn once: otherwise nobody sees it."""


def dot(process: Process) -> str:
    """Return the diagram as DOT text for Graphviz. Classes say what is a state, an end, or done by Muster itself."""
    order = {state.name: number for number, state in enumerate(process.states)}
    lines = [
        f"digraph {process.name} {{", "  graph [rankdir=TB nodesep=0.3 ranksep=0.4 margin=0.1];",
        '  node [shape=box style=rounded fontname="Helvetica" fontsize=13 margin="0.2,0.1"];',
        '  edge [fontname="Helvetica" fontsize=11 arrowsize=0.7];',
        '  start [shape=circle label="" width=0.18 class="start"];',
        *map(_node, process.states),
        f'  start -> {process.initial} [class="arrow begin"];',
    ]  # fmt: skip
    arrows, bundles = _bundled(_edges(process))
    for number, bundle in enumerate(bundles):
        lines += bundle.lines(f"many_{number}", order)
    for (source, target), labels in arrows.items():
        lines.append(_arrow(source, target, labels, back=order[target] < order[source]))
    return "\n".join([*lines, "}"]) + "\n"


def digest(process: Process) -> str:
    """Return what tells whether a drawing was made from the process as it is defined now."""
    return hashlib.sha256(dot(process).encode()).hexdigest()[:16]


def tips(process: Process) -> dict[str, str]:
    """Return what is said of a part of the drawing when it is pointed at, by its name in the DOT text."""
    title = {state.name: state.title for state in process.states}
    found = {s.name: f"{s.title}: {s.help}" if s.help else s.title for s in process.states}
    arrows, bundles = _bundled(_edges(process))
    for number, bundle in enumerate(bundles):
        what, names = " / ".join(bundle.labels), ", ".join(title[name] for name in bundle.many)
        to = title[bundle.one]
        found[f"many_{number}"] = f"{what}, from: {names}" if bundle.inward else f"{what}, to one of: {names}"
        ends = (f"many_{number}", bundle.one) if bundle.inward else (bundle.one, f"many_{number}")
        found["->".join(ends)] = f"{what}: {names} → {to}" if bundle.inward else f"{what}: {to} → {names}"
    return found | {f"{a}->{b}": f"{' / '.join(labels)}: {title[a]} → {title[b]}" for (a, b), labels in arrows.items()}


@dataclass(frozen=True)
class _Bundle:
    """What leads from many states to one, or from one to many, and is drawn once."""

    labels: tuple[str, ...]
    one: str
    many: tuple[str, ...]
    inward: bool

    def lines(self, name: str, order: Mapping[str, int]) -> Iterator[str]:
        text = f"from {len(self.many)} states" if self.inward else f"to one of {len(self.many)} states"
        yield f'  {name} [label="{text}" shape=plaintext style="" fontsize=11 margin="0.05,0.02" class="many"];'
        yield _arrow(name, self.one, self.labels) if self.inward else _arrow(self.one, name, self.labels)
        before = [source for source in self.many if order[source] < order[self.one]]
        if self.inward and before:  # it still has its place after the last that leads to it
            yield f"  {max(before, key=order.__getitem__)} -> {self.one} [style=invis];"


def _bundled(edges: Arrows) -> tuple[Arrows, list[_Bundle]]:
    """Arrows one by one, and those that are drawn as one since there are many of them."""
    single = [(label, source, target) for (source, target), labels in edges.items() for label in labels]
    found: dict[tuple[str, tuple[str, ...], bool], list[str]] = {}
    for inward in (True, False):
        ends: dict[tuple[str, str], list[str]] = {}
        for label, source, target in single:
            one, other = (target, source) if inward else (source, target)
            ends.setdefault((label, one), []).append(other)
        many = {key for key, others in ends.items() if len(others) >= MANY}
        for label, one in ends:
            if (label, one) in many:
                found.setdefault((one, tuple(ends[label, one]), inward), []).append(label)
        single = [each for each in single if (each[0], each[2] if inward else each[1]) not in many]
    arrows: Arrows = {}
    for label, source, target in single:
        arrows.setdefault((source, target), []).append(label)
    return arrows, [_Bundle(tuple(labels), *key) for key, labels in found.items()]


def _node(state: State) -> str:
    label = "\\n".join(textwrap.wrap(state.title, 22))
    end = " peripheries=2" if state.final else ""
    kind = "state final" if state.final else "state"
    return f'  {state.name} [label="{label}"{end} class="{kind} state-{state.name}"];'


def _arrow(source: str, target: str, labels: Sequence[str], *, back: bool = False) -> str:
    """An arrow; one that leads back does not turn the order of the states round."""
    text = "\\n".join(f" {line} " for label in labels for line in textwrap.wrap(label, 26))
    alone = all(label.startswith("(") for label in labels)
    kind = ' style=dashed class="arrow alone"' if alone else ' class="arrow"'
    return f'  {source} -> {target} [label="{text}"{kind}{" constraint=false" if back else ""}];'
