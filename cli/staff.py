"""`muster staff`: who works here, as what, who is away, and who stands in."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import accounts
from cli.asking import AsActor, colleague, day, environment, person, staffing, today
from cli.output import JsonOption, command_errors, local, say, show_done, show_list

if TYPE_CHECKING:
    from cases.environment import Environment
    from members.staffing import Person, Staffing
    from state_machines.values import Actor

NAME = "staff"
app = typer.Typer(no_args_is_help=True, help="Add staff, record absences, teams and conflicts of interest.")
app.command()(accounts.password)
app.command()(accounts.invite)

Email = Annotated[str, typer.Argument(help="Their e-mail address", metavar="EMAIL")]
OnDay = Annotated[str | None, typer.Option("--on", help="The day; default: today.", metavar="DATE")]


@app.command()
@command_errors()
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="Their name.")],
    role: Annotated[list[str], typer.Option(help="coordinator, manager, senior_manager … Repeat for each.")],
    team: Annotated[str | None, typer.Option(help="The team they belong to.")] = None,
    manager: Annotated[str | None, typer.Option(help="Who their manager is.", metavar="EMAIL")] = None,
    as_: AsActor = None,
    as_json: JsonOption = False,
) -> None:
    """Add somebody to the staff. Twice the same is harmless.

    Example: muster staff add amara@x.org --name Amara --role coordinator --team North --manager mina@x.org
    """
    from members.commands import add_staff

    env = environment()
    actor = _authority(person(env, as_))
    added = add_staff(env.engine, name, email, role, team=team, manager=manager, actor=actor, now=env.now())
    line = _line(added, staffing(env), today(env))
    of_team = f" of {added.team}" if added.team else ""
    under = f", managed by {line['manager']}" if line["manager"] else ""
    said = f"{added.name} ({added.email}) is on the staff: {_words(line['roles'])}{of_team}{under}."
    show_done(line, said, as_json=as_json)


@app.command()
@command_errors()
def away(
    email: Email,
    from_: Annotated[str, typer.Option("--from", help="The first day away.", metavar="DATE")],
    to: Annotated[str, typer.Option("--to", help="The last day away.", metavar="DATE")],
    deputy: Annotated[str | None, typer.Option(help="Who stands in; default: their manager.", metavar="EMAIL")] = None,
    reason: Annotated[str | None, typer.Option(help="holiday, sickness, training or other.")] = None,
    as_: AsActor = None,
    as_json: JsonOption = False,
) -> None:
    """Record that somebody is away, first and last day included, and who stands in.

    Example: muster staff away amara@x.org --from 2026-04-01 --to 2026-04-14 --deputy bo@x.org
    """
    from members.commands import set_absence

    first, last = day(from_, "--from"), day(to, "--to")
    env = environment()
    actor = _authority(person(env, as_), email, env)
    set_absence(env.engine, email, first, last, deputy=deputy, reason=reason, actor=actor, now=env.now())
    everybody = staffing(env)
    who = colleague(everybody, email)
    acts = everybody.acting(who.id, first).staff
    values = {"email": who.email, "from": first, "to": last, "deputy": deputy, "acting": acts.email}
    said = f"{who.name} is away from {local(first)} to {local(last)}; {acts.name} ({acts.email}) acts for them."
    show_done(values, said, as_json=as_json)


@app.command()
@command_errors()
def back(email: Email, on: OnDay = None, as_: AsActor = None, as_json: JsonOption = False) -> None:
    """Record that somebody who is away is back earlier.

    Example: muster staff back amara@x.org --on 2026-04-07
    """
    from members.commands import end_absence

    given = day(on, "--on") if on else None
    env = environment()
    back_on = given or today(env)
    end_absence(env.engine, email, back_on=back_on, actor=_authority(person(env, as_), email, env), now=env.now())
    who = colleague(staffing(env), email)
    show_done({"email": who.email, "back_on": back_on}, f"{who.name} is back on {local(back_on)}.", as_json=as_json)


@app.command()
@command_errors()
def left(email: Email, on: OnDay = None, as_: AsActor = None, as_json: JsonOption = False) -> None:
    """Record that somebody has left; whoever acts for them gets their work.

    Example: muster staff left dov@x.org --on 2026-02-27
    """
    from cases.handing_over import hand_over
    from cases.queries import Filter, list_cases
    from members.commands import staff_left
    from state_machines.values import SYSTEM

    given = day(on, "--on") if on else None
    env = environment()
    left_on = given or today(env)
    who = staff_left(env.engine, email, left_on=left_on, actor=_authority(person(env, as_)), now=env.now())
    _, owned = list_cases(env, Filter(owner=who.email, open_only=True), actor=SYSTEM, limit=1)
    given_on = hand_over(env, now=env.now())
    values = {"email": who.email, "left_on": left_on, "open_cases": owned, "handed_over": given_on}
    show_done(values, f"{who.name} has left on {local(left_on)}.", as_json=as_json)
    if owned and not as_json:
        say(f"They owned {owned} open cases. Cases given to others: {given_on}")


@app.command()
@command_errors()
def conflict(
    email: Email,
    member: Annotated[str, typer.Option(help="Reference or name of the member.", metavar="REF")],
    note: Annotated[str, typer.Option(help="What the conflict is.")] = "",
    as_: AsActor = None,
    as_json: JsonOption = False,
) -> None:
    """Record that somebody must not judge a member, because of a conflict of interest.

    Example: muster staff conflict amara@x.org --member M-000012 --note "Her brother works there"
    """
    from config.database import reading
    from members import store
    from members.commands import declare_conflict

    env = environment()
    actor = _authority(person(env, as_), email, env)
    declare_conflict(env.engine, email, member, note, actor=actor, now=env.now())
    with reading(env.engine) as conn:
        card = store.find_by_ref(conn, member)
    who = colleague(staffing(env), email)
    values = {"email": who.email, "member": card.ref, "note": note}
    show_done(values, f"{who.name} does not judge {card.ref} {card.name} any more.", as_json=as_json)


@app.command()
@command_errors()
def team(
    name: Annotated[str, typer.Argument(help="The name of the team")],
    covers: Annotated[
        list[str] | None,
        typer.Option(help="Whom it covers: all of region=North;tier=Gold,Silver. Repeat for others.", metavar="RULE"),
    ] = None,
    lead: Annotated[str | None, typer.Option(help="Who leads it.", metavar="EMAIL")] = None,
    as_: AsActor = None,
    as_json: JsonOption = False,
) -> None:
    """Make or change a team; members without a team whom it covers join it.

    Example: muster staff team North --covers region=North,Scotland --covers "country=IE;tier=Premier" --lead mina@x.org
    """
    from cases.handing_over import follow_teams
    from members.commands import set_team

    rules = [_rule(text) for text in covers or ()]
    env = environment()
    actor = _authority(person(env, as_))
    joined = set_team(env.engine, name.strip(), rules, lead=lead, actor=actor, now=env.now())
    follow_teams(env, now=env.now())
    values = {"team": name.strip(), "covers": rules, "lead": lead, "joined": joined}
    show_done(values, f"The team {name.strip()} is kept; {joined} members joined it.", as_json=as_json)


def _rule(text: str) -> dict[str, list[str]]:
    """Return a rule: what all must hold, each with the values that will do. Raises typer.BadParameter."""
    found: dict[str, list[str]] = {}
    for part in filter(str.strip, text.split(";")):
        key, _, values = part.partition("=")
        found[key.strip()] = [value.strip() for value in values.split(",") if value.strip()]
        if not key.strip() or not found[key.strip()]:
            raise typer.BadParameter(f"{part!r} is not of the form region=North.", param_hint="--covers")
    return found


@app.command(name="list")
@command_errors()
def list_(
    team: Annotated[str | None, typer.Option(help="Only this team.")] = None,
    role: Annotated[str | None, typer.Option(help="Only who has this role.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the staff: roles, team, manager, who is away and who acts for them.

    Examples: muster staff list; muster staff list --team North --json
    """
    from members.staff_commands import role_named

    wanted = role_named(role) if role else None
    env = environment()
    everybody, now = staffing(env), today(env)
    people = sorted(everybody.people.values(), key=lambda p: (not p.active, p.name.casefold(), p.id))
    items = [
        _line(p, everybody, now) for p in people
        if (wanted is None or wanted in p.roles) and (team is None or (p.team or "").casefold() == team.casefold())
    ]  # fmt: skip
    columns = {"name": "name", "email": "e-mail", "roles": "roles", "team": "team", "manager": "manager", "is": "now"}
    shown = items if as_json else [{**item, "is": _now(item), "roles": _words(item["roles"])} for item in items]
    show_list(shown, columns, as_json=as_json, empty="There is no such person; see: muster staff add --help")


