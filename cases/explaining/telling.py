"""From what a run ahead found to what people are told: names, titles, who acts on the day, who may decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from cases.approving.decisions import DecisionPoint, decision_points
from cases.environment import World
from cases.explaining.ahead import Ahead, Moved
from cases.explaining.foretold import Beside, Decision, Duty, Mail, Next, Reader
from cases.explaining.post import Posted, for_whom
from cases.explaining.repeating import rhythm, rung_of
from cases.follow import CHILDREN_ALL
from members.staffing import NoStaff, Staffing
from notifications import catalogue
from state_machines.english import capital
from state_machines.objections import title_of
from state_machines.process import Process
from state_machines.registry import process_named, processes
from state_machines.values import Role, Task

MOST_NAMED = 3
"""So many people are named of those who may do something."""


@dataclass(frozen=True)
class Telling:
    """From what a run found to what people are told."""

    run: Ahead
    process: Process
    seen: frozenset[str]
    children: int
    here: World

    @property
    def staffing(self) -> Staffing:
        return self.here.staffing

    def next(self, moved: Moved) -> Next:
        step, process = moved.step, self.process
        clock, rung = str(step.details.get("clock", "")), str(step.details.get("rung", ""))
        source = step.source or step.target
        defined = process.clock_of(source, clock) if clock else None
        to, owner = process.state(step.target), self.staffing.get(moved.owner_id or 0)
        return Next(
            moved.at, step.kind, _by(moved), clock, defined.title if defined else clock.replace("_", " "), rung,
            step.trigger, capital(title_of(process, step.trigger)), source, process.state(source).title, step.target,
            to.title, to.final, str(step.details.get("why", "")), moved.cause if moved.cause in self.seen else None,
            owner.name if owner else None, self._acting(moved),
            rhythm(rung_of(process, source, clock, rung, self.here.env.policy)) if "#" in rung else "",
            tuple(self.mail(each, moved.owner_id) for each in self.run.post.done.get(moved.seq, ())),
            tuple(self._duty(task, moved) for task in step.tasks), tuple(self._beside(moved)),
            tuple(self._decisions(moved)), moved.seq,
        )  # fmt: skip

    def mail(self, posted: Posted, owner_id: int | None) -> Mail:
        to = posted.to
        reader = None
        if to is not None:
            reader = Reader(to.name or to.email, to.email, for_whom(posted.audience, to, owner_id, self.staffing))
        return Mail(
            posted.kind, catalogue.title_of(posted.kind), posted.audience, posted.state, posted.at, reader, posted.why
        )

    def _acting(self, moved: Moved) -> str | None:
        if moved.owner_id is None:
            return None
        try:
            acting = self.staffing.acting(moved.owner_id, self._day(moved.at)).staff
        except NoStaff:
            return None
        return acting.name if acting.id != moved.owner_id else None

    def _day(self, at: datetime) -> date:
        return self.here.env.calendar.local_date(at)

    def _duty(self, task: Task, moved: Moved) -> Duty:
        who = self._whoever(task.role, moved)
        return Duty(task.kind, task.title, task.role, task.due, who)

    def _whoever(self, role: Role, moved: Moved) -> str:
        """Who has work of this role on that day: the owner where the case is with the role, otherwise the role."""
        coordinator = self.run.main.locked.coordinator_id
        holder = moved.owner_id if role.value == moved.owner_role else coordinator if role is Role.COORDINATOR else None
        if holder is None:
            return f"a {role.label}"
        try:
            return self.staffing.acting(holder, self._day(moved.at)).staff.name
        except NoStaff:
            return "nobody"

    def _beside(self, moved: Moved) -> list[Beside]:
        step = moved.step
        found = [Beside("opens", process_named(s.process).title, s.subject, "") for s in step.spawns]
        if step.children is not None:
            title = process_named(step.children.process).title
            found.append(Beside("opens for members", title, "", "every member of the population"))
        for wish in step.fires:
            titles = {capital(title_of(p, wish.trigger)) for p in _processes_with(wish.trigger)}
            found.append(Beside("moves", "", min(titles, default=wish.trigger), self._where(wish.where)))
        return found

    def _where(self, where: str) -> str:
        if where == "children":
            return f"{self.children} open cases of its members"
        if where == CHILDREN_ALL:
            return "every case of its members, closed ones too"
        if ">" in where:
            along, link = where.replace("_", " ").split(">", 1)
            return f"every case that {link} what this one {along}, or one further back"
        if where.startswith("member:"):
            return f"other cases of the member ({process_named(where.split(':', 1)[1]).title.lower()})"
        return "the campaign" if where == "parent" else f"linked cases ({where.replace('_', ' ')})"

    def _decisions(self, moved: Moved) -> list[Decision]:
        if moved.step.source == moved.step.target:
            return []
        found = []
        for point in decision_points():
            if (point.process, point.state) == (self.process.name, moved.step.target) and point.owned:
                found.append(self._decision(point, moved))
        return found

    def _decision(self, point: DecisionPoint, moved: Moved) -> Decision:
        asked = {person for t in point.decisions for trigger in t.four_eyes
                 for person in moved.case.people.get(trigger, ())}  # fmt: skip
        able = [p for p in self.staffing.with_role(point.role, moved.case.team) if p.person not in asked]
        able.sort(key=lambda person: person.id != moved.owner_id)
        names = tuple(person.name for person in able)
        return Decision(point.role, tuple(t.title for t in point.decisions), names[:MOST_NAMED],
                        max(len(names) - MOST_NAMED, 0))  # fmt: skip


def _by(moved: Moved) -> str:
    if moved.cause is not None:
        return "case"
    if moved.step.occurrence is not None:
        return "clock"
    return "mail" if moved.step.trigger == "bounce" else "state"


def _processes_with(trigger: str) -> list[Process]:
    return [p for p in processes().values() if any(t.trigger == trigger for t in p.transitions)]
