"""Guards and effects of a cancellation: the statement, the contract, the notice, death.

Offers and hardship are in ``cancellation_offers``; what follows the last day is in ``cancellation_ending``.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from state_machines.draft import Draft
from state_machines.end_date import (
    IMMEDIATE,
    Contract,
    ContractType,
    EarlyExit,
    NoticeRule,
    cooling_off_ends,
    end_date,
    refund,
)
from state_machines.values import Role

MISSING_END = {
    "end_date": None,
    "end_rule": None,
    "end_explained": None,
    "last_payment_on": None,
    "refund": None,
}

DECEASED = "DECEASED"
"""The flag in the register that stops every automatic message to a member."""

# --- the statement


def take_statement(draft: Draft) -> None:
    """Fix when notice was given, once and for all, and what is known about the contract."""
    member = draft.fact("member") or {}
    dead = bool(draft.get("deceased") or draft.get("channel") == "executor" or "deceased" in member.get("flags", ()))
    joined = member.get("joined_on")
    draft.set(
        deceased=dead,
        identity_doubtful=bool(draft.get("identity_doubtful")) and Role.MEMBER not in draft.actor.roles,
        contract_start=draft.get("contract_start") or (str(joined) if joined else None),
        bank_cancelled=draft.get("channel") == "bank",
    )
    _name(draft, "executor")
    _name(draft, "payer")
    if is_bank_report(draft):
        return
    if dead:
        draft.change_member(add_flags=[DECEASED])
    fix_notice(draft)
    draft.fire_linked("new_cancellation", "member:cancellation")


def _name(draft: Draft, who: str) -> None:
    if draft.typed(f"{who}_email") or draft.typed(f"{who}_name"):
        draft.name_party(who, name=draft.typed(f"{who}_name"), email=draft.typed(f"{who}_email"))


def fix_notice(draft: Draft) -> None:
    """Write down when the member said so. What has been written is never changed."""
    if draft.get("notice_given_at"):
        return
    given = _given_at(draft)
    draft.set(
        notice_given_at=given.isoformat(),
        notice_given_on=_local(draft, given).isoformat(),
        notice_profile=_profile(draft),
    )


def _given_at(draft: Draft) -> datetime:
    opening = draft.case.counts.get("open", 0) == 0
    received = draft.case.received_at if opening else draft.now
    stated = draft.typed("stated_at")
    if stated is None or Role.MEMBER in draft.actor.roles:
        return received
    stated = stated if stated.tzinfo else stated.replace(tzinfo=draft.context.calendar.zone)
    said: datetime = stated.astimezone(received.tzinfo)
    return min(said, draft.now)


def _local(draft: Draft, instant: datetime) -> date:
    return draft.context.calendar.local_date(instant)


def _profile(draft: Draft) -> str:
    if not draft.setting("dmcca_applies"):
        return "interim"
    return "online" if draft.get("channel") in draft.setting("online_channels") else "other"


def confirm_statement(draft: Draft) -> None:
    """Turn what the bank reported into the member's own notice."""
    usual = "web" if Role.MEMBER in draft.actor.roles else "phone"
    draft.set(channel=str(draft.typed("channel") or usual))
    fix_notice(draft)
    draft.fire_linked("new_cancellation", "member:cancellation")


def ask_about_death(draft: Draft) -> None:
    """Nobody is written to about a payment when the member may have died."""
    if draft.get("deceased"):
        draft.task("check_death", "Find out gently whether the member has died", Role.COORDINATOR, "WD(2)")


def is_bank_report(draft: Draft) -> bool:
    """The member has said so themselves; this is a request and no report of a bank."""
    return draft.get("channel") == "bank" and not draft.get("notice_given_at")


def identity_in_doubt(draft: Draft) -> bool:
    """It is clear who wrote; no check of identity is needed."""
    return bool(draft.get("identity_doubtful"))


def owes_receipt(draft: Draft) -> bool:
    """Only a member who wrote gets a receipt."""
    return not draft.get("deceased") and not is_bank_report(draft)


def alive(draft: Draft) -> bool:
    """Nothing is sent to a member who has died."""
    return not draft.get("deceased")


def dead_with_executor(draft: Draft) -> bool:
    """There is nobody to write to."""
    return bool(draft.get("deceased")) and "executor" in draft.parties


def has_payer(draft: Draft) -> bool:
    """The member pays for themselves."""
    return "payer" in draft.parties and not draft.get("deceased")


# --- the contract and its end


def contract(draft: Draft) -> Contract:
    """The contract as the case knows it."""
    reason = draft.get("early_exit_reason")
    return Contract(
        kind=ContractType(draft.get("contract_type", "rolling")),
        start=_day(draft.get("contract_start")),
        months=draft.get("contract_months"),
        billing_day=draft.get("billing_day"),
        frozen_until=_day(draft.get("frozen_until")),
        frozen_months=draft.get("frozen_months", 0),
        renewed_on=_day(draft.get("renewed_on")),
        renewal_after_free=bool(draft.get("renewal_after_free")),
        early_exit=EarlyExit(reason) if reason else None,
        evidence=bool(draft.get("early_exit_evidence")),
    )


