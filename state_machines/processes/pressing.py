"""After the deadline: calls, a letter to whoever signs for the member, a formal notice, and a manager's decision.

The same for an answer and for a signature; which letters go out is told by the name their kinds begin with.
"""

from __future__ import annotations

from typing import Any

from state_machines.process import Effect, Send, Transition
from state_machines.processes import chasing
from state_machines.processes.survey_forms import Because
from state_machines.values import Role

MANAGER = frozenset({Role.MANAGER})
SYSTEM = frozenset({Role.SYSTEM})
PRESSED = ("escalated", "formal_notice")


def rung(
    trigger: str, asked: tuple[str, ...], *, does: tuple[Effect, ...] = (), sends: tuple[Send, ...], **more: Any
) -> list[Transition]:
    """Return a rung after the deadline: the first of them turns reminders into an escalation."""
    guards = more.pop("only_if", ())
    common: dict[str, Any] = {"by": SYSTEM, "does": (chasing.mark_overdue, *does), "sends": sends} | more
    return [
        Transition(trigger, asked, "escalated", only_if=guards, **common),
        Transition(trigger, PRESSED, None, only_if=(chasing.no_notice_yet, *guards), **common),
    ]


def letter_and_notice(kinds: str, asked: tuple[str, ...]) -> list[Transition]:
    """Return the last rungs: the letter to the signatory, the notice announced and given, and the decision."""
    return [
        *rung("write_to_signatory", asked, does=(chasing.note_writing,), sends=(Send(f"{kinds}_letter", "signatory"),)),
        *rung("announce_notice", asked, sends=(Send(f"{kinds}_notice_ahead", "manager"),)),
        Transition("formal_notice", (*asked, "escalated"), "formal_notice", by=SYSTEM | MANAGER,
                   only_if=(chasing.notice_may_go,), does=(chasing.start_notice, chasing.note_writing),
                   sends=(Send(f"{kinds}_formal_notice", "signatory"), Send(f"{kinds}_notice_sent", "manager")),
                   label="Send the formal notice", danger=True,
                   help="Goes out by itself 20 working days after the deadline, unless a manager withholds it."),
        Transition("formal_notice", "formal_notice", None, by=SYSTEM, only_if=(chasing.notice_may_go,)),
        Transition("withhold", (*asked, "escalated"), None, by=MANAGER, needs=Because,
                   does=(chasing.withhold_notice,), label="Withhold the formal notice",
                   help="The case then goes straight to your decision when the ladder ends."),
        Transition("bring_to_decision", (*asked, *PRESSED), "decision", by=SYSTEM,
                   only_if=(chasing.had_time_to_comply,), does=(chasing.mark_overdue,),
                   sends=(Send(f"{kinds}_decision_wanted", "manager"),)),
    ]  # fmt: skip
