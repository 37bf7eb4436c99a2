"""What stands between a campaign and its launch, and then its end at 100 %: rule by rule, with who can settle it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cases.campaigning.counts import Counts
from cases.campaigning.sight import Sight
from cases.campaigns import kind_of
from state_machines.processes.reaching import ASKED_UNREACHABLE
from state_machines.standing import Standing

_BEFORE = ("planning", "plan_approved", "build", "pilot", "ready")


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that must hold before a campaign can be closed."""

    title: str
    done: bool
    left: int
    """How many members stand in the way; 0 where it is not about members."""
    who: str
    narrow: str = ""
    """Which members to list, as the list of members calls them."""


def checklist(sight: Sight, found: Counts, population: Mapping[str, int] | None) -> list[Step]:
    """Return what stands between a campaign and its launch, and then its end at 100 %, rule by rule.

    ``population`` is how many the rule takes in today, and how many of them mail can reach.
    """
    if not found.launched:
        return _until_launch(sight, population or {}) if sight.row.closed_at is None else []
    signs = kind_of(sight.row.process) == "signoff"
    return [*(_of_sign_off(found) if signs else _of_survey(sight.row, found)), _end(sight.row)]


_COORDINATORS, _MANAGERS = "Coordinators", "Managers"


def _until_launch(sight: Sight, population: Mapping[str, int]) -> list[Step]:
    row, reached = sight.row, _BEFORE.index(sight.row.state)
    asks = kind_of(row.process) == "survey"
    ready = reached == _BEFORE.index("ready")
    return [
        Step("The plan is approved", reached > 0, 0, "A manager other than who planned it"),
        *([Step("It is fixed which questions are asked", reached > 1, 0, _COORDINATORS),
           Step("A pilot is accepted, or skipped", ready, 0, _MANAGERS)] if asks else []),
        *_contacts(sight, population),
        Step("The launch", False, 0, _when(date.fromisoformat(row.data["launch"]), sight.today, ready)),
    ]  # fmt: skip


def _contacts(sight: Sight, population: Mapping[str, int]) -> list[Step]:
    """Whether enough members can be reached; told to whom it is told how many there are."""
    everybody, reached = population.get("eligible", 0), population.get("deliverable", 0)
    if not everybody or not sight.whole:
        return []
    percent = int(sight.here.env.policy.setting(sight.row.process, "deliverable_percent"))
    enough = reached * 100 >= percent * everybody
    title = f"{reached:,} of {everybody:,} members have a contact that works"
    return [Step(title, enough, 0, f"{percent} % should; coordinators repair contacts, or a manager launches anyway")]


def _when(launch: date, today: date, ready: bool) -> str:
    if launch > today:
        left = (launch - today).days
        return f"By itself at 09:00, {'tomorrow' if left == 1 else f'in {left} days'}"
    return "By itself at 09:00" if ready else "The day has passed: move the launch, or it goes out after the last step"


def _waiting(found: Counts) -> list[Step]:
    """What both kinds of campaign wait for, before answers are looked at."""
    done = "signed" if found.kind == "signoff" else "answered"
    awaited, unreachable = found.standing(Standing.AWAITED), found.unreachable
    exemptions, decisions = found.of({"exemption_requested"}), found.of({"decision"})
    proofs = found.of({ASKED_UNREACHABLE})
    return [
        Step(f"Everybody who can be reached has {done}", not awaited, awaited, _COORDINATORS, "reachable"),
        Step("Everybody can be reached", not unreachable, unreachable, _COORDINATORS, "bounced"),
        Step("Every request for an exemption is decided", not exemptions, exemptions, _MANAGERS, "exemption_requested"),
        *([Step("Every proposal that somebody cannot be reached is decided", False, proofs, _MANAGERS,
                ASKED_UNREACHABLE)] if proofs else []),
        Step("Nobody waits for a manager's decision", not decisions, decisions, _MANAGERS, "decision"),
    ]  # fmt: skip


def _refused(found: Counts, what: str, late: str) -> list[Step]:
    left, lost = found.unanswered, found.not_reached
    who = f"Only a late {late} helps; otherwise a senior manager closes with exceptions"
    return [
        Step(what, not left, left, who, "failed"),
        *([Step("Nobody was found to be unreachable", False, lost, who, "not_reached")] if lost else []),
    ]


def _of_survey(row: Any, found: Counts) -> list[Step]:
    review, queried = found.standing(Standing.IN_REVIEW), found.standing(Standing.ASKED_BACK)
    report, approved = row.data.get("report"), row.state in ("reported", "closed_100", "closed_exception")
    return [
        *_waiting(found),
        Step("Every question we asked back is answered", not queried, queried, _COORDINATORS, "queried"),
        Step("Every answer is reviewed", not review, review, _COORDINATORS, "to_review"),
        *_refused(found, "Nobody failed or refused to answer", "answer"),
        Step("The report is submitted", bool(report) or approved, 0, _COORDINATORS),
        Step("The report is approved by somebody else", approved, 0, _MANAGERS),
    ]


def _of_sign_off(found: Counts) -> list[Step]:
    check, countersign = found.of({"signed"}), found.of({"countersigning"})
    reserved = found.of({"signed_with_reservation"})
    return [
        *_waiting(found),
        Step("Every signature is checked", not check, check, _COORDINATORS, "signed"),
        Step("Every reservation is decided", not reserved, reserved, _MANAGERS, "signed_with_reservation"),
        *([Step("Every signature is countersigned", False, countersign, _MANAGERS, "countersigning")]
          if countersign else []),
        *_refused(found, "Nobody failed or refused to sign", "signature"),
    ]  # fmt: skip


def _end(row: Any) -> Step:
    return Step("The campaign is closed", row.closed_at is not None, 0, _MANAGERS)
