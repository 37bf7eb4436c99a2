"""Campaigns: planned from a file, and counted to the last member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import func, select

from cases import opening, questionnaires, store
from cases.environment import Environment, world
from cases.errors import BadInput, TransitionRefused
from cases.sight import row_seen
from cases.tables import CampaignMember, CaseRow
from config.database import Connection, reading, transaction, without_nul
from members import store as member_store
from notifications.tables import MessageRow
from state_machines.registry import process_named
from state_machines.values import Actor, Outcome

KINDS = {"survey": "survey_campaign"}
RESPONDED = frozenset({"submitted", "dq_review", "queried", "resubmitted", "complete"})
SETTLED = frozenset({"complete", "exempt", "failed", "refused", "not_answered", "cancelled"})
FAILED = frozenset({"failed", "refused", "not_answered"})
INVITATION = "survey_invitation"


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
            f"The plan {path.name} holds no settings; it needs kind, title, questionnaire, launch, deadline."
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

    The questionnaire is looked for also ``beside`` the plan. Raises BadInput or TransitionRefused.
    """
    settings = dict(plan)
    process = process_named(KINDS[settings.pop("kind")])
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        file = questionnaires.find(str(settings.get("questionnaire", "")), env.settings, beside)
        questionnaire = questionnaires.keep(conn, file, now=here.now)
        if "population" in settings:
            member_store.meeting(settings["population"] or {})
        payload = without_nul(settings) | {
            "questionnaire": questionnaire.name, "questionnaire_version": questionnaire.version,
            "questionnaire_fingerprint": questionnaire.fingerprint(),
        }  # fmt: skip
        title = without_nul(str(settings.get("title") or process.title))
        team = next(iter(sorted(actor.teams)), None)
        wish = opening.Wish(process, title, payload, None, team)
        found = opening.decided(conn, [wish], here, actor=actor)[0]
        if isinstance(found, tuple):
            raise TransitionRefused(found[1])
        store.apply(conn, [found], here)
        return found.outcome


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
    failed: int
    outstanding: int
    by_state: Mapping[str, int]
    excluded: int
    launch: str | None
    deadline: str | None

    @property
    def accounted(self) -> int:
        """Members whose answer is in, who are exempt by approval, or whose silence was decided upon."""
        return self.responded + self.exempt + self.failed

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain values; rates are shares from 0 to 1, or None where nobody is asked."""
        asked = self.eligible - self.exempt
        return {
            "ref": self.ref, "title": self.title, "state": self.state, "launch": self.launch, "deadline": self.deadline,
            "eligible": self.eligible, "invited": self.invited, "responded": self.responded, "complete": self.complete,
            "exempt": self.exempt, "unreachable": self.unreachable, "failed": self.failed,
            "outstanding": self.outstanding, "accounted": self.accounted, "excluded": self.excluded,
            "response_rate": round(self.responded / asked, 4) if asked > 0 else None,
            "accounted_rate": round(self.accounted / self.eligible, 4) if self.eligible else None,
            "by_state": dict(self.by_state),
        }  # fmt: skip


def status(env: Environment, ref: str, *, actor: Actor, now: datetime | None = None) -> Progress:
    """Return how far a campaign is. Raises CaseNotFound, or BadInput for a case that is no campaign."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        row = row_seen(conn, ref, actor, here)
        if row.process not in KINDS.values():
            raise BadInput(f"{row.ref} is no campaign.")
        return progress(conn, row)


def progress(conn: Connection, row: Any) -> Progress:
    """Return how far the campaign of a row of ``cases`` is; five statements, however many members."""
    by_state = dict(conn.execute(
        select(CaseRow.state, func.count()).where(CaseRow.parent_id == row.id).group_by(CaseRow.state)
    ).tuples().all())  # fmt: skip
    children = sum(by_state.values())
    members = dict(conn.execute(
        select(CampaignMember.included, func.count()).where(CampaignMember.campaign_id == row.id)
        .group_by(CampaignMember.included)
    ).tuples().all())  # fmt: skip
    eligible = children or _planned(conn, row)
    count = {name: sum(by_state.get(s, 0) for s in states) for name, states in _GROUPS.items()}
    return Progress(
        row.ref, row.subject, row.state, eligible, _invited(conn, row.id), count["responded"],
        by_state.get("complete", 0), count["exempt"], count["unreachable"], count["failed"],
        children - sum(count.values()), by_state,
        members.get(False, 0), row.data.get("launch"), row.data.get("deadline"),
    )  # fmt: skip


_GROUPS = {
    "responded": RESPONDED,
    "exempt": frozenset({"exempt"}),
    "unreachable": frozenset({"bounced"}),
    "failed": FAILED,
    "cancelled": frozenset({"cancelled"}),
}


def _planned(conn: Connection, row: Any) -> int:
    """Before the launch: how many the rule of the plan would take in today."""
    return member_store.population_size(conn, row.data.get("population") or {})[0]


def _invited(conn: Connection, campaign_id: int) -> int:
    """Members whose invitation has left."""
    sent = (
        select(func.count(func.distinct(MessageRow.case_id)))
        .join(CaseRow, CaseRow.id == MessageRow.case_id)
        .where(CaseRow.parent_id == campaign_id, MessageRow.kind == INVITATION, MessageRow.state == "sent")
    )
    return conn.execute(sent).scalar_one()
