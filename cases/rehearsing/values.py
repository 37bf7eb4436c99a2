"""What a rehearsal found: frozen values, as its page, its command and the API show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

NOBODY = "none"
MODEL = "model"
FILE = "file"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be rehearsed."""

    answers: str = NOBODY
    """``none``: nobody answers. ``model``: members answer as the response model draws them. ``file``: as told."""
    seed: int = 1
    until: date | None = None


@dataclass(frozen=True, slots=True)
class RehearsedMail:
    """A mail that would leave, to the minute, word for word but for the keys of personal links."""

    at: datetime
    kind: str
    title: str
    case: str
    """The member it is about; the campaign itself where there is none."""
    to_name: str
    to_email: str
    instead_of: str
    """Who would have got it were they not away; empty when it is their own."""
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """A mail that would not leave, and why."""

    at: datetime
    title: str
    case: str
    reason: str


@dataclass(frozen=True, slots=True)
class Landing:
    """An escalation, and whom it lands on."""

    at: datetime
    title: str
    case: str
    lands_on: str
    instead_of: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the rehearsal on which something happens, or which is no ordinary working day."""

    day: date
    weekday: str
    working: bool
    marks: tuple[str, ...]
    """Why it is no ordinary day: a weekend, a public holiday, a closure, a bridge day, who is away."""
    sent: Mapping[str, int]
    """Mails by what they are called."""
    recipients: int
    answers: int
    outstanding: int
    """Members without an answer, an exemption or a decision at the end of the day."""
    tasks: int
    escalations: int

    @property
    def mails(self) -> int:
        """How many mails leave."""
        return sum(self.sent.values())


@dataclass(frozen=True, slots=True)
class ForecastDay:
    """How many members have answered by the end of a day: the middle of all courses, and where four in five lie."""

    day: date
    low: int
    median: int
    high: int


@dataclass(frozen=True, slots=True)
class Share:
    """What the response model reckons for one kind of contact, and what that stands on."""

    contact: str
    percent: float
    own_contacts: int
    own_answers: int


@dataclass(frozen=True, slots=True)
class Reached:
    """When a share of the members is expected to have answered; None: not by the end of the rehearsal."""

    percent: int
    early: date | None
    median: date | None
    late: date | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The curve that the response model expects, with its band."""

    asked: int
    courses: int
    days: tuple[ForecastDay, ...]
    reached: tuple[Reached, ...]
    shares: tuple[Share, ...]
    campaigns: int
    """How many campaigns of this organisation were learnt from; none: the shares are the defaults."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would happen, as far as is known today."""

    ref: str
    title: str
    wish: Wish
    since: datetime
    until: datetime
    whole: bool
    """Whether all members are counted; otherwise those of the viewer's own teams."""
    members: int
    assumed: tuple[str, ...]
    """What people still have to do before the launch, and the rehearsal took for done."""
    end: str
    """Where the campaign would stand at the end, in words."""
    ended_early: bool
    warnings: tuple[str, ...]
    totals: Mapping[str, int]
    days: tuple[Day, ...]
    landings: tuple[Landing, ...]
    not_sent: tuple[NotSent, ...]
    refused: tuple[str, ...]
    """What was told to happen and could not be done, with the sentence that said why."""
    forecast: Forecast | None
    mails: tuple[RehearsedMail, ...] = ()
    hidden: int = 0
    """Mails that are counted and that this person may not read."""

    def to_dict(self, *, mails: bool = True) -> dict[str, Any]:
        """Return it as plain values."""
        found = asdict(self)
        if not mails:
            found.pop("mails")
        return found


def rehearsal_of(stored: Mapping[str, Any], mails: Sequence[Mapping[str, Any]] = ()) -> Rehearsal:
    """Return the rehearsal that ``to_dict`` gave, as JSON gives it back."""
    found = dict(stored)
    found.pop("mails", None)
    wish = Wish(**{**found.pop("wish"), "until": _day(stored["wish"]["until"])})
    forecast = found.pop("forecast")
    return Rehearsal(
        **{
            **found, "wish": wish, "since": _at(found["since"]), "until": _at(found["until"]),
            "assumed": tuple(found["assumed"]), "warnings": tuple(found["warnings"]),
            "refused": tuple(found["refused"]),
            "days": tuple(Day(**{**d, "day": _day(d["day"]), "marks": tuple(d["marks"])}) for d in found["days"]),
            "landings": tuple(Landing(**{**x, "at": _at(x["at"])}) for x in found["landings"]),
            "not_sent": tuple(NotSent(**{**x, "at": _at(x["at"])}) for x in found["not_sent"]),
            "forecast": _forecast(forecast) if forecast else None,
            "mails": tuple(RehearsedMail(**{**x, "at": _at(x["at"])}) for x in mails),
        }
    )  # fmt: skip


def _forecast(stored: Mapping[str, Any]) -> Forecast:
    return Forecast(
        **{
            **stored,
            "days": tuple(ForecastDay(**{**d, "day": _day(d["day"])}) for d in stored["days"]),
            "shares": tuple(Share(**s) for s in stored["shares"]),
            "reached": tuple(
                Reached(r["percent"], _day(r["early"]), _day(r["median"]), _day(r["late"])) for r in stored["reached"]
            ),
        }
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _day(text: str | None) -> Any:
    return date.fromisoformat(text) if text else None
