"""Fields that forms of several processes have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator


def said_yes(value: Any) -> Any:
    """Return True for what a ticked box or a typed word sends; anything else is left to be refused."""
    return True if isinstance(value, str) and value.strip().lower() in ("true", "on", "yes", "1") else value


Yes = Annotated[Literal[True], BeforeValidator(said_yes)]
"""A declaration that must be made: a box that must be ticked."""


def listed_once(members: Sequence[str]) -> None:
    """Raise ValueError when a list of members, by their references, names one twice."""
    if len(set(members)) != len(members):
        raise ValueError("a member is listed twice")
