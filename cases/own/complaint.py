"""A complaint that somebody sends from the street: what they typed, checked field by field, opened once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256

from sqlalchemy import func, select

from cases import opening, store
from cases.commands import unhindered
from cases.environment import Environment, world
from cases.errors import CaseError, TransitionRefused
from cases.tables import CaseRow
from config.database import transaction, without_nul
from notifications.recipients import is_address
from state_machines.processes.complaint_choices import ComplainantType
from state_machines.registry import process_named
from state_machines.values import Actor, Role

PROCESS = "complaint"
LONGEST: Mapping[str, int] = {
    "about": 120, "what": 16_000, "where": 200, "when": 200, "wanted": 2000, "needs": 1200, "name": 200, "email": 254,
    "phone": 60, "address": 400, "number": 60,
}  # fmt: skip
REACHED_BY = ("email", "phone", "letter", "nobody")
"""How the complainant wants to be contacted; ``nobody``: they stay unknown, and look at their page."""
WHO = (ComplainantType.MEMBER, ComplainantType.PUBLIC, ComplainantType.WORKER, ComplainantType.THIRD_PARTY)
_NEEDED = {"email": "email", "phone": "phone", "letter": "address"}
_SHORTEST = 10


class ComplaintInvalid(CaseError):
    """Something is missing."""

    status = 422

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = errors
        super().__init__(*errors.values())


@dataclass(frozen=True)
class Words:
    """What somebody typed into the form."""

    about: str = ""
    what: str = ""
    where: str = ""
    when: str = ""
    wanted: str = ""
    needs: str = ""
    who: str = ""
    number: str = ""
    reached_by: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""
    urgent: str = ""
    """``yes``: they need help soon; somebody calls within a working day."""

    def cleaned(self) -> Words:
        """Return it as it can be stored."""
        return Words(**{each.name: without_nul(getattr(self, each.name).strip()) for each in fields(self)})


def errors_of(words: Words) -> dict[str, str]:
    """Return what has to be put right, by field."""
    found: dict[str, str] = {}
    if len(words.what) < _SHORTEST:
        found["what"] = "Tell us what happened, in a sentence at least."
    if words.reached_by not in REACHED_BY:
        found["reached_by"] = "Choose how we shall contact you, or that we shall not."
    needed = _NEEDED.get(words.reached_by)
    if needed and not getattr(words, needed):
        names = {"email": "e-mail address", "phone": "telephone number", "address": "postal address"}
        found[needed] = f"Give the {names[needed]} for our answer, or choose another way."
    if words.email and not is_address(words.email):
        found["email"] = "Enter an e-mail address such as name@example.org."
    if words.who and words.who not in {each.value for each in WHO}:
        found["who"] = "Choose one of the answers, or leave it out."
    for name, most in LONGEST.items():
        if len(getattr(words, name)) > most:
            found[name] = f"Shorten this to {most:,} characters; it has {len(getattr(words, name)):,}."
    return found


def complain(env: Environment, typed: Words, *, once: str, now: datetime | None = None) -> int:
    """Open a complaint and return the id of its case; the same form sent twice (``once``) opens one.

    Raises ComplaintInvalid with errors by field, TransitionRefused with the rule's sentence.
    """
    words = typed.cleaned()
    if errors := errors_of(words):
        raise ComplaintInvalid(errors)
    external_ref = f"page:{sha256(once.encode()).hexdigest()[:32]}"  # staff read it, and ``once`` leads to the page

    def opened() -> int:
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(external_ref, 0))))  # one at a time
            same = select(CaseRow.id).where(CaseRow.process == PROCESS, CaseRow.external_ref == external_ref)
            if (known := conn.execute(same).scalar_one_or_none()) is not None:
                return int(known)
            wish = opening.Wish(
                process_named(PROCESS), words.about or "A complaint from the website", payload_of(words),
                external_ref=external_ref,
            )  # fmt: skip
            actor = Actor("party:complainant", "The complainant", frozenset({Role.COMPLAINANT}))
            [found] = opening.decided(conn, [wish], here, actor=actor)
            if isinstance(found, tuple):
                raise TransitionRefused(found[1])
            store.apply(conn, [found], here)
            return found.outcome.after.id

    return unhindered(opened)


def payload_of(words: Words) -> dict[str, str]:
    """Return what the process takes; what has no field of its own stands below the complainant's words."""
    # A number proves nothing: were the member put to the case, its contacts would read what a stranger wrote.
    below = {"Where": words.where, "When": words.when, "Membership number given": words.number}
    reached = {"phone": f"Please ring {words.phone}.", "letter": f"Please write to:\n{words.address}"}
    known = words.reached_by != "nobody"
    parts = {
        "category": words.about,
        "description": "\n".join([words.what, *(f"{name}: {said}" for name, said in below.items() if said)]),
        "channel": "web",
        "complainant_name": words.name if known else "",
        "complainant_email": words.email if known else "",
        "complainant_type": words.who if known else ComplainantType.ANONYMOUS.value,
        "desired_outcome": words.wanted,
        "adjustments": "\n".join(part for part in (words.needs, reached.get(words.reached_by, "")) if part),
    }
    if words.urgent == "yes":
        parts["vulnerable"] = "true"
    return {name: said for name, said in parts.items() if said}
