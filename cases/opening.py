"""Opening cases: one by a person, one by another case, or thousands for the members of a campaign, in sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from cases import facts as case_facts
from cases.environment import World
from cases.errors import BadInput, TransitionRefused
from cases.owners import owner_for
from cases.rows import staff_id_of
from cases.tables import CampaignMember
from cases.writing import Change, kept_from, walled_off
from config.database import Connection, copy_rows
from members import store as member_store
from members.cards import Place
from members.tables import Member
from state_machines.engine import open_case, same_for
from state_machines.process import Process
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Actor, Case, OpenChildren, Outcome, Refused, Role, Step


@dataclass(frozen=True, slots=True)
class Wish:
    """A case to be opened."""

    process: Process
    subject: str
    payload: Mapping[str, Any]
    member_id: int | None = None
    team: str | None = None
    parent_id: int | None = None
    received_at: datetime | None = None
    external_ref: str | None = None
    coordinator_id: int | None = None
    link: tuple[int, str] | None = None
    restricted_to: tuple[int, ...] | None = None
    """Who alone may see it: what comes of a restricted case is as confidential."""
    walled_off: tuple[int, ...] = ()
    """Who may not see what this case comes of, and so not this one."""


def next_ids(conn: Connection, count: int) -> list[int]:
    """Return so many new case ids, in one statement."""
    found = conn.execute(
        text("SELECT nextval(pg_get_serial_sequence('cases', 'id')) FROM generate_series(1, :n)"), {"n": count}
    )
    return [row[0] for row in found]


def reference(process: Process, case_id: int, now: datetime, world: World) -> str:
    """Return the reference of a new case: ``MC-2026-000042``."""
    return f"{process.prefix}-{world.env.calendar.local_date(now).year}-{case_id:06d}"


def decided(
    conn: Connection, wishes: Sequence[Wish], world: World, *, actor: Actor, trial: bool = False
) -> list[Change | tuple[Wish, Refused]]:
    """Return for each wish the new case, decided and not yet written, or why it is refused. In sets.

    A ``trial`` uses up no references; its changes must not be written.
    """
    if not wishes:
        return []
    ids = list(range(1, len(wishes) + 1)) if trial else next_ids(conn, len(wishes))
    seeds = [_seed(wish, case_id, world) for wish, case_id in zip(wishes, ids, strict=True)]
    if _are_alike(wishes):
        return _decided_once(conn, wishes, seeds, world, actor)
    gathered = case_facts.gather(conn, seeds, now=world.now)
    found = []
    opened: Counter[tuple[str, int | None]] = Counter()
    for wish, seed in zip(wishes, seeds, strict=True):
        facts = _counting(gathered[seed.id], wish, opened)
        found.append(_decided_one(wish, seed, facts, world, actor))
        if seed.received_at >= world.now - case_facts.YEAR:
            opened[wish.process.name, wish.member_id] += 1
    return found


def _counting(facts: dict[str, Any], wish: Wish, opened: Counter[tuple[str, int | None]]) -> Mapping[str, Any]:
    """The facts of a case with those counted that the same batch has opened for its member."""
    number = opened["complaint", wish.member_id]
    if "history" not in facts or not number:
        return facts
    history = facts["history"]
    facts["history"] = {**history, "complaints_12m": history["complaints_12m"] + number}
    return facts


def _seed(wish: Wish, case_id: int, world: World) -> Case:
    now = world.now
    return Case(
        case_id, reference(wish.process, case_id, now, world), wish.process.name, wish.process.initial, 0, now,
        min(wish.received_at or now, now), now, wish.member_id, wish.subject[:300], wish.team, None, wish.parent_id,
    )  # fmt: skip


def _decided_one(
    wish: Wish, seed: Case, facts: Mapping[str, Any], world: World, actor: Actor
) -> Change | tuple[Wish, Refused]:
    outcome = open_case(
        wish.process, seed, payload=wish.payload, actor=actor, context=world.context(facts), now=world.now
    )
    return (wish, outcome) if isinstance(outcome, Refused) else _owned(wish, outcome, world, actor)


def _are_alike(wishes: Sequence[Wish]) -> bool:
    """Whether one decision serves all: a launch asks the same of every member."""
    first = wishes[0]
    return (
        len(wishes) > 1
        and first.process.opens_alike
        and all(w.process is first.process and w.payload is first.payload for w in wishes)
        and all(w.received_at == first.received_at for w in wishes)
    )


def _decided_once(
    conn: Connection, wishes: Sequence[Wish], seeds: Sequence[Case], world: World, actor: Actor
) -> list[Change | tuple[Wish, Refused]]:
    """Decide about the first of many cases that begin alike, and let the others have the same outcome."""
    facts = case_facts.gather(conn, seeds[:1], now=world.now)[seeds[0].id]
    first = _decided_one(wishes[0], seeds[0], facts, world, actor)
    if isinstance(first, tuple):
        return [(wish, first[1]) for wish in wishes]
    others = (_owned(w, same_for(s, first.outcome), world, actor)
              for w, s in zip(wishes[1:], seeds[1:], strict=True))  # fmt: skip
    return [first, *others]


def _owned(wish: Wish, outcome: Outcome, world: World, actor: Actor) -> Change:
    inherited = wish.walled_off
    walled = (*walled_off(outcome.after), *inherited)
    if wish.restricted_to is not None:
        walled += tuple(set(world.staffing.people) - set(wish.restricted_to))
    coordinator = _coordinator(wish, outcome.after, world, actor, walled)
    owner = coordinator
    if outcome.owner_role is not Role.COORDINATOR:
        owner = owner_for(
            outcome.owner_role, outcome.after, wish.process, world.staffing, coordinator_id=coordinator, kept_out=walled
        )
    return Change(
        outcome, wish.process.version, owner, coordinator, None, wish.external_ref, wish.restricted_to,
        inherited, wish.link,
    )  # fmt: skip


def _coordinator(wish: Wish, case: Case, world: World, actor: Actor, walled: tuple[int, ...]) -> int:
    """A coordinator who opens a case keeps it, unless it is another team's; otherwise the rules choose."""
    me = staff_id_of(actor.person)
    mine = me is not None and me not in walled and Role.COORDINATOR in actor.roles
    if mine and (case.team is None or case.team in actor.teams):
        assert me is not None  # noqa: S101  said one line above, for the type checker
        return me
    return owner_for(
        Role.COORDINATOR, case, wish.process, world.staffing, coordinator_id=wish.coordinator_id, kept_out=walled
    )


