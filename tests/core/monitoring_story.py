"""How a monitoring case gets into each of its states, with every form filled in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from state_machines.processes.monitoring import PROCESS
from state_machines.values import Actor, Case, Outcome, Refused, Role, Step
from tests.core import builders
from tests.core.builders import NOW, member, staff, system

COORD, MANAGER, SENIOR = staff(Role.COORDINATOR), staff(Role.MANAGER), staff(Role.SENIOR)
COORD_2, MANAGER_2 = staff(n=2), staff(Role.MANAGER, 2)
COUNCIL, FINANCE = staff(Role.COUNCIL), staff(Role.FINANCE)
MEMBER, MUSTER = member(7), system()

FINDING: dict[str, Any] = {
    "criterion": "communication", "severity": "major", "source": "annual report", "source_date": "2026-02-20",
    "evidence": "screenshots in the file",
}  # fmt: skip
DECISION: dict[str, Any] = {
    "rationale": "The claims are not licensed.", "options_considered": "advice\nwarning",
    "policy_clause": "CoC 4.2",
    "conflict_declared": False, "present": "A. Kaya\nB. Moss\nC. Rao",
}  # fmt: skip
SANCTION = DECISION | {"grounds": "The claims stand unchanged."}
PANEL: dict[str, Any] = {
    "rationale": "The file bears it out.", "panel": "staff:901\nstaff:902\nstaff:903",
    "policy_clause": "Statutes 9",
    "conflict_declared": False,
}  # fmt: skip
MEETING = {"held_on": "2026-03-02", "present": "all", "result": "agreed"}
GAPS = {"gaps": "proof for action 1", "next_date": "2026-03-20"}
FORMS: dict[str, dict[str, Any]] = {
    "accept": {"criterion": "communication", "clause": "CoC 4.2", "severity": "major", "reliability": "B",
               "credibility": "2", "duplicates_checked": True},
    "dismiss": {"chosen": "NO_CASE", "policy_clause": "1.1", "reason": "nothing in it"},
    "propose_dismissal": {"chosen": "NO_CASE", "policy_clause": "1.1", "reason": "nothing in it"},
    "call_senior": {"ground": "zero_tolerance", "reason": "people are in danger"},
    "rate": {"severity": "critical", "reason": "new photographs"},
    "record_meeting": MEETING, "record_plan_meeting": MEETING,
    "take_interim_measure": {"measure": "no sales", "reason": "danger", "suspend_rights": True},
    "ask_member": {"questions": "Which lots were sold?", "approved": True, "source_redacted": True},
    "extend_clarification": {"reason": "on a journey"},
    "reply": {"statement": "We disagree."},
    "waive_reply": {"reason": "heard at the meeting"},
    "submit_assessment": {"indicators": "extent: 2\nduration: 1\nintent: 0\nimpact: 2\nremedy: 0",
                          "evidence_grade": "strong", "breach_found": True, "recommendation": "warning",
                          "summary": "Two claims without a licence."},
    "return_assessment": {"reason": "open questions", "missing": "Who approved?"},
    "send_to_assessment": {"reason": "assess it first"},
    "close_without_case": DECISION | {"chosen": "NO_CASE"},
    "warn": DECISION | {"facts_found": "Two claims.", "required_action": "Withdraw them."},
    "recommend_sanction": DECISION | {"chosen": "suspension"},
    "suspend": SANCTION | {"chosen": "suspend"}, "give_notice": SANCTION | {"chosen": "give_notice"},
    "terminate": SANCTION | {"chosen": "terminate"},
    "file_plan": {"actions": "Withdraw | Ada | 2026-03-20 | screenshots\nTrain | Ben | 2026-03-25 | list"},
    "reject_plan": {"reason": "too thin", "missing": "dates"},
    "propose_rejection": {"reason": "too thin", "missing": "dates"},
    "report_complete": {"evidence": "screenshot 1\nlist of people"},
    "report_remedy": {"evidence": "all withdrawn"},
    "not_effective": GAPS, "grant_more_time": GAPS | {"until": "2026-05-29", "reason": "the auditor is late"},
    "extend_resolve": {"until": "2026-05-29", "reason": "the auditor is late"},
    "close_resolved": {"method": "documents", "findings": "all done"},
    "reinstate": {"method": "visit", "findings": "all done"},
    "record_refusal": {"reason": "refused in writing"},
    "not_remedied": {"reason": "one is left", "missing": "claim 2"},
    "make_representations": {"statement": "Please do not."}, "withdraw_notice": {"reason": "convincing"},
    "appeal": {"grounds": "procedure", "statement": "The notice was short."},
    "stay": {"reason": "new evidence"}, "lift_stay": {"reason": "new claims"},
    "dismiss_appeal": PANEL, "uphold_appeal": PANEL, "vary_appeal": PANEL | {"instead": "warning"},
    "confirm_lasting": {"reason": "still fine"}, "reopen": {"reason": "new photographs"},
    "member_left": {}, "hold": {"reason": "the court asks"},
}  # fmt: skip

Play = tuple[str, Actor]
_WARN: list[Play] = [
    ("start_triage", COORD), ("accept", COORD), ("waive_reply", MANAGER), ("submit_assessment", COORD),
    ("accept_pack", MANAGER), ("warn", MANAGER),
]  # fmt: skip
_ACTIVE: list[Play] = [*_WARN, ("file_plan", MEMBER), ("accept_plan", MANAGER)]
_SENIOR: list[Play] = [*_WARN[:5], ("recommend_sanction", MANAGER)]
_SUSPENDED: list[Play] = [*_SENIOR, ("suspend", SENIOR)]
_NOTICE: list[Play] = [*_SENIOR, ("give_notice", SENIOR)]
_TERMINATED: list[Play] = [*_NOTICE, ("make_representations", MEMBER), ("terminate", SENIOR)]
PLAYS: dict[str, list[Play]] = {
    "signal": [], "triage": _WARN[:1], "assessment": _WARN[:2],
    "clarification": [*_WARN[:2], ("ask_member", COORD)],
    "recommended": _WARN[:4], "manager_decision": _WARN[:5], "senior_decision": _SENIOR, "warned": _WARN,
    "cap_review": _ACTIVE[:-1], "cap_active": _ACTIVE, "verification": [*_ACTIVE,
                                                                        ("report_complete", MEMBER)],
    "suspended": _SUSPENDED, "reinstatement_check": [*_SUSPENDED, ("report_remedy", MEMBER)],
    "termination_notice": _NOTICE, "terminated": _TERMINATED, "appeal": [*_SUSPENDED, ("appeal", MEMBER)],
    "appeal_stayed": [*_SUSPENDED, ("appeal", MEMBER), ("stay", MANAGER)],
    "follow_up": [*_ACTIVE, ("report_complete", MEMBER), ("close_resolved", MANAGER_2)],
    "closed": [*_WARN[:5], ("close_without_case", MANAGER)],
}  # fmt: skip
"""The steps that lead to each state."""


def new(now: datetime = NOW, *, facts: Mapping[str, Any] | None = None, **changes: Any) -> Case:
    """A finding about member 7, as it was logged."""
    return builders.opened(PROCESS, FINDING | changes, actor=COORD, now=now, facts=facts, member_id=7)


def do(case: Case, trigger: str, actor: Actor, **more: Any) -> Outcome:
    """Pull a trigger that must be allowed, with its form filled in."""
    now, facts = more.pop("now", None), more.pop("facts", None)
    return builders.fire(PROCESS, case, trigger, actor=actor, now=now, facts=facts, **FORMS.get(trigger, {}) | more)


def no(case: Case, trigger: str, actor: Actor, **more: Any) -> Refused:
    """Pull a trigger that must be refused, with its form filled in."""
    now, facts = more.pop("now", None), more.pop("facts", None)
    return builders.refused(PROCESS, case, trigger, actor=actor, now=now, facts=facts, **FORMS.get(trigger, {}) | more)


def play(case: Case, steps: list[Play], **forms: dict[str, Any]) -> Case:
    """Pull triggers one after another; ``forms`` changes the form of a trigger."""
    for trigger, actor in steps:
        case = do(case, trigger, actor, **forms.get(trigger, {})).after
    return case


def in_state(state: str, now: datetime = NOW, **changes: Any) -> Case:
    """A case in a state. ``changes``: criterion and severity, settled in triage as well."""
    settled = {k: v for k, v in changes.items() if k in ("criterion", "severity")}
    case = play(new(now, **changes), PLAYS[state], accept=settled)
    assert case.state == state
    return case


def until(case: Case, when: datetime) -> tuple[Case, list[Step]]:
    """Let the time pass."""
    return builders.wait(PROCESS, case, when, builders.context())


def past(case: Case, clock: str) -> tuple[Case, datetime]:
    """The case a minute after a clock has run out."""
    then = case.clocks[clock].due + timedelta(minutes=1)
    return until(case, then)[0], then
