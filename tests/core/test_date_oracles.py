"""The dates that law, banks and published procedures give, row by row of the specification's table.

England and Wales unless a row says otherwise. Where a process has the rule, its own policy is asked.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from state_machines import clockwork, engine
from state_machines.calendars import Calendar, calendar
from state_machines.deadlines import Allowance, add_months, due_date, due_instant
from state_machines.end_date import Contract, NoticeRule, cooling_off_ends, end_date
from state_machines.process import Clock
from state_machines.processes import cancellation, complaint, monitoring, survey_response
from state_machines.values import Case, Role, RunningClock
from tests.core.builders import at, context, fire, opened, policy, staff, system
from tests.core.test_complaint import ACK, KNOWN, MANAGER

EW = calendar("EW")
BACS = calendar("BACS")


def day(text: str) -> date:
    return date.fromisoformat(text)


def last_day(allowance: str, event: str, place: Calendar = EW) -> str:
    return due_date(Allowance.parse(allowance), day(event), place).isoformat()


# --- complaints


def complained(profile: str, when: str) -> Case:
    return opened(complaint.PROCESS, KNOWN | {"profile": profile}, now=at(when))


def due_on(case: Case, clock: str) -> str:
    return EW.local_date(case.clocks[clock].due).isoformat()


def test_a_complaint_received_before_easter_is_acknowledged_five_working_days_later() -> None:
    assert last_day("WD(5)", "2026-04-02") == "2026-04-13"
    assert due_on(complained("UK_OMBUDSMAN", "2026-04-02"), "acknowledge") == "2026-04-13"


def test_stage_1_takes_ten_working_days_from_the_acknowledgement_and_ten_more_when_extended() -> None:
    case = fire(
        complaint.PROCESS, complained("UK_OMBUDSMAN", "2026-04-02"), "acknowledge", now=at("2026-04-08"), **ACK
    ).after
    assert due_on(case, "stage_1") == "2026-04-22"
    case = fire(complaint.PROCESS, case, "allocate", actor=MANAGER, handler=staff().person).after
    reasons = {"days": 10, "reason": "A witness is away."}
    form = next(t.needs for t in complaint.PROCESS.transitions if t.trigger == "extend")
    assert form is not None
    asked = reasons | {name: "A witness is away." for name in form.model_fields if name not in reasons}
    found = fire(complaint.PROCESS, case, "extend", actor=MANAGER, now=at("2026-04-20"), **asked)
    assert due_on(found.after, "stage_1") == "2026-05-07", "4 May 2026 is a holiday"


def test_the_finance_rules_give_eight_weeks_or_the_third_business_day() -> None:
    assert last_day("CD(56)", "2026-03-02") == "2026-04-27"
    assert last_day("WD(3)", "2026-04-02") == "2026-04-09"
    assert due_on(complained("FCA_DISP", "2026-03-02"), "stage_1") == "2026-04-27"
    assert due_on(complained("FCA_SRC", "2026-04-02"), "stage_1") == "2026-04-09"


def test_a_data_protection_complaint_is_acknowledged_in_thirty_days_beginning_with_the_day() -> None:
    assert last_day("BEGIN(30)", "2026-06-22") == "2026-07-21"
    assert due_on(complained("UK_DATA_PROTECTION", "2026-06-22"), "acknowledge") == "2026-07-21"


# --- Direct Debit


def bacs_days(due: str, place: Calendar = BACS) -> tuple[str, str, str, str]:
    """Input, processing, entry and the day the unpaid report is there."""
    entry = place.next_working(day(due))
    days = (
        place.add_working_days(entry, -2),
        place.add_working_days(entry, -1),
        entry,
        place.add_working_days(entry, 1),
    )
    return tuple(found.isoformat() for found in days)  # type: ignore[return-value]  # four of them


def test_the_advance_notice_reaches_the_payer_ten_working_days_before() -> None:
    assert last_day("BACK(10)", "2026-06-01", BACS) == "2026-05-15", "25 May 2026 is a holiday"
    assert last_day("BACK(10 WD)", "2026-06-01", BACS) == "2026-05-15"


def test_a_payment_due_on_the_first_of_june_is_put_in_two_days_before_and_processed_the_day_before() -> None:
    assert bacs_days("2026-06-01") == ("2026-05-28", "2026-05-29", "2026-06-01", "2026-06-02")
    assert day("2026-05-29").strftime("%y%j") == "26149"
    assert BACS.add_working_days(day("2026-06-01"), 2) == day("2026-06-03"), "the report sometimes takes a day more"


@pytest.mark.parametrize("nation", ["EW", "SCT", "NI"])
def test_a_payment_due_on_a_bank_holiday_is_taken_on_the_next_bacs_day_wherever_the_member_lives(nation: str) -> None:
    assert bacs_days("2026-08-31")[2] == "2026-09-01"
    assert calendar(nation).is_working(day("2026-08-31")) == (nation == "SCT"), "Bacs does not ask the member's nation"


def test_an_unpaid_item_is_presented_again_after_five_working_days_of_notice_and_within_a_month() -> None:
    told = day("2026-06-02")
    earliest = BACS.add_working_days(told, 5)
    assert (earliest, BACS.add_working_days(earliest, -2)) == (day("2026-06-09"), day("2026-06-05"))
    assert add_months(day("2026-05-29"), 1) == day("2026-06-29"), "counted from the first processing day"


def test_an_indemnity_claim_is_challenged_in_nine_working_days_and_debited_after_fourteen() -> None:
    assert last_day("WD(9)", "2026-06-08", BACS) == "2026-06-19"
    assert last_day("WD(14)", "2026-06-08", BACS) == "2026-06-26"


# --- cancellations


def told_to_end(channel: str) -> Case:
    form = {"channel": channel, "reasons": ["lack_of_time"], "stated_at": at("2026-05-22 17:00").isoformat()}
    return opened(cancellation.PROCESS, form, now=at("2026-05-22 17:00"))


@pytest.mark.parametrize(("channel", "until"), [("web", "2026-05-23 17:00"), ("phone", "2026-05-28 23:59")])
def test_the_end_notice_is_due_a_day_after_an_online_statement_and_three_working_days_after_a_call(
    channel: str, until: str
) -> None:
    assert told_to_end(channel).clocks["end_notice"].due == at(until)


@pytest.mark.parametrize(("received", "ends"), [("2026-06-04", "2026-06-30"), ("2026-06-05", "2026-07-31")])
def test_notice_by_the_fourth_counts_from_the_first_of_the_month(received: str, ends: str) -> None:
    rule = NoticeRule.parse("CALENDAR_MONTH(4)")
    assert end_date(Contract(), day(received), EW, rule).date == day(ends)
    assert str(policy().setting("cancellation", "notice_rule")) == str(rule), "the policy that ships has this rule"


def test_of_a_contract_of_1_march_15_march_is_the_last_day_to_cool_off() -> None:
    days = int(policy().setting("cancellation", "cooling_off_days"))
    assert cooling_off_ends(Contract(start=day("2026-03-01")), day("2026-03-15"), days, renewals=False) == day(
        "2026-03-15"
    )
    assert cooling_off_ends(Contract(start=day("2026-03-01")), day("2026-03-16"), days, renewals=False) is None


# --- data protection


@pytest.mark.parametrize(
    ("received", "months", "until"),
    [
        ("2026-01-31", 1, "2026-03-02"),  # clamped to 28 February, a Saturday
        ("2026-09-03", 1, "2026-10-05"),
        ("2026-01-31", 3, "2026-04-30"),  # two months more, counted from receipt
        ("2026-09-03", 3, "2026-12-03"),
    ],
)
def test_an_access_request_takes_a_calendar_month_rolled_forward_and_three_when_extended(
    received: str, months: int, until: str
) -> None:
    assert last_day(f"CM({months}, roll)", received) == until


# --- monitoring


def resolving(clock: str, stage: str, begun: str) -> datetime:
    allowance = policy().clock("monitoring", clock).allowance({"criterion": "communication", "stage": stage})
    assert allowance is not None
    return due_instant(allowance, at(begun), EW)


def test_a_warning_on_communication_of_2_march_may_lead_to_suspension_after_1_april() -> None:
    assert resolving("resolve", "warning", "2026-03-02") == at("2026-04-01 23:59")


def test_a_suspension_of_1_april_may_lead_to_expulsion_sixty_days_later() -> None:
    assert resolving("expel", "suspension", "2026-04-01") == at("2026-05-31 23:59")


def test_a_critical_finding_of_friday_evening_alerts_before_saturday_evening() -> None:
    form = {
        "criterion": "decent_work", "severity": "critical", "source": "press", "source_date": "2026-06-05",
        "evidence": "photographs",
    }  # fmt: skip
    case = opened(monitoring.PROCESS, form, now=at("2026-06-05 18:00"))
    assert case.clocks["alert"].due == at("2026-06-06 18:00")
    assert case.clocks["meeting"].due == at("2026-06-08 18:00")


# --- surveys


@pytest.mark.parametrize(
    ("rung", "on"),
    [
        ("phone_1", "2026-04-22"), ("phone_2", "2026-04-27"), ("letter", "2026-05-01"), ("formal_notice", "2026-05-18"),
        ("decision", "2026-06-02"),
    ],
)  # fmt: skip
def test_after_a_deadline_of_17_april_the_ladder_of_a_survey_climbs_on_these_days(rung: str, on: str) -> None:
    form = {
        "launch": "2026-03-03", "deadline": "2026-04-17", "questionnaire": "self-assessment",
        "campaign_title": "Self-assessment 2026",
    }  # fmt: skip
    case = opened(survey_response.PROCESS, form, actor=system(), now=at("2026-03-03"), member_id=7)
    left = clockwork.rungs(survey_response.PROCESS, survey_response.RESPOND, case.clocks["respond"], context())
    assert {found.rung.name: EW.local_date(found.at) for found in left}[rung] == day(on)


# --- the calendars behind them


def test_a_holiday_added_later_moves_open_working_day_clocks_and_leaves_calendar_ones() -> None:
    case = complained("UK_OMBUDSMAN", "2026-06-08")
    proclaimed = Calendar(closures=frozenset({day("2026-06-12")}))
    moved = clockwork.recalculated(complaint.PROCESS, case, replace(context(), calendar=proclaimed))
    assert due_on(case, "acknowledge") == "2026-06-15"
    assert moved is not None
    assert proclaimed.local_date(moved["acknowledge"].due) == day("2026-06-16")
    disp = complained("FCA_DISP", "2026-06-08")
    moved = clockwork.recalculated(complaint.PROCESS, disp, replace(context(), calendar=proclaimed))
    assert moved is not None
    assert moved["stage_1"].due == disp.clocks["stage_1"].due


def test_a_holiday_after_the_due_date_moves_the_rungs_that_count_working_days_from_it() -> None:
    case = complained("UK_OMBUDSMAN", "2026-06-08")
    found = engine.advance(complaint.PROCESS, case, context=context(), now=at("2026-06-16"))
    assert found is not None
    late = found.after
    assert late.clocks["acknowledge"].next_at == at("2026-06-18")
    proclaimed = Calendar(closures=frozenset({day("2026-06-17")}))
    moved = clockwork.recalculated(complaint.PROCESS, late, replace(context(), calendar=proclaimed))
    assert moved is not None, "otherwise the sweep finds the case due and nothing to fire"
    assert moved["acknowledge"].due == late.clocks["acknowledge"].due
    assert moved["acknowledge"].next_at == at("2026-06-19")


def test_nothing_moves_when_the_calendar_has_not_changed() -> None:
    case = complained("UK_OMBUDSMAN", "2026-06-08")
    assert clockwork.recalculated(complaint.PROCESS, case, context()) is None


def test_an_extension_that_was_given_stays_when_a_holiday_is_proclaimed() -> None:
    given = RunningClock("stage_1", at("2026-06-01"), at("2026-06-30 23:59"), fired=())
    longer = clockwork.extended(
        complaint.PROCESS, Clock("stage_1", "standard"), given, {}, days=None, until=day("2026-07-10"),
        by=staff(Role.MANAGER).person, reason="witness", context=context(), now=at("2026-06-20"),
    )  # fmt: skip
    proclaimed = Calendar(closures=frozenset({day("2026-07-03")}))
    case = replace(complained("UK_OMBUDSMAN", "2026-06-01"), state="stage_1", clocks={"stage_1": longer})
    moved = clockwork.recalculated(complaint.PROCESS, case, replace(context(), calendar=proclaimed))
    assert longer.due == at("2026-07-10 23:59")
    assert moved is None or moved["stage_1"].due == longer.due


def test_the_week_after_a_bank_holiday_is_counted_alike_from_friday_and_from_the_weekend() -> None:
    assert {last_day("WD(5)", d) for d in ("2026-05-22", "2026-05-23", "2026-05-24", "2026-05-25")} == {"2026-06-01"}
    assert due_instant(Allowance.parse("WD(5)"), at("2026-05-22 23:59"), EW) - at("2026-05-22 23:59") == timedelta(
        days=10
    )
