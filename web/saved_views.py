"""Filters of a list under a name: one's own, and those that others share. A view holds no case, only what to ask for.

Whoever opens a shared view sees what they may see. A deleted view can be taken back for a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from cases.environment import Environment
from cases.errors import BadInput, CaseError
from config.database import Connection, reading, transaction, without_nul
from web.tables import SavedView, ViewPin

PAGES = ("/queue", "/cases")
LONGEST_NAME = 60
MOST = 100
"""Views that one person can keep."""
KEPT_FOR = timedelta(days=1)


class NoSuchView(CaseError):
    """There is no such view, or it is not yours."""

    status = 404


@dataclass(frozen=True, slots=True)
class View:
    """A saved view as somebody sees it."""

    id: int
    name: str
    page: str
    query: str
    shared: bool
    owner_id: int
    pinned: bool

    @property
    def address(self) -> str:
        """Where it leads."""
        return f"{self.page}?{self.query}" if self.query else self.page


def views_of(env: Environment, staff_id: int) -> list[View]:
    """Return the views somebody may open, their own before those others share."""
    with reading(env.engine) as conn:
        return _views(conn, _openable(staff_id), staff_id)


def pinned_views(conn: Connection, staff_id: int) -> list[View]:
    """Return the views that somebody has pinned."""
    return _shown(conn.execute(_PINNED, {"me": staff_id}))


def _openable(staff_id: Any) -> list[ColumnElement[bool]]:
    return [SavedView.deleted_at.is_(None), or_(SavedView.owner_id == staff_id, SavedView.shared)]


def deleted_view(env: Environment, view_id: int, staff_id: int) -> View | None:
    """Return a view of somebody's own that they have deleted and can take back, or None."""
    with reading(env.engine) as conn:
        found = _views(conn, [*_own(view_id, staff_id), SavedView.deleted_at.is_not(None)], staff_id)
        return found[0] if found else None


def _views(conn: Connection, where: Sequence[ColumnElement[bool]], staff_id: int) -> list[View]:
    return _shown(conn.execute(_ordered(where, staff_id)))


def _ordered(where: Sequence[ColumnElement[bool]], staff_id: Any) -> Select[Any]:
    pin = and_(ViewPin.view_id == SavedView.id, ViewPin.staff_id == staff_id)
    return (
        select(
            SavedView.id, SavedView.name, SavedView.page, SavedView.query, SavedView.shared, SavedView.owner_id,
            ViewPin.view_id.is_not(None),
        ).outerjoin(ViewPin, pin).where(*where)
        .order_by(SavedView.owner_id != staff_id, ViewPin.position, func.lower(SavedView.name), SavedView.id)
    )  # fmt: skip


def _shown(rows: Iterable[Row[Any]]) -> list[View]:
    return [View(*row) for row in rows]


def _own(view_id: int, staff_id: int) -> list[ColumnElement[bool]]:
    return [SavedView.id == view_id, SavedView.owner_id == staff_id]


def save(
    env: Environment, name: str, page: str, query: str, *, shared: bool = False, pin: bool = True, staff_id: int,
    now: datetime,
) -> int:  # fmt: skip
    """Keep filters under a name and return the view's id. Raises BadInput."""
    if page not in PAGES:
        raise BadInput("Only lists of cases can be saved.")
    values = {"owner_id": staff_id, "name": _named(name), "page": page, "query": query[:2000], "shared": shared}
    with _unique(name), transaction(env.engine) as conn:
        count = select(func.count()).where(SavedView.owner_id == staff_id, SavedView.deleted_at.is_(None))
        if conn.execute(count).scalar_one() >= MOST:
            raise BadInput(f"You have {MOST} views already; delete one first.")
        statement = insert(SavedView).values(**values, created_at=now).returning(SavedView.id)
        view_id: int = conn.execute(statement).scalar_one()
        if pin:
            _pin(conn, view_id, staff_id)
        return view_id


