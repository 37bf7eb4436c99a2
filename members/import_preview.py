"""What an import would do, as lines people can read: new members, changed ones, refused lines. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from members.cards import said
from members.contact_merging import ContactChanges
from members.fields import MemberRow
from members.planning import Plan, Update

_SHOWN_FIRST = ("name", "external_ref", "status")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that would be written: what it is called, and before and after."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One member an import is about."""

    line: int | None
    """Of the file; None for who leaves because the file does not mention them."""
    ref: str | None
    name: str
    leaves: bool
    differences: tuple[Difference, ...]


def created_lines(plan: Plan) -> list[PreviewLine]:
    """Return the members that would be new, in the order of the file."""
    return [PreviewLine(row.line, None, row.name, False, tuple(_new(row))) for row in plan.created]


def updated_lines(plan: Plan) -> list[PreviewLine]:
    """Return the members that would change, those that would leave first."""
    lines = [
        PreviewLine(each.line, each.card.ref, each.card.name, each.leaves, tuple(_changed(each)))
        for each in plan.updated
    ]
    return sorted(lines, key=lambda line: (not line.leaves, line.line or 0))


def _new(row: MemberRow) -> Iterator[Difference]:
    for field in sorted(row.values, key=lambda name: (name not in _SHOWN_FIRST, name)):
        if field != "name":
            yield Difference(field, "", said(row.values[field]))
    if row.flags:
        yield Difference("flags", "", said(sorted(row.flags)))
    for contact in row.contacts:
        known = (contact.name, contact.email, contact.phone, contact.role)
        yield Difference("contact", "", ", ".join(filter(None, known)))
    if row.data:
        yield Difference("kept beside", "", _listed(row.data))


def _changed(update: Update) -> Iterator[Difference]:
    for field, after in update.changes.items():
        if field == "data":
            yield Difference("kept beside", "", _listed(after))
        else:
            yield Difference(field, said(getattr(update.card, field)), said(after))
    yield from _contacts(update.contacts)


def _contacts(changes: ContactChanges) -> Iterator[Difference]:
    for contact in changes.added:
        words = ", ".join(filter(None, (contact["name"], contact["email"], contact["phone"], contact["role"])))
        yield Difference("contact", "", words)
    if changes.changed:
        yield Difference("contacts", "", f"{len(changes.changed)} in another order or completed")


def _listed(data: Mapping[str, Any]) -> str:
    words = [f"{name}: {said(value)}" for name, value in list(data.items())[:3]]
    return "; ".join(words) + (f" and {len(data) - 3} more" if len(data) > 3 else "")
