"""The risks that the answers to a campaign show: member by member for whoever may see them, and in numbers to share.

Source: report R4. Who has not answered is "not known" and stands before the low ones: no answer is never no risk. Every
stored score is computed again from its stored inputs; one that comes out otherwise is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from textwrap import shorten
from typing import Any

from sqlalchemy import func, select

from cases.campaigning.answered import DIMENSIONS, Asked, everybody, questionnaire_of, scores_before, source_of
from cases.campaigning.counts import Counts, counts
from cases.campaigning.results import APPROVED, EVERYBODY, Narrowed
from cases.campaigning.sight import Sight, looking
from cases.environment import Environment
from cases.errors import BadInput, NotAllowed
from cases.tables import CaseRow
from members.tables import Member
from state_machines.deadlines import Allowance
from state_machines.processes.survey_rules import GRAVE
from state_machines.registry import process_named
from state_machines.standing import LEFT_OUT, RESPONDED, Standing
from state_machines.values import Actor
from surveys.aggregate import NOT_STATED
from surveys.crossing import ALL, crossing
from surveys.items import Item
from surveys.questionnaire import Questionnaire
from surveys.scoring import Band, Score, UnknownModel, agrees
from surveys.telling import Group, Rule, Telling

NOT_KNOWN = "NOT KNOWN"
NO_SCORE = "NOT RATED"
BANDS = (Band.CRITICAL.value, Band.HIGH.value, NOT_KNOWN, Band.MEDIUM.value, Band.LOW.value, NO_SCORE)
"""In the order in which they are looked at."""
BAND_WORDS = {"CRITICAL": "Critical", "HIGH": "High", "MEDIUM": "Medium", "LOW": "Low", NOT_KNOWN: "Not known",
              NO_SCORE: "Not rated"}  # fmt: skip
BEFORE = "last year"
NEW = "Not asked"
MODIFIER_WORDS = {
    "open_monitoring_case": "Open monitoring case", "watch_hit": "Found by the watch", "late": "Answered late",
    "previous_year_unresolved": "Left open last year", "country_risk": "Country",
}  # fmt: skip
LONGEST_DRIVER = 80


@dataclass(frozen=True)
class RiskLine:
    """The risk of one member, with what pushes it up and what is to be done."""

    case: str
    member: str
    member_ref: str
    groups: Mapping[str, str]
    band: str
    score: float | None
    before: float | None
    band_before: str
    drivers: tuple[str, ...]
    open_cases: int
    action: str

    @property
    def change(self) -> float | None:
        """Return the change of the score since last year; None where one of them is not known."""
        return None if self.score is None or self.before is None else self.score - self.before


@dataclass(frozen=True)
class RiskReport:
    """The risks of a campaign as they are now."""

    ref: str
    title: str
    state: str
    as_at: datetime
    counts: Counts
    smallest: int
    shared: bool
    narrowed: Narrowed
    questionnaire: str
    lines: list[RiskLine]
    """By name, the gravest first; empty in what may be shared."""
    all: Group
    by: Mapping[str, Sequence[Group]]
    """Of each dimension, and of last year's band, the groups with their bands of this year."""
    groups: Mapping[str, Sequence[str]]
    everybody: int
    models: Mapping[int, int]
    """How many scores were computed with which version of the model."""
    disagreeing: list[str]
    """Cases whose stored score does not follow from its stored inputs."""
    source: str
    approved: bool
    may_share: bool


def risk_report(
    env: Environment, ref: str, *, shared: bool = False, narrowed: Narrowed = EVERYBODY, actor: Actor,
    now: datetime | None = None,
) -> RiskReport:  # fmt: skip
    """Return the risks of a campaign. Raises CaseNotFound, BadInput, or NotAllowed for what is to be passed on."""
    with looking(env, ref, actor=actor, now=now) as sight:
        if shared and not sight.whole:
            raise NotAllowed("What is passed on is of all teams; whoever sees all of them can take it.")
        if shared and narrowed.chosen:
            raise BadInput("What may be shared is of everybody; narrow the internal report.")
        questionnaire = questionnaire_of(sight)
        people = [each for each in everybody(sight, named=not shared) if _is_rated(each)]
        groups = {name: sorted({each.groups[name] or NOT_STATED for each in people}) for name in (*DIMENSIONS, "team")}
        people = [each for each in people if narrowed.holds(each.groups)]
        before = scores_before(sight, questionnaire.name, named=not shared)
        return _report(sight, questionnaire, people, before, groups, shared, narrowed)


def _is_rated(each: Asked) -> bool:
    return each.standing not in LEFT_OUT | {Standing.EXEMPT}


def _report(
    sight: Sight, questionnaire: Questionnaire, people: Sequence[Asked], before: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, Sequence[str]], shared: bool, narrowed: Narrowed,
) -> RiskReport:  # fmt: skip
    smallest = int(sight.here.env.policy.setting("survey_campaign", "smallest_cell"))
    told = _told(people, before, Rule(smallest if shared else 0))
    scored = [(each.case, each.score) for each in people if each.response is not None and each.score]
    return RiskReport(
        ref=sight.row.ref, title=sight.row.subject, state=process_named(sight.row.process).state(sight.row.state).title,
        as_at=sight.here.now, counts=counts(sight), smallest=smallest, shared=shared, narrowed=narrowed,
        questionnaire=f"{questionnaire.title}, version {questionnaire.version}",
        lines=[] if shared else _lines(sight, questionnaire, people, before), all=told[""][0], by=told,
        groups=groups, everybody=len(people), models=Counter(int(record["model"]) for _, record in scored),
        disagreeing=[] if shared else [case for case, record in scored if not _agrees(record)],
        source=source_of(list(people)), approved=sight.row.state in APPROVED, may_share=sight.whole,
    )  # fmt: skip


