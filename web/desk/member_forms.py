"""The forms of a member and of a contact: what stands in them, what was typed, and what somebody else made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from members.cards import DECIDED, Contact, MemberCard, label_of, said
from members.contact_commands import CONTACT_FIELDS, checked_contact
from members.errors import Unusable
from members.fields import FLAGS, LONGEST, LONGEST_TEXT
from members.member_commands import REQUIRED, checked_fields
from members.tables import CONTACT_ROLES, KINDS, STATUSES
from web.forms import Field, Option
from web.naming import words
from web.posted import Posted

MEMBER = (
    "name", "kind", "status", "external_ref", "tier", "category", "country", "region", "site", "team", "website",
    "language", "joined_on", "left_on",
)  # fmt: skip
_HELP = {
    "language": "A code such as en, de or pt-BR: letters are written in it where there is a translation.",
    "team": "Whose coordinators look after this member. Its cases go along with it.",
    "external_ref": "The number this member has in your other systems.",
}
_TYPES = {"joined_on": "date", "left_on": "date"}
WAS = "was"


def values_of(card: MemberCard | None) -> dict[str, str]:
    """Return what stands in the form of a member; None: of a new one."""
    if card is None:
        return {**dict.fromkeys(MEMBER, ""), "kind": "organisation", "status": "active", "language": "en"}
    return {name: said(getattr(card, name)) for name in MEMBER}


def contact_values(contact: Contact | None) -> dict[str, str]:
    """Return what stands in the form of a contact; None: of a new one."""
    return {name: said(getattr(contact, name, None)) or ("other" if name == "role" else "") for name in CONTACT_FIELDS}


def typed(posted: Posted, names: Sequence[str]) -> dict[str, str]:
    """Return what was typed into these fields."""
    return {name: posted.text(name).strip() for name in names if name in posted}


def before(posted: Posted, names: Sequence[str]) -> dict[str, str]:
    """Return what stood in these fields when the form was opened."""
    return {name: posted.text(f"{WAS}.{name}").strip() for name in names if f"{WAS}.{name}" in posted}


def touched(values: Mapping[str, str], stood: Mapping[str, str]) -> dict[str, str]:
    """Return what a person changed of what stood there."""
    return {name: value for name, value in values.items() if value != stood.get(name, "")}


def joined(
    values: Mapping[str, str], stood: Mapping[str, str], fresh: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Return what the form shows after somebody else was faster, and the fields that both have changed.

    What the person did not touch is as the other left it; what they typed is kept.
    """
    mine = touched(values, stood)
    both = [name for name, value in mine.items() if fresh.get(name, "") not in (stood.get(name, ""), value)]
    return {**fresh, **mine}, both


def member_errors(changes: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what is wrong with each field of a member."""
    return _errors(changes, lambda name, value: checked_fields({name: value}))


def contact_errors(changes: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what is wrong with each field of a contact."""
    return _errors(changes, lambda name, value: checked_contact({name: value}))


def _errors(changes: Mapping[str, str], check: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in changes.items():
        try:
            check(name, value)
        except Unusable as bad:
            found[name] = [str(bad)]
    return found


def member_fields(
    values: Mapping[str, str], teams: Sequence[str], errors: Mapping[str, Sequence[str]], theirs: Mapping[str, str]
) -> list[Field]:
    """Return the fields of a member. ``theirs``: what stands there now of the fields that somebody else changed too."""
    return [
        _field(
            name, values.get(name, ""), _options(name, values, teams), errors.get(name, ()), theirs,
            required=name in REQUIRED,
        )
        for name in MEMBER
    ]  # fmt: skip


def contact_fields(
    values: Mapping[str, str], errors: Mapping[str, Sequence[str]], theirs: Mapping[str, str]
) -> list[Field]:
    """Return the fields of a contact."""
    roles = tuple(Option(role, words(role)) for role in CONTACT_ROLES)
    return [
        _field(name, values.get(name, ""), roles if name == "role" else (), errors.get(name, ()), theirs)
        for name in CONTACT_FIELDS
    ]


def _field(
    name: str, value: str, options: tuple[Option, ...], errors: Sequence[str], theirs: Mapping[str, str], *,
    required: bool = False,
) -> Field:  # fmt: skip
    made = f"It was made “{theirs.get(name) or 'nothing'}” meanwhile; what you typed stands here."
    now = [made] if name in theirs else []
    kind = "select" if options else _TYPES.get(name, "email" if name == "email" else "text")
    limits = {} if kind != "text" else {"maxlength": LONGEST.get(name, LONGEST_TEXT)}
    return Field(
        name, label_of(name), kind, help=_HELP.get(name, ""), required=required,
        options=options, value=value, errors=(*errors, *now), limits=limits,
    )  # fmt: skip


def _options(name: str, values: Mapping[str, str], teams: Sequence[str]) -> tuple[Option, ...]:
    if name == "kind":
        return tuple(Option(each, words(each)) for each in KINDS)
    if name == "status":
        return tuple(Option(each, words(each)) for each in _statuses(values.get("status", "")))
    if name == "team":
        own = [values["team"]] if values.get("team") and values["team"] not in teams else []
        return (Option("", "No team"), *(Option(each, each) for each in [*teams, *own]))
    return ()


def _statuses(now: str) -> list[str]:
    """What a person may make of a status by hand: a decided one stays, since only a case lifts it."""
    return [now] if now in DECIDED else [each for each in STATUSES if each not in (*DECIDED, "merged")]


def flag_field(on: Sequence[str]) -> Field:
    """Return the boxes to tick for the flags of a member, those of the organisation's own among them."""
    known = [*FLAGS, *sorted(set(on) - set(FLAGS))]
    options = tuple(Option(flag, words(flag)) for flag in known)
    return Field("flags", "Flags", "several", options=options, value=list(on))


def renamed(field: Field, name: str, errors: Mapping[str, Sequence[str]]) -> Field:
    """Return a field under another name, with what is wrong with it under that name."""
    return replace(field, name=name, errors=tuple(errors.get(name, ())))
