"""Handing out the record: the events an actor may see, in a file that is whole or not there at all."""

from __future__ import annotations

import csv
import logging
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Select, Text, cast, select

from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.errors import BadInput, NotAllowed
from cases.looking.recording import EXPORT, looked_at
from cases.permissions import visible
from cases.tables import PERSONAL_PART, CaseEvent, CaseRow, EventPersonal
from config.database import reading, to_json
from state_machines.values import STAFF, Actor, Role

log = logging.getLogger(__name__)

STREAMED = {"stream_results": True, "yield_per": 5000}

FORMATS = ("jsonl", "csv")
_PERSONAL_FOR = frozenset({Role.MANAGER, Role.SENIOR, Role.COUNCIL, Role.ADMINISTRATOR, Role.SYSTEM})
_COLUMNS = (
    "seq", "at", "actor", "role", "on_behalf_of", "kind", "trigger", "source", "target", "occurrence",
    "process_version", "policy_version", "personal_digest", "prev_hash", "hash",
)  # fmt: skip


def export(
    env: Environment, path: Path, *, fmt: str = "jsonl", personal: bool = False, actor: Actor,
    now: datetime | None = None,
) -> int:  # fmt: skip
    """Write the events the actor may see into a file, and return how many. The file is whole or not there at all.

    Details are given to the letter, so that hashes can be computed from the file. Raises NotAllowed, or BadInput
    with a sentence.
    """
    if fmt not in FORMATS:
        raise BadInput(f"The record is exported as {' or '.join(FORMATS)}, not as {fmt!r}.")
    if not actor.roles & (STAFF | {Role.SYSTEM}):
        raise NotAllowed("Only staff may export the record.")
    if personal and not actor.roles & _PERSONAL_FOR:
        raise NotAllowed("Only a manager may export the personal parts of the record.")
    looked_at(EXPORT, name=path.name, actor=actor)
    with reading(env.engine) as conn, _whole_file(path) as file:
        here = world(conn, env, now)
        head = {"as_at": here.now, "personal": personal}
        with conn.execute(_exported(actor, here, personal), execution_options=STREAMED) as rows:
            count = _write_csv(file, head, rows) if fmt == "csv" else _write_lines(file, head, rows)
    what = "with" if personal else "without"
    log.info("The record was exported: %s events, %s personal parts.", count, what, extra={"actor": actor.person})
    return count


def _exported(actor: Actor, here: World, personal: bool) -> Select[Any]:
    event = CaseEvent.__table__.c
    columns = [CaseRow.ref.label("case"), CaseRow.process, *(event[name] for name in _COLUMNS)]
    columns.append(cast(event.details, Text).label("details"))
    statement = select(*columns).join(CaseRow, CaseRow.id == event.case_id)
    if personal:
        statement = statement.add_columns(cast(EventPersonal.data, Text).label("personal"))
        statement = statement.outerjoin(EventPersonal, PERSONAL_PART)
    allowed = visible(actor, acts_for(actor, here))
    return statement.where(allowed, event.at <= here.now).order_by(event.case_id, event.seq)


def _write_lines(file: IO[str], head: dict[str, Any], rows: Iterable[Any]) -> int:
    file.write(to_json(head) + "\n")
    count = 0
    for row in rows:
        values = dict(row._mapping)
        verbatim = {name: values.pop(name) for name in ("details", "personal") if name in values}
        tail = "".join(f', "{name}": {found or "null"}' for name, found in verbatim.items())
        file.write(to_json(values)[:-1] + tail + "}\n")
        count += 1
    return count


def _write_csv(file: IO[str], head: dict[str, Any], rows: Any) -> int:
    file.write(f"# as at {head['as_at'].isoformat()}, {'with' if head['personal'] else 'without'} personal parts\n")
    writer = csv.writer(file)
    writer.writerow(rows.keys())
    count = 0
    for row in rows:
        writer.writerow([v.isoformat() if isinstance(v, datetime) else v for v in row])
        count += 1
    return count


@contextmanager
def _whole_file(path: Path) -> Iterator[IO[str]]:
    """Yield a file that takes its name only when everything is written."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as bad:
        raise BadInput(f"The file {path} cannot be written: {bad.strerror}.") from None
    draft = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(number)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
