"""The values in which it is told what happens next to a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cases.explaining import ahead as running
from state_machines.values import Role


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets a message."""

    name: str
    email: str
    instead_of: str | None
    """The owner who is away on that day."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message that will be asked for, and what will become of it."""

    kind: str
    title: str
    audience: str
    state: str
    """``sent``, ``not sent`` or ``waits``."""
    at: datetime
    """When it leaves, or when it is decided that it does not."""
    to: Reader | None
    why: str
    """Why it is not sent, or why it leaves later than it was asked for."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A task that will be opened."""

    kind: str
    title: str
    role: Role
    due: datetime
    who: str
    """Who has it on that day."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What will happen to another case because of it."""

    what: str
    """``opens``, ``opens for members`` or ``moves``."""
    process: str
    """What kind of case is opened, by title; empty for moves."""
    subject: str
    """Of the new case; of a move the button it stands for."""
    where: str
    """Which cases are moved, in words."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision that will wait for somebody."""

    role: Role
    titles: tuple[str, ...]
    """What can be decided."""
    people: tuple[str, ...]
    """Who may, and has not asked for it."""
    more: int
    """How many more may."""


@dataclass(frozen=True, slots=True)
class Next:
    """One thing that will happen."""

    at: datetime
    kind: str
    """``transition``, ``passed_over``, ``not_fired``, as on events."""
    by: str
    """``clock``, ``state`` (it goes on by itself), ``mail`` or ``case`` (another one pulls it)."""
    clock: str
    clock_title: str
    rung: str
    trigger: str
    title: str
    source: str
    source_title: str
    target: str
    target_title: str
    final: bool
    why: str
    """Of what is not fired: why."""
    cause: str | None
    """The reference of the case that moves it, where the viewer may know it."""
    owner: str | None
    """Who owns the case from then on, by name."""
    acting: str | None
    """Who acts for the owner on that day."""
    rhythm: str
    """How it repeats; the repeats themselves are not listed."""
    mails: tuple[Mail, ...]
    tasks: tuple[Duty, ...]
    beside: tuple[Beside, ...]
    decisions: tuple[Decision, ...]
    seq: int
    """The number its event would have."""

    @property
    def moves(self) -> bool:
        """Whether the case changes its state."""
        return self.source != self.target


@dataclass(frozen=True, slots=True)
class Coming:
    """What happens next to a case, until it ends."""

    ref: str
    subject: str
    process: str
    state_title: str
    now: datetime
    items: tuple[Next, ...]
    waiting: tuple[Mail, ...]
    """Mail that waits already, and what will become of it."""
    ends: str
    """``closed``, ``final``, ``repeats``, ``rests``, ``horizon``, ``endless`` or ``long``."""
    on_hold: bool
    assumed: tuple[str, ...]
    """What is taken to stay as it is today, in sentences."""

    @property
    def ending(self) -> str:
        """Why the list ends here, in a sentence."""
        return _ENDINGS[self.ends]


_ENDINGS = {
    "closed": "The case is closed; nothing more happens by itself.",
    running.FINAL: "Then the case is closed.",
    running.REPEATS: "It goes on like that until somebody acts.",
    running.RESTS: "Nothing more happens by itself.",
    running.HORIZON_REACHED: "Further than two years ahead is not looked.",
    running.ENDLESS: "Muster cannot go on by itself from there; the case would be set aside for whoever runs Muster.",
    running.LONG: "It goes on; no more of it is listed here.",
}
