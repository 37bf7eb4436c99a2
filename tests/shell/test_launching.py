"""A launch is written in sets: its statements do not grow with the members."""

from __future__ import annotations

from sqlalchemy import event

from cases import commands
from cases.campaigns import plan_campaign
from tests.campaign_story import PLAN
from tests.cast import Cast


def _launched(cast: Cast, tier: str) -> list[str]:
    """Launch a campaign among the members of a tier; return the statements that took."""
    amara, mina = cast.actor("Amara"), cast.actor("Mina")
    population = {"status": ["active"], "tier": [tier]}
    ref = plan_campaign(cast.env, {**PLAN, "launch": "2026-03-02", "population": population}, actor=amara).after.ref
    commands.fire(cast.env, ref, "approve_plan", payload={"data_protection_checked": True}, actor=mina)
    commands.fire(
        cast.env, ref, "skip_pilot", payload={"reason": "Asked before", "questionnaire_version": 1}, actor=mina
    )
    seen: list[str] = []

    def listener(*given: object) -> None:
        seen.append(str(given[2]))

    event.listen(cast.env.engine, "before_cursor_execute", listener)
    try:
        commands.fire(cast.env, ref, "launch_anyway", payload={"reason": "No contacts"}, actor=mina)
    finally:
        event.remove(cast.env.engine, "before_cursor_execute", listener)
    return seen


def test_the_statements_of_a_launch_do_not_grow_with_the_members(cast: Cast) -> None:
    many = 300
    cast.members(*(f"Few {n}" for n in range(2)), tier="few", status="active")
    cast.members(*(f"Many {n}" for n in range(many)), tier="many", team="South", status="active")
    few, all_ = _launched(cast, "few"), _launched(cast, "many")
    assert len(all_) == len(few)
    left_out = "SELECT count(*) FROM campaign_members WHERE NOT included"
    assert cast.scalar(left_out) == many + 2
    assert cast.scalar("SELECT reason FROM campaign_members WHERE NOT included LIMIT 1").startswith("tier is ")
    assert cast.scalar("SELECT count(DISTINCT last_hash) FROM cases WHERE parent_id IS NOT NULL") == many + 2
    assert cast.scalar("SELECT count(DISTINCT owner_id) FROM cases WHERE parent_id IS NOT NULL") == 2
