"""Proposed changes of members: which wait, and deciding about them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import Field
from starlette.responses import Response

from cases.people import called
from config.database import reading
from members import proposals
from members.member_commands import checked_fields
from members.proposal_lists import Proposal, open_proposals, proposals_of
from web.api.asking import Asked, Cursor, IdempotencyKey, Limit, MemberPath, Who
from web.api.bodies import PARTIAL, Instant, MemberName, Sent, Told, about
from web.api.lookup import lent, member_seen
from web.api.member_models import Kind
from web.api.members import require_fields
from web.api.paging import Listed, listed, place_of
from web.api.routes import Endpoints

api = Endpoints("Members")


class Line(Told):
    """One thing a proposal asks for."""

    what: Annotated[str, about("The field, as people say it.", "Website")]
    before: Annotated[str, about("What it was when it was asked.", "https://acme.example")]
    now: Annotated[str, about("What it is now.", "https://acme.example")]
    after: Annotated[str, about("What it shall be.", "https://acme-leisure.example")]


class ProposalOne(Told):
    """A change of a member that somebody asks for."""

    id: Annotated[int, about("Its number.", 9)]
    member: Annotated[MemberName, about("The member.")]
    member_version: Annotated[int, about("The version of the member this was shown with; accepting names it.", 3)]
    status: Annotated[Literal["open", "accepted", "declined", "withdrawn"], about("What became of it.", "open")]
    at: Annotated[Instant, about("When it was asked.")]
    proposed_by: Annotated[str, about("Who asks, as the record names them.", "contact:5")]
    by: Annotated[str, about("Who asks, by name.", "Ann Lee")]
    lines: Annotated[list[Line], about("What shall change.")]
    note: Annotated[str, about("A word to the coordinator.", "")]
    outdated: Annotated[bool, about("Whether the member was changed since in what it asks for.", False)]
    decided_by: Annotated[str | None, about("Who decided, by name.", "Amara")]
    decided_at: Annotated[Instant | None, about("When it was decided.")]
    reason: Annotated[str | None, about("Why it was declined.", "That is another company.")]


class NewProposal(Sent):
    """What is proposed to change; what is left out stays."""

    model_config = PARTIAL

    name: Annotated[str, about("The name.", "Acme Leisure Ltd", min_length=1, max_length=300)] = ""
    kind: Annotated[Kind, about("What it is.", "organisation")] = "organisation"
    external_ref: Annotated[str | None, about("Your own number for it.", "4711", max_length=100)] = None
    category: Annotated[str | None, about("The category of the membership.", "Retailer", max_length=200)] = None
    country: Annotated[str | None, about("The country.", "GB", max_length=200)] = None
    region: Annotated[str | None, about("The region.", "North", max_length=200)] = None
    site: Annotated[str | None, about("The site it belongs to.", "Leeds", max_length=200)] = None
    website: Annotated[str | None, about("The website.", "https://acme.example", max_length=2000)] = None
    language: Annotated[str, about("In which it is written to.", "en", max_length=10)] = "en"
    note: Annotated[str, about("A word to the coordinator.", "They wrote to us.", max_length=2000)] = ""


class Acceptance(Sent):
    """The member as it was seen."""

    member_version: Annotated[
        int, about("The `member_version` the proposal was shown with.", 3), Field(ge=1, le=2**31 - 1, strict=True)
    ]


class Declining(Sent):
    """Why not."""

    reason: Annotated[str, about("Whoever asked may read it.", "That is another company.", min_length=1,
                                 max_length=2000)]  # fmt: skip


class ProposalMade(Told):
    """The number of a proposal."""

    id: Annotated[int, about("Its number.", 9)]


Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="The `id` of the proposal.", examples=[9])]


@api.read("/proposals", "members:read", response_model=Listed[ProposalOne])
def list_proposals(asked: Who, limit: Limit = 50, cursor: Cursor = None) -> Any:
    """List proposed changes that wait.

    Proposals that wait for a decision, about members you may see, the oldest first.
    """
    place = place_of(cursor, int)
    with reading(asked.env.engine) as conn:
        found = open_proposals(
            conn, after=place[0] if place else 0, limit=limit + 1, lent=lent(asked), viewer=asked.actor
        )
    items = [_values(each, asked) for each in found[:limit]]
    return listed(asked.request, items, [found[limit - 1].id] if len(found) > limit else None)


@api.read(
    "/members/{ref}/proposals", "members:read", response_model=Listed[ProposalOne], problems=("not-found", "refused")
)
def list_member_proposals(asked: Who, ref: MemberPath) -> Any:
    """List what was proposed to change on a member.

    Open ones first, then the newest; the latest 200 on one page.
    """
    card = member_seen(asked, ref)
    with reading(asked.env.engine) as conn:
        found = proposals_of(conn, card.id, limit=200)
    return {"items": [_values(each, asked) for each in found], "next": None}


@api.write(
    "/members/{ref}/proposals", "members:write", status_code=201, response_model=ProposalMade, problems=("not-found",)
)
def propose_change(asked: Who, ref: MemberPath, wanted: NewProposal, key: IdempotencyKey = None) -> Any:
    """Propose a change of a member.

    For changes that another person shall decide about. The same proposal again is the one that waits.
    """
    card = member_seen(asked, ref)
    changes = wanted.model_dump(exclude_unset=True)
    require_fields({name: value for name, value in changes.items() if name != "note"}, lambda one: checked_fields(one))
    number = proposals.propose(
        asked.env.engine, card.id, changes, proposed_by=asked.actor.person, source="api", now=asked.now
    )
    return {"id": number}


@api.write(
    "/proposals/{number}/acceptance",
    "members:write",
    status_code=204,
    response_class=Response,
    problems=("not-found", "changed"),
)
def accept_proposal(asked: Who, number: Number, given: Acceptance, key: IdempotencyKey = None) -> Response:
    """Accept a proposed change.

    The changes are made as they were proposed, if the member is still as it was shown with them. Whoever proposed a
    change does not decide about it.
    """
    proposals.accept(
        asked.env.engine, number, seen_version=given.member_version, lent=lent(asked), actor=asked.actor, now=asked.now
    )
    return Response(status_code=204)


@api.write(
    "/proposals/{number}/refusal",
    "members:write",
    status_code=204,
    response_class=Response,
    problems=("not-found", "changed"),
)
def decline_proposal(asked: Who, number: Number, given: Declining, key: IdempotencyKey = None) -> Response:
    """Decline a proposed change.

    The member stays as it is, and the reason is kept.
    """
    proposals.decline(asked.env.engine, number, given.reason, lent=lent(asked), actor=asked.actor, now=asked.now)
    return Response(status_code=204)


def _values(each: Proposal, asked: Asked) -> dict[str, Any]:
    same = ("id", "status", "at", "proposed_by", "note", "outdated", "decided_at", "reason")
    lines = [{name: getattr(line, name) for name in ("what", "before", "now", "after")} for line in each.lines]
    return {
        **{name: getattr(each, name) for name in same}, "lines": lines, "member_version": each.card.version,
        "member": {"ref": each.card.ref, "name": each.card.name},
        "by": each.proposer or called(each.proposed_by, asked.staffing),
        "decided_by": called(each.decided_by, asked.staffing) if each.decided_by else None,
    }  # fmt: skip
