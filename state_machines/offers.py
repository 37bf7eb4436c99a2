"""Offers to a member who wants to leave: a catalogue as data, who may get one, what it costs, who may make
it. Pure.

An offer never stands in front of the exit. The catalogue is in the policy; here is how it is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from state_machines.values import Role

RANK = (Role.SYSTEM, Role.SITE, Role.COORDINATOR, Role.MANAGER, Role.SENIOR, Role.COUNCIL)
"""Who may give more than whom, least first."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Condition(_Strict):
    """One thing a case must fulfil: a fact, and what it may be. A fact that is unknown does not fulfil it."""

    fact: str
    any_of: tuple[str, ...] = ()
    """The fact (or one of its values) is among these."""
    none_of: tuple[str, ...] = ()
    """Neither the fact nor one of its values is among these; an unknown fact is fine."""
    at_least: int | None = None
    at_most: int | None = None

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether the facts fulfil it."""
        value = facts.get(self.fact)
        values = {str(v) for v in value} if isinstance(value, (list, tuple, set, frozenset)) else {str(value)}
        if self.none_of and value is not None and values & set(self.none_of):
            return False
        if self.any_of and (value is None or not values & set(self.any_of)):
            return False
        if self.at_least is None and self.at_most is None:
            return True
        if value is None:
            return False
        number = Decimal(str(value))
        return (self.at_least is None or number >= self.at_least) and (self.at_most is None or number <= self.at_most)


class Offer(_Strict):
    """One line of the catalogue."""

    code: str
    title: str
    kind: Literal["freeze", "downgrade", "hardship", "service_fix", "other"]
    """How the case ends when it is accepted: saved by a freeze, a downgrade and so on."""
    authority: Role = Role.COORDINATOR
    """The least role that may make it; ``system`` may be shown without a person."""
    uses: int = 1
    """How often one member may take it in 24 months."""
    months: tuple[int, int] | None = None
    """The fewest and the most months it lasts."""
    percent: tuple[int, int] | None = None
    """The least and the most discount; above the usual price it is nought."""
    cost: Decimal = Decimal(0)
    """A fixed cost to the organisation, beside the income it gives up."""
    credit_up_to: Decimal = Decimal(0)
    when: tuple[Condition, ...] = ()

    def fits(self, facts: Mapping[str, Any], used: Mapping[str, int]) -> bool:
        """Whether this member may have it now."""
        return used.get(self.code, 0) < self.uses and all(condition.holds(facts) for condition in self.when)

    def terms(self, months: int | None, percent: int | None) -> tuple[int | None, int | None]:
        """The months and discount meant: those given, or the least there are."""
        return (
            months if months is not None or self.months is None else self.months[0],
            percent if percent is not None or self.percent is None else self.percent[0],
        )

    def allows(self, months: int | None, percent: int | None, credit: Decimal) -> bool:
        """Whether these terms stay within the catalogue."""
        months, percent = self.terms(months, percent)
        return _within(months, self.months) and _within(percent, self.percent) and credit <= self.credit_up_to

    def value(self, price: Decimal, months: int | None, percent: int | None, credit: Decimal) -> Decimal:
        """What it costs the organisation: income given up, its fixed cost, and the credit."""
        months, percent = self.terms(months, percent)
        given_up = price * (months or 0) * (percent or 0) / 100
        return (given_up + self.cost + credit).quantize(Decimal("0.01"))


def _within(value: int | None, bounds: tuple[int, int] | None) -> bool:
    return value is None if bounds is None else value is not None and bounds[0] <= value <= bounds[1]


class Authority(_Strict):
    """Up to which value each role may give something away."""

    limits: Mapping[Role, Decimal] = Field(default_factory=dict)

    def allows(self, offer: Offer, value: Decimal, roles: frozenset[Role]) -> bool:
        """Whether somebody with these roles may make this offer at this value."""
        return any(
            role in roles and role in self.limits and RANK.index(role) >= RANK.index(offer.authority)
            and value <= self.limits[role]
            for role in RANK
        )  # fmt: skip


_CATALOGUE = TypeAdapter(tuple[Offer, ...])


def read_catalogue(rows: Sequence[Mapping[str, Any]]) -> dict[str, Offer]:
    """Return the catalogue by code, in its order. Raises pydantic.ValidationError."""
    return {offer.code: offer for offer in _CATALOGUE.validate_python(rows)}


def eligible(catalogue: Mapping[str, Offer], facts: Mapping[str, Any], used: Mapping[str, int]) -> list[Offer]:
    """Return the offers this member may have now, in the catalogue's order."""
    return [offer for offer in catalogue.values() if offer.fits(facts, used)]
