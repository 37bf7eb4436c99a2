"""Cancellations through the real commands: the exit on time, offers beside it, hardship, second thoughts, death."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cases import audit, campaigns, commands
from cases.answers import member_actor
from cases.delivering import deliver
from cases.errors import TransitionRefused
from cases.sweep import sweep_due
from config.database import Engine, reading
from members.staff_commands import add_staff
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast, cast_of
from tests.post import Letterbox, letterbox

LONDON = ZoneInfo("Europe/London")
FREEZE = {"code": "freeze", "months": 2, "terms": "A freeze for two months; you pay nothing in that time."}
YES = {"agreed": True}
TIRED = {"reasons": ["lack_of_time"]}


def at(text: str) -> datetime:
    """A local time in London: ``at("2026-03-02 09:00")``."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


@dataclass
class Desk:
    """A leisure trust whose clock moves and whose mail arrives."""

    cast: Cast
    box: Letterbox

    def go(self, text: str) -> None:
        """Move to a moment, sweep and deliver."""
        self.cast.go_to(at(text))
        self.run()

    def run(self) -> None:
        """Sweep and deliver."""
        sweep_due(self.cast.env)
        deliver(self.cast.env)

    def hours(self, first: str, last: str, step: float = 0.5) -> None:
        """Live through some time with a sweep and a delivery every half hour."""
        now = at(first)
        while now <= at(last):
            self.cast.go_to(now)
            self.run()
            now += timedelta(hours=step)

    def days(self, first: str, last: str) -> None:
        """Live through days, with a look in the morning of each."""
        day = date.fromisoformat(first)
        while day <= date.fromisoformat(last):
            self.go(f"{day} 09:30")
            day += timedelta(days=1)

    def joined(self, name: str = "Chandra Rao", joined: str = "2024-01-10", **more: Any) -> str:
        """A member and their reference."""
        [number] = self.cast.members(name, joined_on=date.fromisoformat(joined), kind="person", **more)
        return str(self.cast.scalar("SELECT ref FROM members WHERE id = :id", id=number))

    def wants_out(self, member: str, channel: str = "email", who: str = "Amara", **payload: Any) -> str:
        """Take a member's clear statement and return the reference."""
        found = commands.open_one(
            self.cast.env, "cancellation", member=member, subject="Wants to leave",
            payload={"channel": channel, **payload}, actor=self.cast.actor(who),
        )  # fmt: skip
        return found.after.ref

    def do(self, ref: str, trigger: str, who: str, **payload: Any) -> str:
        """Pull a trigger as one of the staff or as "member"; return the new state."""
        if who == "member":
            actor = member_actor(self.cast.scalar("SELECT member_id FROM cases WHERE ref = :ref", ref=ref))
        else:
            actor = self.cast.actor(who)
        return commands.fire(self.cast.env, ref, trigger, payload=payload, actor=actor).after.state

    def state(self, ref: str) -> str:
        """The state of a case."""
        return str(self.cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=ref))

    def fact(self, ref: str, name: str) -> Any:
        """A fact of a case."""
        return self.cast.scalar("SELECT data -> :name FROM cases WHERE ref = :ref", name=name, ref=ref)

    def register(self, ref: str) -> str:
        """The status of its member."""
        sql = "SELECT m.status FROM members m JOIN cases c ON c.member_id = m.id WHERE c.ref = :ref"
        return str(self.cast.scalar(sql, ref=ref))

    def sent(self, ref: str) -> list[str]:
        """The kinds of letter that have left, in order, with whom they are for."""
        rows = self.cast.rows(
            "SELECT m.kind FROM messages m JOIN cases c ON c.id = m.case_id WHERE c.ref = :ref AND m.state = 'sent' "
            "AND m.staff_id IS NULL ORDER BY m.sent_at, m.id", ref=ref,
        )  # fmt: skip
        return [row.kind for row in rows]

    def asked_for(self, ref: str) -> set[str]:
        """Every kind of message the case has ever put into the outbox."""
        sql = "SELECT m.kind FROM messages m JOIN cases c ON c.id = m.case_id WHERE c.ref = :ref"
        return {row.kind for row in self.cast.rows(sql, ref=ref)}

    def sent_at(self, ref: str, kind: str) -> datetime:
        """When a letter left."""
        sql = "SELECT m.sent_at FROM messages m JOIN cases c ON c.id = m.case_id WHERE c.ref = :ref AND m.kind = :kind"
        [row] = self.cast.rows(sql + " AND m.state = 'sent'", ref=ref, kind=kind)
        return row.sent_at

    def tasks(self, ref: str) -> set[str]:
        """What somebody still has to do by hand."""
        sql = "SELECT t.kind FROM case_tasks t JOIN cases c ON c.id = t.case_id WHERE c.ref = :ref"
        sql += " AND t.closed_at IS NULL"
        return {row.kind for row in self.cast.rows(sql, ref=ref)}

    def words(self, message: EmailMessage) -> str:
        """The text of a letter."""
        body = message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    def is_whole(self) -> bool:
        """Whether the chain of every case fits."""
        with reading(self.cast.env.engine) as conn:
            return audit.verify(conn).ok


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Iterator[Desk]:
    """A desk with somebody in finance."""
    with letterbox() as box:
        cast = cast_of(engine, tmp_path / "home", box.url)
        add_staff(engine, "Fay", "fay@muster.example", ["finance"], actor=SYSTEM, now=MONDAY)
        yield Desk(cast, box)


