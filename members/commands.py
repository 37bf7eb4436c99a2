"""What people do to the register and the staff list; each command is one transaction.

Commands on members refuse whom `members/visibility.py` does not let; who may use the others is decided by the caller.
"""

from members.absence_commands import end_absence, set_absence
from members.contact_commands import contact_is_back, contact_is_repaired, contact_left, order_contacts, save_contact
from members.member_commands import merge_members, update_member
from members.staff_commands import add_staff, bring_back, declare_conflict, edit_staff, set_team, staff_left

__all__ = [
    "add_staff",
    "bring_back",
    "contact_is_back",
    "contact_is_repaired",
    "contact_left",
    "declare_conflict",
    "edit_staff",
    "end_absence",
    "merge_members",
    "order_contacts",
    "save_contact",
    "set_absence",
    "set_team",
    "staff_left",
    "update_member",
]
