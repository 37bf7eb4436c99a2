"""A cancellation: each move taken once and refused once."""

from __future__ import annotations

from typing import Any

import pytest

from state_machines.engine import open_case
from state_machines.processes.cancellation import PROCESS
from state_machines.proof import prove
from state_machines.values import Case, Context, Outcome, Role
from tests.core.builders import (
    at,
    calendar,
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

MONDAY = at("2026-06-08 10:00")
YES = {"agreed": True}
FREEZE = {"code": "freeze", "months": 1, "terms": "One month free of charge."}
BY_PHONE = {"channel": "phone", "reasons": ["lack_of_time"], "monthly_price": "40"}


def ask(actor: Any = None, facts: Any = None, **form: Any) -> Case:
    """A cancellation, by phone unless it says otherwise."""
    return opened(PROCESS, {**BY_PHONE, **form}, actor=actor or staff(), now=MONDAY, facts=facts)


def asking(actor: Any = None, **form: Any) -> Outcome:
    """The same with its messages."""
    found = opening(PROCESS, {**BY_PHONE, **form}, actor=actor or staff(), now=MONDAY)
    assert isinstance(found, Outcome), found
    return found


def offered() -> Case:
    return fire(PROCESS, ask(), "make_offer", **FREEZE).after


def notice(**form: Any) -> Case:
    return ask(wants_no_offers=True, **form)


def saved() -> Case:
    return fire(PROCESS, offered(), "accept_offer", actor=member(), **YES).after


def ended(**form: Any) -> Case:
    return wait(PROCESS, notice(**form), at("2026-08-01"), context())[0]


def test_the_definition_is_proved() -> None:
    assert prove(PROCESS, policy()) == []


# --- the statement


def test_only_the_channel_need_be_given() -> None:
    case = opened(PROCESS, {"channel": "web"}, actor=member(), now=MONDAY)
    assert case.state == "contact_offered"
    assert case.data["notice_given_on"] == "2026-06-08"


def test_without_a_channel_it_is_refused() -> None:
    found = opening(PROCESS, {}, now=MONDAY)
    assert not isinstance(found, Outcome)
    assert "channel" in found.errors


def test_notice_counts_from_when_the_member_said_so_and_never_changes() -> None:
    case = ask(stated_at="2026-06-03T09:00:00+01:00")
    for trigger, form in (("make_offer", FREEZE), ("accept_offer", {**YES, "evidence": "call 12"})):
        case = fire(PROCESS, case, trigger, **form).after
    assert case.data["notice_given_on"] == "2026-06-03"


def test_a_member_cannot_date_their_own_notice_back() -> None:
    assert ask(member(), channel="web", stated_at="2026-01-03T09:00:00Z").data["notice_given_on"] == "2026-06-08"


def test_notice_cannot_lie_in_the_future() -> None:
    assert ask(stated_at="2026-12-01T09:00:00Z").data["notice_given_on"] == "2026-06-08"


def test_a_receipt_leaves_at_once() -> None:
    assert ("cancellation_receipt", "member") in messages(asking())


def test_what_a_member_says_is_kept_beside_the_event_only() -> None:
    found = asking(verbatim="I lost my job")
    assert found.steps[0].personal["verbatim"] == "I lost my job"
    assert "verbatim" not in found.after.data
    assert found.after.data["hardship_category"] == "self_declared"


@pytest.mark.parametrize(
    ("channel", "stated", "due"),
    [
        ("web", "2026-05-22 17:00", "2026-05-23 17:00"),
        ("phone", "2026-05-22 17:00", "2026-05-28 23:59"),
    ],
)
def test_the_end_of_contract_notice_is_owed_in_24_hours_online_and_in_three_working_days_otherwise(
    channel: str, stated: str, due: str
) -> None:
    case = opened(PROCESS, {"channel": channel}, now=at(stated))
    assert case.clocks["end_notice"].due == at(due)


def test_without_the_subscription_rules_two_working_days_are_allowed_and_renewals_change_nothing() -> None:
    interim = policy().model_copy(deep=True)
    interim.processes["cancellation"].settings["dmcca_applies"] = False
    form = {
        "channel": "phone",
        "contract_start": "2024-05-20",
        "renewed_on": "2026-05-20",
        "renewal_after_free": True,
    }
    seed = Case(1, "CX-2026-000001", "cancellation", "requested", 0, MONDAY, MONDAY, MONDAY)
    around = Context(interim, calendar(), {})
    found = open_case(PROCESS, seed, payload=form, actor=staff(), context=around, now=MONDAY)
    assert isinstance(found, Outcome)
    assert found.after.clocks["end_notice"].due == at("2026-06-10 23:59")
    assert ask(**{**form, "renewed_on": "2026-06-01"}).state == "cooled_off"


def test_a_doubtful_identity_is_checked_and_does_not_move_the_date() -> None:
    case = ask(identity_doubtful=True)
    assert case.state == "identity_check"
    later = fire(PROCESS, case, "confirm_identity", how="called back", now=at("2026-06-09 12:00")).after
    assert later.data["notice_given_at"] == case.data["notice_given_at"]


def test_a_member_who_is_logged_in_is_never_checked() -> None:
    assert ask(member(), channel="web", identity_doubtful=True).state == "contact_offered"


def test_only_a_manager_can_say_that_it_was_not_the_member() -> None:
    case = ask(identity_doubtful=True)
    assert refused(PROCESS, case, "reject_identity", how="called back").rule == "role"
    after = fire(PROCESS, case, "reject_identity", actor=staff(Role.MANAGER), how="called back").after
    assert (after.state, after.data["outcome"]) == ("not_the_member", "not_the_member")


# --- what the bank reports


def bank() -> Case:
    return opened(PROCESS, {"channel": "bank"}, actor=system(), now=MONDAY)


def test_a_report_of_the_bank_is_no_notice() -> None:
    case = bank()
    assert case.state == "intent"
    assert "notice_given_at" not in case.data
    assert "end_notice" not in case.clocks


def test_a_member_who_confirms_gives_notice_then() -> None:
    later = at("2026-06-10 12:00")
    case = fire(PROCESS, bank(), "confirm_cancellation", actor=member(), now=later).after
    assert (case.state, case.data["notice_given_on"], case.data["channel"]) == (
        "contact_offered",
        "2026-06-10",
        "web",
    )


def test_a_member_who_only_changed_banks_stays() -> None:
    after = fire(PROCESS, bank(), "keep_membership", actor=member()).after
    assert (after.state, after.data["outcome"]) == ("intent_closed", "kept")
    assert refused(PROCESS, ask(), "keep_membership", actor=member()).rule == "state"


def test_silence_after_a_report_of_the_bank_ends_nothing() -> None:
    case, steps = wait(PROCESS, bank(), at("2026-08-01"), context())
    assert (case.state, case.data["outcome"]) == ("intent_closed", "unanswered")
    assert not any(step.member_changes for step in steps)


def test_a_real_cancellation_replaces_the_question() -> None:
    assert fire(PROCESS, bank(), "new_cancellation", actor=system()).after.data["outcome"] == "superseded"


# --- the cooling-off time


def test_inside_the_cooling_off_time_it_ends_at_once_with_a_refund() -> None:
    found = asking(contract_start="2026-05-25")
    assert found.after.state == "cooled_off"
    assert found.after.clocks["refund"].due == at("2026-06-22 23:59")
    assert found.after.data["end_date"] == "2026-06-08"
    assert "stop_collection" in tasks(found)
    assert {"status": "left"} in [dict(step.member_changes) for step in found.steps]
    assert ("cancellation_refund_note", "role:finance") in messages(found)


def test_a_day_later_it_is_an_ordinary_cancellation() -> None:
    assert ask(contract_start="2026-05-24").state == "contact_offered"


def test_the_day_of_joining_stands_in_for_an_unknown_contract() -> None:
    assert ask(facts={"member": {"joined_on": "2026-06-01", "flags": []}}).state == "cooled_off"


def test_finance_notes_the_refund_and_the_case_is_closed() -> None:
    case = ask(contract_start="2026-06-01")
    assert refused(PROCESS, case, "confirm_refund", actor=member(), amount="40").rule == "role"
    after = fire(PROCESS, case, "confirm_refund", actor=staff(Role.FINANCE), amount="40").after
    assert (after.state, after.data["outcome"]) == ("refunded", "cooled_off")


# --- the end


def test_without_offers_notice_runs_at_once() -> None:
    found = asking(wants_no_offers=True)
    assert found.after.state == "notice_running"
    assert found.after.data["end_date"] == "2026-07-31"
    assert ("cancellation_end_notice", "member") in messages(found)
    assert "end_notice" not in found.after.clocks


def test_the_member_takes_notice_back_before_the_end() -> None:
    after = fire(PROCESS, notice(), "revoke", actor=member(), **YES).after
    assert (after.state, after.data["end_date"], after.data["saved_by"]) == ("revoked", None, "member")
    assert wait(PROCESS, after, at("2026-10-01"), context())[0].data["outcome"] == "revoked"


def test_after_the_last_day_notice_cannot_be_taken_back() -> None:
    case = notice()
    late = refused(PROCESS, case, "revoke", actor=member(), now=at("2026-08-01 00:30"), **YES)
    assert late.rule == "before_the_end"
    assert refused(PROCESS, case, "revoke", actor=member()).rule == "payload"


def test_staff_need_evidence_to_take_notice_back() -> None:
    assert refused(PROCESS, notice(), "revoke", **YES).rule == "payload"
    assert fire(PROCESS, notice(), "revoke", evidence="call 12", **YES).after.state == "revoked"


def test_on_the_last_day_the_membership_ends() -> None:
    case, steps = wait(PROCESS, notice(), at("2026-08-01"), context())
    assert case.state == "end_confirmed"
    assert [dict(step.member_changes) for step in steps if step.member_changes] == [{"status": "left"}]
    assert (case.data["access"], case.data["ended_on"]) == ("off", "2026-07-31")
    assert "cancel_direct_debit" in tasks(steps)
    assert ("cancellation_ended", "member") in messages(steps)


def test_a_direct_debit_the_bank_cancelled_is_not_cancelled_again() -> None:
    case = fire(PROCESS, bank(), "end_now_without_offers", actor=member()).after
    assert "cancel_direct_debit" not in tasks(wait(PROCESS, case, at("2026-08-01"), context())[1])


def test_the_account_is_settled() -> None:
    after = fire(PROCESS, ended(), "settle", actor=staff(Role.FINANCE), balance="0").after
    assert (after.state, after.data["outcome"], after.data["balance_checked"]) == (
        "cancelled",
        "cancelled_voluntary",
        True,
    )


def test_a_refund_is_never_forgotten() -> None:
    case = ended(billing_day=15)
    assert case.data["refund_due"] == "yes"
    found = refused(PROCESS, case, "settle", actor=staff(Role.FINANCE), balance="0")
    assert found.rule == "refund_covers"
    assert wait(PROCESS, case, at("2026-12-01"), context())[0].state == "end_confirmed"
    assert (
        fire(PROCESS, case, "settle", actor=staff(Role.FINANCE), balance="0", refunded="40").after.state == "cancelled"
    )


def test_who_comes_back_has_a_new_membership() -> None:
    owed = fire(PROCESS, ended(), "settle", actor=staff(Role.FINANCE), balance="30").after
    assert refused(PROCESS, owed, "reinstate", membership="M-9").rule == "arrears_agreed"
    after = fire(PROCESS, owed, "reinstate", membership="M-9", arrears_agreed=True).after
    assert (after.state, after.data["rejoined_as"]) == ("cancelled", "M-9")


def test_a_shown_reason_brings_the_end_forward() -> None:
    case = notice(contract_type="fixed", contract_start="2026-01-01", contract_months=12)
    assert case.data["end_rule"] == "MINIMUM_TERM"
    found = fire(PROCESS, case, "record_evidence", early_exit_reason="redundancy", seen="letter of the employer")
    assert found.after.data["end_date"] == "2026-06-08"
    assert ("cancellation_end_notice", "member") in messages(found)
    case, _ = wait(PROCESS, found.after, at("2026-06-30"), context())
    assert (case.state, case.data["outcome"]) == ("cancelled", "cancelled_early_exit")


# --- death


def test_an_executor_gets_one_message_and_nobody_else_any() -> None:
    found = asking(channel="executor", executor_name="Dov", executor_email="dov@example.org", billing_day=15)
    case, steps = wait(PROCESS, found.after, at("2026-12-01"), context())
    sent = [sent for sent in messages([*found.steps, *steps]) if not sent[0].startswith("case_")]
    assert sent == [
        ("cancellation_bereavement", "party:executor"),
        ("cancellation_refund_note", "role:finance"),
    ]
    assert case.data["end_date"] == "2026-06-08"


@pytest.mark.parametrize("case", [ask(), offered(), notice(), ask(hardship=True), ask(identity_doubtful=True)])
def test_when_the_member_has_died_everything_stops(case: Case) -> None:
    found = fire(PROCESS, case, "record_death", executor_name="Dov", executor_email="dov@example.org")
    assert messages(found) == [("cancellation_bereavement", "party:executor")]
    after, steps = wait(PROCESS, found.after, at("2026-12-01"), context())
    assert (after.state, after.data["outcome"]) == ("cancelled", "cancelled_deceased")
    assert not [to for _, to in messages(steps) if to in ("member", "party:executor")]
    assert refused(PROCESS, found.after, "revoke", actor=member(), **YES).rule == "alive"


def test_nobody_ends_a_membership_before_its_day_or_twice() -> None:
    assert refused(PROCESS, notice(), "end_reached", actor=staff(Role.SENIOR)).rule == "role"
    assert refused(PROCESS, ended(), "end_now_without_offers", actor=member()).rule == "state"


def test_nobody_but_muster_decides_about_the_cooling_off_time() -> None:
    assert refused(PROCESS, ask(), "cool_off", actor=staff(Role.MANAGER)).rule == "state"
    assert refused(PROCESS, ask(), "start_notice", actor=system()).rule == "state"
