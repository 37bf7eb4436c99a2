"""Campaigns: planned from a file, and counted to the last member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import ColumnElement, func, select, true

from cases import opening, questionnaires, store
from cases.commands import acts_for
from cases.environment import Environment, World, world
from cases.errors import BadInput, TransitionRefused
from cases.permissions import visible
from cases.sight import row_seen
from cases.tables import CampaignMember, CaseRow
from config.database import Connection, reading, transaction, without_nul
from members import store as member_store
from members.tables import Member
from members.visibility import lent_teams, sees_all_teams, visible_members
from notifications.tables import MessageRow
from state_machines.process import Process
from state_machines.processes.code_document import ASKS_FOR
from state_machines.registry import process_named
from state_machines.standing import RESPONDED, Standing, count_in
from state_machines.values import Actor, Outcome

KINDS = {"survey": "survey_campaign", "signoff": "signoff_campaign"}
EVERYTHING = true()
INVITATIONS = {"survey_response": "survey_invitation", "signature": "signature_request"}
"""The kind of message with which each member is asked, by the process of the member's case."""


def child_of(process: str) -> Process:
    """Return the process of the cases that campaigns of this process open for their members."""
    found = process_named(process).child
    assert found is not None  # noqa: S101  every campaign has one
    return found


def kind_of(process: str) -> str:
    """Return the kind of a campaign as plans call it, by its process."""
    return next(kind for kind, name in KINDS.items() if name == process)


def campaign_states(*standings: Standing) -> frozenset[str]:
    """Return the states that stand in one of these ways in any kind of campaign."""
    return frozenset().union(*(child_of(name).states_in(*standings) for name in KINDS.values()))