# --- the exit --------------------------------------------------------------------------------------------------------


def test_who_cancels_online_and_hears_no_more_has_the_notice_within_24_hours_and_is_out_at_the_end_of_the_month(
    desk: Desk,
) -> None:
    ref = desk.wants_out(desk.joined(), "email")
    assert desk.state(ref) == "contact_offered"
    desk.hours("2026-03-02 09:00", "2026-03-03 09:00")
    assert desk.sent(ref) == ["cancellation_receipt", "cancellation_end_notice"]
    assert desk.sent_at(ref, "cancellation_receipt") == at("2026-03-02 09:00")
    assert desk.sent_at(ref, "cancellation_end_notice") <= at("2026-03-03 09:00")
    notice = desk.box.mails[-1][1]
    assert "Your last day is Tuesday 31 March 2026" in desk.words(notice)
    desk.go("2026-03-31 23:30")
    assert (desk.state(ref), desk.register(ref)) == ("notice_running", "active")
    desk.go("2026-04-01 00:30")
    assert (desk.state(ref), desk.register(ref)) == ("end_confirmed", "left")
    assert desk.tasks(ref) >= {"cancel_direct_debit"}
    desk.days("2026-04-01", "2026-04-11")
    assert (desk.state(ref), desk.fact(ref, "outcome")) == ("cancelled", "cancelled_voluntary")
    assert desk.sent(ref)[-1] == "cancellation_ended"
    assert desk.tasks(ref) == set()
    assert desk.is_whole()


def test_who_cancels_by_phone_before_easter_has_the_notice_within_three_working_days(desk: Desk) -> None:
    desk.cast.go_to(at("2026-04-02 15:00"))
    ref = desk.wants_out(desk.joined(), "phone", stated_at="2026-04-02T14:10:00")
    desk.hours("2026-04-02 15:00", "2026-04-09 23:45", 3)
    assert at("2026-04-02 15:00") <= desk.sent_at(ref, "cancellation_end_notice") <= at("2026-04-09 23:59")
    assert desk.fact(ref, "notice_given_at") == "2026-04-02T13:10:00+00:00"
    assert desk.fact(ref, "end_date") == "2026-04-30"


def test_a_member_can_leave_at_once_and_alone_and_no_offer_stands_before_the_exit(desk: Desk) -> None:
    member = desk.joined()
    number = desk.cast.scalar("SELECT id FROM members WHERE ref = :ref", ref=member)
    found = commands.open_one(
        desk.cast.env, "cancellation", member=member, subject="I want to leave", payload={"channel": "web"},
        actor=member_actor(number),
    ).after  # fmt: skip
    assert found.state == "contact_offered"
    assert desk.do(found.ref, "end_now_without_offers", "member", reasons=["cost"]) == "notice_running"
    desk.run()
    assert desk.fact(found.ref, "exit_unaided") is True
    assert "cancellation_offer" not in desk.asked_for(found.ref)
    assert "cancellation_end_notice" in desk.sent(found.ref)


