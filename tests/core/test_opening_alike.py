"""One decision serves a whole launch, for the processes that say so of themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from state_machines.engine import open_case, same_for
from state_machines.process import Process
from state_machines.registry import processes
from state_machines.values import SYSTEM, Case, Outcome
from tests.core.builders import NOW, context

ALIKE = [process for process in processes().values() if process.opens_alike]
ASKED = {
    "survey_response": {
        "launch": "2026-03-02", "deadline": "2026-04-17", "questionnaire": "pulse", "questionnaire_version": 1,
        "campaign_title": "Pulse 2026", "ladder": "standard",
    },
}  # fmt: skip


@pytest.mark.parametrize("process", ALIKE, ids=lambda process: process.name)
def test_a_case_that_is_opened_like_the_first_is_what_deciding_about_it_would_make(process: Process) -> None:
    first = Case(1, "XX-2026-000001", process.name, process.initial, 0, NOW, NOW, NOW, 7, "A", "North", None, 90)
    other = replace(first, id=2, ref="XX-2026-000002", member_id=8, subject="B", team="South")
    member = {"name": "Another", "status": "active", "flags": ()}

    def opened(seed: Case, **facts: object) -> Outcome:
        found = open_case(
            process, seed, payload=ASKED[process.name], actor=SYSTEM, context=context(**facts), now=NOW
        )  # fmt: skip
        assert isinstance(found, Outcome)
        return found

    copied, decided = same_for(other, opened(first)), opened(other, member=member)
    assert copied.after == decided.after
    assert copied.steps == decided.steps
    assert (copied.owner_role, copied.final) == (decided.owner_role, decided.final)
