"""Asking a member for its signature: the request, the ladder of reminders, and how the signatory is reached."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from state_machines.process import Effect, Guard, Send, Transition
from state_machines.processes import chasing, reaching, reaching_forms
from state_machines.processes import signature_forms as forms
from state_machines.processes import signature_rules as rules
from state_machines.processes.pressing import letter_and_notice, rung
from state_machines.processes.reaching import ASKED_UNREACHABLE, UNREACHABLE
from state_machines.processes.reaching_rules import count_bounce
from state_machines.processes.signature_rules import ASKED, CHASED, CHECKED, LATE, SEARCHED
from state_machines.values import Role

MEMBER = frozenset({Role.MEMBER})
COORDINATOR = frozenset({Role.COORDINATOR})
MANAGER = frozenset({Role.MANAGER})
EITHER = COORDINATOR | MANAGER
SYSTEM = frozenset({Role.SYSTEM})
REACH = reaching.Reach(
    unopened=("sent",), chased=CHASED, provable=(*SEARCHED, "escalated", "formal_notice", "decision"),
    others=("exemption_requested", ASKED_UNREACHABLE, *CHECKED, *LATE, UNREACHABLE),
)  # fmt: skip

_REQUEST: dict[str, Any] = {
    "does": (chasing.note_writing,), "sends": (Send("signature_request", "signatory"),),
    "closes_tasks": ("contact_repair",),
}  # fmt: skip


def asked_again(
    trigger: str, source: str, letter: str, *, needs: type[BaseModel] = forms.Because,
    late: type[BaseModel] = forms.AskedAgainLate, only_if: tuple[Guard, ...] = (), does: tuple[Effect, ...] = (),
    **more: Any,
) -> list[Transition]:  # fmt: skip
    """Asking the member once more; where its deadline has passed meanwhile, with a new one."""
    common: dict[str, Any] = {"sends": (Send(letter, "signatory"),), "closes_tasks": ("*",)} | more
    return [
        Transition(trigger, source, "sent", needs=needs, only_if=(chasing.deadline_is_ahead, *only_if),
                   does=(*does, chasing.note_writing), **common),
        Transition(trigger, source, "sent", needs=late, only_if=(chasing.deadline_has_passed, *only_if),
                   checks=(chasing.new_deadline_is_ahead,), extends="respond",
                   does=(*does, chasing.take_new_deadline, chasing.grant_extension), **common),
    ]  # fmt: skip


def _reminder(trigger: str, kind: str) -> Transition:
    return Transition(trigger, CHASED, None, by=SYSTEM, only_if=(rules.may_be_reminded,),
                      does=(chasing.count_reminder,), sends=(Send(kind, "signatory"),))  # fmt: skip


ASKING = [
    Transition("send", "pending", "sent", by=SYSTEM, **_REQUEST,
               only_if=(rules.signatory_is_on_file, chasing.deadline_is_ahead), label="Ask the signatory"),
    Transition("seek_signatory", "pending", None, by=SYSTEM, does=(rules.ask_for_signatory,),
               sends=(Send("signature_no_signatory", "owner"),)),
    *asked_again("ask_signatory", "pending", "signature_request", by=EITHER, needs=forms.Repaired,
                  late=forms.RepairedLate, only_if=(rules.signatory_is_on_file,), label="Ask the signatory",
                  help="Once a contact is on file who may sign for the member."),
    *asked_again("ask_again", "wrong_signatory", "signature_request", by=EITHER,
                  only_if=(rules.signatory_is_on_file,), label="Ask again",
                  help="Once the right person is on file as the signatory."),
    *asked_again("contact_repaired", "bounced", "signature_request", by=EITHER, needs=forms.Repaired,
                  late=forms.RepairedLate, only_if=(rules.signatory_is_on_file,)),
    Transition("link_expired", ("sent", "viewed"), "expired", by=SYSTEM),
    Transition("reissue", "expired", "sent", by=SYSTEM | COORDINATOR, does=(chasing.note_writing,),
               sends=(Send("signature_fresh_link", "signatory"),), label="Send a new link"),
    Transition("bounce", ASKED, "bounced", by=SYSTEM | COORDINATOR, needs=forms.Bounce,
               does=(count_bounce, rules.ask_for_signatory),
               sends=(Send("signature_bounced", "owner"),), label="Mail came back",
               help="Only where the address is refused for good; an automatic reply does not count."),
    Transition("bounce", ("escalated", "formal_notice", "exemption_requested", "decision", *CHECKED), None,
               by=SYSTEM | COORDINATOR, needs=forms.Bounce, label="Mail came back",
               does=(count_bounce, rules.ask_for_signatory),
               sends=(Send("signature_bounced", "owner"),)),
]  # fmt: skip

_AGAIN: dict[str, Any] = {"by": SYSTEM, "needs": reaching_forms.ContactLost, "label": "The signatory has gone"}


def _reaching() -> list[Transition]:
    """How a signatory is reached: by promises, calls, letters and proof; never by turning to who may not sign.

    A member who cannot be reached is looked at in a monitoring case, as everybody who has not signed.
    """
    found = [t for t in reaching.reaching(REACH) if t.trigger not in ("turn_to_next_contact", "not_me", "contact_lost")]
    return [replace(t, does=(*t.does, rules.open_incident)) if t.target == UNREACHABLE else t for t in found]


REACHING = [
    *_reaching(),
    Transition("not_me", CHASED, "wrong_signatory", by=MEMBER, needs=reaching_forms.NotMe,
               does=(rules.take_not_me, rules.ask_for_signatory), sends=(Send("signature_not_me", "owner"),),
               label="I am not the right person", help="No signature: it only says that somebody else must sign."),
    Transition("contact_lost", CHASED, None, only_if=(rules.signatory_is_on_file,),
               does=(count_bounce, chasing.note_writing), sends=(Send("signature_request", "signatory"),), **_AGAIN),
    Transition("contact_lost", CHASED, "bounced", does=(count_bounce, rules.ask_for_signatory),
               sends=(Send("signature_bounced", "owner"),), **_AGAIN),
]  # fmt: skip

LADDER = [
    _reminder("first_reminder", "signature_reminder_first"),
    _reminder("second_reminder", "signature_reminder_second"),
    _reminder("three_days_left", "signature_three_days_left"),
    _reminder("last_day", "signature_last_day"),
    *rung("first_call", ASKED, does=(rules.ask_first_call,), sends=(Send("signature_phone_due", "owner"),),
          only_if=(chasing.no_promise_stands,)),
    *letter_and_notice("signature", ASKED),
    Transition("nudge", (*ASKED, "escalated"), None, by=COORDINATOR, only_if=(chasing.not_written_to_today,),
               does=(chasing.count_reminder,), sends=(Send("signature_nudge", "signatory"),),
               label="Send a reminder now", help="At most one message a day; it counts as a reminder."),
]  # fmt: skip
