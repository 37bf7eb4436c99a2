"""Messages of a survey campaign; all of them go to staff."""

from notifications.kind import MessageKind, Purpose

PLAN = {
    "title": "Annual self-assessment 2026",
    "launch": "2026-03-03",
    "deadline": "2026-04-17",
    "questionnaire": "self-assessment",
    "report": "reports/2026-self-assessment.xlsx",
}
COUNT = {"missing": 12, "total": 230}
REASON = {"reason": "Table 3 shows a cell with four answers."}

KINDS = [
    MessageKind(
        "campaign_launch_refused",
        Purpose.INTERNAL,
        "Campaign not launched",
        while_in=frozenset({"ready"}),
        sample={"case": PLAN, "data": {"reason": "Only 90 of 100 members have a contact that works."}},
    ),
    MessageKind(
        "campaign_deadline_passed",
        Purpose.INTERNAL,
        "Who is missing at the deadline",
        window="office",
        while_in=frozenset({"overdue_chase"}),
        sample={"case": PLAN, "data": COUNT},
    ),
    MessageKind(
        "campaign_still_outstanding",
        Purpose.INTERNAL,
        "Who is missing ten working days on",
        window="office",
        while_in=frozenset({"overdue_chase"}),
        sample={"case": PLAN, "data": COUNT},
    ),
    MessageKind("campaign_everyone_in", Purpose.INTERNAL, "Everybody is in", window="office", sample={"case": PLAN}),
    MessageKind(
        "campaign_report_ready",
        Purpose.INTERNAL,
        "A report waits for approval",
        while_in=frozenset({"aggregation"}),
        sample={"case": PLAN},
    ),
    MessageKind(
        "campaign_report_returned",
        Purpose.INTERNAL,
        "A report came back",
        while_in=frozenset({"aggregation"}),
        sample={"case": PLAN, "payload": REASON},
    ),
]
