"""The pages of Muster: who looks, and where. What is looked at here is also what the screenshots show."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from playwright.sync_api import Page

from notifications import links
from tests.browser.lived_in import Places

Where = Callable[[Places], tuple[str | None, str]]
Step = Callable[[Page], object]

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
MAILED = "closed_at IS NULL AND EXISTS (SELECT FROM messages m WHERE m.case_id = c.id AND m.state = 'sent')"
ANSWERED = "process = 'survey_response' AND state = 'complete'"
TO_APPROVE = "process = 'complaint' AND state = 'stage_1_approval'"
OFFERED = "process = 'cancellation' AND state = 'offer_made'"
COMPLAINT = "process = 'complaint' AND closed_at IS NULL AND parties ? 'complainant'"


def _case(name: str, where: str, rest: str = "") -> Where:
    return lambda places: (name, f"/cases/{places.ref(where)}{rest}")


def _at(name: str | None, path: str) -> Where:
    return lambda places: (name, path)


def _campaign(name: str, rest: str = "") -> Where:
    return lambda places: (name, f"/campaigns/{places.ref(LIVE)}{rest}")


def _live_response(name: str, where: str, rest: str = "") -> Where:
    return lambda places: (name, f"/campaigns/{places.ref(LIVE)}/responses/{places.ref(where)}{rest}")


def _member(name: str, rest: str) -> Where:
    return lambda places: (name, f"/members/{places.member()}{rest}")


def _own(where: str, rest: str = "", purpose: str = links.MEMBER) -> Where:
    return lambda places: (None, places.link(where, purpose) + rest)


PAGES: Mapping[str, Where] = {
    "sign-in": _at(None, "/sign-in"),
    "sign-in-refused": _at(None, "/sign-in"),
    "password-forgotten": _at(None, "/password/forgotten"),
    "password-choose": lambda places: (None, places.password_link()),
    "password-over": _at(None, f"/password/{'x' * 43}"),
    "queue": _at("Amara", "/queue"),
    "queue-menus": _at("Amara", "/queue"),
    "queue-rooms": _at("Amara", "/keys"),
    "queue-together": _at("Amara", "/queue"),
    "queue-together-preview": _at("Amara", "/queue"),
    "not-there": _at("Amara", "/cases/CO-2026-999999"),
    "not-allowed": _at("Amara", "/admin"),
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
    "case-form-wrong": _case(
        "Bo", "process = 'monitoring' AND state = 'assessment' AND team = 'South'", "/do/submit_assessment"
    ),
    "case-changed": _case("Amara", URGENT, "/do/verify_action"),
    "case-letter": lambda places: ("Mina", places.letter(MAILED)),
    "case-mail": _case("Mina", MAILED, "?show=mail"),
    "case-form-too-old": _case("Amara", URGENT, "/do/verify_action"),
    "case-next": _case("Amara", URGENT, "/next"),
    "case-why": _case("Amara", URGENT, "/why"),
    "case-access": _case("Mina", URGENT, "/access"),
    "case-duplicate": _case("Amara", URGENT, "/duplicate"),
    "case-new": _at("Amara", "/cases/new"),
    "case-new-complaint": _at("Amara", "/cases/new/complaint"),
    "case-new-wrong": _at("Amara", "/cases/new/complaint"),
    "approvals": _at("Mina", "/approvals"),
    "approval": lambda places: ("Mina", f"/approvals/{places.ref(TO_APPROVE)}"),
    "held-back": lambda places: ("Mina", f"/approvals/held/{places.held()}"),
    "held-back-all": _at("Mina", "/approvals/held"),
    "inbox": _at("Mina", "/inbox"),
    "inbox-mail": lambda places: ("Ada", f"/inbox/{places.mail()}"),
    "team": _at("Mina", "/team"),
    "calendar": _at("Mina", "/calendar?scope=everybody"),
    "calendar-cases": _at("Bo", "/calendar/cases?scope=mine&day=2026-06-17"),
    "campaigns": _at("Amara", "/campaigns"),
    "campaign-new": _at("Amara", "/campaigns/new"),
    "questionnaires": _at("Amara", "/questionnaires"),
    "questionnaire": _at("Mina", "/questionnaires/self-assessment"),
    "questionnaire-new": _at("Mina", "/questionnaires/new"),
    "questionnaire-preview": _at("Amara", "/questionnaires/self-assessment/preview"),
    "campaign": _campaign("Mina"),
    "campaign-rehearsal": _campaign("Mina", "/rehearsal"),
    "campaign-members": _campaign("Mina", "/members"),
    "campaign-members-to-ring": _campaign("Mina", "/members?state=to_ring"),
    "campaign-denominator": _campaign("Mina", "/denominator"),
    "campaign-responses": _campaign("Mina", "/responses"),
    "campaign-results": _campaign("Mina", "/results"),
    "campaign-results-by-tier": _campaign("Mina", "/results?view=internal&by=tier"),
    "campaign-results-cases": _campaign("Mina", "/results/cases?item=business_type&which=answered"),
    "campaign-risk": _campaign("Mina", "/risk"),
    "campaign-response": _live_response("Amara", REVIEWED),
    "campaign-response-answer": _live_response("Mina", STARTED, "/answer"),
    "campaign-response-correct": _live_response("Amara", REVIEWED, "/correct"),
    "campaign-remind": _campaign("Amara", "/members"),
    "campaign-signoff": lambda places: ("Mina", f"/campaigns/{places.ref(SIGNING)}"),
    "campaign-signoff-new": _at("Amara", "/campaigns/new?kind=signoff"),
    "case-signature": _case("Mina", TO_CHECK),
    "documents": _at("Amara", "/documents"),
    "document": lambda places: ("Amara", f"/documents/{places.ref(DRAFTED)}"),
    "document-changes": lambda places: ("Amara", f"/documents/{places.ref(DRAFTED)}/changes"),
    "document-new": _at("Amara", "/documents/new"),
    "documents-verify": _at("Amara", "/documents/verify"),
    "members": _at("Mina", "/members"),
    "member": _member("Mina", ""),
    "member-edit": _member("Mina", "/edit"),
    "member-edit-wrong": _member("Mina", "/edit"),
    "member-history": _member("Mina", "/history"),
    "member-merge": _member("Mina", "/merge"),
    "member-contact": lambda places: ("Mina", f"/members/{places.member()}/contacts/{places.contact()}"),
    "member-contact-new": _member("Mina", "/contacts/new"),
    "member-new": _at("Mina", "/members/new"),
    "member-proposals": _at("Mina", "/members/proposals"),
    "member-import": _at("Mina", "/members/import"),
    "member-import-refused": _at("Mina", "/members/import"),
    "member-import-columns": _at("Mina", "/members/import"),
    "member-import-preview": _at("Mina", "/members/import"),
    "member-import-report": _at("Mina", "/members/import"),
    "processes": _at("Amara", "/processes"),
    "process": _at("Amara", "/processes/complaint"),
    "reports": _at("Mina", "/reports"),
    "report-overview": _at("Mina", "/reports/overview"),
    "report-deadlines": _at("Mina", "/reports/deadlines"),
    "report-monitoring": _at("Mina", "/reports/monitoring"),
    "report-complaints": _at("Mina", "/reports/complaints"),
    "report-cancellations": _at("Mina", "/reports/cancellations"),
    "report-cases": _at("Mina", "/reports/deadlines/cases?one=monitoring&two=triage&figure=n+due&period=2026Q2"),
    "looked-at": _at("Ada", "/looked-at"),
    "account": _at("Amara", "/account"),
    "admin": _at("Ada", "/admin"),
    "admin-staff": _at("Ada", "/admin/staff"),
    "admin-person": _at("Ada", "/admin/staff/2"),
    "admin-person-new": _at("Ada", "/admin/staff/new"),
    "admin-person-leaves": _at("Ada", "/admin/staff/2/leave"),
    "admin-teams": _at("Ada", "/admin/teams"),
    "admin-team-edit": _at("Ada", "/admin/teams/edit"),
    "admin-absences": _at("Ada", "/admin/absences"),
    "admin-tokens": _at("Ada", "/admin/tokens"),
    "admin-mail": _at("Ada", "/admin/mail"),
    "sandbox": _at("Amara", "/sandbox"),
    "survey": _own(INVITED),
    "survey-section": lambda places: (None, f"{places.link(STARTED)}/s/{places.section(STARTED)}"),
    "survey-section-wrong": lambda places: (
        None,
        f"{places.link(STARTED)}/s/{places.section(STARTED)}?check=1",
    ),
    "survey-section-tables": _own(STARTED, "/s/sourcing"),
    "survey-answers": _own(ANSWERED, "/answers"),
    "survey-exemption": _own(INVITED, "/do/request_exemption"),
    "survey-review": _own(STARTED, "/review"),
    "survey-help": _own(INVITED, "/help"),
    "survey-not-me": _own(INVITED, "/not-me"),
    "sign": _own(TO_SIGN),
    "sign-form": _own(TO_SIGN, "/sign"),
    "sign-reserve": _own(TO_SIGN, "/reserve"),
    "sign-refuse": _own(TO_SIGN, "/refuse"),
    "sign-done": _own(SIGNED),
    "complain": _at(None, "/complain"),
    "complain-wrong": _at(None, "/complain"),
    "complaint-letter": lambda places: (None, places.letter(COMPLAINT, links.party("complainant"))),
    "complaint-own": _own(COMPLAINT, "", links.party("complainant")),
    "cancel": _at(None, "/cancel"),
    "leave": lambda places: (None, places.leave_link()),
    "cancellation-own": _own(OFFERED),
    "unsubscribe": _own(INVITED, "", links.UNSUBSCRIBE),
    "link-new": _at(None, "/links/new"),
    "own-not-there": _own(INVITED, "/nothing"),
    "link-over": _at(None, f"/m/{'A' * 27}"),
    "problems": _at(None, "/problems"),
    "problem": _at(None, "/problems/malformed"),
}


def _sent(form: str, values: Mapping[str, str] | None = None) -> Step:
    """Send a form with these values as it is, also where a browser would have said that something is missing."""

    def send(page: Page) -> None:
        page.locator(form).evaluate(
            """(form, values) => {
                for (const [name, value] of Object.entries(values)) form.elements[name].value = value;
                form.noValidate = true;
                form.requestSubmit();
            }""",
            dict(values or {}),
        )
        page.locator("[role=alert]").first.wait_for()

    return send


def _menus(page: Page) -> None:
    """Open everything on a page that opens, and the menu of who is signed in."""
    page.evaluate("document.querySelectorAll('main details, details.me').forEach((each) => { each.open = true; })")


def _rooms(page: Page) -> None:
    """Open the menu that a phone has in place of the rooms at the side."""
    page.evaluate("document.querySelector('details.rooms').open = true")


def _pressed(*buttons: tuple[str, str], ticked: str = "") -> Step:
    """Tick a box, and press one button after the other, each time waiting for what the next page has."""

    def press(page: Page) -> None:
        if ticked:
            page.locator(ticked).first.check()
        for button, then in buttons:
            page.locator(button).first.click()
            page.locator(then).first.wait_for()

    return press


def _imported(*buttons: tuple[str, str]) -> Step:
    """Send a file of members, and go on to a later step."""

    def go(page: Page) -> None:
        content = b"Organisation,Tier,E-mail\nA new member,General,new@members.example\n,General,\n"
        page.set_input_files("#file", {"name": "members.csv", "mimeType": "text/csv", "buffer": content})
        page.locator("#import button").click()
        page.locator("#columns").wait_for()
        for form, then in buttons:
            page.locator(f"{form} button").first.click()
            page.locator(then).wait_for()

    return go


STEPS: Mapping[str, Step] = {
    "sign-in-refused": _sent("#sign-in", {"email": "nobody@muster.example", "password": "something"}),
    "queue-menus": _menus,
    "queue-rooms": _rooms,
    "queue-together": _pressed(("#bulk button", "#actions"), ticked="[name=bulk-case]"),
    "queue-together-preview": _pressed(
        ("#bulk button", "#actions"),
        ("#actions button", "form[action='/bulk/do'], .empty-state, main .card"),
        ticked="[name=bulk-case]",
    ),
    "case-form-wrong": _sent("#do"),
    "case-changed": _sent("#do", {"version": "1"}),
    "case-form-too-old": _sent("#do", {"csrf": "old"}),
    "case-new-wrong": _sent("main form[action^='/cases/new/']"),
    "campaign-remind": _pressed(("#choose button", "form[action$='/remind/send']"), ticked="main td input[name=ref]"),
    "member-edit-wrong": _sent("#member", {"name": ""}),
    "member-import-refused": _sent("#import"),
    "member-import-columns": _imported(),
    "member-import-preview": _imported(("#columns", "#write")),
    "member-import-report": _imported(("#columns", "#write"), ("#write", "main a.btn-primary[href='/members']")),
    "complain-wrong": _sent("main form"),
}
"""What is done at a page before it is looked at: a form sent with something missing, a menu opened."""

ANSWERS: Mapping[str, int] = {
    "not-there": 404, "not-allowed": 403, "password-over": 410, "link-over": 404, "own-not-there": 404,
}  # fmt: skip
"""Pages that answer something else than 200."""

NOT_LOOKED_AT: Mapping[str, str] = {
    "a file": """/calendar/download /calendar/feed/{token}.ics /campaigns/{ref}/results.{kind}
        /campaigns/{ref}/risk.{kind} /campaigns/{ref}/{what}.{kind} /cases.csv /cases/{ref}/files/{sha256}
        /cases/{ref}/paper /documents/{ref}/text/{language} /inbox/{number}/raw /looked-at.csv /m/{key}/answers.txt
        /m/{key}/files/{sha256} /m/{key}/receipt.pdf /m/{key}/text/{language} /m/{key}/text/{language}/shown
        /members/export.csv /p/{role}/{key}/files/{sha256} /questionnaires/{name}/file /queue.csv""",
    "for programs": "/healthz /readyz /metrics",
    "leads elsewhere": """/ /bulk /bulk/do /bulk/preview /campaigns/{ref}/remind /campaigns/{ref}/remind/send
        /campaigns/{ref}/responses/{case_ref}/{step} /sign-in/oidc /sign-in/oidc/callback""",
    "a piece of a page": "/cases/{ref}/viewers /members/suggest",
    "words of others, in a frame that can do nothing": "/cases/{ref}/messages/{number}/html",
    "among the steps above": "/members/import/{token} /members/import/{token}/preview /members/import/{token}/report",
    "the form that cases of the staff have too": "/p/{role}/{key}/do/{trigger}",
    "the letter of a member's own page, under another address": "/m/{key}/letters/{number}",
    "the demo has none of it; its pages are inspected by tests/pages": """/campaigns/{ref}/exceptions
        /campaigns/{ref}/rehearsal/mails /sandbox/what-happened""",
}
"""Why addresses that are asked for by GET are none of these pages, and which."""
