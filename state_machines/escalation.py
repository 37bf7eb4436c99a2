"""What happens to every case that is late: tell the owner, then the manager, then the senior manager.

Source: the generic ladder E1 to E4. Each is an internal move fired by a rung of a clock, once per clock, and goes away
with the clock. The last one repeats weekly without mail: the case is then in the digest of senior managers.
"""

from __future__ import annotations

from state_machines.process import EVERY_OPEN_STATE, Send, Transition
from state_machines.values import Role

_BY_SYSTEM = frozenset({Role.SYSTEM})


def escalations() -> list[Transition]:
    """Return the internal transitions that ladders fire in any open state."""
    every = EVERY_OPEN_STATE
    return [
        Transition("due_soon", every, None, by=_BY_SYSTEM, sends=(Send("case_due_soon", "owner"),),
                   help="The owner hears that time is running out."),
        Transition("overdue", every, None, by=_BY_SYSTEM,
                   sends=(Send("case_overdue", "owner"), Send("case_overdue", "manager")),
                   help="The owner and the manager hear that the time has passed."),
        Transition("escalate_to_manager", every, None, by=_BY_SYSTEM, sends=(Send("case_escalated", "manager"),),
                   label="Escalate to the manager",
                   help="The manager must reassign, extend or decide."),
        Transition("escalate_to_senior", every, None, by=_BY_SYSTEM, sends=(Send("case_escalated", "senior"),),
                   label="Escalate to the senior manager",
                   help="The senior manager hears of it; it goes into the weekly digest."),
        Transition("still_overdue", every, None, by=_BY_SYSTEM,
                   help="Written on the case every week while nobody acts; shown in the digest, no mail."),
    ]  # fmt: skip
