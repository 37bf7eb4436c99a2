"""The parts of a proposed change, which can be accepted one by one: each field, and each contact."""

from collections.abc import Collection, Mapping
from typing import Any

from members.cards import label_of
from members.errors import Unusable


def part_of(place: int) -> str:
    """Return how the part of a proposal that is about its contact at this place is called; a field is called itself."""
    return f"contacts.{place}"


def parts(changes: Mapping[str, Any]) -> dict[str, str]:
    """Return the parts of a proposal by how they are called, each in words. A word to the coordinator is none."""
    fields = {name: label_of(name) for name in changes if name not in ("contacts", "note")}
    return fields | {part_of(place): _about(each) for place, each in enumerate(changes.get("contacts", ()))}


def chosen(changes: Mapping[str, Any], only: Collection[str] | None) -> tuple[dict[str, Any], str | None]:
    """Return these parts of a proposal, and what is said about the others; None where there are none.

    ``only`` None: all of it. Raises Unusable for no part at all.
    """
    every = parts(changes)
    if only is None or not every or set(only) >= every.keys():
        return dict(changes), None
    if not set(only) & every.keys():
        raise Unusable("Tick what is to be accepted, or decline it.")
    kept: dict[str, Any] = {name: pair for name, pair in changes.items() if name in only or name == "note"}
    if contacts := [each for place, each in enumerate(changes.get("contacts", ())) if part_of(place) in only]:
        kept["contacts"] = contacts
    return kept, f"not taken: {', '.join(words for part, words in every.items() if part not in only)}"


def _about(change: Mapping[str, Any]) -> str:
    """Which contact a change is about, in words."""
    return str(change.get("who") or change.get("name") or change.get("email") or "a contact")
