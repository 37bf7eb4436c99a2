"""Exemption and more time: what a manager may grant a member that is asked for something, in every such process."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from state_machines.process import Effect, Send, Transition
from state_machines.processes import chasing
from state_machines.processes.survey_forms import Because, NewDeadline
from state_machines.values import Role

MANAGER = frozenset({Role.MANAGER})
ASKING = frozenset({Role.MEMBER, Role.COORDINATOR})
_GRANTED = (chasing.take_new_deadline, chasing.grant_extension)


@dataclass(frozen=True)
class Asked:
    """How a process asks a member: how its kinds of messages begin, who is written to, and in which states."""

    kinds: str
    to: str
    request: type[BaseModel]
    """The form in which an exemption is asked for."""
    exemptible: tuple[str, ...]
    reminded: tuple[str, ...]
    """The states in which more time changes nothing but the deadline."""
    begins_again: str
    """Where a case goes that gets more time after its deadline."""
    tell_decline: Effect

    def send(self, kind: str) -> tuple[Send, ...]:
        """Return the message of a kind to whoever is asked."""
        return (Send(f"{self.kinds}_{kind}", self.to),)


def exempting(asked: Asked) -> list[Transition]:
    """Return how an exemption is asked for and decided by somebody else, and how more time is given."""
    return [
        Transition("request_exemption", asked.exemptible, "exemption_requested", by=ASKING, needs=asked.request,
                   keeps=("exemption", "answered_by"), does=(chasing.remember_state,),
                   sends=(Send(f"{asked.kinds}_exemption_asked", "manager"),)),
        Transition("approve_exemption", "exemption_requested", "exempt", by=MANAGER, needs=Because,
                   four_eyes=("request_exemption",), sends=asked.send("exempt"), closes_tasks=("*",),
                   outcome="exempt"),
        *(Transition("decline_exemption", "exemption_requested", state, by=MANAGER, needs=Because,
                     only_if=(chasing.came_from(state),), four_eyes=("request_exemption",),
                     does=(asked.tell_decline,),
                     help="Back to where it was. Reminders that fell into the pause are not caught up.")
          for state in asked.exemptible),
        Transition("extend", asked.reminded, None, by=MANAGER, needs=NewDeadline,
                   checks=(chasing.new_deadline_is_later,), extends="respond", does=_GRANTED,
                   sends=asked.send("extension"), label="Give more time"),
        Transition("extend", ("escalated", "formal_notice", "decision"), asked.begins_again, by=MANAGER,
                   needs=NewDeadline, checks=(chasing.new_deadline_is_later,), extends="respond", does=_GRANTED,
                   label="Give more time", sends=asked.send("extension"), closes_tasks=("*",)),
        Transition("exempt", "decision", "exempt", by=MANAGER, needs=asked.request,
                   keeps=("exemption", "answered_by"), four_eyes=("request_exemption",), outcome="exempt",
                   sends=asked.send("exempt"), closes_tasks=("*",)),
    ]  # fmt: skip
