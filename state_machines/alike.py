"""Deciding once about many cases that are alike: about a stand-in that has what they share, and nothing else.

The stand-in has no id, reference, version, subject or member of its own, and no facts from outside. Whoever asks for
one of them stops the decision, and the cases are then decided one by one. What could be decided without them holds for
all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Any, NoReturn

from state_machines.engine import advance
from state_machines.process import Process
from state_machines.values import Case, Context, Outcome


class NotShared(Exception):
    """A decision looked at something that is not the same in all the cases it is for."""


class Own:
    """What each case has of its own. In a stand-in it may be handed on, and not be looked at."""

    def __init__(self) -> None:
        self.looked = False

    def _look(self, *_: object) -> NoReturn:
        self.looked = True  # also when somebody on the way takes the exception for something else
        raise NotShared

    __str__ = __repr__ = __format__ = __bytes__ = __hash__ = __bool__ = __int__ = __index__ = __float__ = _look
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _look
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = __floordiv__ = _look
    __len__ = __iter__ = __contains__ = __getitem__ = __getattr__ = _look


class _Outside(Mapping[str, Any]):
    """The facts of a stand-in: there are none, and asking is looking."""

    def __init__(self, own: Own) -> None:
        self._own = own

    def __getitem__(self, name: str) -> NoReturn:
        self._own._look()

    def get(self, name: str, default: Any = None) -> NoReturn:
        """Raise NotShared."""
        self._own._look()

    def __iter__(self) -> Iterator[str]:
        self._own._look()

    def __len__(self) -> int:
        self._own._look()


def advanced_alike(process: Process, case: Case, *, context: Context, now: datetime) -> Outcome | None:
    """Return what is due by now for every case that is as this one but for id, reference, version, subject and
    member, all with a member or all without; None when nothing is, or when it takes a look at the one case to say."""
    own = Own()
    nobody: Any = own
    member = None if case.member_id is None else nobody
    stand_in = replace(case, id=nobody, ref=nobody, version=nobody, subject=nobody, member_id=member)
    try:
        outcome = advance(process, stand_in, context=Context(context.policy, context.calendar, _Outside(own)), now=now)
    except Exception:  # whatever it is, deciding about each case by itself will meet it again, and say whose it is
        return None
    if outcome is None or own.looked or _holds_own(outcome):
        return None
    return outcome


def _holds_own(outcome: Outcome) -> bool:
    """Whether something of the one case was handed on to where it would be taken for what they share."""
    after = outcome.after
    return _within((outcome.steps, after.data, after.parties, after.clocks, after.counts, after.people))


def _within(value: object) -> bool:
    if isinstance(value, Own):
        return True
    if isinstance(value, Mapping):
        return any(map(_within, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(_within, value))
    if is_dataclass(value):
        return any(_within(getattr(value, field.name)) for field in fields(value))
    return False