def test_illness_that_was_shown_ends_it_on_the_day_and_the_rest_of_the_month_is_paid_back(desk: Desk) -> None:
    ref = desk.wants_out(
        desk.joined(), early_exit_reason="illness_injury", early_exit_evidence=True, wants_no_offers=True,
        billing_day=1, monthly_price="31.00",
    )  # fmt: skip
    assert (desk.state(ref), desk.fact(ref, "end_date")) == ("notice_running", "2026-03-02")
    desk.run()
    desk.go("2026-03-03 09:30")
    assert (desk.state(ref), desk.fact(ref, "refund_due")) == ("end_confirmed", "yes")
    desk.days("2026-03-04", "2026-03-18")
    assert desk.state(ref) == "end_confirmed", "money is due back, so it does not close by itself"
    assert "fay@muster.example" in desk.box.addresses()
    with pytest.raises(TransitionRefused, match="Less was paid back"):
        desk.do(ref, "settle", "Fay", balance="0", refunded="1.00")
    assert desk.do(ref, "settle", "Fay", balance="0", refunded=desk.fact(ref, "refund")) == "cancelled"
    assert desk.fact(ref, "outcome") == "cancelled_early_exit"


# --- offers ----------------------------------------------------------------------------------------------------------


def test_an_accepted_offer_saves_the_member_and_counts_after_ninety_days(desk: Desk) -> None:
    ref = desk.wants_out(desk.joined(), **TIRED)
    assert desk.do(ref, "make_offer", "Amara", **FREEZE) == "offer_made"
    desk.run()
    assert desk.do(ref, "accept_offer", "member", **YES) == "saved"
    desk.days("2026-03-02", "2026-03-06")
    assert desk.sent(ref) == ["cancellation_receipt", "cancellation_offer", "cancellation_offer_confirmed"]
    assert (desk.register(ref), desk.fact(ref, "end_date")) == ("active", None)
    assert {"apply_offer", "advance_notice"} <= desk.tasks(ref)
    desk.go("2026-05-31 09:30")
    assert desk.state(ref) == "saved"
    desk.go("2026-06-01 09:30")
    assert (desk.state(ref), desk.fact(ref, "outcome")) == ("retained", "saved_freeze")


def test_an_offer_still_on_the_table_can_be_accepted_after_the_notice_has_left(desk: Desk) -> None:
    ref = desk.wants_out(desk.joined(), **TIRED)
    desk.do(ref, "make_offer", "Amara", **FREEZE)
    desk.hours("2026-03-02 09:00", "2026-03-03 10:00", 1)
    assert desk.state(ref) == "notice_running"
    assert desk.sent_at(ref, "cancellation_end_notice") <= at("2026-03-03 09:00"), "an offer delays nothing"
    assert desk.do(ref, "accept_offer", "member", **YES) == "saved"
    desk.days("2026-03-03", "2026-04-02")
    assert (desk.state(ref), desk.register(ref)) == ("saved", "active")
    assert "last_collection" not in desk.tasks(ref)


def test_an_offer_that_has_run_out_cannot_be_accepted(desk: Desk) -> None:
    ref = desk.wants_out(desk.joined(), **TIRED)
    desk.do(ref, "make_offer", "Amara", **FREEZE)
    desk.days("2026-03-03", "2026-03-05")
    with pytest.raises(TransitionRefused, match="No offer is open"):
        desk.do(ref, "accept_offer", "member", **YES)


def test_leaving_again_within_the_window_turns_the_save_into_a_failed_one_and_offers_nothing_more(desk: Desk) -> None:
    member = desk.joined()
    first = desk.wants_out(member, **TIRED)
    desk.do(first, "make_offer", "Amara", **FREEZE)
    desk.do(first, "accept_offer", "member", **YES)
    desk.days("2026-03-03", "2026-03-05")
    desk.go("2026-05-01 10:00")
    second = desk.wants_out(member, **TIRED)
    assert (desk.state(first), desk.fact(first, "outcome")) == ("save_failed", "save_failed")
    assert desk.state(second) == "notice_running"
    desk.run()
    assert "cancellation_offer" not in desk.asked_for(second)
    desk.days("2026-05-02", "2026-06-10")
    assert (desk.state(second), desk.register(second)) == ("cancelled", "left")
    assert desk.state(first) == "save_failed"


@pytest.mark.parametrize("flag", ["NO_OFFERS", "VULNERABLE", "BREATHING_SPACE"])
def test_a_mark_in_the_register_keeps_offers_away(desk: Desk, flag: str) -> None:
    ref = desk.wants_out(desk.joined(flags=[flag]), **TIRED)
    assert desk.state(ref) == "notice_running"
    desk.run()
    assert "cancellation_offer" not in desk.asked_for(ref)


