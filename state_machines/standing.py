"""What a state of a child case means for its campaign: the same few words for a survey, a sign-off or any other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum


class Standing(StrEnum):
    """Where one member of a campaign stands. Responding, being exempt and being accounted for are never mixed."""

    AWAITED = "awaited"
    """An answer is awaited and can be reminded of."""
    UNREACHED = "unreached"
    """No mail reaches the member at the moment; somebody looks for a contact."""
    UNDECIDED = "undecided"
    """A manager has to decide: an exemption, a reservation, or what silence means."""
    IN_REVIEW = "in_review"
    """The answer is in and is being checked."""
    ASKED_BACK = "asked_back"
    """The answer is in, and the member has been asked about it."""
    COMPLETE = "complete"
    """The answer is in and stands."""
    EXEMPT = "exempt"
    """Need not answer, by approval."""
    UNREACHABLE = "unreachable"
    """Could not be reached, proved by bounces, calls and letters, and decided so."""
    UNANSWERED = "unanswered"
    """Of whom it was decided, or who said, that no answer comes."""
    DROPPED = "dropped"
    """Is not asked any more: the campaign was cancelled, or the member was left out."""
    REPLACED = "replaced"
    """A newer round of the same campaign took its place: no member of this round, and counted nowhere."""


RESPONDED = frozenset({Standing.IN_REVIEW, Standing.ASKED_BACK, Standing.COMPLETE})
"""The answer is in."""
ACCOUNTED = RESPONDED | {Standing.EXEMPT, Standing.UNREACHABLE, Standing.UNANSWERED}
"""Nothing about this member is left open but the review of the answer."""
FULFILLED = frozenset({Standing.COMPLETE, Standing.EXEMPT})
"""What a hundred percent is made of, and nothing else."""
SETTLED = FULFILLED | {Standing.UNREACHABLE, Standing.UNANSWERED, Standing.DROPPED, Standing.REPLACED}
LEFT_OUT = frozenset({Standing.DROPPED, Standing.REPLACED})
"""Not asked, or not any more: no part of what a hundred percent is measured against."""


def count_in(children: Mapping[str, int], standings: Mapping[str, Standing], wanted: Collection[Standing]) -> int:
    """Return how many of ``children`` (numbers by state) stand in one of the wanted ways."""
    return sum(number for state, number in children.items() if standings.get(state) in wanted)
