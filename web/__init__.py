"""The desk, the manager's approvals, the members' pages and the REST API: a click becomes one call of the shell.

No rule lives here. What is shown and what is allowed come from the folders below; docs/desk.md says how pages are made.
"""