def test_a_member_whose_complaint_is_open_gets_no_offer(desk: Desk) -> None:
    member = desk.joined()
    commands.open_one(
        desk.cast.env, "complaint", member=member, subject="Cold pool", payload={"category": "service"},
        actor=desk.cast.actor("Amara"),
    )  # fmt: skip
    assert desk.state(desk.wants_out(member, **TIRED)) == "notice_running"


# --- cooling-off -----------------------------------------------------------------------------------------------------


def test_within_the_cooling_off_time_nobody_is_ever_shown_an_offer_and_everything_is_paid_back(desk: Desk) -> None:
    ref = desk.wants_out(desk.joined(joined="2026-02-20"), "phone", reasons=["cost", "money_trouble"])
    assert (desk.state(ref), desk.register(ref)) == ("cooled_off", "left")
    for trigger, who, payload in (
        ("ask_for_offer", "member", {}), ("make_offer", "Amara", FREEZE), ("make_offer", "Mina", FREEZE),
        ("declare_hardship", "member", {}), ("accept_offer", "member", YES),
    ):  # fmt: skip
        with pytest.raises(TransitionRefused):
            desk.do(ref, trigger, who, **payload)
    desk.days("2026-03-02", "2026-03-20")
    assert desk.asked_for(ref).isdisjoint({"cancellation_offer", "cancellation_hardship", "cancellation_end_notice"})
    assert set(desk.sent(ref)) == {"cancellation_receipt", "cancellation_cooled_off"}
    assert desk.tasks(ref) == {"stop_collection"}
    assert "case_overdue" in desk.asked_for(ref), "the refund was due by 16 March"
    assert desk.do(ref, "confirm_refund", "Fay", amount="40.00") == "refunded"
    assert desk.fact(ref, "outcome") == "cooled_off"


def test_the_day_after_the_cooling_off_time_is_outside_it(desk: Desk) -> None:
    assert desk.state(desk.wants_out(desk.joined("Inside Ltd", joined="2026-02-16"))) == "cooled_off"
    assert desk.state(desk.wants_out(desk.joined("Outside Ltd", joined="2026-02-15"))) == "contact_offered"


# --- hardship --------------------------------------------------------------------------------------------------------


def test_who_speaks_of_hardship_and_gets_no_answer_leaves_free_of_charge_from_the_day_they_told_us(desk: Desk) -> None:
    ref = desk.wants_out(
        desk.joined(), verbatim="I lost my job and can’t afford it", billing_day=15, monthly_price="40"
    )
    assert desk.state(ref) == "hardship"
    assert "stop_dunning" in desk.tasks(ref)
    desk.hours("2026-03-02 09:00", "2026-03-03 09:00", 1)
    assert desk.sent(ref) == ["cancellation_receipt", "cancellation_hardship", "cancellation_end_notice"]
    assert (desk.state(ref), desk.fact(ref, "end_date")) == ("notice_running", "2026-03-31")
    desk.days("2026-03-03", "2026-03-06")
    assert (desk.fact(ref, "fee_free_exit"), desk.fact(ref, "end_date")) == (True, "2026-03-02")
    assert desk.sent(ref).count("cancellation_end_notice") == 2, "the new end is said"
    desk.go("2026-03-07 09:30")
    assert (desk.state(ref), desk.register(ref)) == ("end_confirmed", "left")
    stored = desk.cast.scalar("SELECT (data::text || parties::text) FROM cases WHERE ref = :ref", ref=ref)
    assert "lost my job" not in stored, "of hardship only the category is kept on the case"


def test_help_in_hardship_that_is_accepted_keeps_the_member(desk: Desk) -> None:
    ref = desk.wants_out(desk.joined(), hardship=True, hardship_category="income_loss")
    terms = {"help": "reduced_rate", "months": 6, "percent": 50, "terms": "Half the price for six months."}
    assert desk.do(ref, "offer_help", "Amara", **terms) == "offer_made"
    desk.run()
    assert desk.do(ref, "accept_offer", "member", **YES) == "saved"
    desk.days("2026-06-02", "2026-06-02")
    assert desk.fact(ref, "outcome") == "saved_hardship"
    assert "cancellation_end_notice" not in desk.sent(ref)


