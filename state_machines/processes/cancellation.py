"""A member wants to leave.

When the member said so is fixed at opening and never changes. From every state before the end one step of the
member, or time alone, leads to ``notice_running``; an offer stands beside that road, never in it. Inside the
cooling-off time there is no offer at all. The end-of-contract notice leaves on time even while an offer or a
hardship decision is open; the member may still accept until the offer runs out.

A report of the bank ("instruction cancelled by payer") is an intent and no request: it asks the member what
they mean.

When another cancellation of the same member is opened, ``new_cancellation`` is fired on their earlier ones
(``member:cancellation``): a saved or revoked one becomes ``save_failed``, an intent is closed. Others refuse
it, which is no error. Somebody who comes back has a new membership; the ended case stays ended and notes it
(``reinstate``).

Facts from outside: ``member`` (flags, joined_on), ``linked`` (open complaints), ``history`` with
``saved_case`` (an earlier cancellation that is saved now), ``cancellations_window`` (how many others),
``offers_24m`` (the ``offers`` of those of two years, in a row) and ``open_complaints``.

Sources: Consumer Contracts Regulations 2013; Digital Markets, Competition and Consumers Act 2024 ss. 258 to
266; OFT v Ashbourne Management Services [2011] EWHC 1237 (Ch).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from state_machines.escalation import escalations
from state_machines.process import EVERYONE_INSIDE, Clock, Effect, Process, Send, State, Transition
from state_machines.processes import cancellation_ending as ending
from state_machines.processes import cancellation_forms as forms
from state_machines.processes import cancellation_offers as offers
from state_machines.processes import cancellation_rules as rules
from state_machines.values import Role

SYSTEM = frozenset({Role.SYSTEM})
MEMBER = frozenset({Role.MEMBER})
DESK = EVERYONE_INSIDE | {Role.SITE}
ANYBODY = DESK | MEMBER
DECIDERS = EVERYONE_INSIDE
MONEY = EVERYONE_INSIDE | {Role.FINANCE}

END_NOTICE = Clock(
    "end_notice", "end_notice", expires="time_is_up", anchor="notice_given_at", label="end-of-contract notice"
)
IDENTITY = Clock("identity", "expiry", expires="time_is_up", label="check of identity")
CONTACT = Clock("contact", "expiry", expires="time_is_up", label="contact")
OFFER_REPLY = Clock("offer_reply", "expiry", expires="time_is_up", label="answer to the offer")
HARDSHIP = Clock("hardship_decision", "hardship", expires="hardship_undecided", label="decision on hardship")
LAST_DAY = Clock("end_date", "expiry", expires="end_reached", until="end_date", label="last day of the membership")
SETTLEMENT = Clock("settlement", "settlement", expires="close_unsettled", label="settling the account")
REFUND = Clock("refund", "standard", label="refund")
SAVE_WINDOW = Clock("save_window", "expiry", expires="window_passed", label="save window")
INTENT = Clock("intent", "expiry", expires="intent_unanswered", label="answer to our question")

STATES = (
    State("requested", clocks=(END_NOTICE,), auto=("note_intent", "check_identity", "check_cooling_off")),
    State("intent", clocks=(INTENT,), label="Asked what they mean",
          help="The bank reports a cancelled Direct Debit. That is no notice; the member is asked."),
    State("identity_check", clocks=(IDENTITY, END_NOTICE), label="Identity check"),
    State("cooling_off_check", clocks=(END_NOTICE,), label="Cooling-off check",
          auto=("cool_off", "hear_hardship", "offer_contact", "start_notice")),
    State("contact_offered", clocks=(CONTACT, END_NOTICE),
          help="The member may hear an offer, or leave at once."),
    State("offer_made", clocks=(OFFER_REPLY, END_NOTICE), help="An offer waits for the member's yes or no."),
    State("hardship", clocks=(HARDSHIP, END_NOTICE), help="Money is short: help, or let go free of charge."),
    State("offer_accepted", clocks=(SAVE_WINDOW,), auto=("save",)),
    State("saved", clocks=(SAVE_WINDOW,),
          help="The member stays; it counts when they are still here at the end."),
    State("revoked", clocks=(SAVE_WINDOW,), label="Notice taken back"),
    State("notice_running", clocks=(LAST_DAY, HARDSHIP)),
    State("end_confirmed", owner=Role.FINANCE, clocks=(SETTLEMENT,), label="Ended, account to settle"),
    State("cooled_off", owner=Role.FINANCE, clocks=(REFUND,),
          label="Cancelled in the cooling-off time, refund to do"),
    State("cancelled", final=True),
    State("refunded", final=True, label="Cancelled in the cooling-off time, refunded"),
    State("retained", final=True, label="Still a member"),
    State("save_failed", final=True, label="Saved, then left"),
    State("intent_closed", final=True, label="No cancellation"),
    State("not_the_member", final=True, label="Not from the member"),
)  # fmt: skip

NOTICE_SENDS = (
    Send("cancellation_end_notice", "member", when=rules.alive),
    Send("cancellation_end_notice", "party:payer", when=rules.has_payer),
    Send("cancellation_bereavement", "party:executor", when=rules.dead_with_executor),
)
COOLED_OFF: dict[str, Any] = {
    "target": "cooled_off",
    "only_if": (rules.inside_cooling_off,),
    "sends": (
        Send("cancellation_cooled_off", "member", when=rules.alive),
        Send("cancellation_bereavement", "party:executor", when=rules.dead_with_executor),
        Send("cancellation_refund_note", "role:finance"),
    ),
}
TALKING = ("contact_offered", "offer_made", "hardship")
PRE_END = ("requested", "identity_check", "cooling_off_check", *TALKING)


def ways_out(trigger: str, by: Collection[Role], effect: Effect, **more: Any) -> list[Transition]:
    """Return the moves of a trigger that leads out of every state before the end, past all offers.

    Where the cooling-off time has not been asked about yet it is asked first; the rest follows by itself.
    """
    return [
        Transition(trigger, ("requested", "identity_check"), "cooling_off_check", by=by, does=(effect,),
                   **more),
        Transition(trigger, "cooling_off_check", by=by, does=(effect, ending.cool_off), **COOLED_OFF, **more),
        Transition(trigger, ("cooling_off_check", *TALKING), "notice_running", by=by,
                   does=(effect, rules.give_notice),
                   sends=NOTICE_SENDS, closes_tasks=("contact_member",), **more),
    ]  # fmt: skip


EXIT = [
    *ways_out("end_now_without_offers", ANYBODY, rules.note_exit, needs=forms.Exit,
              label="End the membership now", help="No further questions and no offers."),
    Transition("end_now_without_offers", "intent", "cooling_off_check", by=ANYBODY, needs=forms.Exit,
               does=(rules.confirm_statement, rules.note_exit, offers.notice_hardship),
               label="End the membership now"),
    *ways_out("time_is_up", SYSTEM, rules.end_offers),
    *ways_out("record_death", DESK, rules.note_death, needs=forms.Death, label="The member has died",
              help="No offers, no reminders; one letter to whoever acts for the member."),
    Transition("record_death", "intent", "cooling_off_check", by=DESK, needs=forms.Death,
               does=(rules.note_death,), label="The member has died"),
    Transition("record_death", "notice_running", None, by=DESK, needs=forms.Death, only_if=(rules.alive,),
               does=(rules.note_death, rules.work_out_end, rules.write_to_family),
               restarts=("end_date", "hardship_decision"),
               sends=(Send("cancellation_bereavement", "party:executor", when=rules.dead_with_executor),),
               label="The member has died"),
]  # fmt: skip

BEGINNING = [
    Transition("note_intent", "requested", "intent", by=SYSTEM, only_if=(rules.is_bank_report,),
               does=(rules.ask_about_death,),
               sends=(Send("cancellation_intent", "member", when=rules.alive),)),
    Transition("check_identity", "requested", "identity_check", by=SYSTEM,
               only_if=(rules.identity_in_doubt,)),
    Transition("check_cooling_off", "requested", "cooling_off_check", by=SYSTEM),
    Transition("confirm_cancellation", "intent", "cooling_off_check", by=ANYBODY, needs=forms.Statement,
               does=(rules.confirm_statement, offers.notice_hardship),
               sends=(Send("cancellation_receipt", "member", when=rules.alive),),
               label="Yes, end the membership"),
    Transition("keep_membership", "intent", "intent_closed", by=ANYBODY, outcome="kept",
               closes_tasks=("check_death",), label="No, only the payment changed"),
    Transition("intent_unanswered", "intent", "intent_closed", by=SYSTEM, outcome="unanswered",
               sends=(Send("cancellation_intent_closed", "member", when=rules.alive),)),
    Transition("confirm_identity", "identity_check", "cooling_off_check", by=DESK, needs=forms.IdentityNote),
    Transition("reject_identity", "identity_check", "not_the_member", by=frozenset({Role.MANAGER}),
               danger=True,
               needs=forms.IdentityNote, outcome="not_the_member", label="It was not the member"),
    Transition("cool_off", "cooling_off_check", by=SYSTEM, does=(ending.cool_off,), **COOLED_OFF),
    Transition("hear_hardship", "cooling_off_check", "hardship", by=SYSTEM,
               only_if=(rules.outside_cooling_off, offers.in_hardship),
               sends=(Send("cancellation_hardship", "member"),)),
    Transition("offer_contact", "cooling_off_check", "contact_offered", by=SYSTEM,
               only_if=(rules.outside_cooling_off, offers.may_be_asked), does=(offers.plan_contact,)),
    Transition("start_notice", "cooling_off_check", "notice_running", by=SYSTEM, does=(rules.give_notice,),
               sends=NOTICE_SENDS),
]  # fmt: skip

OFFER_SENT = (Send("cancellation_offer", "member"),)
MAY_OFFER = (rules.outside_cooling_off, offers.may_be_asked, offers.offers_left)
FITS = (offers.known_and_eligible, offers.within_terms, offers.within_authority)
MAY_ACCEPT = (rules.alive, offers.offer_on_the_table, rules.before_the_end)
MAY_STAY = (rules.alive, rules.before_the_end)
ACCEPTED: dict[str, Any] = {
    "does": (offers.take_offer,),
    "sends": (Send("cancellation_offer_confirmed", "member"),),
    "closes_tasks": ("contact_member", "last_collection"),
}

OFFERS = [
    Transition("ask_for_offer", "contact_offered", "offer_made", by=MEMBER | SYSTEM,
               does=(offers.show_offer,),
               only_if=(*MAY_OFFER, offers.no_screen_yet, offers.something_to_show),
               closes_tasks=("contact_member",),
               label="See what we can offer", help="Shown once; you can end the membership just as well."),
    Transition("make_offer", "contact_offered", "offer_made", by=DESK, needs=forms.MadeOffer,
               only_if=MAY_OFFER,
               checks=FITS, does=(offers.put_offer,), sends=OFFER_SENT, closes_tasks=("contact_member",)),
    Transition("make_offer", "offer_made", None, by=DESK, needs=forms.MadeOffer, only_if=MAY_OFFER,
               checks=FITS, does=(offers.put_offer,), sends=OFFER_SENT, restarts=("offer_reply",),
               label="Make another offer"),
    Transition("accept_offer", ("offer_made", "notice_running"), "offer_accepted", by=MEMBER,
               needs=forms.Acceptance, only_if=MAY_ACCEPT, **ACCEPTED),
    Transition("accept_offer", ("offer_made", "notice_running"), "offer_accepted", by=DESK,
               only_if=MAY_ACCEPT,
               needs=forms.RecordedAcceptance, label="Record that the member accepted", **ACCEPTED),
    Transition("save", "offer_accepted", "saved", by=SYSTEM),
    Transition("window_passed", ("offer_accepted", "saved"), "retained", by=SYSTEM,
               does=(offers.name_the_save,)),
    Transition("window_passed", "revoked", "retained", by=SYSTEM, outcome="revoked"),
    Transition("new_cancellation", ("saved", "revoked"), "save_failed", by=SYSTEM, outcome="save_failed",
               help="The member cancels again within the save window."),
    Transition("new_cancellation", "intent", "intent_closed", by=SYSTEM, outcome="superseded"),
]  # fmt: skip

HELP = [
    Transition("declare_hardship", ("contact_offered", "offer_made"), "hardship", by=ANYBODY,
               needs=forms.Hardship, only_if=(rules.outside_cooling_off, rules.alive, offers.no_hardship_yet),
               does=(offers.declare_hardship,), sends=(Send("cancellation_hardship", "member"),),
               closes_tasks=("contact_member",), label="Money is short"),
    Transition("declare_hardship", "notice_running", None, by=ANYBODY, needs=forms.Hardship,
               only_if=(rules.outside_cooling_off, rules.alive, offers.no_hardship_yet),
               does=(offers.declare_hardship,), sends=(Send("cancellation_hardship", "member"),),
               restarts=("hardship_decision",), label="Money is short"),
    Transition("offer_help", "hardship", "offer_made", by=DECIDERS, needs=forms.HardshipHelp,
               only_if=(rules.outside_cooling_off, rules.alive), does=(offers.put_help,), sends=OFFER_SENT),
    Transition("offer_help", "notice_running", None, by=DECIDERS, needs=forms.HardshipHelp,
               only_if=(rules.outside_cooling_off, rules.alive, offers.hardship_waits),
               does=(offers.put_help,), sends=OFFER_SENT, restarts=("hardship_decision",)),
    *[Transition(trigger, "hardship", "notice_running", by=by, does=(offers.let_go_free, rules.give_notice),
                 sends=NOTICE_SENDS, label="Let go free of charge")
      for trigger, by in (("let_go_free", DECIDERS), ("hardship_undecided", SYSTEM))],
    *[Transition(trigger, "notice_running", None, by=by, only_if=(offers.hardship_waits,),
                 sends=NOTICE_SENDS[:2],
                 does=(offers.let_go_free_now,), restarts=("end_date", "hardship_decision"),
                 label="Let go free of charge")
      for trigger, by in (("let_go_free", DECIDERS), ("hardship_undecided", SYSTEM))],
]  # fmt: skip

ENDING = [
    Transition("revoke", "notice_running", "revoked", by=MEMBER, needs=forms.Stay, only_if=MAY_STAY,
               does=(rules.taken_back_by_member,), sends=(Send("cancellation_revoked", "member"),),
               closes_tasks=("last_collection",), label="Stay after all"),
    Transition("revoke", "notice_running", "revoked", by=DESK, needs=forms.RecordedStay, only_if=MAY_STAY,
               does=(rules.taken_back_by_member,), sends=(Send("cancellation_revoked", "member"),),
               closes_tasks=("last_collection",), label="Record that the member stays"),
    Transition("record_evidence", PRE_END, None, by=DESK, needs=forms.Evidence, does=(rules.note_evidence,),
               label="Reason to leave early was shown"),
    Transition("record_evidence", "notice_running", None, by=DESK, needs=forms.Evidence,
               restarts=("end_date",), does=(rules.note_evidence, rules.work_out_end), sends=NOTICE_SENDS[:2],
               label="Reason to leave early was shown"),
    Transition("end_reached", "notice_running", "end_confirmed", by=SYSTEM, does=(ending.end_membership,),
               sends=(Send("cancellation_ended", "member", when=rules.alive),
                      Send("cancellation_refund_note", "role:finance", when=ending.refund_is_due))),
    Transition("settle", "end_confirmed", "cancelled", by=MONEY, needs=forms.Settlement,
               keeps=("balance", "refunded"), checks=(ending.refund_covers,), does=(ending.note_settlement,),
               closes_tasks=("cancel_direct_debit",), label="Account settled"),
    Transition("close_unsettled", "end_confirmed", "cancelled", by=SYSTEM, only_if=(ending.no_refund_due,),
               does=(ending.left_unsettled,)),
    Transition("confirm_refund", "cooled_off", "refunded", by=MONEY, needs=forms.Refund, outcome="cooled_off",
               keeps=("amount", "refunded_on"), closes_tasks=("stop_collection",), label="Refund done"),
    Transition("reinstate", "cancelled", None, by=DECIDERS | SYSTEM, needs=forms.Rejoin,
               checks=(ending.arrears_agreed,),
               does=(ending.note_return,), label="Came back with a new membership"),
]  # fmt: skip

BESIDE = frozenset({"stated_at", "verbatim", "executor_name", "executor_email", "payer_name", "payer_email"})
KEPT = tuple(name for name in forms.CancellationRequest.model_fields if name not in BESIDE)

PROCESS = Process(
    name="cancellation",
    version=1,
    prefix="CX",
    title="Cancellation",
    initial="requested",
    states=STATES,
    transitions=(*BEGINNING, *EXIT, *OFFERS, *HELP, *ENDING, *escalations()),
    opening=forms.CancellationRequest,
    opening_keeps=KEPT,
    opening_does=(rules.take_statement, offers.notice_hardship),
    opening_sends=(Send("cancellation_receipt", "member", when=rules.owes_receipt),),
    opened_by=ANYBODY | SYSTEM,
    facts=("linked", "history"),
    doc=__doc__ or "",
)
