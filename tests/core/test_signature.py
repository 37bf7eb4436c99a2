"""One member's signature: every arrow of its table taken once and refused once, what counts, and what never does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from notifications import catalogue
from state_machines.process import personal_fields
from state_machines.processes import signature_forms as forms
from state_machines.processes.signature import PROCESS
from state_machines.proof import prove
from state_machines.standing import Standing
from state_machines.values import Case, Role
from tests.core.builders import (
    at,
    context,
    fire,
    member,
    messages,
    opened,
    opening,
    policy,
    refused,
    staff,
    system,
    tasks,
    wait,
)

ENGLISH, WELSH, OTHER = "a" * 64, "b" * 64, "c" * 64
REQUEST: dict[str, Any] = {
    "document": "CD-2026-000003", "document_title": "Code of Practice", "document_number": "3.0",
    "document_languages": {"en": ENGLISH, "cy": WELSH}, "authoritative": "en", "launch": "2026-03-03",
    "deadline": "2026-04-02", "campaign_title": "Code of Practice 2026",
}  # fmt: skip
CEO = {"id": 5, "role": "signatory", "usable": True, "domain": "wool.example"}
BUYER = {"id": 6, "role": "primary", "usable": True, "domain": "wool.example"}
WOOL = {"member": {"name": "Wool & Sons, Ltd."}, "contact_list": [BUYER, CEO]}
NOBODY = WOOL | {"contact_list": [BUYER, CEO | {"usable": False}]}
SIGNED: dict[str, Any] = {
    "document_sha256": ENGLISH, "language": "en", "name": "Ingrid Brennhølm", "position": "Managing director",
    "legal_name": "WOOL AND SONS LTD", "intent": True, "consent": "I have read it and I may sign for Wool & Sons.",
    "role_fits": True, "domain_fits": True, "contact_id": 5, "address": "192.0.2.7", "browser": "A browser",
}  # fmt: skip
FITTING = SIGNED | {"legal_name": "wool   & sons Ltd"}
IN_WELSH = {"document_sha256": WELSH, "language": "cy"}
RESERVED = FITTING | {"reservation": "Clause 7 only within the Union."}
REFUSAL = {"statement": "We will not sign this.", "name": "Ingrid Brennhølm"}
BECAUSE = {"reason": "Looked at with the legal adviser."}
NEWER = {
    "document": "CD-2026-000009", "document_title": "Code of Practice", "document_number": "3.1",
    "document_languages": {"en": OTHER}, "authoritative": "en", "material": False, "summary": "Spelling.",
}  # fmt: skip
AMARA, MANAGER = staff(Role.COORDINATOR), staff(Role.MANAGER)
SENIOR = staff(Role.SENIOR)


def sent(**changes: Any) -> Case:
    return opened(PROCESS, REQUEST | changes, actor=system(), now=at("2026-03-03"), member_id=7, facts=WOOL)


def pending() -> Case:
    return opened(PROCESS, REQUEST, actor=system(), now=at("2026-03-03"), member_id=7, facts=NOBODY)


def moved(case: Case, trigger: str, actor: Any, day: str = "2026-03-10", **payload: Any) -> Case:
    return fire(PROCESS, case, trigger, actor=actor, now=max(at(day), case.entered_at), facts=WOOL, **payload).after


def until(day: str, case: Case | None = None) -> Case:
    return wait(PROCESS, case or sent(), at(day), context(**WOOL))[0]


def viewed() -> Case:
    return moved(sent(), "view", member(), language="cy")


def to_check(**changes: Any) -> Case:
    return moved(sent(**changes), "sign", member(), **SIGNED | {"role_fits": False})


def reserved(**changes: Any) -> Case:
    return moved(sent(**changes), "reserve", member(), **RESERVED)


def valid(**changes: Any) -> Case:
    return moved(sent(**changes), "sign", member(), **FITTING)


def countersigning() -> Case:
    return valid(countersign=True)


def wrong() -> Case:
    return moved(to_check(), "reject_signatory", AMARA, **BECAUSE)


def bounced() -> Case:
    return moved(sent(), "bounce", system(), status="5.1.1")


def expired() -> Case:
    return until("2026-04-03", sent(deadline="2026-05-29"))


def escalated() -> Case:
    return until("2026-04-10")


def noticed() -> Case:
    return until("2026-05-06")


def to_decide() -> Case:
    return until("2026-05-21")


def failed() -> Case:
    return moved(to_decide(), "fail", MANAGER, **BECAUSE)


def given_up() -> Case:
    return moved(viewed(), "refuse", member(), **REFUSAL)


def exemption_asked() -> Case:
    return moved(viewed(), "request_exemption", AMARA, exemption="insolvent")


LATE = BECAUSE | {"until": "2026-07-31"}
TAKEN: list[tuple[str, Callable[[], Case], str, Any, dict[str, Any], str]] = [
    ("E1 once somebody may sign", pending, "ask_signatory", AMARA, {}, "sent"),
    ("E2 viewed", sent, "view", member(), {"language": "en"}, "viewed"),
    ("E2 and E3: signed, and all fits", viewed, "sign", member(), FITTING, "valid"),
    ("E2 in another language", viewed, "sign", member(), FITTING | IN_WELSH, "valid"),
    ("E2 to be checked", viewed, "sign", member(), SIGNED, "signed"),
    ("countersigned", countersigning, "countersign", MANAGER, {}, "valid"),
    ("E3 by hand", to_check, "accept_signature", AMARA, BECAUSE, "valid"),
    ("E4", to_check, "reject_signatory", AMARA, BECAUSE, "wrong_signatory"),
    ("E4 asked again", wrong, "ask_again", AMARA, BECAUSE, "sent"),
    ("E5", viewed, "reserve", member(), RESERVED, "signed_with_reservation"),
    ("E5 accepted", reserved, "accept_reservation", SENIOR, BECAUSE, "valid"),
    ("E5 asked again", reserved, "reject_reservation", MANAGER, BECAUSE, "sent"),
    ("E5 refused", reserved, "treat_as_refusal", MANAGER, BECAUSE, "refused"),
    ("E6", viewed, "refuse", member(), REFUSAL, "refused"),
    ("E6 noted by staff", sent, "refuse", AMARA, REFUSAL, "refused"),
    ("E7 asked for anew", expired, "reissue", system(), {}, "sent"),
    ("E8", to_decide, "fail", MANAGER, BECAUSE, "failed"),
    ("late signature", failed, "sign", member(), FITTING, "valid"),
    ("signed after all", given_up, "sign", member(), FITTING, "valid"),
    ("signed before a decision", to_decide, "sign", member(), FITTING, "valid"),
    ("bounce", sent, "bounce", system(), {"status": "5.1.1"}, "bounced"),
    ("repaired", bounced, "contact_repaired", AMARA, {}, "sent"),
    ("not me", viewed, "not_me", member(), {"contact": 5}, "wrong_signatory"),
    ("exempt", exemption_asked, "approve_exemption", MANAGER, BECAUSE, "exempt"),
    ("not exempt", exemption_asked, "decline_exemption", MANAGER, BECAUSE, "viewed"),
    ("more time", to_decide, "extend", MANAGER, LATE, "sent"),
    ("superseded while asked", viewed, "supersede", system(), {}, "superseded"),
    ("superseded though valid", valid, "supersede", system(), {}, "superseded"),
    ("closed without", failed, "campaign_closed", system(), {}, "not_signed"),
    ("cancelled", to_check, "campaign_cancelled", system(), {}, "cancelled"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "start", "trigger", "actor", "payload", "state"), TAKEN, ids=[r[0] for r in TAKEN])
def test_each_arrow_can_be_taken(
    row: str, start: Callable[[], Case], trigger: str, actor: Any, payload: dict[str, Any], state: str
) -> None:
    assert moved(start(), trigger, actor, **payload).state == state


REFUSED: list[tuple[str, Callable[[], Case], str, Any, dict[str, Any], str]] = [
    ("E1 nobody may sign", pending, "ask_signatory", AMARA, {}, "signatory_is_on_file"),
    ("E2 another text", viewed, "sign", member(), FITTING | {"document_sha256": OTHER}, "text_is_the_one_asked_for"),
    ("E2 no intent", viewed, "sign", member(), FITTING | {"intent": False}, "payload"),
    ("E2 not by staff", viewed, "sign", MANAGER, FITTING, "role"),
    ("E2 an old link", expired, "sign", member(), FITTING, "state"),
    ("E2 twice", valid, "sign", member(), FITTING, "state"),
    ("E3 not by the member", to_check, "accept_signature", member(), BECAUSE, "role"),
    ("E5 not by a coordinator", reserved, "accept_reservation", AMARA, BECAUSE, "role"),
    ("E5 without a word", viewed, "reserve", member(), FITTING, "payload"),
    ("E6 without a reason", viewed, "refuse", member(), {"name": "Ingrid"}, "payload"),
    ("E8 not before its time", escalated, "fail", MANAGER, BECAUSE, "state"),
    ("countersigned by a coordinator", countersigning, "countersign", AMARA, {}, "role"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "start", "trigger", "actor", "payload", "rule"), REFUSED, ids=[row[0] for row in REFUSED]
)
def test_each_arrow_can_be_refused(
    row: str, start: Callable[[], Case], trigger: str, actor: Any, payload: dict[str, Any], rule: str
) -> None:
    case = start()
    facts = NOBODY if rule == "signatory_is_on_file" else WOOL

    assert refused(PROCESS, case, trigger, actor=actor, now=case.entered_at, facts=facts, **payload).rule == rule


def test_the_definition_holds() -> None:
    assert prove(PROCESS, policy(), message_kinds={kind.kind for kind in catalogue.kinds()}) == []


def test_nobody_is_written_to_while_nobody_may_sign_and_the_signatory_is_asked_as_soon_as_there_is_one() -> None:
    found = opening(PROCESS, REQUEST, actor=system(), now=at("2026-03-03"), member_id=7, facts=NOBODY)
    assert (messages(found), tasks(found)) == ([("signature_no_signatory", "owner")], ["contact_repair"])

    case, _ = wait(PROCESS, found.after, at("2026-03-04"), context(**NOBODY))
    case, steps = wait(PROCESS, case, at("2026-03-06"), context(**WOOL))
    assert case.state == "sent"
    assert messages(steps).count(("signature_request", "signatory")) == 1


def test_the_ladder_reminds_rings_writes_and_ends_in_a_decision() -> None:
    _, steps = wait(PROCESS, sent(), at("2026-06-01"), context(**WOOL))
    told = [(step.at, kind) for step in steps for kind, _ in messages([step]) if kind.startswith("signature")]

    assert [kind for _, kind in told] == [
        "signature_reminder_first", "signature_reminder_second", "signature_three_days_left", "signature_last_day",
        "signature_phone_due", "signature_letter", "signature_notice_ahead", "signature_formal_notice",
        "signature_notice_sent", "signature_decision_wanted",
    ]  # fmt: skip
    assert [when for when, kind in told if kind == "signature_reminder_second"] == [at("2026-03-17")]
    assert [(s.trigger, s.target) for s in steps if s.source != s.target] == [
        ("link_expired", "expired"), ("first_call", "escalated"), ("formal_notice", "formal_notice"),
        ("bring_to_decision", "decision"),
    ]  # fmt: skip


@pytest.mark.parametrize("start", [to_check, reserved, valid, wrong, given_up, exemption_asked, countersigning])
def test_nobody_is_reminded_once_something_else_comes_first(start: Callable[[], Case]) -> None:
    case = start()
    _, steps = wait(PROCESS, case, case.entered_at + timedelta(days=60), context(**WOOL))

    assert not [kind for kind, audience in messages(steps) if audience == "signatory"]


@pytest.mark.parametrize("start", [to_check, reserved, countersigning])
@pytest.mark.parametrize("trigger", ["accept_signature", "accept_reservation", "countersign", "confirm"])
def test_no_way_leads_to_valid_for_a_text_that_is_not_asked_for_any_more(
    start: Callable[[], Case], trigger: str
) -> None:
    case = moved(start(), "supersede", system())

    for actor in (AMARA, MANAGER, SENIOR, system()):
        assert refused(PROCESS, case, trigger, actor=actor, facts=WOOL, **BECAUSE).rule == "state"
    assert PROCESS.standings[case.state] is Standing.REPLACED


@pytest.mark.parametrize("start", [to_decide, viewed, reserved])
def test_refusal_and_silence_open_one_monitoring_case_and_never_a_second(start: Callable[[], Case]) -> None:
    ways = {"decision": ("fail", MANAGER, BECAUSE), "viewed": ("refuse", member(), REFUSAL)}
    case = start()
    trigger, actor, payload = ways.get(case.state, ("treat_as_refusal", MANAGER, BECAUSE))
    [spawn] = fire(PROCESS, case, trigger, actor=actor, facts=WOOL, now=case.entered_at, **payload).steps[0].spawns
    assert (spawn.process, spawn.link, spawn.data["criterion"]) == ("monitoring", "caused_by", "commitment_conduct")

    again = moved(moved(case, trigger, actor, **payload), "reserve", member(), **RESERVED)
    once_more = fire(PROCESS, again, "treat_as_refusal", actor=MANAGER, facts=WOOL, now=again.entered_at, **BECAUSE)
    assert once_more.after.state == "refused"
    assert once_more.steps[0].spawns == ()


def test_a_change_that_does_not_matter_leaves_signatures_as_they_are_and_asks_the_others_for_the_newer_text() -> None:
    kept, asked = moved(valid(), "new_edition", system(), **NEWER), moved(viewed(), "new_edition", system(), **NEWER)

    assert (kept.state, kept.data["document_number"], kept.data["signed_sha256"]) == ("valid", "3.0", ENGLISH)
    assert (asked.state, asked.data["document_languages"]) == ("viewed", {"en": OTHER})
    assert moved(asked, "sign", member(), **FITTING | {"document_sha256": OTHER}).state == "valid"
    assert refused(PROCESS, asked, "sign", actor=member(), facts=WOOL, **FITTING).rule == "text_is_the_one_asked_for"


def test_who_signed_is_kept_apart_from_the_facts() -> None:
    case = valid()

    assert case.parties["signer"] == {"name": "Ingrid Brennhølm", "position": "Managing director"}
    assert not {"name", "position", "address", "browser"} & set(case.data)
    assert personal_fields(forms.Signature) == {"name", "position", "address", "browser"}


def test_a_decision_after_the_deadline_needs_a_new_day_to_ask_again() -> None:
    case = until("2026-04-20", moved(until("2026-04-01"), "reserve", member(), **RESERVED))
    now = at("2026-04-20")
    assert refused(PROCESS, case, "reject_reservation", actor=MANAGER, now=now, facts=WOOL, **BECAUSE).rule == "payload"

    again = fire(PROCESS, case, "reject_reservation", actor=MANAGER, now=now, facts=WOOL, **LATE).after
    assert (again.state, again.data["deadline"]) == ("sent", "2026-07-31")
