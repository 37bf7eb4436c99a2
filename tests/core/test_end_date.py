"""When a membership ends, and when the cooling-off time does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from state_machines.deadlines import add_months
from state_machines.end_date import (
    BadRule,
    Contract,
    ContractType,
    EarlyExit,
    NoticeRule,
    cooling_off_ends,
    end_date,
    minimum_term_ends,
    refund,
)
from tests.core.builders import calendar

MONTH = NoticeRule.parse("CALENDAR_MONTH(4)")
ROLLING = Contract()
FIXED = Contract(ContractType.FIXED, start=date(2026, 1, 10), months=12)


def ends(contract: Contract, day: str, rule: NoticeRule = MONTH) -> str:
    return end_date(contract, date.fromisoformat(day), calendar(), rule).date.isoformat()


@pytest.mark.parametrize(
    ("received", "last_day"),
    [
        ("2026-06-04", "2026-06-30"),
        ("2026-06-05", "2026-07-31"),
        ("2026-01-31", "2026-02-28"),
        ("2026-12-05", "2027-01-31"),
    ],
)
def test_notice_by_the_fourth_counts_from_the_first_of_the_month(received: str, last_day: str) -> None:
    assert ends(ROLLING, received) == last_day


@pytest.mark.parametrize(
    ("rule", "last_day"),
    [("ROLLING_DAYS(30)", "2026-07-10"), ("BILLING_PERIOD_END", "2026-06-14"), ("IMMEDIATE", "2026-06-10")],
)
def test_other_rules_count_their_own_way(rule: str, last_day: str) -> None:
    assert ends(Contract(billing_day=15), "2026-06-10", NoticeRule.parse(rule)) == last_day


def test_notice_on_the_billing_day_runs_to_the_end_of_the_month_that_begins() -> None:
    assert ends(Contract(billing_day=15), "2026-06-15", NoticeRule.parse("BILLING_PERIOD_END")) == "2026-07-14"


def test_a_fixed_term_is_kept_unless_a_reason_to_leave_early_was_shown() -> None:
    ill = replace(FIXED, early_exit=EarlyExit.ILLNESS_INJURY)
    assert ends(FIXED, "2026-03-10") == "2027-01-09"
    assert ends(ill, "2026-03-10") == "2027-01-09"
    assert ends(replace(ill, evidence=True), "2026-03-10") == "2026-03-10"


def test_a_closed_centre_needs_no_evidence() -> None:
    assert ends(replace(FIXED, early_exit=EarlyExit.CENTRE_CLOSURE), "2026-03-10") == "2026-03-10"


def test_after_the_minimum_term_the_ordinary_notice_counts() -> None:
    assert ends(FIXED, "2027-03-10") == "2027-04-30"


def test_a_term_above_twelve_months_can_be_left_with_thirty_days_notice() -> None:
    found = end_date(replace(FIXED, months=24), date(2026, 3, 10), calendar(), MONTH)
    assert (found.date, found.rule_id) == (date(2026, 4, 9), "LONG_TERM(30)")


def test_frozen_months_lengthen_the_term_and_do_not_serve_as_notice() -> None:
    assert minimum_term_ends(replace(FIXED, frozen_months=2)) == date(2027, 3, 9)
    assert ends(Contract(frozen_until=date(2026, 7, 31)), "2026-06-04") == "2026-08-31"
    assert (
        ends(Contract(frozen_until=date(2026, 7, 31)), "2026-06-04", NoticeRule.parse("ROLLING_DAYS(30)"))
        == "2026-08-31"
    )


def test_a_prepaid_year_ends_with_the_year_and_costs_nothing_more() -> None:
    year = Contract(ContractType.ANNUAL_PREPAID, start=date(2025, 9, 1), billing_day=1)
    found = end_date(year, date(2026, 6, 10), calendar(), MONTH)
    assert (found.date, found.last_payment_on, found.payments_left) == (date(2026, 8, 31), None, 0)


def test_the_last_payment_is_the_last_ordinary_one_before_the_end() -> None:
    found = end_date(Contract(billing_day=15), date(2026, 6, 5), calendar(), MONTH)
    assert (found.date, found.last_payment_on, found.payments_left) == (
        date(2026, 7, 31),
        date(2026, 7, 15),
        2,
    )


def test_no_payment_is_collected_after_the_last_day_even_when_banks_are_closed() -> None:
    found = end_date(Contract(billing_day=30), date(2026, 5, 2), calendar(), MONTH)
    assert (found.date, found.last_payment_on) == (date(2026, 5, 31), date(2026, 5, 29))


def test_days_paid_for_after_the_end_are_paid_back() -> None:
    assert refund(Contract(billing_day=15), date(2026, 6, 30), Decimal("40")) == Decimal("18.67")
    assert refund(Contract(billing_day=1), date(2026, 6, 30), Decimal("40")) == 0
    assert refund(ROLLING, date(2026, 6, 30), Decimal("40")) == 0


@pytest.mark.parametrize(("day", "inside"), [("2026-03-01", True), ("2026-03-15", True), ("2026-03-16", False)])
def test_of_a_contract_of_the_first_of_march_the_fifteenth_is_the_last_cooling_off_day(day: str, inside: bool) -> None:
    found = cooling_off_ends(Contract(start=date(2026, 3, 1)), date.fromisoformat(day), 14, renewals=False)
    assert found == (date(2026, 3, 15) if inside else None)


@pytest.mark.parametrize(
    ("renewals", "after_free", "inside"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_a_renewal_after_free_time_opens_a_second_cooling_off_time(
    renewals: bool, after_free: bool, inside: bool
) -> None:
    contract = Contract(start=date(2025, 3, 1), renewed_on=date(2026, 3, 1), renewal_after_free=after_free)
    assert (cooling_off_ends(contract, date(2026, 3, 10), 14, renewals=renewals) is not None) is inside


def test_a_renewal_into_a_year_opens_one_as_well() -> None:
    contract = replace(FIXED, start=date(2025, 1, 10), renewed_on=date(2026, 1, 10))
    assert cooling_off_ends(contract, date(2026, 1, 24), 14, renewals=True) == date(2026, 1, 24)
    assert cooling_off_ends(contract, date(2026, 1, 25), 14, renewals=True) is None


@pytest.mark.parametrize("text", ["", "MONTH", "ROLLING_DAYS", "IMMEDIATE(3)"])
def test_a_rule_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadRule, match="is no notice rule"):
        NoticeRule.parse(text)


days = some.dates(date(2025, 1, 1), date(2029, 12, 31))
rules = some.sampled_from(
    [NoticeRule.parse(text) for text in ("CALENDAR_MONTH(4)", "ROLLING_DAYS(30)", "BILLING_PERIOD_END", "IMMEDIATE")]
)
contracts = some.builds(
    Contract,
    kind=some.sampled_from(ContractType),
    start=some.none() | days,
    months=some.none() | some.integers(1, 36),
    billing_day=some.none() | some.integers(1, 31),
    frozen_until=some.none() | days,
    frozen_months=some.integers(0, 6),
    early_exit=some.none() | some.sampled_from(EarlyExit),
    evidence=some.booleans(),
)


@given(contracts, days, rules)
def test_no_membership_ends_before_notice_was_given_and_no_payment_follows_the_end(
    contract: Contract, day: date, rule: NoticeRule
) -> None:
    found = end_date(contract, day, calendar(), rule)
    assert found.date >= day
    assert found.last_payment_on is None or found.last_payment_on <= found.date
    assert found.explanation.endswith(".")
    assert (found.payments_left == 0) == (found.last_payment_on is None)


@given(contracts, days, days, rules)
def test_who_gives_notice_sooner_never_ends_later(contract: Contract, one: date, other: date, rule: NoticeRule) -> None:
    first, second = sorted((one, other))
    assert end_date(contract, first, calendar(), rule).date <= end_date(contract, second, calendar(), rule).date


@given(contracts, days, rules, some.integers(13, 60))
def test_a_long_term_never_costs_its_remaining_balance(
    contract: Contract, day: date, rule: NoticeRule, months: int
) -> None:
    long = replace(contract, kind=ContractType.FIXED, start=day, months=months, frozen_until=None, renewed_on=None)
    found = end_date(long, day, calendar(), rule)
    assert found.date <= day + timedelta(days=30)
    assert found.payments_left <= 2 < months


@given(contracts, days, rules)
def test_a_shown_reason_ends_it_on_the_day_of_the_statement(contract: Contract, day: date, rule: NoticeRule) -> None:
    assume(contract.early_exit is not None)
    found = end_date(replace(contract, evidence=True), day, calendar(), rule)
    assert (found.date, found.payments_left) == (day, 0)


@given(contracts, days, some.decimals(1, 200, places=2))
def test_nobody_gets_back_more_than_one_period_costs(contract: Contract, day: date, price: Decimal) -> None:
    most = price * 12 if contract.kind is ContractType.ANNUAL_PREPAID else price
    assert 0 <= refund(contract, day, price) <= most


@given(days, some.integers(1, 31))
def test_the_billing_period_ends_within_a_month(day: date, billing_day: int) -> None:
    found = end_date(Contract(billing_day=billing_day), day, calendar(), NoticeRule.parse("BILLING_PERIOD_END"))
    assert found.date <= add_months(day, 1) + timedelta(days=3)
