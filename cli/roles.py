"""`muster db`: as whom the desk and the flows enter the database."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import command_errors, say


@command_errors()
def roles(
    apply: Annotated[bool, typer.Option("--apply", help="Do it, rather than show it; needs CREATEROLE.")] = False,
) -> None:
    """Show the statements that make the roles of the desk and the flows, or carry them out. Twice is harmless.

    The embedded database has them always. Examples: muster db roles; muster db roles --apply
    """
    from cli.asking import environment
    from config import roles as database_roles

    env = environment()
    if apply:
        database_roles.prepare(env.engine)
        names = " and ".join(role.name for role in database_roles.ROLES)
        say(f"{names} may do what they need. Give each a password, then set MUSTER_WEB_DATABASE_URL and"
            " MUSTER_WORKER_DATABASE_URL.")  # fmt: skip
        return
    with env.engine.begin() as conn:
        for statement in database_roles.statements(conn):
            say(f"{statement};")
