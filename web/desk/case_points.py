"""The points of a complaint: what each finding answers, by name, in its form and in the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from state_machines.values import Case
from web.forms import Field


def points(case: Case) -> dict[str, list[str]]:
    """Return by field what each of its rows is about, in their order; nothing where a case has no points."""
    named = [_words(issue) for issue in case.data.get("issues") or () if issue.get("category")]
    return {"findings": named} if named else {}


def _words(issue: Mapping[str, Any]) -> str:
    return f"{issue['category']} ({issue['site']})" if issue.get("site") else str(issue["category"])


def with_a_row_each(given: Mapping[str, Any], named: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return what stands in a form with a row for each point, blank where nothing was written."""
    rows = {name: list(given.get(name) or ()) for name in named}
    return {**given, **{name: rows[name] + [{}] * (len(heads) - len(rows[name])) for name, heads in named.items()}}


def by_point(field: Field, named: Mapping[str, Sequence[str]]) -> Field:
    """Return a field whose rows are the points, neither more nor fewer; any other as it is."""
    heads = tuple(named.get(field.name, ()))
    return replace(field, rows=field.rows[: len(heads)], heads=heads) if heads and field.kind == "rows" else field
