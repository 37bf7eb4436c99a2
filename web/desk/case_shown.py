"""The page of a case: everything about it in one look, also where something about it was just refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from starlette.responses import Response

from cases.breaker.reading import HeldSince, held_since
from cases.errors import CaseNotFound
from cases.evidence import MAY_ADD
from cases.looking.recording import is_restricted
from cases.owners import candidates
from cases.permissions import MAY_RESTRICT, MAY_WRITE
from cases.queries import CasePage, case_in_brief, case_page
from cases.rows import staff_id_of
from cases.sight import glance
from config import clock
from config.database import transaction
from state_machines.registry import process_named
from web import drafts, presence
from web.desk import case_choices, case_clocks, case_next, case_timeline, walking
from web.desk.case_mail import Mail, mail
from web.desk.case_people import Names
from web.desk.case_runs import runs
from web.desk_page import DeskPage
from web.diagrams import diagram
from web.naming import trigger_title, words


def read(
    desk: DeskPage, ref: str, *, before: int | None = None, only: str | None = None, events: int | None = None
) -> CasePage:
    """Return a case as the one who is signed in sees it and may act on it. Raises CaseNotFound."""
    return case_page(
        desk.env, ref, actor=desk.actor, acting=desk.actor_for, before=before, only=only,
        last_events=events or case_timeline.PAGE + 1, now=desk.now,
    )  # fmt: skip


def brief(desk: DeskPage, ref: str) -> CasePage:
    """Return what it takes to take a step: the case and what may be done with it. Raises CaseNotFound."""
    return case_in_brief(desk.env, ref, actor=desk.actor, acting=desk.actor_for, now=desk.now)


def page_or_queue(desk: DeskPage, ref: str) -> str:
    """Return the address of a case, or the queue's where the case has gone out of this person's sight."""
    try:
        glance(desk.env, ref, actor=desk.actor, now=desk.now)
    except CaseNotFound:
        return "/queue"
    return f"/cases/{ref}"


def shown(
    desk: DeskPage, ref: str, *, before: int | None = None, only: str = "", status: int = 200, told: str | None = None,
    files_refused: Sequence[str] = (), note_refused: str | None = None, note: str | None = None,
) -> Response:  # fmt: skip
    """Return the page of a case; ``told`` is what was refused just now. Raises CaseNotFound."""
    page = read(desk, ref, before=before, only=only or None)
    names = Names(page, desk.staffing)
    entries, earlier = case_timeline.timeline(page, desk)
    offered = case_choices.actions(page)
    at_once, folded = case_choices.in_sight([a for a in offered if a.refused is None])
    others, begun, held = _beside(desk, page)
    ahead, coming = case_next.brief(desk, ref)
    line, walk = page.line, walking.at(desk, page.row)
    answer = desk.page(
        "desk/case.html", title=line["subject"] or line["ref"], block="history", status=status, page=page, line=line,
        ref=line["ref"], names=names, process=process_named(page.case.process), entries=runs(entries), earlier=earlier,
        began=case_timeline.began(page, desk), plain=case_choices.plain_next(offered),
        before=before, only=only, kinds=KINDS, told=told, files_refused=files_refused, note_refused=note_refused,
        note=note if note is not None else begun[drafts.NOTE].posted.text("text") if drafts.NOTE in begun else "",
        note_begun=begun.get(drafts.NOTE), begun=_forms_begun(page, begun), others=called(desk, others),
        possible=at_once, folded=folded, impossible=[a for a in offered if a.refused is not None],
        closers=case_choices.closers(page, offered), clocks=case_clocks.clocks(page, names, desk.env.policy),
        by_hand=case_choices.by_hand(page), promised=case_choices.still_promised(page),
        ahead=ahead, coming=coming, held=held, links=links(page), mails=_loose_mails(page, names, desk.now),
        drawing=_drawing(page), next_states=_next_states(page), walk=walk, list_said=walking.said(desk, walk),
        following=walking.onward(desk, walk), may=_may(desk, page),
        give_to=candidates(page.row, desk.staffing, desk.today), restricted=is_restricted(page.row),
    )  # fmt: skip
    return walking.keep(desk, answer, walk)


def _beside(desk: DeskPage, page: CasePage) -> tuple[list[int], Mapping[str, drafts.Kept], HeldSince | None]:
    """Who else looks, what this person has begun to type here, and since when the case is held back."""
    is_due = page.row.due_at is not None and page.row.due_at <= desk.now  # nothing else can be held back
    with transaction(desk.env.engine) as conn:
        others = presence.look(conn, page.case.id, desk.person.id, now=clock.utc_now())
        begun = drafts.of_case(conn, desk.person.id, page.case.id)
        return others, begun, held_since(conn, page.case.id) if is_due else None


def called(desk: DeskPage, others: Sequence[int]) -> list[str]:
    """Return the names of these members of staff."""
    return [desk.staffing.people[other].name for other in others if other in desk.staffing.people]


def _forms_begun(page: CasePage, begun: Mapping[str, drafts.Kept]) -> list[tuple[str, str, datetime]]:
    """Forms that were begun: trigger, title and since when."""
    return [(k.form, trigger_title(page.case.process, k.form), k.at) for k in begun.values() if k.form != drafts.NOTE]


def _loose_mails(page: CasePage, names: Names, now: datetime) -> list[Mail]:
    """Mail that waits or failed, wherever in the history it was asked for."""
    loose = (m for m in page.messages if m["state"] in ("queued", "sending", "failed"))
    return [mail(message, names, now) for message in loose]


KINDS = (("", "Everything"), ("people", "What people did"), ("mail", "Mail"), ("notes", "Notes and files"))
"""What the history can be narrowed to, and how that is called."""
_LINKS = {
    ("spawned_from", "to"): "this one came of it", ("spawned_from", "from"): "it came of this one",
    ("caused_by", "to"): "this one was caused by it", ("caused_by", "from"): "it was caused by this one",
    ("duplicate_of", "to"): "this one repeats it", ("duplicate_of", "from"): "it repeats this one",
}  # fmt: skip


def links(page: CasePage) -> list[dict[str, Any]]:
    """Return other cases with how they have to do with this one, in words."""
    told = (_LINKS.get((link["type"], link["direction"]), words(link["type"])) for link in page.links)
    return [{**link, "words": text} for link, text in zip(page.links, told, strict=True)]


def _drawing(page: CasePage) -> Any:
    return diagram(page.case.process, current=page.case.state, visited=page.visited)


def _next_states(page: CasePage) -> list[str]:
    """Where the case can go from here, by title and in the order of the definition."""
    process = process_named(page.case.process)
    targets = {t.target for t in process.from_state[page.case.state]} - {None, page.case.state}
    return [state.title for state in process.states if state.name in targets]


def _may(desk: DeskPage, page: CasePage) -> dict[str, bool]:
    """What somebody may do besides the process's own moves; the commands ask again."""
    roles = desk.actor_for(page.row.owner_id).roles
    own = page.row.owner_id == staff_id_of(desk.actor.person)
    writes = bool(roles & MAY_WRITE)
    return {
        "write": writes, "assign": writes and page.row.closed_at is None, "restrict": bool(roles & MAY_RESTRICT),
        "add_files": bool(roles & MAY_ADD), "own": own,
    }  # fmt: skip
