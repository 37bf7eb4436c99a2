"""Teams: which members they look after, and who leads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from cases.commands import unhindered
from cases.errors import BadInput
from cases.handing_over import AT_ONCE, follow_teams
from cases.lists.narrowing import NONE
from cases.team_names import rename_team
from config.database import reading, transaction
from members import staff_record, staff_store, team_names
from members.commands import set_team
from members.errors import MembersError, NotFound, Unusable
from members.staff_commands import RULE_KEYS
from web import saved_views
from web.desk.admin_history import history
from web.desk.admin_rules import ADMINISTRATORS
from web.desk_page import Desk, DeskPage
from web.forms import Field, Option
from web.naming import plural, words
from web.posted import Form, Posted
from web.routing import Pages

pages = Pages(may=ADMINISTRATORS)

SPARE_RULES = 2
LONGEST_NAME = 80
_HINTS = {
    "region": "North, Scotland", "country": "GB, IE", "tier": "Premier", "category": "Agency", "site": "Main pool",
    "kind": "organisation or person",
}  # fmt: skip


@pages.get("/admin/teams", statements=8)
def listed(desk: Desk) -> Response:
    """The teams with their rules, and how many people and members each has."""
    with reading(desk.env.engine) as conn:
        rules = staff_store.team_rules(conn)
        sizes = staff_store.members_by_team(conn)
        changes = history(staff_record.changes_of(conn, None, limit=20), desk.staffing)
    active = [p for p in desk.staffing.people.values() if p.active]
    names = sorted({*rules, *(p.team for p in active if p.team), *(name for name in sizes if name)}, key=str.casefold)
    lines = [
        {
            "name": name, "rules": [_told(rule) for rule in rules.get(name, [])], "known": name in rules,
            "lead": desk.staffing.get(desk.staffing.leads.get(name, 0)), "members": sizes.get(name, 0),
            "people": sorted(p.name for p in active if p.team == name),
        }
        for name in names
    ]  # fmt: skip
    return desk.page(
        "desk/admin/teams.html", title="Teams", lines=lines, changes=changes, without=sizes.get(None, 0),
    )  # fmt: skip


def _told(rule: Mapping[str, Any]) -> str:
    return ", and ".join(f"{words(key)} is {_joined(rule[key], ' or ')}" for key in RULE_KEYS if key in rule)


@pages.get("/admin/teams/edit", statements=6)
def edit_page(desk: Desk) -> Response:
    """A team to change; without a name, a new one. Raises NotFound."""
    name = desk.request.query_params.get("name", "")
    with reading(desk.env.engine) as conn:
        rules = staff_store.team_rules(conn)
        if name and not team_names.is_team(conn, name):
            raise NotFound(f'There is no team "{name}".')
    lead = desk.staffing.get(desk.staffing.leads.get(name, 0))
    return _edit(desk, name, rules.get(name, []), lead.person if lead else "")


def _edit(
    desk: DeskPage, name: str, rules: Sequence[Mapping[str, Any]], lead: str, *, old: str | None = None,
    problem: str = "", status: int = 200,
) -> Response:  # fmt: skip
    old = name if old is None else old
    options = (Option("", "Nobody"), *(Option(p.person, p.name) for p in desk.staffing.active))
    fields = [
        Field("name", "Name of the team", "text", required=True, value=name, limits={"maxlength": LONGEST_NAME},
              help="A new name is its name everywhere: on people, members, cases and saved views." if old else ""),
        Field("lead", "Lead", "select", value=lead, options=options,
              help="Gets the team's work when nobody else of it is there."),
    ]  # fmt: skip
    rows = [_rule_fields(number, rule) for number, rule in enumerate([*rules, *[{}] * SPARE_RULES])]
    title = f"Team {old}" if old else "A new team"
    return desk.page(
        "desk/admin/team.html", title=title, fields=fields, rows=rows, old=old, problem=problem, status=status
    )


def _rule_fields(number: int, rule: Mapping[str, Any]) -> list[Field]:
    return [
        Field(f"rules.{number}.{key}", words(key), "text", value=_joined(rule.get(key, "")),
              help=f"Such as {_HINTS[key]}", limits={"maxlength": 500})
        for key in RULE_KEYS
    ]  # fmt: skip


def _joined(values: Any, between: str = ", ") -> str:
    return values if isinstance(values, str) else between.join(values)


@pages.post("/admin/teams/edit")
def edit(desk: Desk, posted: Form) -> Response:
    """Make, change or rename a team; members of no team whom it covers join it."""
    name, old, lead = " ".join(posted.text("name").split()), posted.text("old"), posted.text("lead")
    rules = _rules(posted)
    try:
        _check_name(name)
        if old:
            unhindered(lambda: _rename(desk, old, name))
            old = name
        joined = set_team(desk.env.engine, name, rules, lead=lead or None, actor=desk.actor, now=desk.now)
        follow_teams(desk.env, most=AT_ONCE, now=desk.now)
    except (MembersError, BadInput) as refused:
        return _edit(desk, name, rules, lead, old=old, problem=str(refused), status=422)
    return desk.see_other("/admin/teams", f"The team {name} is kept; {plural(joined, 'member')} joined it.")


def _check_name(name: str) -> None:
    if not name:
        raise Unusable("A team needs a name.")
    if len(name) > LONGEST_NAME:
        raise Unusable(f"The name of a team has up to {LONGEST_NAME} characters.")
    if name.casefold() == NONE:
        raise Unusable(f"No team can be called {name}: lists of cases ask for those of no team by that word.")


def _rename(desk: DeskPage, old: str, name: str) -> None:
    """Give the team its name, where that is another one. Raises Unusable also where somebody else was first."""
    with transaction(desk.env.engine) as conn:
        if name != old or not team_names.is_team(conn, old):
            rename_team(conn, old, name, actor=desk.actor, now=desk.now)
            saved_views.rename_team(conn, old, name)


def _rules(posted: Posted) -> list[dict[str, list[str]]]:
    """Return the rules that were typed, without those and the parts of them that were left blank."""
    tree = posted.nested().get("rules", [])
    typed = [row for row in tree if isinstance(row, dict)] if isinstance(tree, list) else []
    found = [{key: values for key in RULE_KEYS if (values := _values(row.get(key)))} for row in typed]
    return [rule for rule in found if rule]


def _values(text: Any) -> list[str]:
    return [each.strip() for each in str(text or "").split(",") if each.strip()]
