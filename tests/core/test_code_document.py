"""A version of a document: written by one, approved by another, in force on its day, superseded by the next."""

from __future__ import annotations

from typing import Any

from notifications import catalogue
from state_machines.process import Process
from state_machines.processes.code_document import PROCESS as DOCUMENT
from state_machines.proof import prove
from state_machines.values import Case, Role
from tests.core.builders import at, context, fire, opened, opening, policy, refused, staff, system, wait

PROCESS: Process = DOCUMENT
AUTHOR, MANAGER, SENIOR = staff(), staff(Role.MANAGER), staff(Role.SENIOR)
VERSION: dict[str, Any] = {
    "title": "Code of Practice", "number": "3.0", "summary": "Principle 4 covers suppliers of suppliers.",
    "effective_on": "2026-04-01", "languages": {"en": "a" * 64, "fr": "b" * 64}, "authoritative": "en",
}  # fmt: skip


def draft(**changed: Any) -> Case:
    return opened(PROCESS, VERSION | changed, actor=AUTHOR, facts={"linked": []})


def approved(**changed: Any) -> Case:
    in_review = fire(PROCESS, draft(**changed), "send_to_review", actor=AUTHOR).after
    return fire(PROCESS, in_review, "approve", actor=MANAGER).after


def in_force(**facts: Any) -> Case:
    found, _ = wait(PROCESS, approved(), at("2026-04-01"), context(linked=[], **facts))
    return found


def test_the_definition_is_proved() -> None:
    assert prove(PROCESS, policy(), message_kinds=catalogue.entries().keys()) == []


def test_a_version_goes_from_its_draft_into_force_at_nine_on_its_day_and_not_before() -> None:
    case = approved()

    early, steps = wait(PROCESS, case, at("2026-04-01 08:59"), context(linked=[]))
    assert (early.state, steps) == ("approved", [])

    late, [step] = wait(PROCESS, case, at("2026-04-01 09:00"), context(linked=[]))
    assert (late.state, step.trigger, step.at) == ("effective", "take_effect", at("2026-04-01"))


def test_taking_effect_supersedes_the_version_before_and_tells_every_campaign_under_earlier_ones() -> None:
    _, [step] = wait(PROCESS, approved(), at("2026-04-01"), context(linked=[]))

    supersede, tell = step.fires
    assert (supersede.trigger, supersede.where) == ("supersede", "supersedes")
    assert (tell.trigger, tell.where) == ("new_version", "supersedes>asks_for")
    assert tell.data == {
        "document": "CD-2026-000001", "document_title": "Code of Practice", "document_number": "3.0",
        "document_languages": VERSION["languages"], "authoritative": "en", "material": True,
        "summary": VERSION["summary"],
    }  # fmt: skip


def test_who_has_written_a_version_may_not_approve_it() -> None:
    manager_wrote = opened(PROCESS, VERSION, actor=MANAGER, facts={"linked": []})
    other_wrote = fire(PROCESS, draft(), "change_text", actor=MANAGER, languages={"en": "c" * 64}, authoritative="en")

    for case in (manager_wrote, other_wrote.after):
        in_review = fire(PROCESS, case, "send_to_review", actor=AUTHOR).after
        assert refused(PROCESS, in_review, "approve", actor=MANAGER).rule == "four_eyes"
        assert fire(PROCESS, in_review, "approve", actor=staff(Role.MANAGER, 2)).after.state == "approved"


def test_the_text_does_not_change_once_it_is_in_review() -> None:
    in_review = fire(PROCESS, draft(), "send_to_review", actor=AUTHOR).after
    text = {"languages": {"en": "d" * 64}, "authoritative": "en"}

    for case in (in_review, approved(), in_force()):
        assert refused(PROCESS, case, "change_text", actor=AUTHOR, **text).rule == "state"
    back = fire(PROCESS, in_review, "return_to_draft", actor=MANAGER, reason="Clause 7 is unclear").after
    assert fire(PROCESS, back, "change_text", actor=AUTHOR, **text).after.data["languages"] == text["languages"]


def test_the_language_that_decides_must_have_a_text_and_a_digest_must_be_one() -> None:
    for wrong in ({"authoritative": "de"}, {"languages": {"en": "not a digest"}}, {"languages": {}}):
        found = opening(PROCESS, VERSION | wrong, actor=AUTHOR, facts={"linked": []})
        assert getattr(found, "errors", None), wrong


def test_the_day_can_be_moved_until_it_has_come() -> None:
    later = fire(PROCESS, approved(), "move_effect", actor=MANAGER, effective_on="2026-05-01", reason="Printing").after

    waited, _ = wait(PROCESS, later, at("2026-04-30"), context(linked=[]))
    assert waited.state == "approved"
    assert wait(PROCESS, later, at("2026-05-01"), context(linked=[]))[0].state == "effective"
    past = refused(PROCESS, approved(), "move_effect", actor=MANAGER, effective_on="2026-02-01", reason="Sooner")
    assert "must not have passed" in past.sentence


def test_a_version_under_which_signatures_are_asked_for_is_not_withdrawn() -> None:
    asking = {"ref": "SO-2026-000002", "process": "signoff_campaign", "link": "asks_for", "outcome": None}
    done = asking | {"outcome": "complete"}

    no = refused(PROCESS, in_force(), "withdraw", actor=SENIOR, facts={"linked": [asking]}, reason="Not needed")
    assert "SO-2026-000002" in no.sentence
    gone = fire(PROCESS, in_force(), "withdraw", actor=SENIOR, facts={"linked": [done]}, reason="Not needed").after
    assert (gone.state, gone.data["outcome"]) == ("withdrawn", "withdrawn")


def test_a_version_in_force_is_superseded_by_muster_alone_and_knows_by_which() -> None:
    by = {"superseded_by": "CD-2026-000009", "superseded_by_number": "4.0"}

    assert refused(PROCESS, in_force(), "supersede", actor=SENIOR, **by).rule == "role"
    after = fire(PROCESS, in_force(), "supersede", actor=system(), **by).after
    assert (after.state, after.data["superseded_by_number"]) == ("superseded", "4.0")