def spawned(conn: Connection, spawning: Sequence[tuple[Change, Step]], world: World) -> list[Change]:
    """Return the cases that other cases open. Raises TransitionRefused: what cannot be opened undoes the whole."""
    wishes = []
    for change, step in spawning:
        parent = change.outcome.after
        named = change.locked.row.restricted_to if change.locked is not None else change.restricted_to
        for spawn in step.spawns:
            wishes.append(
                Wish(process_named(spawn.process), spawn.subject, spawn.data, parent.member_id, parent.team,
                     coordinator_id=change.coordinator_id, link=(parent.id, spawn.link),
                     restricted_to=tuple(named) if named is not None else None,
                     walled_off=tuple(kept_from(change)))
            )  # fmt: skip
    found = []
    for change_or_refusal in decided(conn, wishes, world, actor=SYSTEM):
        if isinstance(change_or_refusal, tuple):
            raise TransitionRefused(change_or_refusal[1])
        found.append(change_or_refusal)
    return found


def children(conn: Connection, parent: Case, wish: OpenChildren, world: World) -> list[Change]:
    """Return a child case for every member of the parent's population, and freeze that population with its reasons.

    A population that is frozen already is asked once more as it stands: a newer round does not choose anew. With
    ``only``, for these members, who join the frozen population. Raises BadInput for a member who is in it already.
    """
    members: Sequence[Place] = _joiners(conn, parent.id, wish.only) if wish.only else _population(conn, parent)
    process = process_named(wish.process)
    subject = str(wish.data.get("campaign_title") or parent.subject)
    wishes = [Wish(process, subject, wish.data, card.id, card.team or parent.team, parent.id) for card in members]
    found = []
    for change_or_refusal in decided(conn, wishes, world, actor=SYSTEM):
        if isinstance(change_or_refusal, tuple):
            raise TransitionRefused(change_or_refusal[1])
        found.append(change_or_refusal)
    return found


def _population(conn: Connection, parent: Case) -> list[Place]:
    if frozen := _frozen(conn, parent.id):
        return frozen
    criteria = dict(parent.data.get("population") or {})
    members = member_store.places(conn, criteria)
    _freeze(conn, parent.id, [place.id for place in members], criteria)
    return members


def _frozen(conn: Connection, campaign_id: int) -> list[Place]:
    """Who is in the population of a campaign that was launched before; empty for one that was not."""
    included = (CampaignMember.campaign_id == campaign_id, CampaignMember.included)
    rows = conn.execute(
        select(Member.id, Member.team).join(CampaignMember, CampaignMember.member_id == Member.id)
        .where(*included).order_by(Member.id)
    )  # fmt: skip
    return [Place(*row) for row in rows.tuples()]


def _joiners(conn: Connection, campaign_id: int, refs: Sequence[str]) -> list[Place]:
    members = [member_store.find_by_ref(conn, ref) for ref in refs]
    for card in members:
        joined = conn.execute(_JOIN, {"campaign": campaign_id, "member": card.id, "reason": "joined late"}).rowcount
        if not joined:
            raise BadInput(f"{card.name} is in this campaign already, or was left out of it: then take it back in.")
    return [Place(card.id, card.team) for card in members]


_JOIN = text("""
INSERT INTO campaign_members (campaign_id, member_id, included, reason) VALUES (:campaign, :member, true, :reason)
ON CONFLICT (campaign_id, member_id) DO UPDATE SET included = true, reason = excluded.reason
WHERE NOT campaign_members.included AND NOT EXISTS (SELECT 1 FROM cases AS c
  WHERE c.parent_id = campaign_members.campaign_id AND c.member_id = campaign_members.member_id AND c.closed_at IS NULL)
""")


_FREEZE = text("""
INSERT INTO campaign_members (campaign_id, member_id, included, reason)
SELECT :campaign, member_id, true, 'in the population' FROM unnest(CAST(:members AS bigint[])) AS u(member_id)
""")


def _freeze(conn: Connection, campaign_id: int, included: list[int], criteria: Mapping[str, Any]) -> None:
    """Write down who is in the population, and of everybody else which rule left them out."""
    conn.execute(_FREEZE, {"campaign": campaign_id, "members": included})
    rows = []
    for card in member_store.left_out(conn, criteria):
        missed = [f"{key} is {getattr(card, key, None) or 'not set'}" for key in criteria
                  if not _meets(card, key, criteria)]  # fmt: skip
        rows.append((campaign_id, card.id, False, ", ".join(missed) or "left out by the rule"))
    copy_rows(conn, "campaign_members", ("campaign_id", "member_id", "included", "reason"), rows)


def _meets(card: Any, key: str, criteria: Mapping[str, Any]) -> bool:
    wanted = criteria[key]
    return getattr(card, key, None) in (wanted if isinstance(wanted, list) else [wanted])
