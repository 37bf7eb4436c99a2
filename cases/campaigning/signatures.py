"""The state of every signature of a sign-off campaign as rows of a file, read in a stream: only what a person may see.

The share that is signed is VALID by eligible; a member whose signature is missing has the monitoring case beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from cases.campaigning.lines import COLUMNS, SOURCE
from cases.campaigning.sight import Sight, looking
from cases.environment import Environment
from cases.errors import BadInput
from cases.exporting import STREAMED
from cases.rows import day_of
from cases.tables import CaseEvent, CaseLink, CaseRow
from members.tables import Member
from notifications.tables import SENT, MessageRow
from state_machines.standing import Standing
from state_machines.values import Actor

log = logging.getLogger(__name__)

Cell = str | int | float | date | bool | None
SIGNATURES = (
    "member", "name", "own reference", "tier", "country", "team", "signature", "document", "version", "signatory",
    "position", "sent", "viewed", "signed", "state", "valid", "reservation", "deadline", "late", "exception case",
)  # fmt: skip


def signature_rows(
    env: Environment, ref: str, *, actor: Actor, now: datetime | None = None
) -> Iterator[tuple[Cell, ...]]:
    """Yield the heading and one row a member, in order of name. Raises CaseNotFound or BadInput."""
    with looking(env, ref, actor=actor, now=now) as sight:
        if sight.child.name != "signature":
            raise BadInput(f"{sight.row.ref} is a survey; nobody signs anything in it.")
        yield SIGNATURES
        columns = (*COLUMNS, Member.external_ref.label("own"), Member.country, *_moments())
        wanted = select(*columns).select_from(SOURCE).where(sight.listed).order_by(Member.name_key, CaseRow.id)
        count = 0
        for row in sight.conn.execute(wanted, execution_options=STREAMED):
            count += 1
            yield _row(sight, row)
        log.info("The signatures of %s were exported: %s.", sight.row.ref, count, extra={"actor": actor.person})


def _moments() -> tuple[Any, ...]:
    """When the request left, when the text was first opened, and the monitoring case that came of it."""
    sent = select(func.min(MessageRow.sent_at)).where(
        MessageRow.case_id == CaseRow.id, MessageRow.kind == "signature_request", MessageRow.state == SENT
    )
    viewed = select(func.min(CaseEvent.at)).where(CaseEvent.case_id == CaseRow.id, CaseEvent.trigger == "view")
    incident = CaseRow.__table__.alias("incident")
    caused = (
        select(func.min(incident.c.ref)).join(CaseLink, CaseLink.from_id == incident.c.id)
        .where(CaseLink.to_id == CaseRow.id, CaseLink.type == "caused_by", incident.c.process == "monitoring")
    )  # fmt: skip
    return (
        sent.correlate(CaseRow.__table__).scalar_subquery().label("sent"),
        viewed.correlate(CaseRow.__table__).scalar_subquery().label("viewed"),
        caused.correlate(CaseRow.__table__).scalar_subquery().label("incident"),
    )


def _row(sight: Sight, row: Any) -> tuple[Cell, ...]:
    data, signer = row.data, row.parties.get("signer") or {}
    signed = bool(data.get("signed_on"))
    local = sight.here.env.calendar.local_date
    return (
        row.member_ref, row.member, row.own, row.tier, row.country, row.team, row.ref, data.get("document_title"),
        data.get("document_number"), signer.get("name") if signed else None,
        signer.get("position") if signed else None, local(row.sent) if row.sent else None,
        local(row.viewed) if row.viewed else None, day_of(data.get("signed_on")), sight.child.state(row.state).title,
        row.state in sight.child.states_in(Standing.COMPLETE), data.get("reservation"), day_of(data.get("deadline")),
        bool(data.get("late") or data.get("overdue")), row.incident,
    )  # fmt: skip