def _day(value: Any) -> date | None:
    return date.fromisoformat(str(value)[:10]) if value else None


def notice_day(draft: Draft) -> date:
    """The local day on which notice was given; today where it was not given yet."""
    return _day(draft.get("notice_given_on")) or _local(draft, draft.now)


def inside_cooling_off(draft: Draft) -> bool:
    """The cooling-off time is over."""
    days = int(draft.setting("cooling_off_days"))
    renewals = bool(draft.setting("dmcca_applies"))
    return cooling_off_ends(contract(draft), notice_day(draft), days, renewals=renewals) is not None


def outside_cooling_off(draft: Draft) -> bool:
    """The member cancelled within the cooling-off time: no offers, only the end and the refund."""
    return not inside_cooling_off(draft)


def work_out_end(draft: Draft) -> None:
    """Write down the last day, by which rule, the last payment and what is paid back."""
    terms = contract(draft)
    at_once = draft.get("deceased") or draft.get("fee_free_exit")
    rule = IMMEDIATE if at_once else NoticeRule.parse(str(draft.setting("notice_rule")))
    end = end_date(terms, notice_day(draft), draft.context.calendar, rule)
    price = draft.get("monthly_price")
    back = refund(terms, end.date, Decimal(str(price)) if price else None)
    draft.set(
        end_date=end.date.isoformat(),
        end_rule=end.rule_id,
        end_explained=end.explanation,
        last_payment_on=end.last_payment_on.isoformat() if end.last_payment_on else None,
        refund=str(back),
        refund_due="yes" if back else "no",
    )


def give_notice(draft: Draft) -> None:
    """Start the notice: its end, who is to stop what, and how many steps it took the member."""
    work_out_end(draft)
    people = [name for names in draft.case.people.values() for name in names]
    steps = sum(n for trigger, n in draft.case.counts.items() if trigger in draft.case.people)
    outside = Role.SYSTEM not in draft.actor.roles
    everybody = [*people, draft.actor.person] if outside else people
    draft.set(
        end_notice_sent_at=draft.now.isoformat(),
        exit_steps=steps + int(outside),
        exit_unaided=all(person.startswith("member:") for person in everybody),
    )
    draft.task("last_collection", "Set the last collection and the end of the Direct Debit", Role.FINANCE,
        "WD(2)",
               end_date=draft.get("end_date"), last_payment_on=draft.get("last_payment_on"))  # fmt: skip
    write_to_family(draft)


def note_exit(draft: Draft) -> None:
    """Note the reasons somebody gave with the exit; no offers from here on."""
    said = [str(reason) for reason in draft.typed("reasons", [])]
    if said:
        draft.set(reasons=sorted({*draft.get("reasons", []), *said}))
    draft.set(wants_no_offers=True)
    fix_notice(draft)


def end_offers(draft: Draft) -> None:
    """The time for talking is over: from here only to the end."""
    draft.set(offers_over=True)
    fix_notice(draft)


def note_evidence(draft: Draft) -> None:
    """The reason to leave early was seen; only its kind is kept."""
    draft.set(early_exit_reason=str(draft.typed("early_exit_reason")), early_exit_evidence=True)


def note_death(draft: Draft) -> None:
    """From here nothing goes to the member, from no other case either."""
    draft.change_member(add_flags=[DECEASED])
    draft.set(deceased=True, wants_no_offers=True, hardship_path="decided" if draft.get("hardship_path") else None)
    if draft.typed("executor_email"):
        _name(draft, "executor")
    fix_notice(draft)


def write_to_family(draft: Draft) -> None:
    """Ask for a letter where the member has died and nobody has an address."""
    if draft.get("deceased") and "executor" not in draft.parties:
        draft.task("write_to_family", "Write to the family of the member who has died", Role.COORDINATOR, "WD(3)")


def take_notice_back(draft: Draft) -> None:
    """The membership goes on; when notice was given stays on record."""
    draft.set(**MISSING_END, refund_due="no", withdrawn_on=draft.today)


def taken_back_by_member(draft: Draft) -> None:
    """The member stays of their own accord, no offer was needed."""
    take_notice_back(draft)
    draft.set(saved_by="member")
    draft.task("keep_collecting", "Undo the last collection and the end of the Direct Debit", Role.FINANCE, "WD(1)")


def before_the_end(draft: Draft) -> bool:
    """The membership has already ended; a new one is needed."""
    end = _day(draft.get("end_date"))
    return end is None or _local(draft, draft.now) <= end
