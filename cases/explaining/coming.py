"""What happens next to a case if nobody acts: each thing flows will do, when, to whom, and on whom it lands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.explaining import ahead as running
from cases.explaining.ahead import Ahead
from cases.explaining.foretold import Coming, Next
from cases.explaining.surroundings import surroundings
from cases.explaining.telling import Telling
from cases.permissions import visible
from cases.sight import row_seen
from cases.tables import CaseRow
from config.database import Connection, reading
from state_machines.process import Process
from state_machines.registry import process_named
from state_machines.values import Actor


def what_happens_next(
    env: Environment, ref: str, *, until: datetime | None = None, every_repeat: bool = False, actor: Actor,
    now: datetime | None = None,
) -> Coming:  # fmt: skip
    """Return what flows will do to a case until it ends, for at most two years. Raises CaseNotFound."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        row = row_seen(conn, ref, actor, here)
        process = process_named(row.process)
        if row.closed_at is not None:
            title = process.state(row.state).title
            return Coming(row.ref, row.subject, row.process, title, here.now, (), (), "closed", row.on_hold, ())
        run = surroundings(conn, row, here)
        if every_repeat:
            run.repeated_enough = lambda track, moved: False
        run.run(until or here.now + running.HORIZON)
        run.post.give_up()
        seen = _seen(conn, run, visible(actor, acts_for(actor, here)))
        return _told(conn, run, row, process, seen, here, every_repeat=every_repeat)


def _seen(conn: Connection, run: Ahead, mine: ColumnElement[bool]) -> frozenset[str]:
    refs = {moved.cause for moved in run.moved if moved.cause}
    if not refs:
        return frozenset()
    return frozenset(conn.execute(select(CaseRow.ref).where(CaseRow.ref.in_(refs), mine)).scalars())


def _told(
    conn: Connection, run: Ahead, row: object, process: Process, seen: frozenset[str], here: World, *,
    every_repeat: bool,
) -> Coming:  # fmt: skip
    telling = Telling(run, process, seen, _children(conn, run), here)
    items = [telling.next(moved) for moved in run.moved]
    first = {moved.seq for moved in run.moved}
    waiting = [telling.mail(p, run.main.locked.owner_id) for seq, mails in sorted(run.post.done.items())
               if seq not in first for p in mails]  # fmt: skip
    line = run.moved[0].case if run.moved else run.main.case
    before = process.state(run.moved[0].step.source or line.state) if run.moved else process.state(line.state)
    return Coming(
        line.ref, line.subject, line.process, before.title, here.now,
        tuple(items if every_repeat else _once(items)), tuple(waiting), run.ended, bool(getattr(row, "on_hold", False)),
        tuple(_assumed(process, run)),
    )  # fmt: skip


def _children(conn: Connection, run: Ahead) -> int:
    """How many open children there are to be moved, where the run moves any."""
    if not any(wish.where == "children" for moved in run.moved for wish in moved.step.fires):
        return 0
    mine = (CaseRow.parent_id == run.main.case.id) & CaseRow.closed_at.is_(None)
    return int(conn.execute(select(func.count()).where(mine)).scalar_one())


def _once(items: Sequence[Next]) -> list[Next]:
    """Leave out of repeats all but the first, while the case stays where it is."""
    found: list[Next] = []
    shown: set[tuple[str, str, str]] = set()
    for each in items:
        if each.moves:
            shown.clear()
        key = (each.clock, each.rung.split("#")[0], each.kind)
        if each.rhythm and key in shown:
            continue
        if each.rhythm:
            shown.add(key)
        found.append(each)
    return found


_ASSUMED = {
    "children": "how many of the campaign's members stand where",
    "population": "how many members there are to be asked",
    "history": "what happened in other cases of the member",
}


def _assumed(process: Process, run: Ahead) -> list[str]:
    along = any(track.case.parent_id == run.main.case.id for track in run.others)
    facts = [_ASSUMED[name] for name in process.facts if name in _ASSUMED and not (along and name == "children")]
    found = [f"Taken to stay as today: {'; '.join(facts)}. Each sweep looks again."] if facts else []
    return [*found, "Absences, contacts and rules are taken as they are recorded now."]
