"""Decisions that wait for somebody: the list, the pack of one, and one decision on several at once.

What is decided on one case goes through the case's own forms, so that there is one place that does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from cases.approving import approvals as shell
from cases.approving.approval_desk import approval_desk
from cases.approving.approvals import Decision
from cases.approving.deciding_together import (
    Done,
    Picked,
    Would,
    decide_together,
    listed_move,
    preview,
    together,
)
from cases.approving.decision_packs import Deed
from cases.approving.decisions import DECIDERS
from cases.errors import BadInput
from cases.forecast import Expected
from cases.lists.keyset import place_from
from cases.queries import CasePage, case_page
from cases.sight import glance
from state_machines.english import within
from state_machines.objections import help_of
from state_machines.processes.reaching import ASKED_UNREACHABLE
from state_machines.processes.reaching_proof import evidence, in_words
from state_machines.registry import process_named
from state_machines.values import Role
from web import naming
from web.access import staff
from web.desk import case_choices
from web.desk.case_people import options
from web.desk.case_points import points
from web.desk_page import Desk, DeskPage
from web.posted import Form, Posted, number_of
from web.routing import Pages
from web.said import Said, said

pages = Pages(may=staff(Role.MANAGER, Role.SENIOR, Role.COUNCIL))

SHORT = 240
"""Letters of each thing said that the list shows; the pack has all of it."""
PROSE = 20
"""Letters from which on a text is a sentence."""
FIRST = 6


@pages.get("/approvals", statements=14)
def approvals(desk: Desk, after: str = "") -> Response:
    """Show what waits for the decision of who is signed in, what they wait for, and what was brought to them."""
    place = place_from(after)
    found = approval_desk(desk.env, after=place, actor=desk.actor, now=desk.now)
    decisions = found.listed.decisions
    return desk.page(
        "desk/approvals.html", title="Approvals", found=found, first_page=place is None, next=found.listed.next,
        lines=[_line(desk, each) for each in decisions], moves=_moves(desk, decisions),
        names=desk.staffing.names,
    )  # fmt: skip


@pages.get("/approvals/{ref}", statements=23)
def pack(desk: Desk, ref: str) -> Response:
    """Show everything somebody who decides should know, with the ways to decide."""
    found = shell.decision(desk.env, ref, actor=desk.actor, now=desk.now)
    if found is None:
        seen = glance(desk.env, ref, actor=desk.actor, now=desk.now)
        return desk.see_other(f"/cases/{seen.ref}", "This case does not wait for your decision.", tone="warning")
    page = case_page(desk.env, ref, actor=found.actor, now=desk.now, last_events=1)
    offered = case_choices.actions(page)
    deciding = {t.trigger: not t.four_eyes for t in _out_of(page)}
    decisions = [a for a in offered if a.refused is None and deciding.get(a.trigger) is False and not a.danger]
    return desk.page(
        "desk/approval.html", title=_title(found), line=_line(desk, found, whole=True),
        page=page, found=found,
        decide=sorted((a for a in offered if a.trigger in deciding and a.refused is None),
                      key=lambda action: (action.danger, deciding[action.trigger])),
        others=[a for a in offered if a.trigger not in deciding and a.refused is None],
        impossible=[a for a in offered if a.refused is not None],
        led=[(each, _said(desk, found, each)) for each in found.pack.led],
        coming=[_coming(found, each) for each in found.pack.next], history=found.history,
        main=decisions[0].trigger if len(decisions) == 1 else None,
        tried=in_words(evidence(found.case.data)) if found.case.state == ASKED_UNREACHABLE else None,
        names=desk.staffing.names,
    )  # fmt: skip


@pages.post("/approvals/together")
def several(desk: Desk, posted: Form) -> Response:
    """Show what one decision would do to the cases that are ticked, or take it on each of them."""
    picked, process, trigger = _picked(posted), *_asked(posted)
    reason = posted.text("reason")
    if posted.text("step") != "do":
        would = preview(desk.env, picked, process, trigger, reason=reason, actor=desk.actor, now=desk.now)
        return _preview_page(desk, would, process, trigger, reason)
    done = decide_together(desk.env, picked, process, trigger, reason=reason, actor=desk.actor, now=desk.now)
    title = naming.trigger_title(process, trigger)
    refused = [each for each in done if each.refused is not None]
    if not refused:
        return desk.see_other("/approvals", f"“{title}” is done on {naming.plural(len(done), 'case')}.")
    return _results_page(desk, done, title)


def _preview_page(desk: DeskPage, would: Sequence[Would], process: str, trigger: str, reason: str) -> Response:
    move = listed_move(desk.env.policy, process, trigger)
    return desk.page(
        "desk/approvals_together.html", title=f"{move.title}: look before you decide", would=would, process=process,
        trigger=trigger, reason=reason, able=[each for each in would if each.refused is None], move=move,
        titles={each.ref: _after(each) for each in would},
    )  # fmt: skip


def _results_page(desk: DeskPage, done: Sequence[Done], title: str) -> Response:
    refused = [each for each in done if each.refused is not None]
    return desk.page(
        "desk/approvals_done.html", title=f"{title}: what came of it", done=done, refused=refused,
        status=409 if len(refused) == len(done) else 200,
    )  # fmt: skip


def _after(would: Would) -> str | None:
    """The state a case would come to, by title."""
    if would.outcome is None:
        return None
    after = would.outcome.after
    return process_named(after.process).state(after.state).title


def _picked(posted: Posted) -> list[Picked]:
    """The ticked cases: reference and version as the page showed them. Raises BadInput for what no page sends."""
    found = []
    for each in dict.fromkeys(posted.all("pick")):
        ref, _, version = each.partition(":")
        seen = number_of(version)
        if seen is None:
            raise BadInput("This is no case that could be ticked.")
        found.append(Picked(ref.strip().upper(), seen))
    return found


def _asked(posted: Posted) -> tuple[str, str]:
    process, _, trigger = posted.text("move").partition(".")
    if not trigger:
        raise BadInput("Please say what to decide.")
    return process, trigger


# ------------------------------------------------------------------------------------------------ what is shown


@dataclass(frozen=True)
class Line:
    """A decision as the list shows it."""

    decision: Decision
    about: str
    """Whom and what it is about."""
    title: str
    """What kind of case it is."""
    state: str
    asked: Deed | None
    said: Sequence[Said]
    coming: Sequence[tuple[Any, str]]
    on_behalf_of: str | None
    moves: Sequence[str]
    """What may be decided here together with others, as ``process.trigger``."""


def _line(desk: DeskPage, decision: Decision, *, whole: bool = False) -> Line:
    process = process_named(decision.case.process)
    asked = decision.pack.asked
    told = _said(desk, decision, asked) if asked is not None else []
    other = desk.staffing.people.get(decision.owner) if decision.actor.on_behalf_of else None
    return Line(
        decision, _title(decision), process.title, process.state(decision.case.state).title, asked,
        told if whole else _gist(told),
        [_coming(decision, each) for each in decision.pack.next[:1]], other.name if other else None,
        sorted({f"{process.name}.{t.trigger}" for t in together(desk.env.policy, decision)}),
    )  # fmt: skip


def _title(decision: Decision) -> str:
    """Whom a decision is about and what: the member and the subject, or the subject where that names the member."""
    member, subject = decision.row.member, str(decision.case.subject)
    return subject if not member or member.casefold() in subject.casefold() else f"{member}: {subject}"


def _said(desk: DeskPage, decision: Decision, told: Deed) -> list[Said]:
    process = process_named(decision.case.process)
    return said(process, told.trigger, told.typed, people=options(desk.staffing), zone=desk.env.settings.zone,
                heads=points(decision.case))  # fmt: skip


def _gist(told: Sequence[Said]) -> list[Said]:
    """The first few things said, prose before single words, in the order of the form."""
    prose_first = sorted(told, key=lambda each: len(" ".join(each.lines)) < PROSE)
    kept = prose_first[:FIRST]
    return [_cut(each) for each in told if each in kept]


def _cut(told: Said) -> Said:
    """What was said in one line, or in one for each record; of a long text the beginning, whole words only."""
    if told.records:
        kept = (replace(one, parts=tuple((label, _shorter(text)) for label, text in one.parts)) for one in told.records)
        return replace(told, records=tuple(kept))
    between = "; " if all(len(line) < PROSE for line in told.lines) else " "
    return Said(told.label, (_shorter(between.join(told.lines)),))


def _shorter(text: str) -> str:
    return text if len(text) <= SHORT else text[:SHORT].rpartition(" ")[0] + " …"


def _coming(decision: Decision, expected: Expected) -> tuple[Any, str]:
    """When something happens by itself if nobody decides, and what."""
    process = process_named(decision.case.process)
    told = help_of(process, expected.trigger).rstrip(".")
    words = within(told or naming.trigger_title(process.name, expected.trigger))
    if expected.target != decision.case.state:
        words += f", and the case goes to “{process.state(expected.target).title}”"
    if expected.messages:
        words += f"; {naming.plural(len(expected.messages), 'mail')} about it"
    return expected.at, words


def _moves(desk: DeskPage, decisions: Sequence[Decision]) -> dict[str, str]:
    """What may be decided on several of these cases at once, by title."""
    found = {}
    for each in decisions:
        process = process_named(each.case.process)
        for move in together(desk.env.policy, each):
            found[f"{process.name}.{move.trigger}"] = f"{move.title} ({process.title.lower()})"
    return found


def _out_of(page: CasePage) -> list[Any]:
    """The moves that lead out of the state: what deciding means here."""
    found = process_named(page.case.process).from_state[page.case.state]
    return [t for t in found if t.four_eyes or (not t.internal and set(t.by) <= DECIDERS)]
