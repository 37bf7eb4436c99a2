"""The organisation's rules as data: allowances, ladders, limits, offers. Read from YAML by others, checked here.

The numbers are not in the processes: a policy can be changed, and carries a version that is written on every event.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from state_machines.deadlines import Allowance
from state_machines.ladders import FIRES, BadLadder, CatchUp, Ladder, Rung, parse_late


class PolicyError(ValueError):
    """The policy lacks something or contradicts itself."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClockPolicy(_Strict):
    """The allowance of one clock, and for which profiles it differs."""

    allow: str | None = None
    """``WD(5)`` and the like. Absent when the process says until when (a date of the case)."""
    by: tuple[str, ...] = ()
    """Fields of the case whose value picks a profile, the first that is listed wins."""
    profiles: dict[str, str | None] = Field(default_factory=dict)
    """Allowance by profile; null means that the clock does not run for it."""
    cutoff: bool = False
    """What comes in after the cut-off counts from the next working day. Never for statutory clocks."""
    source: str = ""
    """Where the number comes from: a law, a code, a protocol, or a default of ours."""
    late: str | list[str] | None = None
    """What becomes of its rungs that are found late and say nothing themselves: ``skip 3wd``, ``spread 4h``, ``ask``.
    """

    @field_validator("by", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @cached_property
    def _parsed(self) -> dict[str | None, Allowance | None]:
        parsed: dict[str | None, Allowance | None] = {
            name: Allowance.parse(text) if text else None for name, text in self.profiles.items()
        }
        parsed[None] = Allowance.parse(self.allow) if self.allow else None
        return parsed

    def allowance(self, data: Mapping[str, Any]) -> Allowance | None:
        """Return the allowance for a case with these facts; None when the clock does not run for it."""
        for name in self.by:
            value = data.get(name)
            if isinstance(value, str) and value in self._parsed:
                return self._parsed[value]
        return self._parsed[None]

    @cached_property
    def catch_up(self) -> CatchUp:
        """What becomes of its rungs that are found late. Raises BadLadder."""
        yields, found = parse_late(self.late if self.late is not None else "fire")
        if yields and found.skip_after is None:
            raise BadLadder("late of a clock says after how long: skip 3wd. A plain skip belongs to a rung.")
        return found

    def check(self) -> None:
        """Read every allowance once. Raises BadAllowance or BadLadder."""
        self._parsed, self.catch_up  # noqa: B018  reading is the check


class ProcessPolicy(_Strict):
    """The numbers of one process."""

    clocks: dict[str, ClockPolicy] = Field(default_factory=dict)
    ladders: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    """Ladders of this process; they go before those of the whole organisation."""
    settings: dict[str, Any] = Field(default_factory=dict)


class Window(_Strict):
    """When messages may leave: half-open intervals of local time, on which days."""

    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    """0 is Monday."""
    working_days_only: bool = True
    hours: tuple[tuple[time, time], ...] = ((time(8, 0), time(18, 0)),)


class MailPolicy(_Strict):
    """Limits and windows of outgoing mail."""

    windows: dict[str, Window] = Field(default_factory=lambda: {"office": Window()})
    attempts: int = 8
    retry_minutes: tuple[int, ...] = (1, 5, 15, 60, 180, 360, 720)
    lease_minutes: int = 10
    connections: int = Field(2, ge=1, le=8)
    """How many connections to the mail server one delivery holds at most; a long outbox is shared by them."""
    contact_budget_per_day: int = 6
    """How many automatic messages one address may get on one local day; the rest wait for the next."""
    notice_budget_per_day: int = 20
    """How many notices about cases one of the staff may get on one local day; the rest are in the queue and the digest.
    """
    incoming_per_sender_per_day: int = 10
    """How many mails of one sender are put on one case on one local day; the rest stay in the inbox."""
    mailbox_full_retry_days: int = 2
    """After how many days a message is sent once more that a full mailbox sent back."""


class OrganisationPolicy(_Strict):
    """What belongs to the whole organisation."""

    name: str = "The Membership Association"
    closures: tuple[date, ...] = ()
    cut_off: time = time(17, 0)
    signature: str = "The membership team"
    phone: str = ""
    ombudsman: dict[str, str] = Field(default_factory=dict)


class ApprovalPolicy(_Strict):
    """Which decisions may be taken on several cases at once."""

    together: tuple[Annotated[str, Field(pattern=r"^\w+\.\w+$")], ...] = ()
    """``process.trigger``. Only what needs no more than a reason is ever offered so."""


class ResponseModelPolicy(_Strict):
    """How members answer when they are asked: what forecasts reckon with until the organisation's own record tells."""

    strength: float = Field(20, gt=0)
    """A default counts as much as so many contacts of the organisation's own campaigns."""
    simulations: int = Field(400, ge=20, le=5000)
    past_campaigns: int = Field(10, ge=0, le=100)
    shares: dict[str, Annotated[float, Field(gt=0, lt=100)]] = Field(default_factory=dict)
    """Percent of those still silent who answer before the next contact, by kind of contact."""
    days: tuple[Annotated[float, Field(ge=0)], ...] = (100,)
    """How the answers to a contact spread over the working days from its own on."""
    contacts: tuple[tuple[str, str], ...] = ()
    """Patterns of message kinds, and which kind of contact each is; the first that fits."""


class BreakerLimits(_Strict):
    """From how many cases of one process on a manager is asked before Muster writes, escalates or moves."""

    late: int | None = Field(None, ge=0)
    """Cases that are found late; null: as for every process."""
    on_time: int | None = Field(None, ge=0)
    """Cases that come when they were to come and belong to no campaign; null: as for every process."""


class BreakerPolicy(_Strict):
    """When a sweep stops and asks: see `cases/breaker/`."""

    enabled: bool = True
    late_hours: int = Field(4, ge=1, le=240)
    """What comes so many hours after its time is *late*: nobody expects it any more."""
    within_minutes: int = Field(60, ge=1, le=1440)
    """Cases are counted over so many minutes, however many sweeps these have."""
    late: int = Field(100, ge=0)
    on_time: int = Field(500, ge=0)
    on_time_percent: int = Field(50, ge=0, le=100)
    """... and more than this share of the open cases of the process."""
    senior_after_hours: int = Field(4, ge=1, le=240)
    """When nobody has decided for so long, senior managers are told."""
    postpone_days: int = Field(60, ge=1, le=365)
    """How far what cannot be passed over may be put off."""
    processes: dict[str, BreakerLimits] = Field(default_factory=dict)

    def late_limit(self, process: str) -> int:
        """Return how many late cases of a process go by without a question."""
        own = self.processes.get(process)
        return self.late if own is None or own.late is None else own.late

    def on_time_limit(self, process: str, open_cases: int) -> int:
        """Return how many cases of a process outside campaigns go by in time, out of so many that are open."""
        own = self.processes.get(process)
        if own is not None and own.on_time is not None:
            return own.on_time
        return max(self.on_time, open_cases * self.on_time_percent // 100)

    def on_time_floor(self, process: str) -> int:
        """Return the limit that holds however few cases are open."""
        return self.on_time_limit(process, 0)


class Policy(_Strict):
    """The whole policy."""

    version: str
    organisation: OrganisationPolicy = OrganisationPolicy()
    mail: MailPolicy = MailPolicy()
    approvals: ApprovalPolicy = ApprovalPolicy()
    ladders: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    processes: dict[str, ProcessPolicy] = Field(default_factory=dict)
    response_model: ResponseModelPolicy = ResponseModelPolicy()
    sweep: dict[str, int] = Field(default_factory=dict)
    breaker: BreakerPolicy = BreakerPolicy()
    members: dict[str, Any] = Field(default_factory=dict)

    @cached_property
    def _ladders(self) -> dict[tuple[str, str], Ladder]:
        found = {("", name): Ladder.parse(name, rows) for name, rows in self.ladders.items()}
        for process, policy in self.processes.items():
            found |= {(process, name): Ladder.parse(name, rows) for name, rows in policy.ladders.items()}
        return found

    def ladder(self, process: str, name: str) -> Ladder:
        """Return a ladder by name, the process's own before the organisation's. Raises PolicyError."""
        found = self._ladders.get((process, name)) or self._ladders.get(("", name))
        if found is None:
            raise PolicyError(f"The policy has no ladder {name!r} for the process {process}.")
        return found

    def clock(self, process: str, name: str) -> ClockPolicy:
        """Return the numbers of a clock. Raises PolicyError when the policy does not know it."""
        try:
            return self.processes[process].clocks[name]
        except KeyError:
            raise PolicyError(f"The policy has no clock {name!r} for the process {process}.") from None

    @cached_property
    def _clocks_catching_up(self) -> dict[tuple[str, str], CatchUp]:
        """What clocks say of their late rungs: those that say more than to fire them."""
        found = {(p, name): c.catch_up for p, policy in self.processes.items() for name, c in policy.clocks.items()}
        return {key: each for key, each in found.items() if each != FIRES}

    def catch_up(self, process: str, clock: str, rung: Rung) -> CatchUp:
        """Return what becomes of a rung of a clock when it is found late: as it says itself, or else its clock."""
        return rung.catch_up or self._clocks_catching_up.get((process, clock), FIRES)

    @cached_property
    def asking(self) -> frozenset[str]:
        """The processes in which a clock or rung asks before it catches up; those of all processes as ``*``."""
        ladders = {process or "*" for (process, _), ladder in self._ladders.items()
                   for rung in ladder.rungs if rung.catch_up is not None and rung.catch_up.ask}  # fmt: skip
        return frozenset(ladders | {p for (p, _), each in self._clocks_catching_up.items() if each.ask})

    def setting(self, process: str, name: str) -> Any:
        """Return one setting of a process. Raises PolicyError when it is missing."""
        try:
            return self.processes[process].settings[name]
        except KeyError:
            raise PolicyError(f"The policy has no setting {name!r} for the process {process}.") from None

    def check(self) -> None:
        """Read everything once. Raises PolicyError, BadAllowance or BadLadder with a sentence."""
        self._ladders  # noqa: B018  reading is the check
        for policy in self.processes.values():
            for clock in policy.clocks.values():
                clock.check()
