"""What Muster has held back and asks about: the list, one of them with its cases, and the decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from starlette.responses import Response

from cases.breaker import deciding
from cases.breaker.deciding import AlreadyDecided, HasGrown
from cases.breaker.reading import PAGE, Held, held_back, held_page
from cases.errors import BadInput
from config.database import reading
from notifications import catalogue
from state_machines.registry import process_named
from state_machines.values import Role
from web import naming
from web.access import staff
from web.desk_page import Desk, DeskPage
from web.posted import Form, Posted, number_of
from web.routing import Pages

pages = Pages(may=staff(Role.MANAGER, Role.SENIOR))


@pages.get("/approvals/held", statements=7)
def listed(desk: Desk, before: str = "") -> Response:
    """Show what is held back and what was, the newest first."""
    with reading(desk.env.engine) as conn:
        found = held_back(conn, open_only=False, before=number_of(before), limit=PAGE + 1)
    shown = found[:PAGE]
    return desk.page(
        "desk/held_list.html", title="What Muster asked before it went on", shown=shown, people=_people(desk),
        next=f"/approvals/held?before={shown[-1].number}" if len(found) > PAGE else None,
        first="/approvals/held" if before else None,
    )  # fmt: skip


@pages.get("/approvals/held/{number}", statements=26)
def one(desk: Desk, number: int, after: str = "") -> Response:
    """Show what is held back: why, what would go out, which cases these are, and how to decide."""
    return _page(desk, number, after=number_of(after) or 0)


@pages.post("/approvals/held/{number}")
def decide(desk: Desk, posted: Form, number: int) -> Response:
    """Let it go, or do not; with a reason."""
    reason, seen = posted.text("reason"), posted.number("seen") or 0
    try:
        if posted.text("decision") == "approve":
            cases = deciding.approve(desk.env, number, reason, seen=seen, actor=desk.actor, now=desk.now)
            told = f"{naming.plural(cases, 'case')} will go on within a minute."
        elif posted.text("decision") == "decline":
            cases = deciding.decline(
                desk.env, number, reason, until=posted.day("until"), seen=seen, actor=desk.actor, now=desk.now
            )
            told = f"{naming.plural(cases, 'case')}: it will not happen, and each case says so with your reason."
        else:
            raise BadInput("Please say whether it shall go on or not.")
    except (AlreadyDecided, HasGrown) as changed:
        return _page(desk, number, posted=posted, error=str(changed), status=409)
    except BadInput as wrong:
        return _page(desk, number, posted=posted, error=str(wrong), status=422)
    return desk.see_other(f"/approvals/held/{number}", told)


def _page(
    desk: DeskPage, number: int, *, after: int = 0, posted: Posted | None = None, error: str = "", status: int = 200
) -> Response:
    found = held_page(desk.env, number, after=after, actor=desk.actor, now=desk.now)
    title = f"{naming.plural(found.held.waiting if found.held.open else found.held.cases, 'case')} held back"
    return desk.page(
        "desk/held_back.html", title=f"{title}: {found.held.title}", found=found, held=found.held,
        why=[_why(each) for each in found.held.facts.why], would=list(_would(found.held)), people=_people(desk),
        typed={name: posted.text(name) if posted else "" for name in ("reason", "until", "decision")}, error=error,
        patience=desk.env.policy.breaker.senior_after_hours, postpone=desk.env.policy.breaker.postpone_days,
        within=desk.env.policy.breaker.within_minutes, late=desk.env.policy.breaker.late_hours, first_page=not after,
        status=status,
    )  # fmt: skip


def _people(desk: DeskPage) -> Mapping[str, str]:
    return desk.staffing.names_in_record


def _why(each: Mapping[str, Any]) -> str:
    """Why cases are held back, in words."""
    cases, done = naming.plural(each["cases"], "case"), each.get("done", 0)
    before = f", and {done} more went by just before" if done else ""
    limit = f"Up to {naming.plural(each['limit'], 'case goes', 'cases go')} by without a question."
    match each["what"]:
        case "late":
            return f"{cases} found late{before}. {limit}"
        case "on_time":
            return f"{cases} at once, outside campaigns{before}. {limit}"
        case _:
            return f"{cases} found late, of those that Muster always asks about."


def _would(held: Held) -> Iterator[str]:
    """What would happen, most of it first: letters by title, moves by the titles of the states."""
    process = process_named(held.process)
    for kind, count in sorted(held.facts.messages.items(), key=lambda each: -each[1]):
        yield f"{naming.plural(count, 'mail')} “{catalogue.kind(kind).title}”"
    for move, count in sorted(held.facts.moves.items(), key=lambda each: -each[1]):
        source, _, target = move.partition(">")
        known = [process.state(name).title for name in (source, target)]
        yield f"{naming.plural(count, 'case')} from “{known[0]}” to “{known[1]}”"