def read_plan(path: Path) -> dict[str, Any]:
    """Return a campaign plan from a YAML file. Raises BadInput naming the file and what is wrong."""
    try:
        plan = yaml.safe_load(path.read_text("utf-8"))
    except OSError as bad:
        raise BadInput(f"The plan {path} cannot be read: {bad.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as bad:
        line = getattr(getattr(bad, "problem_mark", None), "line", None)
        raise BadInput(
            f"The plan {path.name} is not valid YAML{f' (line {line + 1})' if line is not None else ''}."
        ) from None
    if not isinstance(plan, dict):
        raise BadInput(
            f"The plan {path.name} holds no settings; it needs kind, title, launch, deadline, population, and a"
            " questionnaire or a document."
        )
    kind = plan.pop("kind", None)
    if kind not in KINDS:
        raise BadInput(f"The plan {path.name} has kind {kind!r}; known are {', '.join(KINDS)}.")
    return {**plan, "kind": kind}


def plan(env: Environment, path: Path, *, actor: Actor, now: datetime | None = None) -> Outcome:
    """Open a campaign from a plan file and return it, waiting for somebody else's approval.

    Raises BadInput or TransitionRefused with a sentence per problem; nothing is kept then.
    """
    settings = read_plan(path)
    return plan_campaign(env, settings, beside=path.parent, actor=actor, now=now)


def plan_campaign(
    env: Environment, plan: Mapping[str, Any], *, beside: Path | None = None, actor: Actor, now: datetime | None = None
) -> Outcome:
    """Open a campaign from the settings of a plan, its ``kind`` among them, and return it, waiting for approval.

    The questionnaire of a survey is looked for also ``beside`` the plan; a sign-off names a document that is in force.
    Raises BadInput or TransitionRefused.
    """
    settings = dict(plan)
    process = process_named(KINDS[settings.pop("kind")])
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        if process.name == KINDS["survey"]:
            asked, document = _asked_questions(conn, env, settings, beside, here), None
        else:
            document = _document(conn, str(settings.get("document") or ""), actor, here)
            asked = _asked_text(document)
        if "population" in settings:
            member_store.meeting(settings["population"] or {})
        title = without_nul(str(settings.get("title") or process.title))
        team = next(iter(sorted(actor.teams)), None)
        wish = opening.Wish(process, title, without_nul(settings) | asked, None, team)
        found = opening.decided(conn, [wish], here, actor=actor)[0]
        if isinstance(found, tuple):
            raise TransitionRefused(found[1])
        link = (document.id, ASKS_FOR) if document is not None else None
        store.apply(conn, [replace(found, link=link)], here)
        return found.outcome


def _asked_questions(
    conn: Connection, env: Environment, settings: Mapping[str, Any], beside: Path | None, here: World
) -> dict[str, Any]:
    file = questionnaires.find(str(settings.get("questionnaire", "")), env.settings, beside)
    questionnaire = questionnaires.keep(conn, file, now=here.now)
    return {
        "questionnaire": questionnaire.name, "questionnaire_version": questionnaire.version,
        "questionnaire_fingerprint": questionnaire.fingerprint(),
    }  # fmt: skip


def _document(conn: Connection, ref: str, actor: Actor, here: World) -> Any:
    """The row of the document that a sign-off asks for. Raises BadInput where it is none, or not in force."""
    if not ref.strip():
        raise BadInput("Say which document is to be signed, by its reference: CD-….")
    row = row_seen(conn, ref, actor, here)
    if row.process != "code_document":
        raise BadInput(f"{row.ref} is no document; references of documents begin with CD.")
    if row.state != "effective":
        raise BadInput(f"{row.ref} is not in force ({process_named(row.process).state(row.state).title.lower()}).")
    return row


def _asked_text(document: Any) -> dict[str, Any]:
    data = document.data
    return {
        "document": document.ref, "document_title": data["title"], "document_number": data["number"],
        "document_languages": dict(data["languages"]), "authoritative": data["authoritative"],
    }  # fmt: skip


def rate(part: int, whole: int) -> float | None:
    """Return a share from 0 to 1, rounded down so that 1 is everybody; None of nobody."""
    return part * 10_000 // whole / 10_000 if whole > 0 else None


@dataclass(frozen=True)
class Progress:
    """How far a campaign is. Response and being accounted for are never mixed."""

    ref: str
    title: str
    state: str
    eligible: int
    invited: int
    responded: int
    complete: int
    exempt: int
    unreachable: int
    not_reached: int
    failed: int
    outstanding: int
    by_state: Mapping[str, int]
    excluded: int
    launch: str | None
    deadline: str | None

    @property
    def accounted(self) -> int:
        """Members whose answer is in, who are exempt by approval, or whose silence was decided upon."""
        return self.responded + self.exempt + self.failed + self.not_reached

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain values; rates are shares from 0 to 1, or None where nobody is asked."""
        asked = self.eligible - self.exempt
        return {
            "ref": self.ref, "title": self.title, "state": self.state, "launch": self.launch, "deadline": self.deadline,
            "eligible": self.eligible, "invited": self.invited, "responded": self.responded, "complete": self.complete,
            "exempt": self.exempt, "unreachable": self.unreachable, "not_reached": self.not_reached,
            "failed": self.failed,
            "outstanding": self.outstanding, "accounted": self.accounted, "excluded": self.excluded,
            "response_rate": rate(self.responded, asked),
            "accounted_rate": rate(self.accounted, self.eligible),
            "by_state": dict(self.by_state),
        }  # fmt: skip


def status(env: Environment, ref: str, *, actor: Actor, now: datetime | None = None) -> Progress:
    """Return how far a campaign is: with the members of all teams for who sees these, else of the actor's own alone.

    Raises CaseNotFound, or BadInput for a case that is no campaign.
    """
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        row = row_seen(conn, ref, actor, here)
        if row.process not in KINDS.values():
            raise BadInput(f"{row.ref} is no campaign.")
        if sees_all_teams(actor):
            return progress(conn, row)
        lent = lent_teams(actor, here.staffing, env.calendar.local_date(here.now))
        return progress(conn, row, visible(actor, acts_for(actor, here)), visible_members(actor, lent))


def progress(
    conn: Connection, row: Any, among: ColumnElement[bool] = EVERYTHING, of: ColumnElement[bool] = EVERYTHING
) -> Progress:
    """Return how far the campaign of a row of ``cases`` is; five statements, however many members.

    ``among`` narrows to cases, ``of`` to members that hold to a condition.
    """
    child = child_of(row.process)
    replaced = child.states_in(Standing.REPLACED)
    counted = conn.execute(
        select(CaseRow.state, func.count()).where(CaseRow.parent_id == row.id, among).group_by(CaseRow.state)
    ).tuples()
    by_state = {state: number for state, number in counted if state not in replaced}
    members = dict(conn.execute(
        select(CampaignMember.included, func.count()).join(Member, Member.id == CampaignMember.member_id)
        .where(CampaignMember.campaign_id == row.id, of).group_by(CampaignMember.included)
    ).tuples().all())  # fmt: skip

    def count(*standings: Standing) -> int:
        return count_in(by_state, child.standings, standings)

    left_out = count(Standing.DROPPED) - by_state.get(CANCELLED, 0)
    eligible = sum(by_state.values()) - left_out
    outstanding = count(Standing.AWAITED, Standing.UNDECIDED)
    return Progress(
        row.ref, row.subject, row.state, eligible or _planned(conn, row, of), _invited(conn, row.id, child.name, among),
        count(*RESPONDED), count(Standing.COMPLETE), count(Standing.EXEMPT), count(Standing.UNREACHED),
        count(Standing.UNREACHABLE), count(Standing.UNANSWERED), outstanding, by_state,
        max(members.get(False, 0) - left_out, 0), row.data.get("launch"), row.data.get("deadline"),
    )  # fmt: skip


CANCELLED = "cancelled"
"""The state of a member's case, in every kind of campaign, whose campaign was cancelled."""


def _planned(conn: Connection, row: Any, of: ColumnElement[bool]) -> int:
    """Before the launch: how many the rule of the plan would take in today."""
    taken_in = member_store.meeting(row.data.get("population") or {})
    return conn.execute(select(func.count()).select_from(Member).where(*taken_in, of)).scalar_one()


def _invited(conn: Connection, campaign_id: int, child: str, among: ColumnElement[bool]) -> int:
    """Members whose invitation has left."""
    kind = INVITATIONS[child]
    sent = (
        select(func.count(func.distinct(CaseRow.member_id)))
        .join(MessageRow, CaseRow.id == MessageRow.case_id)
        .where(CaseRow.parent_id == campaign_id, MessageRow.kind == kind, MessageRow.state == "sent", among)
    )
    return conn.execute(sent).scalar_one()
