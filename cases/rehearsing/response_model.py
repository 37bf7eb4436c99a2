"""How members answer when they are asked: defaults from the policy, corrected by the organisation's own campaigns.

A share says how many of those still silent answer after one contact and before the next. It is not known exactly, so it
is a Beta distribution: the default counts as much as ``strength`` contacts, and every contact of an earlier campaign as
one. What members do after a call can be reckoned with only if somebody rings: that is taken for done on its due day.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache

from sqlalchemy import bindparam, text

from cases.rehearsing.happenings import Happening
from cases.rehearsing.values import Share
from config.database import Connection
from notifications import catalogue
from state_machines.calendars import Calendar
from state_machines.policy import ResponseModelPolicy
from state_machines.process import Process
from state_machines.standing import RESPONDED

CALL = "call"
PHONE = "phone"
"""The kind of task that is a call."""
_SOONEST, _LATEST = 30, 8 * 60
"""Answers are written between half past nine and five, so many minutes from nine on."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A member is asked: by a mail or by a call."""

    at: datetime
    kind: str


@dataclass(frozen=True)
class ResponseModel:
    """The shares of one kind of campaign, and how answers spread over the days after a contact."""

    policy: ResponseModelPolicy
    contacts: Mapping[str, int] = field(default_factory=dict)
    """Contacts of earlier campaigns by kind of contact."""
    answers: Mapping[str, int] = field(default_factory=dict)
    """How many of them were answered before the next one."""
    campaigns: int = 0

    def kind_of(self, message_kind: str) -> str:
        """Return which contact a message is; empty when it asks for nothing."""
        return _kind_of(self.policy.contacts, message_kind)

    def beta(self, kind: str) -> tuple[float, float]:
        """Return the distribution of the share of one kind of contact."""
        default = self.policy.shares.get(kind, 5.0) / 100
        yes = default * self.policy.strength + self.answers.get(kind, 0)
        return yes, (1 - default) * self.policy.strength + max(
            self.contacts.get(kind, 0) - self.answers.get(kind, 0), 0
        )

    def share(self, kind: str) -> float:
        """Return the expected share, from 0 to 1."""
        yes, no = self.beta(kind)
        return yes / (yes + no)

    def shares(self, kinds: Iterable[str]) -> tuple[Share, ...]:
        """Return the shares as people read them."""
        return tuple(
            Share(kind, round(self.share(kind) * 100, 1), self.contacts.get(kind, 0), self.answers.get(kind, 0))
            for kind in sorted(kinds, key=[*self.policy.shares].index if self.policy.shares else None)
        )


@lru_cache(maxsize=1_000)
def _kind_of(patterns: tuple[tuple[str, str], ...], message_kind: str) -> str:
    return next((kind for pattern, kind in patterns if fnmatchcase(message_kind, pattern)), "")


# ------------------------------------------------------------------------------------- learning from what has been

_ASKED = text("""
WITH past AS (
  SELECT id FROM cases WHERE process = :process AND id <> :campaign AND data ? 'launched_on' AND closed_at IS NOT NULL
    AND outcome IS DISTINCT FROM 'cancelled'
  ORDER BY id DESC LIMIT :most
), answered AS (
  SELECT c.id, min(e.at) AS at FROM cases c LEFT JOIN case_events e ON e.case_id = c.id AND e.target IN :states
  WHERE c.parent_id IN (SELECT id FROM past) GROUP BY c.id
), asked AS (
  SELECT a.id, m.kind, m.sent_at, lead(m.sent_at) OVER (PARTITION BY a.id ORDER BY m.sent_at, m.id) AS next_at,
    a.at AS answered_at
  FROM answered a JOIN messages m ON m.case_id = a.id AND m.state = 'sent' AND m.kind IN :kinds
)
SELECT kind, count(*) FILTER (WHERE answered_at IS NULL OR answered_at >= sent_at) AS contacts,
  count(*) FILTER (WHERE answered_at >= sent_at AND (next_at IS NULL OR answered_at < next_at)) AS answers,
  (SELECT count(*) FROM past) AS campaigns
FROM asked WHERE next_at IS NULL OR next_at > sent_at GROUP BY kind
""").bindparams(bindparam("states", expanding=True), bindparam("kinds", expanding=True))


def learnt(conn: Connection, policy: ResponseModelPolicy, process: Process, campaign_id: int) -> ResponseModel:
    """Return the model for a kind of campaign, corrected by those of ours that are closed; one statement."""
    kinds = [name for name in catalogue.entries() if _kind_of(policy.contacts, name)]
    states = process.child.states_in(*RESPONDED) if process.child else frozenset[str]()
    if not kinds or not states or not policy.past_campaigns:
        return ResponseModel(policy)
    rows = conn.execute(
        _ASKED, {"process": process.name, "campaign": campaign_id, "most": policy.past_campaigns, "kinds": kinds,
                 "states": sorted(states)},
    ).all()  # fmt: skip
    contacts, answers = Counter[str](), Counter[str]()
    for row in rows:
        kind = _kind_of(policy.contacts, row.kind)
        contacts[kind] += row.contacts
        answers[kind] += row.answers
    return ResponseModel(policy, contacts, answers, rows[0].campaigns if rows else 0)


# ----------------------------------------------------------------------------------------- members who answer by it


@dataclass
class Answering:
    """Members who answer as the model draws it; the same seed draws the same, whoever is asked first."""

    model: ResponseModel
    calendar: Calendar
    seed: int
    answering: set[str] = field(default_factory=set)

    def because_of(self, asked: Sequence[tuple[str, Contact]]) -> list[Happening]:
        """Return the answers that come of these contacts, of members who have not decided to answer already."""
        found = []
        for member, contact in asked:
            drawn = random.Random(f"{self.seed}:{member}:{contact.kind}:{contact.at:%Y%m%d}")  # noqa: S311  no secret
            if member in self.answering or drawn.random() >= self.model.share(contact.kind):
                continue
            self.answering.add(member)
            at = answered_at(contact.at, self.model.policy.days, self.calendar, drawn)
            found.append(Happening(at, "answer", member, data={"seed": drawn.randrange(1000)}))
        return found


def answered_at(asked: datetime, days: Sequence[float], calendar: Calendar, drawn: random.Random) -> datetime:
    """Return when an answer to a contact comes: on one of the working days from it on, in office hours, after it."""
    later = drawn.choices(range(len(days)), days)[0]
    day = working_days_from(calendar.local_date(asked), calendar, later + 1)[later]
    at = calendar.at(day, time(9)) + timedelta(minutes=drawn.randint(_SOONEST, _LATEST))
    return max(at, asked + timedelta(minutes=1 + drawn.randint(0, 90)))


def working_days_from(day: date, calendar: Calendar, number: int) -> list[date]:
    """Return so many working days from a day on."""
    found: list[date] = []
    while len(found) < number:
        day = calendar.next_working(day)
        found.append(day)
        day += timedelta(days=1)
    return found
