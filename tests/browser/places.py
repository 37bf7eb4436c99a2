"""The main pages of Muster: who looks, and where. What is looked at here is also what the screenshots show."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from notifications import links
from tests.browser.lived_in import Places

Where = Callable[[Places], tuple[str | None, str]]

OPEN = "closed_at IS NULL"
URGENT = "process = 'complaint' AND state = 'actions_open'"
INVITED = "process = 'survey_response' AND state = 'invited'"
STARTED = "process = 'survey_response' AND state = 'in_progress'"
REVIEWED = "process = 'survey_response' AND state = 'dq_review' AND team = 'North'"
LIVE = "process = 'survey_campaign' AND state = 'live'"
SIGNING = "process = 'signoff_campaign' AND state = 'live'"
TO_SIGN = "process = 'signature' AND state = 'sent'"
SIGNED = "process = 'signature' AND state = 'valid'"
TO_CHECK = "process = 'signature' AND state = 'signed'"
DRAFTED = "process = 'code_document' AND state = 'draft'"
TO_APPROVE = "process = 'complaint' AND state = 'stage_1_approval'"
OFFERED = "process = 'cancellation' AND state = 'offer_made'"
COMPLAINT = "process = 'complaint' AND closed_at IS NULL AND parties ? 'complainant'"


def _case(name: str, where: str, rest: str = "") -> Where:
    return lambda places: (name, f"/cases/{places.ref(where)}{rest}")


def _at(name: str | None, path: str) -> Where:
    return lambda places: (name, path)


def _campaign(name: str, rest: str = "") -> Where:
    return lambda places: (name, f"/campaigns/{places.ref(LIVE)}{rest}")


def _own(where: str, rest: str = "", purpose: str = links.MEMBER) -> Where:
    return lambda places: (None, places.link(where, purpose) + rest)


PAGES: Mapping[str, Where] = {
    "sign-in": _at(None, "/sign-in"),
    "password-forgotten": _at(None, "/password/forgotten"),
    "queue": _at("Amara", "/queue"),
    "cases": _at("Mina", "/cases"),
    "cases-none": _at("Amara", "/cases?process=complaint&state=stage_2_responded"),
    "search": _at("Mina", "/search?q=parking"),
    "views": _at("Amara", "/views"),
    "keys": _at("Amara", "/keys"),
    "case": _case("Amara", URGENT),
    "case-answer": _case("Amara", URGENT, "/do/verify_action"),
    "case-finding": _case("Bo", "process = 'monitoring' AND team = 'South' AND closed_at IS NULL"),
    "case-response": _case("Amara", REVIEWED),
    "case-form": _case(
        "Bo", "process = 'monitoring' AND state = 'assessment' AND team = 'South'", "/do/submit_assessment"
    ),
    "case-next": _case("Amara", URGENT, "/next"),
    "case-why": _case("Amara", URGENT, "/why"),
    "case-access": _case("Mina", URGENT, "/access"),
    "case-duplicate": _case("Amara", URGENT, "/duplicate"),
    "case-new": _at("Amara", "/cases/new"),
    "case-new-complaint": _at("Amara", "/cases/new/complaint"),
    "approvals": _at("Mina", "/approvals"),
    "approval": lambda places: ("Mina", f"/approvals/{places.ref(TO_APPROVE)}"),
    "held-back": lambda places: ("Mina", f"/approvals/held/{places.held()}"),
    "held-back-all": _at("Mina", "/approvals/held"),
    "inbox": _at("Mina", "/inbox"),
    "inbox-mail": lambda places: ("Ada", f"/inbox/{places.mail()}"),
    "team": _at("Mina", "/team"),
    "calendar": _at("Mina", "/calendar?scope=everybody"),
    "campaigns": _at("Amara", "/campaigns"),
    "campaign-new": _at("Amara", "/campaigns/new"),
    "questionnaires": _at("Amara", "/questionnaires"),
    "questionnaire": _at("Mina", "/questionnaires/self-assessment"),
    "questionnaire-new": _at("Mina", "/questionnaires/new"),
    "questionnaire-preview": _at("Amara", "/questionnaires/self-assessment/preview"),
    "campaign": _campaign("Mina"),
    "campaign-rehearsal": _campaign("Mina", "/rehearsal"),
    "campaign-members": _campaign("Mina", "/members"),
    "campaign-denominator": _campaign("Mina", "/denominator"),
    "campaign-responses": _campaign("Mina", "/responses"),
    "campaign-results": _campaign("Mina", "/results"),
    "campaign-results-by-tier": _campaign("Mina", "/results?view=internal&by=tier"),
    "campaign-results-cases": _campaign("Mina", "/results/cases?item=business_type&which=answered"),
    "campaign-risk": _campaign("Mina", "/risk"),
    "campaign-response": lambda places: ("Amara", f"/campaigns/{places.ref(LIVE)}/responses/{places.ref(REVIEWED)}"),
    "campaign-signoff": lambda places: ("Mina", f"/campaigns/{places.ref(SIGNING)}"),
    "campaign-signoff-new": _at("Amara", "/campaigns/new?kind=signoff"),
    "case-signature": _case("Mina", TO_CHECK),
    "documents": _at("Amara", "/documents"),
    "document": lambda places: ("Amara", f"/documents/{places.ref(DRAFTED)}"),
    "members": _at("Mina", "/members"),
    "member": lambda places: ("Mina", f"/members/{places.member()}"),
    "member-edit": lambda places: ("Mina", f"/members/{places.member()}/edit"),
    "member-proposals": _at("Mina", "/members/proposals"),
    "member-import": _at("Mina", "/members/import"),
    "processes": _at("Amara", "/processes"),
    "process": _at("Amara", "/processes/complaint"),
    "reports": _at("Mina", "/reports"),
    "report-deadlines": _at("Mina", "/reports/deadlines"),
    "report-monitoring": _at("Mina", "/reports/monitoring"),
    "looked-at": _at("Ada", "/looked-at"),
    "account": _at("Amara", "/account"),
    "admin": _at("Ada", "/admin"),
    "admin-staff": _at("Ada", "/admin/staff"),
    "admin-teams": _at("Ada", "/admin/teams"),
    "admin-absences": _at("Ada", "/admin/absences"),
    "admin-tokens": _at("Ada", "/admin/tokens"),
    "admin-mail": _at("Ada", "/admin/mail"),
    "sandbox": _at("Amara", "/sandbox"),
    "survey": _own(INVITED),
    "survey-section": lambda places: (None, f"{places.link(STARTED)}/s/{places.section(STARTED)}"),
    "survey-review": _own(STARTED, "/review"),
    "survey-help": _own(INVITED, "/help"),
    "survey-not-me": _own(INVITED, "/not-me"),
    "sign": _own(TO_SIGN),
    "sign-form": _own(TO_SIGN, "/sign"),
    "sign-done": _own(SIGNED),
    "complain": _at(None, "/complain"),
    "complaint-own": _own(COMPLAINT, "", links.party("complainant")),
    "cancel": _at(None, "/cancel"),
    "cancellation-own": _own(OFFERED),
    "unsubscribe": _own(INVITED, "", links.UNSUBSCRIBE),
    "link-new": _at(None, "/links/new"),
}

PICTURES: Mapping[str, tuple[str, bool]] = {
    "queue": ("light", False),
    "case": ("light", False),
    "approval": ("dark", False),
    "campaign": ("light", False),
    "survey-section": ("light", True),
    "process": ("dark", False),
}
"""Which of them the README shows: in which light, and whether on a phone."""
