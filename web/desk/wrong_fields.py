"""The fields of a form in which something is wrong, those inside rows too, for the summary at its head."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from web.forms import Field


def wrong(fields: Iterable[Field]) -> list[Field]:
    """Return the fields with errors, in order; those of a row say in their label which row it is."""
    found: list[Field] = []
    for field in fields:
        if field.errors:
            found.append(field)
        for number, row in enumerate(field.rows):
            place = field.heads[number] if number < len(field.heads) else f"{field.label}, number {number + 1}"
            found += [replace(inner, label=f"{place}: {inner.label}") for inner in wrong(row)]
    return found
