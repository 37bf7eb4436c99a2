"""One member's signature under a document, from the request to a signature that counts or a decision.

What is signed is a text, by its SHA-256; a signature under any other text does not count, and none counts any more
once a newer version that matters has taken effect. A signature counts at once where the signer is on file as somebody
who may sign, writes from the member's own domain and names the organisation as the register does; otherwise a person
looks. A reservation is decided by a manager; meanwhile nothing is reminded of. Refusal and silence end in one
monitoring case.

Sources: the UK eIDAS regulations (a simple electronic signature needs its maker's intent, and evidence of who made it);
RFC 3463 for what counts as a permanent failure of delivery. States and ladder are our own; a body's numbers go into
policy/signoff.yaml.
"""

from __future__ import annotations

from typing import Any

from state_machines.escalation import escalations
from state_machines.process import EVERY_OPEN_STATE, Clock, Process, Send, State, Transition
from state_machines.processes import chasing, leaving_out, reaching
from state_machines.processes import signature_forms as forms
from state_machines.processes import signature_rules as rules
from state_machines.processes.reaching import ASKED_UNREACHABLE, NOT_REACHED, PROMISE, UNREACHABLE
from state_machines.processes.signature_asking import ASKING, LADDER, REACHING
from state_machines.processes.signature_rules import ASKED, CHECKED, LATE, SEARCHED, WAITING
from state_machines.processes.signature_signing import CHECKING, DECIDING, SIGNATURE
from state_machines.standing import Standing
from state_machines.values import Role

SYSTEM = frozenset({Role.SYSTEM})

_RESPOND: dict[str, Any] = {
    "ladder": "signature", "anchor": "launch", "until": "deadline", "label": "signature",
}  # fmt: skip
RESPOND = Clock("respond", **_RESPOND)
HELD = Clock("respond", paused=True, **_RESPOND)
LINK = Clock("link", ladder="expiry", expires="link_expired", label="life of the personal link")
REPAIR = Clock("contact_repair", ladder="standard", label="finding whom to ask")
SEARCH = Clock("search", ladder="search", label="finding who may sign")
LATE_SIGNATURE = Clock("late_signature", ladder="reminded_expiry", expires="give_up", label="last chance to sign")

STATES = [
    State("pending", standing=Standing.UNREACHED, clocks=(HELD, SEARCH), auto=("send", "seek_signatory"),
          label="Nobody to ask",
          help="Nobody is on file who may sign for the member. As soon as somebody is, Muster asks them."),
    State("sent", standing=Standing.AWAITED, clocks=(RESPOND, LINK, PROMISE),
          help="Asked, and the text has not been opened."),
    State("viewed", standing=Standing.AWAITED, clocks=(RESPOND, LINK, PROMISE),
          help="The text has been opened, which is not a signature."),
    State("expired", standing=Standing.AWAITED, clocks=(RESPOND, PROMISE), label="Link too old",
          help="The personal link is too old to sign with; a new one goes out as soon as it is asked for."),
    State("bounced", standing=Standing.UNREACHED, clocks=(HELD, REPAIR),
          help="Mail came back for good. Reminders stand still until somebody finds a contact that works."),
    State("signed", standing=Standing.IN_REVIEW, clocks=(Clock("check", ladder="standard"),),
          auto=("confirm", "ask_for_check"), label="Signed, to be checked",
          help="The signer, the address or the name of the organisation is not as it is on file."),
    State("signed_with_reservation", standing=Standing.UNDECIDED, owner=Role.MANAGER,
          clocks=(HELD, Clock("reservation", ladder="decision", label="decision about the reservation")),
          help="Signed, but not as it stands. Reminders stand still until it is decided, with legal advice."),
    State("wrong_signatory", standing=Standing.UNREACHED, clocks=(HELD, REPAIR), label="Signed by the wrong person",
          help="Whoever signed may not sign for the member. Somebody finds out who may, and asks again."),
    State("countersigning", standing=Standing.IN_REVIEW, owner=Role.MANAGER,
          clocks=(Clock("countersign", ladder="decision", label="countersignature"),), label="To be countersigned"),
    State("exemption_requested", standing=Standing.UNDECIDED, owner=Role.MANAGER,
          clocks=(HELD, Clock("exemption", ladder="decision")),
          help="Reminders stand still; the deadline does not."),
    State("escalated", standing=Standing.AWAITED, clocks=(RESPOND, PROMISE),
          help="Overdue: a call, then the manager's letter to the signatory."),
    State("formal_notice", standing=Standing.AWAITED, owner=Role.MANAGER,
          clocks=(RESPOND, PROMISE, Clock("comply", ladder="expiry", expires="bring_to_decision"))),
    State("decision", standing=Standing.UNDECIDED, owner=Role.MANAGER,
          clocks=(HELD, Clock("decide", ladder="decision")),
          help="A manager gives more time, exempts, or records that no signature came."),
    State("failed", standing=Standing.UNANSWERED, clocks=(LATE_SIGNATURE,), label="No signature",
          help="Passed to monitoring. A late signature is still taken until the campaign closes."),
    State("refused", standing=Standing.UNANSWERED, clocks=(LATE_SIGNATURE,), label="Refused to sign",
          help="Passed to monitoring. A late signature is still taken until the campaign closes."),
    *reaching.states(HELD, LATE_SIGNATURE),
    *leaving_out.states(HELD),
    State("valid", standing=Standing.COMPLETE, final=True, label="Signature valid"),
    State("exempt", standing=Standing.EXEMPT, final=True),
    State("not_signed", standing=Standing.UNANSWERED, final=True),
    State("superseded", standing=Standing.REPLACED, final=True, label="Superseded by a newer version",
          help="A newer version that matters has taken effect; the member is asked for that one."),
    State("cancelled", standing=Standing.DROPPED, final=True, label="Campaign cancelled"),
]  # fmt: skip
FINAL = ("valid", "exempt", "not_signed", NOT_REACHED)
_MOVED: dict[str, Any] = {
    "by": SYSTEM, "needs": forms.NewDeadline, "only_if": (chasing.a_move_is_left,),
    "checks": (chasing.new_deadline_is_later,), "extends": "respond",
    "label": "The campaign's deadline was moved",
}  # fmt: skip
_ASKED_ANEW: dict[str, Any] = {
    "sends": (Send("signature_deadline_moved", "signatory"),),
    "does": (chasing.take_new_deadline, chasing.note_writing),
}  # fmt: skip
_EDITION: dict[str, Any] = {
    "by": SYSTEM, "needs": forms.NewVersion, "sends": (Send("signature_new_edition", "signatory"),),
    "label": "A newer text took effect",
}  # fmt: skip

