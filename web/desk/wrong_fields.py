"""The fields of a form in which something is wrong, those inside rows too, for the summary at its head."""

from __future__ import annotations

from collections.abc import Iterable

from web.forms import Field


def wrong(fields: Iterable[Field]) -> list[Field]:
    """Return the fields with errors, in order."""
    found: list[Field] = []
    for field in fields:
        if field.errors:
            found.append(field)
        for row in field.rows:
            found += wrong(row)
    return found
