"""A campaign rehearsed from now to its end: what would leave, to whom and when, and where it would stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from cases import commands
from cases.campaigning.sight import looking
from cases.environment import Environment
from cases.errors import BadInput, CaseError, NotAllowed
from cases.permissions import visible
from cases.rehearsing.happenings import SYSTEM_BY_HAND, DeadAddresses, Happening, Place, of_campaign
from cases.rehearsing.passing import Course
from cases.rehearsing.record import by_rights, decided_before, is_outside
from cases.rehearsing.response_model import Answering, Contact, ResponseModel, learnt
from cases.rehearsing.stage import stage
from cases.rehearsing.telling import Run, contacts_of, forecast_of, told, traced
from cases.rehearsing.values import MODEL, NOBODY, Rehearsal, Wish
from cases.tables import CaseRow
from config.database import reading
from members.tables import Member
from notifications.tables import SENT, MessageRow
from state_machines.process import Process
from state_machines.registry import process_named
from state_machines.values import Actor, Role

MAY_REHEARSE = frozenset({Role.COORDINATOR, Role.MANAGER, Role.SENIOR, Role.SYSTEM})
"""Who may rehearse a campaign that they see."""
AFTER_DEADLINE = timedelta(days=75)
"""So long after the deadline a rehearsal ends by itself: calls, letters, notices and decisions are behind it then."""
LONGEST = timedelta(days=550)
STEPS: Mapping[str, Mapping[str, Any]] = {
    "approve_plan": {"data_protection_checked": True},
    "skip_pilot": {"reason": "Taken for done in a rehearsal"},
}
"""What people do between the plan and the launch, by the triggers of the process, in this order."""
GoesOn = Callable[[datetime, datetime], bool]


def rehearse(
    env: Environment, ref: str, wish: Wish, *, happenings: Sequence[Happening] = (),
    goes_on: GoesOn = lambda at, until: True, actor: Actor, now: datetime | None = None,
) -> Rehearsal:  # fmt: skip
    """Return what would happen to a campaign from now on. Nothing is written and nothing leaves.

    Raises CaseNotFound, NotAllowed, BadInput for a campaign that is closed, RehearsalsBusy while others rehearse.
    ``goes_on`` is asked before each moment, and may end the rehearsal early.
    """
    if not actor.roles & MAY_REHEARSE:
        raise NotAllowed("Only coordinators and managers rehearse campaigns.")
    with looking(env, ref, actor=actor, now=now) as sight:
        row, process, since = sight.row, process_named(sight.row.process), sight.here.now
        acts_for = commands.acts_for(actor, sight.here)
        model = learnt(sight.conn, env.policy.response_model, process, row.id)
    if row.closed_at is not None:
        raise BadInput(f"{row.ref} is closed; there is nothing left to rehearse.")
    until = end_of(env, row.data, wish, since)
    seen = visible(actor, acts_for)
    contacts: dict[int, list[Contact]] = {}
    if wish.answers == MODEL:  # what the forecast reckons with is whom Muster asks as long as nobody answers
        with stage(env, row.id, now=since) as staged:
            silent = _passed(staged, row, process, since, until, Wish(), (), model, goes_on)
            contacts = contacts_of(silent, traced(silent, seen, actor)[0], process, model)
    with stage(env, row.id, now=since) as staged:
        run = _passed(staged, row, process, since, until, wish, happenings, model, goes_on)
        found, readable = traced(run, seen, actor)
        if wish.answers == NOBODY:
            contacts = contacts_of(run, found, process, model)
        return told(run, found, readable, process, wish, forecast_of(run, found, process, model, contacts, wish), actor)


def end_of(env: Environment, data: Mapping[str, Any], wish: Wish, since: datetime) -> datetime:
    """Return when a rehearsal ends: on the day wished for, or a while after the deadline. Raises BadInput."""
    today = env.calendar.local_date(since)
    if wish.until is not None and not today <= wish.until <= today + LONGEST:
        raise BadInput(f"A rehearsal ends between today and {today + LONGEST:%-d %B %Y}.")
    deadline = date.fromisoformat(str(data["deadline"])) if data.get("deadline") else today
    last = wish.until or min(max(deadline + AFTER_DEADLINE, today + timedelta(days=30)), today + LONGEST)
    return env.calendar.end_of(last)


# ----------------------------------------------------------------------------------------------- letting time pass


def _passed(
    env: Environment, row: Any, process: Process, since: datetime, until: datetime, wish: Wish,
    happenings: Sequence[Happening], model: ResponseModel, goes_on: GoesOn,
) -> Run:  # fmt: skip
    """Let time pass on the stage, and return what was noted on the way."""
    post = DeadAddresses()
    place = Place(env, row.ref, post)
    answering = Answering(model, env.calendar, wish.seed) if wish.answers == MODEL else None
    run: Run

    def at_stop(at: datetime) -> Iterable[Happening]:
        run.rights.update(by_rights(env, at))
        return answering.because_of(_asked_at(env, row.id, model, at)) if answering else ()

    course = Course(place, until, since, of_campaign(happenings, since=since), at_stop)
    run = Run(env, row.id, since, until, course, decided_before(env, since), _states(env, row.id))
    run.assumed += _prepared(env, row, process, since)
    course.run(goes_on)
    return run


def _states(env: Environment, campaign_id: int) -> dict[int, str]:
    with reading(env.engine) as conn:
        return dict(
            conn.execute(select(CaseRow.id, CaseRow.state).where(CaseRow.parent_id == campaign_id)).tuples().all()
        )


def _prepared(env: Environment, row: Any, process: Process, now: datetime) -> list[str]:
    """Do on the stage what people would have to do before the launch, and return it in sentences."""
    found: list[str] = []
    state = process.state(row.state)
    for trigger, payload in STEPS.items():
        offered = next((t for t in process.from_state[state.name] if t.trigger == trigger), None)
        if offered is None:
            continue
        fields = offered.needs.model_fields if offered.needs else {}
        typed = {name: value for name, value in payload.items() if name in fields}
        try:
            done = commands.fire(env, row.ref, trigger, payload=typed, actor=SYSTEM_BY_HAND, now=now)
        except CaseError as bad:
            return [*found, f"“{offered.title}” would be refused: {bad}"]
        state = process.state(done.after.state)
        found.append(f"“{offered.title}” is taken for done today.")
    return found


def _asked_at(env: Environment, campaign_id: int, model: ResponseModel, at: datetime) -> list[tuple[str, Contact]]:
    """The members who have just been written to, by reference, and which contact it was."""
    with reading(env.engine) as conn:
        rows = conn.execute(
            select(Member.ref, MessageRow.kind, MessageRow.audience)
            .join(CaseRow, CaseRow.id == MessageRow.case_id).join(Member, Member.id == CaseRow.member_id)
            .where(MessageRow.sent_at == at, MessageRow.state == SENT, CaseRow.parent_id == campaign_id)
            .order_by(MessageRow.id)
        ).all()  # fmt: skip
    asked = {row.ref: kind for row in rows if is_outside(row.audience) and (kind := model.kind_of(row.kind))}
    return [(ref, Contact(at, kind)) for ref, kind in asked.items()]
