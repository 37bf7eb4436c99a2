"""What a stranger's review found broken in the core."""

from __future__ import annotations

from dataclasses import replace

from cases.rows import clocks_to_json
from state_machines import engine
from state_machines.registry import process_named
from state_machines.values import Case, Outcome, Role
from tests.core.builders import NOW, at, context, staff

SECRET = "The complainant, Jo Doe, is in hospital"


def test_a_personal_reason_for_more_time_is_not_kept_on_the_clock_where_it_cannot_be_erased() -> None:
    process = process_named("complaint")
    seed = Case(1, "CO-2026-000001", "complaint", "received", 0, NOW, NOW, NOW)
    actor = staff(Role.MANAGER)
    opened = engine.open_case(process, seed, payload={"category": "service"}, actor=actor, context=context(), now=NOW)
    assert isinstance(opened, Outcome)
    case = replace(opened.after, state="stage_1")
    case = replace(case, data={**case.data, "stage_1_from": at("2026-03-02").isoformat(), "stage_1_runs": "LGSCO"})
    asked = engine.decide(
        process, case, "extend", payload={"days": 5, "reason": SECRET}, actor=actor, context=context(), now=NOW
    )
    assert isinstance(asked, Outcome), asked
    assert asked.after.clocks["stage_1"].extensions
    assert SECRET not in str(clocks_to_json(asked.after.clocks))
    assert asked.steps[0].personal["reason"] == SECRET
