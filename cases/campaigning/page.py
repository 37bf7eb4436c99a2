"""One campaign from the plan to the report: how far it is, who is at risk, what comes next, what closing it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from cases import facts as case_facts
from cases.campaigning.counts import Counts, counts
from cases.campaigning.curve import Curve, curve
from cases.campaigning.lines import COLUMNS, SOURCE, Line, lines
from cases.campaigning.moves import Move, moves_of
from cases.campaigning.overview import next_step
from cases.campaigning.risks import at_risk
from cases.campaigning.sight import Acting, Sight, looking
from cases.campaigns import kind_of
from cases.environment import Environment
from cases.rows import case_of
from cases.tables import CaseRow
from members.tables import Member
from state_machines import clockwork
from state_machines.ladders import EXPIRES
from state_machines.process import Process
from state_machines.processes.reaching import ASKED_UNREACHABLE
from state_machines.registry import process_named
from state_machines.standing import Standing
from state_machines.values import Actor, Case, Context

MOST_AT_RISK = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that must hold before a campaign can be closed."""

    title: str
    done: bool
    left: int
    """How many members stand in the way; 0 where it is not about members."""
    who: str
    narrow: str = ""
    """Which members to list, as the list of members calls them."""


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that happens to the campaign by itself."""

    at: datetime
    title: str


@dataclass(frozen=True)
class CampaignPage:
    """Everything about a campaign that one person may see."""

    ref: str
    kind: str
    """``survey`` or ``signoff``."""
    title: str
    state: str
    state_title: str
    state_help: str
    open: bool
    version: int
    owner: str
    launch: date
    deadline: date
    questionnaire: str
    population: dict[str, Any]
    counts: Counts
    curve: Curve | None
    at_risk: list[Line]
    at_risk_total: int
    next_step: str
    coming: list[Coming]
    moves: list[Move]
    checklist: list[Step]


def campaign_page(
    env: Environment, ref: str, *, acting: Acting | None = None, actor: Actor, now: datetime | None = None
) -> CampaignPage:
    """Return a campaign as somebody may see it. Raises CaseNotFound, or BadInput for a case that is no campaign.

    The number of statements does not depend on the number of members.
    """
    with looking(env, ref, actor=actor, now=now) as sight:
        row = sight.row
        process, case = process_named(row.process), case_of(row)
        state = process.state(row.state)
        context = sight.here.context(case_facts.gather(sight.conn, [case], now=sight.here.now)[case.id])
        found = counts(sight)
        risky, total = _at_risk(sight)
        owner = sight.here.staffing.get(row.owner_id) if row.owner_id is not None else None
        coming = _coming(process, case, context) if row.closed_at is None else []
        return CampaignPage(
            row.ref, kind_of(row.process), row.subject, row.state, state.title, state.help, row.closed_at is None,
            row.version, owner.name if owner else "", date.fromisoformat(row.data["launch"]),
            date.fromisoformat(row.data["deadline"]), _questionnaire(row.data), dict(row.data.get("population") or {}),
            found, curve(sight, found), risky, total, next_step(row.process, row.state, row.data), coming,
            list(moves_of(sight, row, acting).values()), checklist(sight, found),
        )  # fmt: skip


def _questionnaire(data: Any) -> str:
    """What is asked, in words: the questionnaire of a survey, or the document of a sign-off."""
    if data.get("document"):
        return f"{data.get('document_title')}, version {data.get('document_number')}"
    version = data.get("questionnaire_version")
    return f"{data.get('questionnaire')}{f', version {version}' if version else ''}"


def _at_risk(sight: Sight) -> tuple[list[Line], int]:
    """The members most at risk, and how many there are."""
    if not sight.row.data.get("launched_on"):
        return [], 0
    unreachable = sight.standing(Standing.UNREACHED).desc()
    order = (CaseRow.data["deadline"].astext, unreachable, Member.name_key, CaseRow.id)
    worst = (
        select(CaseRow.id, func.count().over().label("everybody")).select_from(SOURCE)
        .where(sight.listed, at_risk(sight.child, sight.here.env.policy, sight.today))
        .order_by(*order).limit(MOST_AT_RISK).subquery()
    )  # fmt: skip
    wanted = select(*COLUMNS, worst.c.everybody).select_from(SOURCE.join(worst, worst.c.id == CaseRow.id))
    rows = sight.conn.execute(wanted.order_by(*order)).all()
    return lines(sight, rows), rows[0].everybody if rows else 0


def _coming(process: Process, case: Case, context: Context) -> list[Coming]:
    """What the campaign itself will do; that it looks every day whether everybody is in is no news."""
    titles = {t.trigger: t.title for t in process.transitions}
    found = []
    for name, running in case.clocks.items():
        clock = process.clock_of(case.state, name)
        if clock is None:
            continue
        for due in clockwork.rungs(process, clock, running, context):
            trigger = (clock.expires or "") if due.rung.fires == EXPIRES else due.rung.fires
            if due.rung.every is None or trigger == "launch":
                found.append(Coming(due.at, titles.get(trigger, trigger)))
    return sorted(found, key=lambda each: each.at)


def checklist(sight: Sight, found: Counts) -> list[Step]:
    """Return what stands between a campaign and its end at 100 %, rule by rule."""
    if not found.launched:
        return []
    signs = kind_of(sight.row.process) == "signoff"
    return [*(_of_sign_off(found) if signs else _of_survey(sight.row, found)), _end(sight.row)]


_COORDINATORS, _MANAGERS = "Coordinators", "Managers"


def _waiting(found: Counts) -> list[Step]:
    """What both kinds of campaign wait for, before answers are looked at."""
    done = "signed" if found.kind == "signoff" else "answered"
    awaited, unreachable = found.standing(Standing.AWAITED), found.unreachable
    exemptions, decisions = found.of({"exemption_requested"}), found.of({"decision"})
    proofs = found.of({ASKED_UNREACHABLE})
    return [
        Step(f"Everybody who can be reached has {done}", not awaited, awaited, _COORDINATORS, "awaited"),
        Step("Everybody can be reached", not unreachable, unreachable, _COORDINATORS, "bounced"),
        Step("Every request for an exemption is decided", not exemptions, exemptions, _MANAGERS, "exemption_requested"),
        *([Step("Every proposal that somebody cannot be reached is decided", False, proofs, _MANAGERS,
                ASKED_UNREACHABLE)] if proofs else []),
        Step("Nobody waits for a manager's decision", not decisions, decisions, _MANAGERS, "decision"),
    ]  # fmt: skip


def _refused(found: Counts, what: str, late: str) -> list[Step]:
    left, lost = found.unanswered, found.not_reached
    who = f"Only a late {late} helps; otherwise a senior manager closes with exceptions"
    return [
        Step(what, not left, left, who, "failed"),
        *([Step("Nobody was found to be unreachable", False, lost, who, "not_reached")] if lost else []),
    ]


def _of_survey(row: Any, found: Counts) -> list[Step]:
    review, queried = found.standing(Standing.IN_REVIEW), found.standing(Standing.ASKED_BACK)
    report, approved = row.data.get("report"), row.state in ("reported", "closed_100", "closed_exception")
    return [
        *_waiting(found),
        Step("Every question we asked back is answered", not queried, queried, _COORDINATORS, "queried"),
        Step("Every answer is reviewed", not review, review, _COORDINATORS, "to_review"),
        *_refused(found, "Nobody failed or refused to answer", "answer"),
        Step("The report is submitted", bool(report) or approved, 0, _COORDINATORS),
        Step("The report is approved by somebody else", approved, 0, _MANAGERS),
    ]


def _of_sign_off(found: Counts) -> list[Step]:
    check, countersign = found.of({"signed"}), found.of({"countersigning"})
    reserved = found.of({"signed_with_reservation"})
    return [
        *_waiting(found),
        Step("Every signature is checked", not check, check, _COORDINATORS, "signed"),
        Step("Every reservation is decided", not reserved, reserved, _MANAGERS, "signed_with_reservation"),
        *([Step("Every signature is countersigned", False, countersign, _MANAGERS, "countersigning")]
          if countersign else []),
        *_refused(found, "Nobody failed or refused to sign", "signature"),
    ]  # fmt: skip


def _end(row: Any) -> Step:
    return Step("The campaign is closed", row.closed_at is not None, 0, _MANAGERS)
