"""The form in which somebody's absence is recorded, on their own page and on the administrators'."""

from __future__ import annotations

from datetime import date

from config.database import Engine
from members.commands import set_absence
from members.errors import Unusable
from members.staffing import Away, Person, Staffing
from members.tables import ABSENCE_REASONS
from state_machines.values import Actor
from web.desk_page import DeskPage
from web.forms import Field, Option
from web.naming import person_title, words
from web.posted import Posted

NAMES = ("from", "until", "deputy", "reason")


def fields(staffing: Staffing, person: Person | None, *, today: date, typed: Posted | None = None) -> list[Field]:
    """Return the fields; ``person`` is whose absence it is, where that is known before."""
    given = {name: typed.text(name) if typed else "" for name in NAMES}
    manager = staffing.manager_of(person.id) if person else None
    if person is None:
        instead = [Option("", "Their manager")]
    else:
        instead = [Option("", f"{manager.name}, as manager")] if manager else []
    others = [p for p in staffing.active if p != person]
    deputies = (*instead, *(Option(p.person, person_title(p)) for p in others))
    reasons = (Option("", "Not said"), *(Option(each, words(each)) for each in ABSENCE_REASONS))
    return [
        Field("from", "First day away", "date", required=True, value=given["from"] or today.isoformat(), limits={}),
        Field("until", "Last day away", "date", required=True, value=given["until"], limits={}),
        Field("deputy", "Who stands in", "select", required=not instead, options=deputies, value=given["deputy"],
              help="They see and may do what the person could, until the last day."),
        Field("reason", "Reason", "select", options=reasons, value=given["reason"]),
    ]  # fmt: skip


def record(engine: Engine, who: str, posted: Posted, *, actor: Actor, desk: DeskPage) -> Away:
    """Record the absence that was typed. Raises BadInput and MembersError with what is wrong."""
    first, last = posted.day("from"), posted.day("until")
    if first is None or last is None:
        raise Unusable("Give the first and the last day.")
    deputy, reason = posted.text("deputy") or None, posted.text("reason") or None
    return set_absence(engine, who, first, last, deputy=deputy, reason=reason, actor=actor, now=desk.now)
