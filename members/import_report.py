"""What an import did, and when it is held for a person to look first. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from members.errors import listed
from members.planning import Plan
from members.spreadsheets import Refusal


@dataclass(frozen=True, slots=True)
class Held:
    """Why an import was stopped before anything was written, and how to go on."""

    why: str
    how: str
    leavers: tuple[str, ...] = ()
    """Who would leave: "M-000012 Adobe Inc."."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or in a dry run would do."""

    created: int
    updated: int
    unchanged: int
    refused: tuple[Refusal, ...] = ()
    held: Held | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the report for JSON; ``held`` is there only when the import is held."""
        report: dict[str, Any] = {
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "refused": [{"line": refusal.line, "why": refusal.why} for refusal in self.refused],
        }
        if self.held:
            report["held"] = {"why": self.held.why, "how": self.held.how, "leavers": list(self.held.leavers)}
        return report


@dataclass(frozen=True, slots=True)
class Leaving:
    """When so many would leave at once that a person should look first."""

    allowed: bool
    everyone_is_listed: bool
    share: float
    count: int


def hold(plan: Plan, broken: Sequence[Refusal], leaving: Leaving, active: int) -> Held | None:
    """Return why this import must be stopped, or None; `active` is how many active members there are now."""
    if leaving.everyone_is_listed and (unread := [r.line for r in broken] + plan.nameless):
        lines = listed([str(line) for line in sorted(unread)])
        return Held(
            f"The file is to list every member, but cannot be read on line {lines}.",
            "Nothing was written, for whoever stands there would leave. Repair the file and import it again.",
        )
    leavers = [update for update in plan.updated if update.leaves]
    if leaving.allowed or len(leavers) <= leaving.count or len(leavers) <= leaving.share * active:
        return None
    return Held(
        f"{len(leavers)} of {active} active members would leave.",
        "Nothing was written. If they have all left, import the file again with --allow-leavers.",
        tuple(f"{update.card.ref} {update.card.name}" for update in leavers),
    )


def report_of(plan: Plan, broken: Sequence[Refusal], held: Held | None) -> ImportReport:
    """Return what the plan does, or that it is held."""
    refused = tuple(sorted([*broken, *plan.refused], key=lambda refusal: refusal.line))
    if held:
        return ImportReport(0, 0, 0, refused, held)
    return ImportReport(len(plan.created), len(plan.updated), plan.unchanged, refused)
