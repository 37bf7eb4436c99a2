"""A sign-off campaign: every arrow of its table taken once and refused once, a newer version, and when it is 100 %."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from notifications import catalogue
from state_machines.processes.signoff_campaign import PROCESS
from state_machines.proof import prove
from state_machines.values import Case, FireLinked, Outcome, Role
from tests.core.builders import at, context, fire, messages, opened, opening, policy, refused, staff, system, wait

PLAN: dict[str, Any] = {
    "title": "Code of Practice 2026", "document": "CD-2026-000003", "document_title": "Code of Practice",
    "document_number": "3.0", "document_languages": {"en": "a" * 64}, "authoritative": "en", "launch": "2026-03-03",
    "deadline": "2026-04-02", "population": {"status": ["active", "suspended"]},
}  # fmt: skip
NEWER = {
    "document": "CD-2026-000009", "document_title": "Code of Practice", "document_number": "4.0",
    "document_languages": {"en": "b" * 64}, "authoritative": "en", "material": True, "summary": "Principle 4.",
}  # fmt: skip
APPROVAL = {"data_protection_checked": True}
IN_FORCE = {"linked": [{"ref": "CD-2026-000003", "link": "asks_for", "state": "effective"}]}
ALL = IN_FORCE | {"population": {"eligible": 10, "deliverable": 10}}
EVERYBODY = ALL | {"children": {"valid": 9, "exempt": 1, "superseded": 10}}
ONE_REFUSED = ALL | {"children": {"valid": 9, "refused": 1}}
SOME = ALL | {"children": {"valid": 6, "viewed": 4}}
BECAUSE = {"reason": "The year is over."}
LATER = {"until": "2026-05-15", "reason": "Holidays."}

AMARA, MANAGER, SENIOR = staff(Role.COORDINATOR), staff(Role.MANAGER), staff(Role.SENIOR)


def planned(actor: Any = AMARA) -> Case:
    return opened(PROCESS, PLAN, actor=actor, now=at("2026-02-02"))


def ready() -> Case:
    return fire(PROCESS, planned(), "approve_plan", actor=MANAGER, facts=ALL, **APPROVAL).after


def live() -> Case:
    return wait(PROCESS, ready(), at("2026-03-03"), context(**ALL))[0]


def chasing() -> Case:
    return wait(PROCESS, live(), at("2026-04-03"), context(**SOME))[0]


def reviewing() -> Case:
    return fire(PROCESS, live(), "everyone_in", actor=AMARA, facts=EVERYBODY).after


def settled() -> Case:
    return fire(PROCESS, reviewing(), "all_settled", actor=system(), facts=EVERYBODY).after


def listed(count: int) -> dict[str, Any]:
    rows = [{"member": f"M-{n}", "case": f"MC-2026-{n:06}", "action": "Being looked at"} for n in range(count)]
    return {"outstanding": rows, "reason": "The year is over."}


TAKEN: list[tuple[str, Callable[[], Case], str, Any, dict[str, Any], dict[str, Any], str]] = [
    ("plan", planned, "approve_plan", MANAGER, APPROVAL, ALL, "ready"),
    ("deadline", live, "deadline_passed", system(), {}, SOME, "overdue_chase"),
    ("deadline, all in", live, "deadline_passed", system(), {}, EVERYBODY, "review"),
    ("everybody in", chasing, "everyone_in", system(), {}, ONE_REFUSED, "review"),
    ("chase end", chasing, "end_chase", system(), {}, SOME, "review"),
    ("settled", reviewing, "all_settled", AMARA, {}, ONE_REFUSED, "reported"),
    ("100 %", settled, "close_100", MANAGER, {}, EVERYBODY, "closed_100"),
    ("exceptions", settled, "close_with_exceptions", SENIOR, listed(1), ONE_REFUSED, "closed_exception"),
    ("cancelled", chasing, "cancel", MANAGER, BECAUSE, {}, "cancelled"),
    ("newer version", settled, "new_version", system(), NEWER, EVERYBODY, "live"),
    ("moved deadline", chasing, "move_deadline", MANAGER, LATER, SOME, "live"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "start", "trigger", "actor", "payload", "facts", "state"), TAKEN, ids=[row[0] for row in TAKEN]
)
def test_each_arrow_can_be_taken(
    row: str, start: Callable[[], Case], trigger: str, actor: Any, payload: dict[str, Any], facts: dict[str, Any],
    state: str,
) -> None:  # fmt: skip
    assert fire(PROCESS, start(), trigger, actor=actor, facts=facts, **payload).after.state == state


GONE = ALL | {"linked": [{"ref": "CD-2026-000003", "link": "asks_for", "state": "withdrawn"}]}
REFUSED: list[tuple[str, Callable[[], Case], str, Any, dict[str, Any], dict[str, Any], str]] = [
    ("own plan", lambda: planned(MANAGER), "approve_plan", MANAGER, APPROVAL, ALL, "four_eyes"),
    ("withdrawn", planned, "approve_plan", MANAGER, APPROVAL, GONE, "document_is_in_force"),
    ("data protection", planned, "approve_plan", MANAGER, {}, ALL, "payload"),
    ("too early", ready, "launch", AMARA, {}, ALL, "launch_day_is_here"),
    ("not all in", live, "everyone_in", AMARA, {}, SOME, "everyone_is_in"),
    ("still chasing", chasing, "end_chase", AMARA, {}, SOME, "chase_has_ended"),
    ("one to check", reviewing, "all_settled", AMARA, {}, ALL | {"children": {"valid": 9, "signed": 1}},
     "everyone_is_settled"),
    ("one outstanding", settled, "close_100", MANAGER, {}, ONE_REFUSED, "everyone_is_accounted_for"),
    ("one unreachable", settled, "close_100", MANAGER, {}, ALL | {"children": {"valid": 9, "unreachable": 1}},
     "everyone_is_accounted_for"),
    ("nobody asked", settled, "close_100", MANAGER, {}, {"children": {"superseded": 4}}, "everyone_is_accounted_for"),
    ("not the manager", settled, "close_with_exceptions", MANAGER, listed(1), ONE_REFUSED, "role"),
    ("no decision", settled, "close_with_exceptions", SENIOR, listed(1),
     ALL | {"children": {"valid": 9, "sent": 1}}, "everyone_else_is_decided"),
    ("no case", settled, "close_with_exceptions", SENIOR,
     {"outstanding": [{"member": "M-1", "action": "Being looked at"}], "reason": "Over."}, ONE_REFUSED, "payload"),
    ("list too short", settled, "close_with_exceptions", SENIOR, listed(1),
     ALL | {"children": {"valid": 8, "refused": 2}}, "each_outstanding_has_a_case"),
    ("by hand", live, "new_version", MANAGER, NEWER, SOME, "role"),
    ("the same version", live, "new_version", system(), NEWER | {"document": "CD-2026-000003"}, SOME,
     "is_another_document"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "start", "trigger", "actor", "payload", "facts", "rule"), REFUSED, ids=[row[0] for row in REFUSED]
)
def test_each_arrow_can_be_refused(
    row: str, start: Callable[[], Case], trigger: str, actor: Any, payload: dict[str, Any], facts: dict[str, Any],
    rule: str,
) -> None:  # fmt: skip
    assert refused(PROCESS, start(), trigger, actor=actor, facts=facts, **payload).rule == rule


def test_the_definition_holds() -> None:
    assert prove(PROCESS, policy(), message_kinds={kind.kind for kind in catalogue.kinds()}) == []


def test_a_plan_needs_a_deadline_after_its_launch() -> None:
    found = opening(PROCESS, PLAN | {"deadline": "2026-03-03"})

    assert not isinstance(found, Outcome)
    assert found.rule == "payload"


def test_the_launch_goes_out_by_itself_and_gives_every_member_the_text_to_sign() -> None:
    case, steps = wait(PROCESS, ready(), at("2026-03-03"), context(**ALL))
    (children,) = [step.children for step in steps if step.children]

    assert (case.state, [step.at for step in steps]) == ("live", [at("2026-03-03 09:00")])
    assert (children.process, children.data["document_languages"]) == ("signature", {"en": "a" * 64})
    assert children.data["deadline"] == "2026-04-02"


def test_a_withdrawn_document_holds_the_launch_up_and_the_owner_hears_why() -> None:
    case, steps = wait(PROCESS, ready(), at("2026-03-03"), context(**GONE))
    [message] = [message for step in steps for message in step.messages]

    assert (case.state, message.kind) == ("ready", "campaign_launch_refused")
    assert "not in force" in message.data["reason"]


@pytest.mark.parametrize("start", [live, chasing, reviewing, settled])
def test_a_version_that_matters_asks_everybody_again_until_a_new_day(start: Callable[[], Case]) -> None:
    case = start()
    found = fire(PROCESS, case, "new_version", actor=system(), facts=SOME, now=at("2026-04-20"), **NEWER)
    step = found.steps[0]

    assert step.fires == (FireLinked("supersede", "children_all", {}),)
    assert step.children is not None and step.children.only == ()
    kept = {name: step.children.data[name] for name in ("document", "document_number", "round", "launch", "deadline")}
    assert kept == {
        "document": "CD-2026-000009", "document_number": "4.0", "round": 2, "launch": "2026-04-20",
        "deadline": "2026-05-20",
    }  # fmt: skip
    assert found.after.clocks["deadline"].due == at("2026-05-20 23:59")
    assert messages(found) == [("signoff_new_round", "owner"), ("signoff_new_round", "manager")]


def test_a_version_that_does_not_matter_is_told_and_nobody_is_asked_again() -> None:
    given = NEWER | {"material": False}
    found = fire(PROCESS, live(), "new_version", actor=system(), facts=SOME, **given)

    assert (found.after.state, found.after.data["document_number"]) == ("live", "4.0")
    assert found.steps[0].children is None
    assert found.steps[0].fires == (FireLinked("new_edition", "children_all", given),)


def test_before_the_launch_a_newer_version_just_takes_the_place() -> None:
    found = fire(PROCESS, ready(), "new_version", actor=system(), facts=ALL, **NEWER)

    assert (found.after.state, found.after.data["document"]) == ("ready", "CD-2026-000009")
    assert (found.steps[0].fires, found.steps[0].children) == ((), None)
