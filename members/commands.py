"""What people do to the register and the staff list; each command is one transaction.

Who may use which command is decided by the caller.
"""

from members.member_commands import merge_members, save_contact, update_member
from members.staff_commands import add_staff, declare_conflict, end_absence, set_absence, set_team, staff_left

__all__ = [
    "add_staff",
    "declare_conflict",
    "end_absence",
    "merge_members",
    "save_contact",
    "set_absence",
    "set_team",
    "staff_left",
    "update_member",
]