# --- second thoughts -------------------------------------------------------------------------------------------------


def test_a_notice_taken_back_before_the_end_keeps_the_member_and_after_it_does_not(desk: Desk) -> None:
    ref, late = desk.wants_out(desk.joined()), desk.wants_out(desk.joined("Late Ltd"))
    desk.days("2026-03-03", "2026-03-05")
    desk.go("2026-03-31 20:00")
    assert desk.do(ref, "revoke", "member", **YES) == "revoked"
    desk.go("2026-04-01 09:30")
    with pytest.raises(TransitionRefused):
        desk.do(late, "revoke", "member", **YES)
    assert (desk.register(ref), desk.register(late)) == ("active", "left")
    assert desk.sent(ref)[-1] == "cancellation_revoked"
    desk.go("2026-07-01 09:30")
    assert (desk.state(ref), desk.fact(ref, "outcome")) == ("retained", "revoked")


# --- the bank --------------------------------------------------------------------------------------------------------


def test_a_payment_cancelled_at_the_bank_is_no_cancellation_until_the_member_says_so(desk: Desk) -> None:
    ref, silent = desk.wants_out(desk.joined(), "bank"), desk.wants_out(desk.joined("Silent Ltd"), "bank")
    desk.days("2026-03-02", "2026-03-04")
    assert desk.sent(ref) == ["cancellation_intent"]
    assert desk.do(ref, "confirm_cancellation", "member") == "contact_offered"
    assert desk.fact(ref, "notice_given_on") == "2026-03-04"
    desk.days("2026-03-04", "2026-03-17")
    assert (desk.state(silent), desk.register(silent)) == ("intent_closed", "active")
    assert desk.sent(silent) == ["cancellation_intent", "cancellation_intent_closed"]


# --- death -----------------------------------------------------------------------------------------------------------


def test_of_a_member_who_has_died_only_the_executor_hears_and_once(desk: Desk) -> None:
    ref = desk.wants_out(
        desk.joined(), "executor", executor_name="Dara Rao", executor_email="dara@family.example", reasons=["cost"]
    )
    desk.days("2026-03-02", "2026-03-20")
    assert desk.box.to("dara@family.example") != []
    outside = [address for address, _ in desk.box.mails if not address.endswith("@muster.example")]
    assert outside == ["dara@family.example"]
    assert desk.asked_for(ref) & {"cancellation_receipt", "cancellation_offer", "cancellation_ended"} == set()
    assert (desk.state(ref), desk.fact(ref, "outcome")) == ("cancelled", "cancelled_deceased")
    assert desk.register(ref) == "left"


def test_a_death_that_is_learned_of_meanwhile_stops_every_letter_to_the_member_from_every_case(desk: Desk) -> None:
    desk.cast.go_to(at("2026-02-20 09:00"))
    member = desk.joined(tier="General")
    plan = desk.cast.env.settings.home / "plan.yaml"
    plan.parent.mkdir(exist_ok=True)
    plan.write_text(
        "kind: survey\ntitle: Survey 2026\nquestionnaire: self-assessment\nlaunch: 2026-03-02\ndeadline: 2026-04-17\n"
        "population: {status: active, tier: [General]}\nladder: standard\n"
    )
    survey = campaigns.plan(desk.cast.env, plan, actor=desk.cast.actor("Amara")).after.ref
    desk.do(survey, "approve_plan", "Mina", data_protection_checked=True)
    desk.do(survey, "skip_pilot", "Mina", reason="The questions are those of last year")
    desk.go("2026-02-27 09:30")
    desk.go("2026-03-02 09:30")
    ref = desk.wants_out(member, **TIRED)
    desk.do(ref, "make_offer", "Amara", **FREEZE)
    desk.run()
    before = desk.box.to("m1@members.example")
    assert len(before) == 3, "the invitation, the receipt and the offer"
    details = {"executor_name": "Dara Rao", "executor_email": "dara@family.example"}
    assert desk.do(ref, "record_death", "Amara", **details) == "notice_running"
    desk.days("2026-03-02", "2026-03-20")
    assert desk.box.to("m1@members.example") == before
    assert len(desk.box.to("dara@family.example")) == 1
    reasons = desk.cast.rows("SELECT DISTINCT reason FROM messages WHERE kind = 'survey_reminder_unopened'")
    assert [row.reason for row in reasons] == ["the member has died: nothing is sent automatically"]
