"""Launching a campaign of many members, beside one INSERT..SELECT that writes the same rows by hand. One run.

What a launch writes for each member: the frozen population, a case, its first event with its hash, its words for the
search, and the invitation. The floor knows every answer beforehand and writes all of it in one statement; what is
compared is the ratio. Statements are counted, because their number must not grow with the members.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text

from bench.organisation import LAUNCH, PLAN, organisation, tidy
from bench.sweep import statements, timed
from cases import commands
from cases.campaigning.page import campaign_page
from cases.campaigns import plan_campaign
from cases.environment import Environment
from cases.tables import CaseRow
from config.database import reading, transaction
from members import store as members
from members.staff_store import staffing
from state_machines.values import SYSTEM, Actor, Role

RAW = text("""
WITH made AS (
  SELECT nextval(pg_get_serial_sequence('cases', 'id')) AS id, m.id AS member_id, m.team
  FROM members m WHERE m.status = 'active'
), hashed AS (
  SELECT *, encode(sha256(convert_to(concat_ws(chr(31), repeat('0', 64), id::text, '1', CAST(:stamp AS text),
    'system:sweep', 'system_manager', '', 'opened', 'open', '', 'invited', '', '1', CAST(:policy AS text),
    CAST(:details AS text), ''), 'UTF8')), 'hex') AS hash FROM made
), frozen AS (
  INSERT INTO campaign_members (campaign_id, member_id, included, reason)
  SELECT :campaign, member_id, true, 'in the population' FROM made
), events AS (
  INSERT INTO case_events (case_id, seq, at, actor, role, kind, trigger, source, target, process_version,
    policy_version, details, prev_hash, hash)
  SELECT id, 1, :now, 'system:sweep', 'system', 'opened', 'open', NULL, 'invited', 1, :policy,
    CAST(:details AS json), repeat('0', 64), hash FROM hashed
), words AS (
  INSERT INTO case_words (case_id, seq, words) SELECT id, 0, 'annual self-assessment 2026' FROM made
), mails AS (
  INSERT INTO messages (key, case_id, event_seq, kind, audience, purpose, data, member_id, not_before, created_at)
  SELECT id || ':1:0:survey_invitation:member', id, 1, 'survey_invitation', 'member', 'service', '{}', member_id,
    :now, :now FROM made
)
INSERT INTO cases (id, ref, process, process_version, state, version, member_id, team, owner_id, owner_role,
  coordinator_id, subject, parent_id, on_hold, data, parties, clocks, counts, people, received_at, opened_at,
  entered_at, due_at, deadline_at, last_seq, last_hash)
SELECT id, 'XX-2026-' || lpad(id::text, 6, '0'), 'survey_response', 1, 'invited', 1, member_id, team, :owner,
  'coordinator', :owner, 'Annual self-assessment 2026', :campaign, false, CAST(:data AS jsonb), '{}',
  CAST(:clocks AS jsonb), '{"open": 1}', '{}', :now, :now, :now, :due, :deadline, 1, hash FROM hashed
""")
"""What somebody writes who knows beforehand what every case, event and message will look like."""


def campaign(env: Environment, count: int) -> str:
    """Return a campaign that is ready to be launched to so many members."""
    with transaction(env.engine) as conn:
        names = [
            {"name": f"Member {n:06d}", "status": "active", "contacts": [{"email": f"m{n}@members.example"}]}
            for n in range(count)
        ]
        for start in range(0, count, 20_000):
            members.insert_members(conn, names[start : start + 20_000], source="bench", actor=SYSTEM, now=LAUNCH)
        people = {person.name: person for person in staffing(conn).people.values()}
    amara = _actor(people["Amara"], Role.COORDINATOR)
    mina = _actor(people["Mina"], Role.MANAGER)
    ref = plan_campaign(env, PLAN, actor=amara).after.ref
    commands.fire(env, ref, "approve_plan", payload=_APPROVAL, actor=mina)
    commands.fire(env, ref, "skip_pilot", payload={"reason": "Asked before.", "questionnaire_version": 1}, actor=mina)
    tidy(env)
    return ref


_APPROVAL = {"data_protection_checked": True}


def _actor(person: Any, role: Role) -> Actor:
    return Actor(f"staff:{person.id}", person.name, frozenset({role}))


def launch(env: Environment, ref: str) -> int:
    """Launch it and return how many members were asked."""
    commands.fire(env, ref, "launch_anyway", payload={"reason": "A benchmark."}, actor=_manager(env))
    with reading(env.engine) as conn:
        return int(conn.execute(text("SELECT count(*) FROM cases WHERE parent_id IS NOT NULL")).scalar_one())


def _manager(env: Environment) -> Actor:
    with reading(env.engine) as conn:
        return next(_actor(p, Role.MANAGER) for p in staffing(conn).people.values() if p.name == "Mina")


def raw_launch(env: Environment) -> int:
    """Write by hand what the launch wrote, once more for a campaign of nobody's; return how many."""
    with reading(env.engine) as conn:
        like = conn.execute(select(CaseRow.__table__).where(CaseRow.parent_id.is_not(None)).limit(1)).one()
        details = conn.execute(text("SELECT details::text FROM case_events WHERE case_id = :id"), {"id": like.id})
        values = {
            "details": details.scalar_one(), "policy": env.policy.version, "stamp": LAUNCH.isoformat(), "now": LAUNCH,
            "owner": like.owner_id, "data": _json(like.data), "clocks": _json(like.clocks), "due": like.due_at,
            "deadline": like.deadline_at,
        }  # fmt: skip
        other = conn.execute(text("SELECT max(id) FROM cases WHERE process = 'survey_campaign' AND id <> :id"),
                             {"id": like.parent_id}).scalar_one()  # fmt: skip
    with transaction(env.engine) as conn:
        return conn.execute(RAW, {**values, "campaign": other}).rowcount


def _json(value: Any) -> str:
    import orjson

    return orjson.dumps(value).decode()


def page(env: Environment, ref: str) -> tuple[int, float]:
    """Return how many statements the page of the campaign takes, and in how many seconds it is read."""
    mina = _manager(env)
    campaign_page(env, ref, actor=mina)  # once to get warm
    return timed(lambda: statements(env, lambda: campaign_page(env, ref, actor=mina)))


def measure(count: int = 100_000) -> dict[str, list[dict[str, Any]]]:
    """Return members per second of a launch beside its floor; the statements of the launch, and what the page of the
    campaign takes, for 1,000 members and for all."""
    with organisation() as env:
        small = campaign(env, 1_000)
        few = statements(env, lambda: launch(env, small))
        page_of_few = page(env, small)
    with organisation() as env:
        plan_campaign(env, PLAN, actor=Actor("staff:1", "Amara", frozenset({Role.COORDINATOR})))
        ref = campaign(env, count)
        many, seconds = timed(lambda: statements(env, lambda: launch(env, ref)))
        tidy(env)
        page_of_many = page(env, ref)
        done, floor = timed(lambda: raw_launch(env))
        assert done == count, (done, count)
    rate, least = count / seconds, count / floor
    return {
        "launch": [
            {"name": "one INSERT..SELECT", "size": count, "rate": least, "ratio": 1.0},
            {"name": "Muster", "size": count, "rate": rate, "ratio": rate / least},
        ],
        "growth": [
            {"size": 1_000, "statements": few, "page_statements": page_of_few[0], "page_ms": 1000 * page_of_few[1]},
            {"size": count, "statements": many, "page_statements": page_of_many[0], "page_ms": 1000 * page_of_many[1]},
        ],
    }
