"""The curve that the response model expects, with a band: many courses drawn over the contacts of a rehearsal."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import zip_longest

from cases.rehearsing.response_model import Contact, ResponseModel, working_days_from
from cases.rehearsing.values import Forecast, ForecastDay, Reached
from state_machines.calendars import Calendar

LOW, HIGH = 10, 90
"""Four courses in five lie in the band."""
SHARES = (95, 100)
_DRAWS = 1_500_000
"""So many draws are made in all: about two seconds."""
Plan = tuple[tuple[date, str], ...]
"""The days on which a member is asked, and how; the same for very many members."""


def forecast(
    contacts: Mapping[int, Sequence[Contact]], *, asked: int, answered: int, since: date, until: date,
    model: ResponseModel, calendar: Calendar, seed: int,
) -> Forecast:  # fmt: skip
    """Return how many members have answered by the end of each day.

    ``contacts`` are those of the members who are still silent, by case, as if nobody answered; ``answered`` is how many
    have already.
    """
    plans = Counter(_plan_of(each, calendar) for each in contacts.values())
    kinds = {kind for plan in plans for _, kind in plan}
    length = max((until - since).days + 1, 1)
    courses = max(20, min(model.policy.simulations, _DRAWS // max(sum(plans.values()), 1)))
    drawn = random.Random(f"forecast:{seed}")  # noqa: S311  no secret
    spreads = _Spreads(model.policy.days, calendar, since, length)
    found = [_course(plans, kinds, model, spreads, length, answered, drawn) for _ in range(courses)]
    days = tuple(_day(since + timedelta(days=n), sorted(course[n] for course in found)) for n in range(length))
    reached = tuple(_reached(percent, found, asked, since) for percent in SHARES)
    return Forecast(asked, courses, days, reached, model.shares(kinds), model.campaigns)


def _plan_of(contacts: Sequence[Contact], calendar: Calendar) -> Plan:
    """One contact a day at most: two mails of one morning are one occasion to answer."""
    by_day: dict[date, str] = {}
    for contact in contacts:
        by_day.setdefault(calendar.local_date(contact.at), contact.kind)
    return tuple(sorted(by_day.items()))


class _Spreads:
    """On which days of the rehearsal the answers to a contact come, and how likely each is."""

    def __init__(self, days: Sequence[float], calendar: Calendar, since: date, length: int) -> None:
        self._days, self._calendar, self._since, self._length = days, calendar, since, length
        self._known: dict[tuple[date, date | None], tuple[list[int], list[float]]] = {}

    def of(self, asked: date, following: date | None) -> tuple[list[int], list[float]]:
        """Return the numbers of the days and their weights, before the next contact; at least one day."""
        found = self._known.get((asked, following))
        if found is None:
            days = working_days_from(asked, self._calendar, len(self._days))
            pairs = [((day - self._since).days, weight) for day, weight in zip(days, self._days, strict=True)
                     if following is None or day < following]  # fmt: skip
            pairs = pairs or [((asked - self._since).days, 1.0)]
            found = self._known[asked, following] = [p[0] for p in pairs], [p[1] for p in pairs]
        return found


def _course(
    plans: Mapping[Plan, int], kinds: set[str], model: ResponseModel, spreads: _Spreads, length: int, answered: int,
    drawn: random.Random,
) -> list[int]:  # fmt: skip
    """One course of the campaign: shares drawn once for all members, then who answers when."""
    shares = {kind: drawn.betavariate(*model.beta(kind)) for kind in sorted(kinds)}
    by_day = [0] * (length + 1)
    for plan, members in plans.items():
        silent = members
        ends = [day for day, _ in plan[1:]]
        for (asked, kind), following in zip_longest(plan, ends):
            number = _binomial(silent, shares[kind], drawn)
            silent -= number
            days, weights = spreads.of(asked, following)
            for day in drawn.choices(days, weights, k=number):
                by_day[min(max(day, 0), length)] += 1
    return _summed(by_day[:length], answered)


def _binomial(number: int, share: float, drawn: random.Random) -> int:
    """How many of so many do it: counted one by one, or by the normal curve where they are very many."""
    if number * share * (1 - share) > 100:
        mean = number * share
        return min(number, max(0, round(drawn.gauss(mean, (mean * (1 - share)) ** 0.5))))
    return sum(drawn.random() < share for _ in range(number))


def _summed(by_day: Sequence[int], start: int) -> list[int]:
    found, total = [], start
    for number in by_day:
        total += number
        found.append(total)
    return found


def _day(day: date, sums: Sequence[int]) -> ForecastDay:
    return ForecastDay(day, _place(sums, LOW), _place(sums, 50), _place(sums, HIGH))


def _place(ordered: Sequence[int], percent: int) -> int:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _reached(percent: int, courses: Sequence[Sequence[int]], asked: int, since: date) -> Reached:
    """When so many percent have answered: the early, the middle and the late course."""
    wanted = -(-asked * percent // 100)
    never = len(courses[0]) if courses else 0
    found = sorted(next((n for n, total in enumerate(course) if total >= wanted), never) for course in courses)

    def day(share: int) -> date | None:
        number = _place(found, share)
        return since + timedelta(days=number) if number < never else None

    return Reached(percent, day(LOW), day(50), day(HIGH))
