"""What came of a rehearsal, told to one person: the days, the mails, the warnings, the curve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cases.environment import Environment
from cases.rehearsing.cautions import unreached, warnings_of
from cases.rehearsing.days import ESCALATIONS, SETTLED, days_of
from cases.rehearsing.forecasting import forecast
from cases.rehearsing.passing import Course
from cases.rehearsing.record import Trace, is_outside, shown, title_of, trace
from cases.rehearsing.response_model import CALL, PHONE, Contact, ResponseModel
from cases.rehearsing.values import FILE, Forecast, Landing, NotSent, Rehearsal, RehearsedMail, Wish
from cases.tables import CaseRow
from config.database import reading
from members.visibility import sees_all_teams
from state_machines.process import Process
from state_machines.standing import RESPONDED
from state_machines.values import Actor


@dataclass
class Run:
    """One pass over the stage, and what is noted on the way."""

    env: Environment
    campaign_id: int
    since: datetime
    until: datetime
    course: Course
    already: frozenset[int]
    before: Mapping[int, str]
    assumed: list[str] = field(default_factory=list)
    rights: dict[int, str] = field(default_factory=dict)


def traced(run: Run, seen: Any, actor: Actor) -> tuple[Trace, frozenset[int]]:
    """What happened to the cases that this person is told of, and the cases they may open."""
    found = trace(run.env, run.campaign_id, run.since, run.already)
    with reading(run.env.engine) as conn:
        ours = (CaseRow.parent_id == run.campaign_id) & seen
        readable = frozenset(conn.execute(select(CaseRow.id).where(ours)).scalars()) | {run.campaign_id}
    return (found if sees_all_teams(actor) else only(found, readable)), readable


def only(found: Trace, readable: frozenset[int]) -> Trace:
    """Return what happened to some of the cases alone."""
    return replace(
        found, mails=[m for m in found.mails if m.case_id in readable],
        not_sent=[m for m in found.not_sent if m.case_id in readable],
        tasks=[t for t in found.tasks if t.case_id in readable],
        moves=[m for m in found.moves if m.case_id in readable],
        children={case: row for case, row in found.children.items() if case in readable},
    )  # fmt: skip


def contacts_of(run: Run, found: Trace, process: Process, model: ResponseModel) -> dict[int, list[Contact]]:
    """How the members who are still silent would be asked: by mail, and by calls on the day they are due."""
    standings = process.child.standings if process.child else {}
    silent = {case for case in found.children if standings.get(run.before.get(case, "")) not in SETTLED}
    contacts: dict[int, list[Contact]] = {case: [] for case in silent}
    for mail in found.mails:
        if mail.case_id in contacts and is_outside(mail.audience) and (kind := model.kind_of(mail.kind)):
            contacts[mail.case_id].append(Contact(mail.at, kind))
    for task in found.tasks:
        if task.kind == PHONE and task.case_id in contacts:
            contacts[task.case_id].append(Contact(task.due_at, CALL))
    return {case: sorted(each, key=lambda c: c.at) for case, each in contacts.items()}


def forecast_of(
    run: Run, found: Trace, process: Process, model: ResponseModel, contacts: Mapping[int, Sequence[Contact]],
    wish: Wish,
) -> Forecast | None:  # fmt: skip
    """The expected curve; none where the answers were told, or nobody is asked."""
    if wish.answers == FILE or not contacts:
        return None
    standings = process.child.standings if process.child else {}
    answered = sum(standings.get(run.before.get(case, "")) in RESPONDED for case in found.children)
    calendar = run.env.calendar
    return forecast(
        contacts, asked=len(found.children), answered=answered, since=calendar.local_date(run.since),
        until=calendar.local_date(run.until), model=model, calendar=calendar, seed=wish.seed,
    )  # fmt: skip


def told(
    run: Run, found: Trace, readable: frozenset[int], process: Process, wish: Wish, expected: Forecast | None,
    actor: Actor,
) -> Rehearsal:  # fmt: skip
    env, course = run.env, run.course
    standings = process.child.standings if process.child else {}
    last = course.at if course.ended_early else run.until
    first_day, last_day = env.calendar.local_date(run.since), env.calendar.local_date(last)
    before = {case: state for case, state in run.before.items() if case in found.children}
    mails, named = _mails(run, found, readable), only(found, readable)
    return Rehearsal(
        ref=found.campaign.ref, title=found.campaign.subject, wish=wish, since=run.since, until=last,
        whole=sees_all_teams(actor), members=len(found.children), assumed=tuple(run.assumed),
        end=_end(found, process), ended_early=course.ended_early,
        warnings=warnings_of(env, named, unreached(named, standings)), totals=_totals(found, standings),
        days=days_of(env, found, before, standings, first_day, last_day), landings=_landings(run, found, readable),
        not_sent=tuple(
            NotSent(m.at, title_of(m.kind), _about(found, m.case_id), str(m.reason))
            for m in found.not_sent if m.case_id in readable
        ),
        refused=tuple(f"{h.at:%Y-%m-%d %H:%M} {h.what} {h.member}: {why}" for h, why in course.refused),
        forecast=expected, mails=mails, hidden=len(found.mails) - len(mails),
    )  # fmt: skip


def _end(found: Trace, process: Process) -> str:
    """Where the campaign and its members would stand, in a sentence."""
    names = Counter(process.child.state(row.state).title for row in found.children.values()) if process.child else {}
    listed = ", ".join(f"{number:,} {name}" for name, number in sorted(names.items(), key=lambda n: (-n[1], n[0])))
    return f"{process.state(found.campaign.state).title}{f' ({listed})' if listed else ''}"


def _totals(found: Trace, standings: Mapping[str, Any]) -> dict[str, int]:
    outside = [m for m in found.mails if is_outside(m.audience)]
    return {
        "mails": len(found.mails), "to_members": len(outside), "to_staff": len(found.mails) - len(outside),
        "recipients": len({m.to_email for m in found.mails}), "not_sent": len(found.not_sent),
        "tasks": len(found.tasks), "escalations": sum(m.audience in ESCALATIONS for m in found.mails),
        "answered": sum(standings.get(row.state) in RESPONDED for row in found.children.values()),
        "outstanding": sum(standings.get(row.state) not in SETTLED for row in found.children.values()),
    }  # fmt: skip


def _about(found: Trace, case_id: int) -> str:
    row = found.children.get(case_id)
    return str(row.member or row.ref) if row is not None else str(found.campaign.subject)


def _mails(run: Run, found: Trace, readable: frozenset[int]) -> tuple[RehearsedMail, ...]:
    return tuple(
        RehearsedMail(
            m.at, m.kind, title_of(m.kind), _about(found, m.case_id), m.to_name or "", m.to_email or "",
            run.rights.get(m.id, ""), m.subject or "", shown(m.body_text),
        )
        for m in found.mails if m.case_id in readable
    )  # fmt: skip


def _landings(run: Run, found: Trace, readable: frozenset[int]) -> tuple[Landing, ...]:
    return tuple(
        Landing(m.at, title_of(m.kind), _about(found, m.case_id), m.to_name or "", run.rights.get(m.id, ""))
        for m in found.mails if m.audience in ESCALATIONS and m.case_id in readable
    )  # fmt: skip
