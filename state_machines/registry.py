"""All processes by name. A process that does not hold is not loaded."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib import import_module

from state_machines.policy import Policy
from state_machines.process import Process
from state_machines.proof import BrokenProcess, Violation, prove

MODULES = (
    "monitoring",
    "complaint",
    "cancellation",
    "survey_campaign",
    "survey_response",
    "code_document",
    "signoff_campaign",
    "signature",
)


class UnknownProcess(KeyError):
    """There is no process of this name."""

    def __str__(self) -> str:
        return f"There is no process named {self.args[0]!r}; there are {', '.join(processes())}."


@cache
def processes() -> dict[str, Process]:
    """Return all processes by name, in the order of the handbook."""
    found = [import_module(f"state_machines.processes.{name}").PROCESS for name in MODULES]
    return {process.name: process for process in found}


def process_named(name: str) -> Process:
    """Return a process by name; ``survey-response`` and ``survey_response`` are the same. Raises UnknownProcess."""
    try:
        return processes()[name.replace("-", "_")]
    except KeyError:
        raise UnknownProcess(name) from None


def check_all(policy: Policy, message_kinds: Collection[str] | None = None) -> list[Violation]:
    """Return every violation of every process under this policy."""
    found = [bad for process in processes().values() for bad in prove(process, policy, message_kinds=message_kinds)]
    return found + _unknown_together(policy)


def _unknown_together(policy: Policy) -> list[Violation]:
    """What the policy lets managers decide on several cases at once must be there, and need a second pair of eyes."""
    decisions = {f"{p.name}.{t.trigger}" for p in processes().values() for t in p.transitions if t.four_eyes}
    return [
        Violation(name.partition(".")[0], "policy approvals.together", f"There is no decision {name}.")
        for name in policy.approvals.together if name not in decisions
    ]  # fmt: skip


def require_sound(policy: Policy, message_kinds: Collection[str] | None = None) -> None:
    """Raise BrokenProcess unless every process is proved under this policy."""
    broken = check_all(policy, message_kinds)
    if broken:
        raise BrokenProcess(broken)
