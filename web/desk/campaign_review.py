"""One member's response: its answers beside last year's, what is asked back, and everything done about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from cases import commands
from cases.campaigning import contacts
from cases.campaigning.contacts import name_contact, renew_link
from cases.campaigning.moves import Move
from cases.campaigning.review import Review, review
from cases.campaigning.sight import acts_as
from cases.campaigning.waiting import waiting_page
from cases.errors import BadInput, CaseChanged, TransitionRefused
from members.errors import MembersError
from members.tables import CONTACT_ROLES
from state_machines.registry import process_named
from web.access import STAFF, staff
from web.desk_page import Desk, DeskPage
from web.posted import Form, Posted
from web.routing import Pages

pages = Pages(may=STAFF)
AT_WORK = staff(*contacts.AT_WORK)
HERE = "/campaigns/{ref}/responses/{case_ref}"
OF_SIGNATURES = process_named("signature").prefix + "-"
WITH_FORMS_HERE = ("complete", "query", "accept_with_caveat", "second_check", "impute", "nudge")
"""Moves whose forms stand among the answers; the others have a page of their own."""


@pages.get("/campaigns/{ref}/responses", statements=10)
def responses(desk: Desk, ref: str, after: str = "") -> Response:
    """The answers that wait for a review, soonest deadline first."""
    found = waiting_page(desk.env, ref, after=after, actor=desk.actor, now=desk.now)
    return desk.page("desk/campaign_responses.html", title=found.title, found=found, tab="responses", again=after)


@pages.get(HERE, statements=21)
def response(desk: Desk, ref: str, case_ref: str) -> Response:
    """One response for its reviewer; a signature is looked at on its case."""
    if case_ref.upper().startswith(OF_SIGNATURES):
        return desk.see_other(f"/cases/{case_ref.upper()}")
    return _shown(desk, ref, case_ref)


def _shown(
    desk: DeskPage, ref: str, case_ref: str, typed: Posted | None = None, problem: str = "", status: int = 200
) -> Response:
    found = review(desk.env, ref, case_ref, acting=desk.actor_for, actor=desk.actor, now=desk.now)
    return desk.page(
        "desk/campaign_response.html", title=found.line.member, status=status, found=found, typed=typed or Posted(),
        problem=problem, here=HERE.format(ref=found.campaign_ref, case_ref=found.line.ref), roles=CONTACT_ROLES,
        elsewhere=_elsewhere(found),
        reviewing=any(trigger in found.moves for trigger in WITH_FORMS_HERE if trigger != "nudge"),
        may_write=bool(AT_WORK.roles & desk.roles_today), open={t for t, m in found.moves.items() if not m.why_not},
    )  # fmt: skip


def _elsewhere(found: Review) -> list[Move]:
    """What has a form of its own: a call, which is made most often, first."""
    listed = [move for move in found.moves.values() if move.trigger not in WITH_FORMS_HERE]
    return sorted(listed, key=lambda move: move.trigger != "log_call")


def _done(
    desk: DeskPage, ref: str, case_ref: str, trigger: str, payload: Mapping[str, Any], posted: Posted, sentence: str
) -> Response:
    """Make a move and go on to the next answer to review; where it is refused, show why with what was typed."""
    before = review(desk.env, ref, case_ref, actor=desk.actor, now=desk.now)
    following = _following(before)
    actor = acts_as(desk.env, ref, case_ref, acting=desk.actor_for, actor=desk.actor, now=desk.now)
    try:
        commands.fire(
            desk.env, case_ref, trigger, payload=payload, seen_version=posted.number("seen"), actor=actor, now=desk.now
        )
    except (BadInput, TransitionRefused, CaseChanged) as bad:
        return _shown(desk, ref, case_ref, posted, str(bad), bad.status)
    onward = following if following and posted.yes("onward") else HERE.format(ref=ref, case_ref=case_ref)
    return desk.see_other(onward, f"{before.line.member}: {sentence}")


def _following(found: Review) -> str:
    other = found.following or found.previous
    return HERE.format(ref=found.campaign_ref, case_ref=other) if other else ""


def _under(posted: Posted, head: str) -> dict[str, str]:
    """Return what was typed into the fields whose names begin so, those left blank aside."""
    found = {name.removeprefix(head): posted.text(name).strip() for name in posted.texts if name.startswith(head)}
    return {name: text for name, text in found.items() if text}


@pages.post(HERE + "/complete", may=AT_WORK)
def complete(desk: Desk, posted: Form, ref: str, case_ref: str) -> Response:
    """Accept the answers; each open flag is dismissed with a reason."""
    dismissed = [{"flag": flag, "reason": reason} for flag, reason in _under(posted, "dismiss.").items()]
    return _done(desk, ref, case_ref, "complete", {"dismissed": dismissed}, posted, "The answer is complete.")


@pages.post(HERE + "/query", may=AT_WORK)
def query(desk: Desk, posted: Form, ref: str, case_ref: str) -> Response:
    """Ask the member back about some of the answers, in one letter."""
    questions = [{"question": name, "text": text} for name, text in _under(posted, "query.").items()]
    if not questions:
        return _shown(desk, ref, case_ref, posted, "Write what you ask next to at least one answer.", 422)
    return _done(desk, ref, case_ref, "query", {"questions": questions}, posted, "The member is asked back.")


@pages.post(HERE + "/accept", may=AT_WORK)
def accept(desk: Desk, posted: Form, ref: str, case_ref: str) -> Response:
    """Take the answers as they are, without those that would spoil the totals."""
    payload = {"reason": posted.text("reason"), "excluded": posted.all("excluded")}
    return _done(desk, ref, case_ref, "accept_with_caveat", payload, posted, "The answer is accepted with a caveat.")


@pages.post(HERE + "/second-check", may=AT_WORK)
def second_check(desk: Desk, posted: Form, ref: str, case_ref: str) -> Response:
    """Agree as a second person."""
    payload = {"agreed": posted.yes("agreed"), "note": posted.text("note")}
    return _done(desk, ref, case_ref, "second_check", payload, posted, "The second check is recorded.")


@pages.post(HERE + "/contact", may=AT_WORK)
def contact(desk: Desk, posted: Form, ref: str, case_ref: str) -> Response:
    """Name another contact, who is written to first from now on."""
    values = {name: posted.text(name) for name in ("name", "email", "phone", "role") if posted.text(name)}
    try:
        member = name_contact(desk.env, ref, case_ref, values, actor=desk.actor, now=desk.now)
    except (BadInput, MembersError) as bad:
        return _shown(desk, ref, case_ref, posted, str(bad), 422)
    return desk.see_other(
        HERE.format(ref=ref, case_ref=case_ref), f"{values['email']} is written to first for {member} from now on."
    )


@pages.post(HERE + "/link", may=AT_WORK)
def link(desk: Desk, posted: Form, ref: str, case_ref: str) -> Response:
    """Make the old personal links worthless and send a new one."""
    actor = acts_as(desk.env, ref, case_ref, acting=desk.actor_for, actor=desk.actor, now=desk.now)
    try:
        sent = renew_link(
            desk.env, ref, case_ref, posted.text("reason"), seen_version=posted.number("seen"), actor=actor,
            now=desk.now,
        )  # fmt: skip
    except (BadInput, CaseChanged) as bad:
        return _shown(desk, ref, case_ref, posted, str(bad), bad.status)
    told = "a new one is on its way." if sent else "the next message carries a new one."
    return desk.see_other(
        HERE.format(ref=ref, case_ref=case_ref), f"The old personal links do not work any more; {told}"
    )
