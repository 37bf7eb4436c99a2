"""Campaigns: which there are, how far one is, its members, and reminding some of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from cases.campaigning.counts import Counts
from cases.campaigning.lines import Line
from cases.campaigning.members import Narrowed, responses_after
from cases.campaigning.nudging import Nudging, nudge
from cases.campaigning.overview import CampaignLine, campaign_list
from cases.campaigning.page import campaign_page
from cases.campaigns import rate
from web.api.asking import CaseRef, Cursor, IdempotencyKey, IfNoneMatch, Limit, Who
from web.api.bodies import DayGiven
from web.api.campaign_models import CampaignLineTold, CampaignOne, Nudge, NudgeDone, ResponseLine
from web.api.paging import Listed, listed, place_of, versioned
from web.api.routes import Endpoints

api = Endpoints("Campaigns")
_COUNTS = (
    "eligible", "responded", "complete", "in_review", "exempt", "unanswered", "unreachable", "not_reached",
    "left_out", "cancelled", "outstanding", "accounted", "excluded", "is_100",
)  # fmt: skip


@api.read("/campaigns", "campaigns:read", response_model=Listed[CampaignLineTold])
def list_campaigns(asked: Who, limit: Limit = 50, cursor: Cursor = None) -> Any:
    """List campaigns, those that are open first, the newest first."""
    place = place_of(cursor, str)
    found = campaign_list(asked.env, after=place[0] if place else "", size=limit, actor=asked.actor, now=asked.now)
    return listed(asked.request, [_line(each) for each in found.lines], [found.after] if found.after else None)


def _line(each: CampaignLine) -> dict[str, Any]:
    return {name: getattr(each, name) for name in CampaignLineTold.model_fields}


@api.read(
    "/campaigns/{ref}",
    "campaigns:read",
    response_model=CampaignOne,
    problems=("not-found",),
    marks={"x-versioned": True},
)
def show_campaign(asked: Who, ref: CaseRef, known: IfNoneMatch = None) -> Any:
    """Show how far a campaign is.

    Response and being accounted for are never mixed: an approved exemption is no answer. Who may not see all teams
    gets the numbers of their own teams; `whole` says which.
    """
    page = campaign_page(asked.env, ref, actor=asked.actor, now=asked.now)
    names = ("ref", "kind", "version", "title", "state", "state_title", "open", "launch", "deadline", "questionnaire",
             "population", "next_step")  # fmt: skip
    values = {name: getattr(page, name) for name in names}
    told = {**values, "owner": page.owner or None, "progress": _progress(page.counts)}
    return versioned(asked.request, CampaignOne.model_validate(told), page.version)


def _progress(counts: Counts) -> dict[str, Any]:
    asked = counts.eligible - counts.exempt
    return {
        **{name: getattr(counts, name) for name in _COUNTS}, "by_state": dict(counts.by_state), "whole": counts.whole,
        "response_rate": rate(counts.responded, asked), "accounted_rate": rate(counts.accounted, counts.eligible),
    }  # fmt: skip


@api.read("/campaigns/{ref}/responses", "campaigns:read", response_model=Listed[ResponseLine], problems=("not-found",))
def list_responses(
    asked: Who,
    ref: CaseRef,
    state: Annotated[
        str, Query(max_length=80, description="Only in this state, or in a group of states: awaited, unanswered, "
                   "outstanding, reachable, to_ring, to_review, queried, in_review, responded, undecided, "
                   "not_reached, failed.", examples=["unanswered"])
    ] = "",
    team: Annotated[str, Query(max_length=200, description="Only of this team.", examples=["North"])] = "",
    tier: Annotated[str, Query(max_length=200, description="Only of this tier.", examples=["Premier"])] = "",
    q: Annotated[str, Query(max_length=200, description="Words of the member's name, or a reference.")] = "",
    silent_since: Annotated[
        DayGiven | None, Query(description="Only those of whom nothing was heard since this day.")
    ] = None,
    bounced: Annotated[bool, Query(description="Only those whom no mail reaches.")] = False,
    at_risk: Annotated[bool, Query(description="Only those who may not answer in time.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:  # fmt: skip
    """List the members of a campaign.

    In the order in which they were asked, so that none is skipped or repeated whatever changes meanwhile. Each is a
    case of its own.
    """
    place = place_of(cursor, int)
    narrow = Narrowed(state, team, tier, silent_since, bounced, at_risk, q)
    found, after = responses_after(
        asked.env, ref, narrow, after=place[0] if place else 0, size=limit, actor=asked.actor, now=asked.now
    )
    return listed(asked.request, [_response(each) for each in found], [after] if after else None)


def _response(line: Line) -> dict[str, Any]:
    same = ("ref", "version", "state", "state_title", "team", "tier", "deadline", "late", "reminders", "calls",
            "promised_on")  # fmt: skip
    return {
        **{name: getattr(line, name) for name in same}, "member": {"ref": line.member_ref, "name": line.member},
        "owner": line.owner or None, "final": line.final, "risks": list(line.risks),
        "contact": {"id": line.contact.id, "name": line.contact.name, "email": line.contact.email}
        if line.contact else None,
        "last": line.last.at if line.last else None, "next": line.next.at if line.next else None,
    }  # fmt: skip


@api.write("/campaigns/{ref}/nudges", "campaigns:write", response_model=NudgeDone, problems=("not-found",))
def nudge_members(asked: Who, ref: CaseRef, wanted: Nudge, key: IdempotencyKey = None) -> Any:
    """Remind members of a campaign now.

    A reminder by hand counts as one of the ladder. Each member is decided about by itself: who has answered
    meanwhile, or was written to yesterday, is left in peace and stops nobody else. At most 1000 in one go.
    """
    done: Nudging = nudge(
        asked.env, ref, wanted.responses, insist=wanted.insist, actor=asked.actor_on(ref), now=asked.now
    )
    return {
        "reminded": [{"ref": each.ref, "member": each.member, "to": each.to} for each in done.going],
        "left_in_peace": [{"ref": each.ref, "member": each.member, "why": each.why_not} for each in done.staying],
        "leaves_at": done.leaves_at,
    }  # fmt: skip