def _agrees(record: Mapping[str, Any]) -> bool:
    try:
        return agrees(record)
    except UnknownModel:
        return False


def _told(people: Sequence[Asked], before: Mapping[str, Mapping[str, Any]], rule: Rule) -> dict[str, tuple[Group, ...]]:
    """Return the bands of everybody, of each group, and of each band of last year, from one table."""
    item = Item("risk", "risk", "", "one", str, tuple((name, BAND_WORDS[name]) for name in BANDS))
    given = [
        ({**{name: each.groups[name] or NOT_STATED for name in DIMENSIONS},
          BEFORE: BAND_WORDS.get(_band_before(each, before), NEW)}, _band(each))
        for each in people
    ]  # fmt: skip
    table = crossing(item, given)
    told = Telling(item, table, {}, rule)
    found = {name: tuple(told.group(place) for place in table.groups(name)) for name in (*DIMENSIONS, BEFORE)}
    return {"": (told.group(ALL),), **found}


def _band(each: Asked) -> str:
    if each.response is None:
        return NOT_KNOWN
    return str((each.score or {}).get("band") or NO_SCORE)


def _band_before(each: Asked, before: Mapping[str, Mapping[str, Any]]) -> str:
    """Return last year's band; not known where the member was asked and did not answer."""
    if each.member_ref not in before:
        return ""
    return str(before[each.member_ref].get("band") or NOT_KNOWN)


def _lines(
    sight: Sight, questionnaire: Questionnaire, people: Sequence[Asked], before: Mapping[str, Mapping[str, Any]]
) -> list[RiskLine]:
    open_cases = _open_cases(sight)
    lines = [_line(sight, questionnaire, each, before, open_cases) for each in people]
    return sorted(lines, key=lambda line: (BANDS.index(line.band), -(line.score or 0)))


def _line(
    sight: Sight, questionnaire: Questionnaire, each: Asked, before: Mapping[str, Mapping[str, Any]],
    open_cases: Mapping[str, int],
) -> RiskLine:  # fmt: skip
    band = _band(each)
    record = each.score if each.response is not None else None
    earlier = before.get(each.member_ref, {}).get("value")
    return RiskLine(
        each.case, each.member, each.member_ref, each.groups, band, record.get("value") if record else None,
        earlier, BAND_WORDS.get(_band_before(each, before), NEW), _drivers(questionnaire, record),
        open_cases.get(each.member_ref, 0), _action(sight, each, band),
    )  # fmt: skip


def _drivers(questionnaire: Questionnaire, record: Mapping[str, Any] | None) -> tuple[str, ...]:
    if not record:
        return ()
    try:
        found = Score.from_record(record).explain()
    except UnknownModel:
        return ()
    texts = {
        question.id: shorten(question.text, LONGEST_DRIVER, placeholder=" …") for question in questionnaire.questions
    }
    return tuple(
        f"{MODIFIER_WORDS.get(each.source) or texts.get(each.source, each.source)} (+{each.points:.1f})"
        for each in found
    )  # fmt: skip


def _open_cases(sight: Sight) -> dict[str, int]:
    """Count the open monitoring cases and complaints of each member that this person may open."""
    rows = sight.conn.execute(
        select(Member.ref, func.count().label("n")).join(CaseRow, CaseRow.member_id == Member.id)
        .where(CaseRow.process.in_(("monitoring", "complaint")), CaseRow.closed_at.is_(None), sight.openable)
        .where(CaseRow.member_id.in_(select(CaseRow.member_id).where(sight.listed))).group_by(Member.ref)
    )  # fmt: skip
    return {row.ref: row.n for row in rows}


def _action(sight: Sight, each: Asked, band: str) -> str:
    """Return what is to be done about a member, in words. Source: high and critical are reviewed in 10 working days."""
    if each.response is None:
        return _WAITING.get(each.standing, "Wait for the answer")
    if band not in GRAVE:
        return "Finish the review" if each.standing in RESPONDED - {Standing.COMPLETE} else "None"
    days = Allowance.parse(str(sight.here.env.policy.setting("survey_response", "risk_review"))).count
    if each.submitted_on is None:
        return f"Review within {days} working days"
    until = sight.here.env.calendar.add_working_days(each.submitted_on, days)
    return f"Review by {_day(until)}" + ("; overdue" if until < sight.today else "")


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


_WAITING: Mapping[Standing | None, str] = {
    Standing.UNREACHED: "Find a contact that works", Standing.UNDECIDED: "Wait for the manager's decision",
    Standing.UNANSWERED: "Follow the decision that no answer comes",
    Standing.UNREACHABLE: "Follow the decision that nobody can be reached",
}  # fmt: skip
