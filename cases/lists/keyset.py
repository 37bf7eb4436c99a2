"""Turning pages by where one stands: the value and id of the last line, never a number of lines to skip.

A page costs what its lines cost, however far down the list it is, and a line that is added or goes away above it
neither repeats nor hides another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, UnaryExpression, literal, select, tuple_, union
from sqlalchemy.orm import InstrumentedAttribute

from cases.tables import CaseRow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACE = re.compile(r"([ab])(-?\d{1,17}|x)_(\d{1,18})", re.ASCII)


@dataclass(frozen=True)
class Place:
    """Where a page begins: after a line, or before it on the way back."""

    at: datetime | None
    id: int
    back: bool = False

    def __str__(self) -> str:
        stood = "x" if self.at is None else str((self.at - _EPOCH) // _MICROSECOND)
        return f"{'b' if self.back else 'a'}{stood}_{self.id}"


def place_from(text: str) -> Place | None:
    """Return the place an address names, or None: whatever is no place of ours is the beginning."""
    match = _PLACE.fullmatch(text)
    if match is None:
        return None
    way, stood, number = match.groups()
    try:
        at = None if stood == "x" else _EPOCH + int(stood) * _MICROSECOND
    except OverflowError:
        return None
    return Place(at, int(number), way == "b")


@dataclass(frozen=True)
class Order:
    """By which instant a list is ordered, then by id. Where the instant is missing, the line comes last."""

    column: InstrumentedAttribute[Any]
    newest_first: bool = False
    may_be_missing: bool = False

    def sorted_by(self, at: Any, number: Any, *, back: bool) -> tuple[UnaryExpression[Any], UnaryExpression[Any]]:
        """Return what to order by, in this direction or on the way back."""
        if self.newest_first != back:
            return at.desc(), number.desc()  # of an ascending order on the way back: what is missing comes first
        return at.asc(), number.asc()

    def stretches(self, place: Place | None) -> list[list[ColumnElement[bool]]]:
        """Return the conditions of each stretch of the list that lies beyond a place; each is read from one index."""
        if place is None:
            return [[]]
        at, number, row = self.column, CaseRow.id, tuple_(self.column, CaseRow.id)
        up = self.newest_first == place.back
        if place.at is None:
            stood = [at.is_(None), number > place.id if up else number < place.id]
            return [stood] if not place.back else [stood, [at.is_not(None)]]
        here = tuple_(literal(place.at, at.type), literal(place.id, CaseRow.id.type))
        beyond = [row > here if up else row < here]
        return [beyond, [at.is_(None)]] if self.may_be_missing and not place.back else [beyond]


BY_DEADLINE = Order(CaseRow.deadline_at, may_be_missing=True)
BY_RECEIPT = Order(CaseRow.received_at, newest_first=True)
BY_CLOSING = Order(CaseRow.closed_at, newest_first=True)


def keys(
    branches: Sequence[Sequence[ColumnElement[bool]]], order: Order, place: Place | None, limit: int, *columns: Any
) -> Select[Any]:
    """Return a statement for the first so many ids beyond a place among what any of the branches lets through.

    Each branch is cut by itself, so that each can be read from an index of its own; then they are put together.
    """
    back = place is not None and place.back
    ordered = order.sorted_by(order.column, CaseRow.id, back=back)
    parts = [
        select(CaseRow.id, order.column.label("at"), *columns).where(*where, *beyond).order_by(*ordered).limit(limit)
        for where in branches
        for beyond in order.stretches(place)
    ]
    if len(parts) == 1:
        return parts[0]
    found = union(*(select(part.subquery()) for part in parts)).subquery()
    return select(found).order_by(*order.sorted_by(found.c.at, found.c.id, back=back)).limit(limit)
