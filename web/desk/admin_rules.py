"""Who may enter the administrators' pages, and as whom somebody acts there."""

from __future__ import annotations

from members.absence_commands import may_record_absence
from members.staffing import Person
from state_machines.values import Actor, Role
from web.access import staff
from web.desk_page import DeskPage

ADMINISTRATORS = staff(Role.ADMINISTRATOR)
LEADERS = staff(Role.ADMINISTRATOR, Role.MANAGER, Role.SENIOR)


def recorder(desk: DeskPage, about: Person) -> Actor | None:
    """Return the reader as somebody who may record absences of a person, perhaps for a manager who is away, or None."""
    actors = (desk.actor, *(desk.actor_for(other) for other in sorted(desk.stands_in_for)))
    return next((actor for actor in actors if may_record_absence(actor, about, desk.staffing)), None)
