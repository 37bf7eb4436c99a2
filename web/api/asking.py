"""Who asks, and how they may ask: what the handlers of the API take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from pydantic import AfterValidator

from cases.environment import Environment
from cases.sight import glance
from config.database import without_nul
from members.staffing import Staffing
from state_machines.values import Actor


@dataclass(frozen=True)
class Asked:
    """A request that was let in: by whom, and at what instant of the installation's clock."""

    request: Request
    env: Environment
    actor: Actor
    staffing: Staffing
    now: datetime

    @cached_property
    def stands_in_for(self) -> frozenset[int]:
        """The ids of the staff the person deputises for today."""
        today = self.env.calendar.local_date(self.now)
        return self.staffing.deputises_for(int(self.actor.person.removeprefix("staff:")), today)

    def actor_on(self, ref: str) -> Actor:
        """Return who acts on a case: for its owner too, where this person stands in today. Raises CaseNotFound."""
        if not self.stands_in_for:
            return self.actor
        owner = glance(self.env, ref, actor=self.actor, now=self.now).owner_id
        me = int(self.actor.person.removeprefix("staff:"))
        return self.staffing.actor(me, owner if owner in self.stands_in_for else None)


async def _asked(request: Request) -> Asked:
    state = request.state
    return Asked(request, request.app.state.env, state.actor, state.staffing, state.now)


Who = Annotated[Asked, Depends(_asked)]


def cleaned(text: str) -> str:
    """Return a word of an address without what cannot be stored, and without spaces around it."""
    return str(without_nul(text)).strip()


CaseRef = Annotated[
    str, AfterValidator(cleaned),
    Path(description="The reference of the case. Capitals do not matter.", examples=["CO-2026-000042"]),
]  # fmt: skip
MemberPath = Annotated[
    str, AfterValidator(cleaned),
    Path(description="The reference of the member. Capitals do not matter.", examples=["M-000012"]),
]  # fmt: skip
Limit = Annotated[int, Query(ge=1, le=200, description="How many there are on a page.", examples=[50])]
Cursor = Annotated[
    str | None, Query(max_length=400, description="Where the page begins: `cursor` of the `next` link before it. "
                      "It means nothing by itself; leave it out for the first page.")
]  # fmt: skip
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$",
        description="Chosen by you, new for each new request, kept for 24 hours. The same request with the same key is "
        "done once: its repetition gets the answer of the first, with `Idempotency-Replayed: true`. A request that "
        "was refused did nothing, so its key is free again.",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ),
]  # fmt: skip
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match", pattern=r'^(\*|(W/)?"[0-9]{1,9}(\.[0-9a-f]{1,16})?")$',
        description="The version you decided on, as `ETag` or as the `version` in quotes. If it has changed since, "
        "nothing is done, and the answer is 412 with who changed what. Without it, or with `*`, whatever version is "
        "there is taken.",
        examples=['"7"'],
    ),
]  # fmt: skip
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match", max_length=1000,
        description="The `ETag` of what you have. If it is still that, the answer is 304 without a body.",
        examples=['"7.1c9a2b3d"'],
    ),
]  # fmt: skip


def seen_version(if_match: str | None) -> int | None:
    """Return the version an If-Match names, or None for any."""
    if if_match is None or if_match == "*":
        return None
    return int(if_match.removeprefix("W/").strip('"').partition(".")[0])
