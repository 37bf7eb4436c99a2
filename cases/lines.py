"""Cases and events as lines of COPY. What many of a batch share is put into words once; each adds what is its own.

Outcomes that have the very same steps were decided as one: see `state_machines/alike.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from cases.rows import Head, clocks_to_json, closed_at, digest_of, in_hash, occurrence_of, personal_digest
from config.database import as_line, json_text
from state_machines.values import Outcome, Step

NULL = r"\N"
"""How a line says that there is nothing in a column."""

Made = TypeVar("Made")


class Once(Generic[Made]):
    """What is made of things, once for each thing however often it comes."""

    def __init__(self, make: Callable[..., Made]) -> None:
        self._make = make
        self._known: dict[int, tuple[object, Made]] = {}

    def of(self, thing: object, *given: Any) -> Made:
        """Return what is made of a thing, and of what is given with it, the same each time."""
        found = self._known.get(id(thing))
        if found is None:
            found = self._known[id(thing)] = thing, self._make(*given)  # kept, so that no other gets its id
        return found[1]


# --------------------------------------------------------------------------------------------------- events

EVENT_COLUMNS = (
    "case_id", "seq", "occurrence", "personal_digest", "prev_hash", "hash",
    "at", "actor", "role", "on_behalf_of", "kind", "trigger", "source", "target", "process_version", "policy_version",
    "details",
)  # fmt: skip
PERSONAL_COLUMNS = ("case_id", "seq", "salt", "data")


class StepInWords:
    """A step as it is hashed and written, up to what belongs to the one case."""

    __slots__ = ("columns", "hashed_first", "hashed_last")

    def __init__(self, step: Step, process_version: int, policy_version: str) -> None:
        details = json_text(step.details)
        actor = step.actor
        first = (
            step.at, actor.person, actor.role.value, actor.on_behalf_of, step.kind, step.trigger, step.source,
            step.target,
        )  # fmt: skip
        last = (process_version, policy_version, details)
        self.hashed_first, self.hashed_last = in_hash(*first), in_hash(*last)
        self.columns = as_line((*first, *last))


def event_line(case_id: int, step: Step, words: StepInWords, head: Head) -> tuple[str, Head, tuple[Any, ...] | None]:
    """Return the line of a step that follows ``head`` in the chain of its case, the new head, and the row of what is
    personal and kept beside the event."""
    seq = head.seq + 1
    personal, digest, digest_column = None, "", NULL
    if step.personal:
        salt = secrets.token_hex(16)
        personal = (case_id, seq, salt, text := json_text(dict(step.personal)))
        digest = digest_column = personal_digest(salt, text)
    occurrence = occurrence_of(case_id, step)
    hashed = digest_of(
        head.hash, str(case_id), str(seq), words.hashed_first, occurrence or "", words.hashed_last, digest
    )  # fmt: skip
    own = f"{case_id}\t{seq}\t{occurrence or NULL}\t{digest_column}\t{head.hash}\t{hashed}"
    return f"{own}\t{words.columns}", Head(seq, hashed), personal


# ---------------------------------------------------------------------------------------------------- cases

MOVED_COLUMNS = ("id", "version", "last_seq", "last_hash", "clocks", "due_at", "deadline_at", "data")
NEW_COLUMNS = (
    "id", "ref", "member_id", "team", "owner_id", "coordinator_id", "subject", "external_ref", "parent_id",
    "restricted_to", "walled_off", "received_at", "opened_at", "last_seq", "last_hash",
    "process", "process_version", "state", "version", "owner_role", "on_hold", "data", "parties", "clocks", "counts",
    "people", "entered_at", "closed_at", "outcome", "due_at", "deadline_at",
)  # fmt: skip


def moved_columns(outcome: Outcome) -> str:
    """Return what all cases moved by the same steps have in common, for the last of MOVED_COLUMNS."""
    after = outcome.after
    return as_line((
        json_text(clocks_to_json(after.clocks)), outcome.due_at, outcome.deadline, json_text(after.data),
    ))  # fmt: skip


def new_columns(outcome: Outcome, process_version: int) -> str:
    """Return what all cases opened by the same steps have in common, for the last of NEW_COLUMNS."""
    after = outcome.after
    return as_line((
        after.process, process_version, after.state, 1, outcome.owner_role.value, after.on_hold,
        json_text(after.data), json_text(after.parties), json_text(clocks_to_json(after.clocks)),
        json_text(after.counts), json_text(after.people), after.entered_at, closed_at(outcome),
        after.data.get("outcome") if outcome.final else None, None if outcome.final else outcome.due_at,
        outcome.deadline,
    ))  # fmt: skip
