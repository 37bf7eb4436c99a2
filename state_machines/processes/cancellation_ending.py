"""Effects and guards of the end itself: what stops, what is paid back, and who comes back."""

from __future__ import annotations

from decimal import Decimal

from state_machines.draft import Draft
from state_machines.processes.cancellation_rules import MISSING_END, notice_day, write_to_family
from state_machines.values import Role


def cool_off(draft: Draft) -> None:
    """End it from the moment of the statement: nothing more is collected, everything is paid back."""
    day = notice_day(draft).isoformat()
    draft.set(
        **MISSING_END | {"end_date": day, "end_rule": "COOLING_OFF"},
        refund_due="yes",
        collection_stopped_on=draft.today,
    )
    _leave(draft)
    draft.task("stop_collection", "Stop all collections and cancel the Direct Debit", Role.FINANCE, "WD(1)")
    write_to_family(draft)


def _leave(draft: Draft) -> None:
    """The register says so, and what is open about the member under the code of practice is closed and marked."""
    draft.change_member(status="left")
    draft.fire_linked("member_left", "member:monitoring", left_on=draft.get("end_date"))


def end_membership(draft: Draft) -> None:
    """No future collection, no access, and the register says so."""
    draft.set(ended_on=draft.get("end_date"), collection_stopped_on=draft.today, access="off")
    _leave(draft)
    if not draft.get("bank_cancelled"):
        draft.task("cancel_direct_debit", "Cancel the Direct Debit instruction", Role.FINANCE, "WD(1)")


def refund_is_due(draft: Draft) -> bool:
    """Nothing is to be paid back."""
    return str(draft.get("refund_due")) == "yes"


def no_refund_due(draft: Draft) -> bool:
    """Money is still to be paid back; note the refund first."""
    return not refund_is_due(draft)


def refund_covers(draft: Draft) -> bool:
    """Less was paid back than is due; pay back the whole sum, unless money is still owed to us."""
    due = Decimal(str(draft.get("refund") or 0))
    return bool(draft.typed("balance", 0) > 0 or draft.typed("refunded", 0) >= due)


def left_unsettled(draft: Draft) -> None:
    """Nobody looked at the account; that is said, and nothing is demanded."""
    draft.set(balance_checked=False)
    name_the_end(draft)


def note_settlement(draft: Draft) -> None:
    """The account was looked at; what is still owed goes the ordinary way of arrears, never as a lump sum."""
    draft.set(balance_checked=True, refund_due="no")
    name_the_end(draft)


def name_the_end(draft: Draft) -> None:
    """Say in one word how it ended."""
    rule = str(draft.get("end_rule") or "")
    if draft.get("deceased"):
        outcome = "cancelled_deceased"
    elif rule.startswith("IMMEDIATE") or draft.get("fee_free_exit"):
        outcome = "cancelled_early_exit"
    else:
        outcome = "cancelled_age_out" if "minimum_age" in draft.get("reasons", []) else "cancelled_voluntary"
    draft.set(outcome=outcome)


def arrears_agreed(draft: Draft) -> bool:
    """Money is still owed from before; agree on it first."""
    return bool(draft.typed("arrears_agreed")) or Decimal(str(draft.get("balance") or 0)) <= 0


def note_return(draft: Draft) -> None:
    """The member came back with a new membership; this one stays ended."""
    draft.set(rejoined_on=draft.today, rejoined_as=str(draft.typed("membership", "")))
