"""What somebody has begun to type into a form of a case. It is theirs alone, and whatever others do, it stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from config.database import Connection
from web.posted import Posted
from web.tables import Draft

NOTE = "note"
"""The form of a note; every other draft is of the trigger it is named after."""
NOT_TYPED = frozenset({"csrf", "version", "anyway"})
LONGEST = 400_000
"""Letters of one draft; nobody types more."""
KEPT_FOR = timedelta(days=90)
"""After so long nobody comes back to what they had begun, and what stands in it may be personal."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft: of which form, what was typed, at which version of the case, and when."""

    form: str
    posted: Posted
    version: int
    at: datetime


def typed(posted: Posted) -> dict[str, list[str]]:
    """Return what somebody typed into a form: its texts without what the form carries itself."""
    return {name: values for name, values in posted.texts.items() if name not in NOT_TYPED}


def keep(
    conn: Connection, staff_id: int, case_id: int, form: str, texts: Mapping[str, Sequence[str]], *, version: int,
    now: datetime,
) -> bool:  # fmt: skip
    """Keep what was typed; a form in which nothing stands keeps no draft. Return whether there is one now."""
    size = sum(len(name) + sum(map(len, values)) for name, values in texts.items())
    if not any(text.strip() for values in texts.values() for text in values):
        discard(conn, staff_id, case_id, form)
        return False
    if size > LONGEST:
        return False
    key: dict[str, Any] = {"staff_id": staff_id, "case_id": case_id, "form": form}
    new = insert(Draft).values(fields=dict(texts), version=version, at=now, **key)
    again = {"values": new.excluded["values"], "version": new.excluded.version, "at": new.excluded.at}
    conn.execute(new.on_conflict_do_update(index_elements=list(key), set_=again))
    return True


def of_case(conn: Connection, staff_id: int, case_id: int) -> dict[str, Kept]:
    """Return the drafts somebody has on a case, by form, the oldest first."""
    mine = select(Draft.__table__).where(Draft.staff_id == staff_id, Draft.case_id == case_id).order_by(Draft.at)
    rows = conn.execute(mine)
    return {row.form: Kept(row.form, Posted(texts=row._mapping["values"]), row.version, row.at) for row in rows}


def discard(conn: Connection, staff_id: int, case_id: int, form: str) -> None:
    """Throw a draft away; one that is not there is no error."""
    conn.execute(_DISCARD, {"staff_id": staff_id, "case_id": case_id, "form": form})


_DISCARD = text("DELETE FROM drafts WHERE staff_id = :staff_id AND case_id = :case_id AND form = :form")


def forget_old(conn: Connection, *, now: datetime) -> int:
    """Throw away everybody's drafts that were not touched for long, and return how many these were."""
    return conn.execute(delete(Draft).where(Draft.at < now - KEPT_FOR)).rowcount
