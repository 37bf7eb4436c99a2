"""Cases for the tests of their pages."""

from __future__ import annotations

from typing import Any

from cases.commands import fire, open_one
from tests.cast import MONDAY, Cast

NUMBERS = {"Acme": "North", "Süßstoff & Söhne": "South"}
ACKNOWLEDGED = {"issues": "Cold water", "understanding": "The pool was cold.", "adjustments_asked": True}
TYPED = {"issues__0__category": "Cold water", "understanding": "The pool was cold.", "adjustments_asked": "true"}
"""The same as typed into the form."""


def a_complaint(cast: Cast, member: str = "Acme", by: str = "Amara", **typed: Any) -> str:
    """Open a complaint, and the member where there is none yet."""
    if cast.scalar("SELECT count(*) FROM members WHERE name = :name", name=member) == 0:
        cast.members(member, team=NUMBERS.get(member, "North"))
    payload = {"category": "pool", "description": "Cold water.", "complainant_name": "Zoë Łuczak",
               "complainant_email": "zoe@example.org"} | typed  # fmt: skip
    opened = open_one(
        cast.env, "complaint", member=member, subject="Cold pool", payload=payload, actor=cast.actor(by), now=MONDAY
    )
    return opened.after.ref


def acknowledged(cast: Cast, by: str = "Amara") -> str:
    """Open a complaint and acknowledge it."""
    ref = a_complaint(cast, by=by)
    fire(cast.env, ref, "acknowledge", payload=ACKNOWLEDGED, actor=cast.actor(by), now=MONDAY)
    return ref
