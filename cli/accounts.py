"""`muster staff password` and `muster staff invite`: how somebody gets into the desk."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import AsActor, colleague, environment, person, staffing
from cli.output import JsonOption, command_errors, refuse, show_done

if TYPE_CHECKING:
    from cases.environment import Environment
    from members.staffing import Person

Email = Annotated[str, typer.Argument(help="Their e-mail address", metavar="EMAIL")]


@command_errors()
def password(
    email: Email,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read it from standard input instead of asking.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Set somebody's password for the desk; wherever they are signed in, they are signed out.

    It is asked for, or read from standard input; never write it on a command line, where others can read it.
    Examples: muster staff password ada@x.org; muster staff password ada@x.org --stdin < password.txt
    """
    from config.clock import current, utc_now
    from config.database import transaction
    from members.staff_record import note_deed
    from state_machines.values import SYSTEM
    from web import sessions
    from web.accounts import password_links

    env = environment()
    who = _here(env, email)
    chosen = sys.stdin.readline().rstrip("\r\n") if stdin else _asked(who)
    with transaction(env.engine) as conn:
        password_links.change(conn, who, chosen, now=utc_now())
        note_deed(conn, who.id, "got a password from the command line", actor=SYSTEM, now=current(conn))
        sessions.end_all(conn, who.id)
    address = f"{env.settings.base_url}/sign-in"
    said = f"{who.name} signs in at {address} with {who.email} and this password."
    show_done({"email": who.email, "sign_in": address}, said, as_json=as_json)


@command_errors()
def invite(
    email: Email,
    show_link: Annotated[bool, typer.Option("--show-link", help="Print the link too, to hand it over.")] = False,
    as_: AsActor = None,
    as_json: JsonOption = False,
) -> None:
    """Mail somebody a link with which they choose their password, good for seven days and once.

    Example: muster staff invite amara@x.org --as ada@x.org
    """
    from config.clock import utc_now
    from config.database import transaction
    from state_machines.values import Role
    from web.accounts import password_links

    env = environment()
    actor = person(env, as_)
    if not actor.roles & {Role.ADMINISTRATOR, Role.SYSTEM}:
        refuse("Only an administrator may invite somebody.")
    who = _here(env, email)
    with transaction(env.engine) as conn:
        link = password_links.invite(conn, env, who, actor=actor, now=utc_now())
    said = f"{who.name} ({who.email}) gets a link by mail at the next delivery: muster deliver"
    values = {"email": who.email, **({"link": link} if show_link else {})}
    show_done(values, f"{said}\n{link}" if show_link else said, as_json=as_json)


def _here(env: Environment, email: str) -> Person:
    who = colleague(staffing(env), email)
    if not who.active:
        refuse(f"{who.name} has left.")
    return who


def _asked(who: Person) -> str:
    typed: str = typer.prompt(f"New password for {who.name}", hide_input=True, confirmation_prompt=True)
    return typed
