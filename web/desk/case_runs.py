"""A long history made short: what Muster did many times over is told once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from web.desk.case_timeline import Happened

FEW = 2
"""So many of the same stand by themselves; with one more they are told as one."""


def runs(entries: Sequence[Happened]) -> list[tuple[Happened, list[Happened]]]:
    """Return entries with those before them that say the same, so that forty reminders are read as one.

    Only what Muster did, that moved nothing, three times or more without anything between.
    """
    found: list[tuple[Happened, list[Happened]]] = []
    for _, same in groupby(entries, key=lambda each: (each.title, each.by) if each.is_routine else each.seq):
        first, *others = same
        if len(others) >= FEW:
            found.append((first, others))
        else:
            found += [(each, []) for each in (first, *others)]
    return found