CAMPAIGN = [
    Transition("deadline_moved", ASKED, None, **_ASKED_ANEW, **_MOVED),
    Transition("deadline_moved", ("escalated", "formal_notice", "decision"), "sent",
               closes_tasks=("*",), **_ASKED_ANEW, **_MOVED),
    Transition("deadline_moved", (*SEARCHED, ASKED_UNREACHABLE, "exemption_requested", "signed_with_reservation"),
               None, does=(chasing.take_new_deadline,), **_MOVED),
    Transition("new_edition", (*WAITING, ASKED_UNREACHABLE, *LATE, UNREACHABLE), None, checks=(rules.new_text_differs,),
               does=(rules.take_new_edition, chasing.note_writing), **_EDITION),
    Transition("new_edition", (*CHECKED, "valid"), None, checks=(rules.new_text_differs,), **_EDITION),
    Transition("supersede", (EVERY_OPEN_STATE, *FINAL), "superseded", by=SYSTEM, outcome="superseded",
               closes_tasks=("*",), label="A newer version took its place"),
    Transition("campaign_closed", (*WAITING, ASKED_UNREACHABLE, *LATE), "not_signed", by=SYSTEM, outcome="not_signed",
               closes_tasks=("*",)),
    Transition("campaign_cancelled", EVERY_OPEN_STATE, "cancelled", by=SYSTEM, outcome="cancelled",
               sends=(Send("signature_cancelled", "signatory"),), closes_tasks=("*",)),
    Transition("give_up", LATE, "not_signed", by=SYSTEM, outcome="not_signed", closes_tasks=("*",)),
]  # fmt: skip

LEAVING_OUT = leaving_out.leaving_out([s.name for s in STATES if not s.final and s.name != leaving_out.LEFT_OUT])

PROCESS = Process(
    "signature",
    version=1,
    prefix="SG",
    title="Signature",
    initial="pending",
    states=STATES,
    transitions=[
        *ASKING, *SIGNATURE, *REACHING, *LADDER, *CHECKING, *DECIDING, *LEAVING_OUT, *CAMPAIGN, *escalations(),
    ],
    opening=forms.Request,
    opening_keeps=tuple(forms.Request.model_fields),
    opened_by=SYSTEM,
    repeats=("deadline_moved", "taken_back"),
    doc=__doc__,
)  # fmt: skip