def _named(name: str) -> str:
    name = without_nul(" ".join(name.split()))
    if not name:
        raise BadInput("Give the view a name.")
    if len(name) > LONGEST_NAME:
        raise BadInput(f"The name of a view has up to {LONGEST_NAME} characters.")
    return name


@contextmanager
def _unique(name: str) -> Iterator[None]:
    """Turn the database's objection to a second view of this name into a sentence."""
    try:
        yield
    except IntegrityError as bad:
        if "uq_saved_views_owner_name" not in str(bad.orig):
            raise
        raise BadInput(f"You have a view called “{' '.join(name.split())}” already.") from None


def change(env: Environment, view_id: int, *, name: str, shared: bool, staff_id: int) -> None:
    """Rename a view of one's own, and share it or not. Raises BadInput or NoSuchView."""
    statement = update(SavedView).where(*_own(view_id, staff_id), SavedView.deleted_at.is_(None))
    with _unique(name), transaction(env.engine) as conn:
        if conn.execute(statement.values(name=_named(name), shared=shared)).rowcount != 1:
            raise NoSuchView


def remove(env: Environment, view_id: int, *, staff_id: int, now: datetime) -> None:
    """Delete a view of one's own; it can be taken back for a day. Raises NoSuchView."""
    with transaction(env.engine) as conn:
        conn.execute(delete(SavedView).where(SavedView.owner_id == staff_id, SavedView.deleted_at < now - KEPT_FOR))
        statement = update(SavedView).where(*_own(view_id, staff_id), SavedView.deleted_at.is_(None))
        if conn.execute(statement.values(deleted_at=now)).rowcount != 1:
            raise NoSuchView


def restore(env: Environment, view_id: int, *, staff_id: int) -> None:
    """Take a deleted view back. Raises NoSuchView, and BadInput when its name was given to another meanwhile."""
    view = deleted_view(env, view_id, staff_id)
    if view is None:
        raise NoSuchView
    with _unique(view.name), transaction(env.engine) as conn:
        conn.execute(update(SavedView).where(*_own(view_id, staff_id)).values(deleted_at=None))


def pin(env: Environment, view_id: int, *, pinned: bool, staff_id: int) -> None:
    """Have a view beside one's lists, or not any more. Raises NoSuchView."""
    with transaction(env.engine) as conn:
        allowed = or_(SavedView.owner_id == staff_id, SavedView.shared)
        there = select(SavedView.id).where(SavedView.id == view_id, allowed, SavedView.deleted_at.is_(None))
        if conn.execute(there).scalar_one_or_none() is None:
            raise NoSuchView
        if pinned:
            _pin(conn, view_id, staff_id)
        else:
            conn.execute(delete(ViewPin).where(ViewPin.view_id == view_id, ViewPin.staff_id == staff_id))


def _pin(conn: Connection, view_id: int, staff_id: int) -> None:
    after = select(func.coalesce(func.max(ViewPin.position), 0) + 1).where(ViewPin.staff_id == staff_id)
    values = {"view_id": view_id, "staff_id": staff_id, "position": after.scalar_subquery()}
    conn.execute(insert(ViewPin).values(**values).on_conflict_do_nothing())


def rename_team(conn: Connection, old: str, new: str) -> None:
    """Let the views of everybody that ask for a team ask for it under another name."""
    views = select(SavedView.id, SavedView.query).where(SavedView.query.contains("team=")).with_for_update()
    for view in conn.execute(views).all():
        asked = parse_qsl(view.query)
        renamed = [("team", new) if each == ("team", old) else each for each in asked]
        if renamed != asked:
            conn.execute(update(SavedView).where(SavedView.id == view.id).values(query=urlencode(renamed)))


_ME: BindParameter[int] = bindparam("me", type_=BigInteger)
_PINNED = _ordered([*_openable(_ME), ViewPin.view_id.is_not(None)], _ME)
"""For every list anybody looks at: made once."""
