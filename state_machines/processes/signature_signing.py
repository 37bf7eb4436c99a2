"""Signing, and what people decide about a signature: its check, a reservation, an exemption, more time, the end."""

from __future__ import annotations

from typing import Any

from state_machines.process import Send, Transition
from state_machines.processes import signature_forms as forms
from state_machines.processes import signature_rules as rules
from state_machines.processes.exempting import Asked, exempting
from state_machines.processes.reaching import ASKED_UNREACHABLE, UNREACHABLE
from state_machines.processes.signature_asking import asked_again
from state_machines.processes.signature_rules import ASKED, CHASED, CHECKED, LATE, SEARCHED, SIGNING, WAITING
from state_machines.values import Role

MEMBER = frozenset({Role.MEMBER})
COORDINATOR = frozenset({Role.COORDINATOR})
MANAGER = frozenset({Role.MANAGER})
SENIOR = frozenset({Role.SENIOR})
EITHER = COORDINATOR | MANAGER
SYSTEM = frozenset({Role.SYSTEM})
EXEMPTIBLE = (*CHASED, *SEARCHED, "decision", *LATE)
OPEN_TO_SIGN = (*SIGNING, ASKED_UNREACHABLE, *LATE, UNREACHABLE)
"""States in which the personal link takes a signature: all without one, but for a link that is too old."""
_SIGN: dict[str, Any] = {
    "by": MEMBER, "checks": (rules.text_is_the_one_asked_for,), "does": (rules.take_signature, rules.send_receipt),
    "closes_tasks": ("*",),
}  # fmt: skip

SIGNATURE = [
    Transition("view", "sent", "viewed", by=MEMBER, needs=forms.Viewing, does=(rules.note_language,),
               label="Open the text", help="Looking is not signing."),
    Transition("view", tuple(state for state in OPEN_TO_SIGN if state != "sent"), None, by=MEMBER,
               needs=forms.Viewing, does=(rules.note_language,), label="Open the text"),
    Transition("sign", OPEN_TO_SIGN, "signed", needs=forms.Signature, label="Sign", **_SIGN),
    Transition("reserve", OPEN_TO_SIGN, "signed_with_reservation", needs=forms.Reserved,
               sends=(Send("signature_reservation", "manager"),), label="Sign with a reservation", **_SIGN),
    Transition("confirm", "signed", "countersigning", by=SYSTEM, sends=(Send("signature_countersign", "manager"),),
               only_if=(rules.everything_fits, rules.signed_text_holds, rules.is_countersigned)),
    Transition("confirm", "signed", "valid", by=SYSTEM, outcome="valid",
               only_if=(rules.everything_fits, rules.signed_text_holds)),
    Transition("ask_for_check", "signed", None, by=SYSTEM, sends=(Send("signature_to_check", "owner"),)),
]  # fmt: skip


def _accepted(trigger: str, source: str, by: frozenset[Role], **more: Any) -> list[Transition]:
    """A signature that a person lets count, countersigned where the plan asks for it."""
    common: dict[str, Any] = {"by": by, "needs": forms.Because} | more
    return [
        Transition(trigger, source, "countersigning", sends=(Send("signature_countersign", "manager"),),
                   only_if=(rules.signed_text_holds, rules.is_countersigned), **common),
        Transition(trigger, source, "valid", only_if=(rules.signed_text_holds, rules.is_not_countersigned),
                   does=(rules.send_confirmation,), outcome="valid", closes_tasks=("*",), **common),
    ]  # fmt: skip


CHECKING = [
    *_accepted("accept_signature", "signed", EITHER, label="Accept the signature",
               help="You have seen that whoever signed may sign for the member."),
    Transition("reject_signatory", "signed", "wrong_signatory", by=EITHER, needs=forms.Because,
               does=(rules.forget_signature, rules.ask_for_signatory), label="This person may not sign",
               sends=(Send("signature_wrong_signatory", "signatory"),)),
    *_accepted("accept_reservation", "signed_with_reservation", MANAGER | SENIOR, label="Accept the reservation",
               help="The signature counts, with its reservation on the record."),
    *asked_again("reject_reservation", "signed_with_reservation", "signature_reservation_rejected",
                  by=MANAGER | SENIOR, does=(rules.forget_signature,), label="Reject it, and ask again",
                  help="The member is asked to sign the text as it stands."),
    Transition("treat_as_refusal", "signed_with_reservation", "refused", by=MANAGER | SENIOR, needs=forms.Because,
               does=(rules.forget_signature, rules.open_incident), sends=(Send("signature_refused", "signatory"),),
               closes_tasks=("*",), danger=True, label="Treat the reservation as a refusal",
               help="Opens a monitoring case. The member may still sign until the campaign closes."),
    Transition("countersign", "countersigning", "valid", by=MANAGER | SENIOR, only_if=(rules.signed_text_holds,),
               does=(rules.send_confirmation,), outcome="valid", closes_tasks=("*",)),
]  # fmt: skip

DECIDING = [
    *exempting(Asked(
        kinds="signature", to="signatory", request=forms.ExemptionRequest, exemptible=EXEMPTIBLE, reminded=ASKED,
        begins_again="sent", tell_decline=rules.tell_decline,
    )),
    Transition("fail", "decision", "failed", by=MANAGER, needs=forms.Because, does=(rules.open_incident,),
               sends=(Send("signature_failed", "signatory"),), closes_tasks=("*",), danger=True,
               label="Record that no signature came",
               help="Opens a monitoring case. The member may still sign until the campaign closes."),
    Transition("refuse", (*WAITING, ASKED_UNREACHABLE, *CHECKED), "refused", by=MEMBER | COORDINATOR,
               needs=forms.Refusal, does=(rules.forget_signature, rules.open_incident),
               sends=(Send("signature_refused", "signatory"),), closes_tasks=("*",), danger=True,
               label="The member refuses to sign",
               help="In writing. Opens a monitoring case; the member may still sign until the campaign closes."),
]  # fmt: skip
