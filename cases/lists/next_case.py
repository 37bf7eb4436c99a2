"""The case after the one somebody is at, in the list they work through."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cases.environment import Environment, world
from cases.lists.keyset import Place, keys
from cases.lists.narrowing import Narrow
from cases.lists.ways_in import narrowed, ways
from cases.lists.worklist import order_of
from cases.tables import CaseRow
from config.database import reading
from state_machines.values import Actor

EVERYTHING = Narrow()


def next_case(
    env: Environment, ref: str, place: Place | None, narrow: Narrow = EVERYTHING, *, mine: bool = True, actor: Actor,
    now: datetime | None = None,
) -> str | None:  # fmt: skip
    """Return the reference of the case beyond a place in a person's queue, or (not ``mine``) in all they may see.

    After the last case comes the first. ``ref`` is where the person is; None: there is no other.
    """
    narrow = replace(narrow, phase="") if mine else narrow
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        teams, others, sight = ways(mine, here, actor=actor)
        branches = narrowed([*teams, *others], sight, narrow, here, actor=actor)
        for start in dict.fromkeys((place, None)):
            found = keys(branches, order_of(narrow), start, 2, CaseRow.ref)
            refs = [each.ref for each in conn.execute(found) if each.ref != ref]
            if refs:
                return str(refs[0])
    return None