# ------------------------------------------------------------------------------------------------ who they are


def _authority(actor: Actor, about: str | None = None, env: Environment | None = None) -> Actor:
    """Return who administers the staff: a manager, an administrator, Muster itself, or for some things oneself."""
    from cases.errors import NotAllowed
    from state_machines.values import Role

    if actor.roles & {Role.MANAGER, Role.SENIOR, Role.ADMINISTRATOR, Role.SYSTEM}:
        return actor
    if about is not None and env is not None and colleague(staffing(env), about).person == actor.person:
        return actor
    raise NotAllowed("Only a manager or an administrator may change this on the staff list.")


def _line(who: Person, everybody: Staffing, on: date) -> dict[str, Any]:
    manager = everybody.get(who.manager_id) if who.manager_id is not None else None
    absence = everybody.away(who.id, on)
    coming = min((a.from_date for a in everybody.absences if a.staff_id == who.id and a.from_date > on), default=None)
    deputy = everybody.get(absence.deputy_id) if absence and absence.deputy_id is not None else None
    return {
        "name": who.name, "email": who.email, "roles": sorted(role.value for role in who.roles), "team": who.team,
        "manager": manager.email if manager else None, "status": "active" if who.active else "left",
        "away_until": absence.until_date if absence else None, "deputy": deputy.email if deputy else None,
        "acting": everybody.acting(who.id, on).staff.email, "next_away_from": coming,
    }  # fmt: skip


def _now(item: dict[str, Any]) -> str:
    if item["status"] == "left":
        return f"has left; {item['acting']} acts"
    if item["away_until"]:
        return f"away until {local(item['away_until'])}; {item['acting']} acts"
    return f"away from {local(item['next_away_from'])}" if item["next_away_from"] else ""


def _words(roles: list[str]) -> str:
    return ", ".join(role.replace("_", " ") for role in roles)
