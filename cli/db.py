"""`muster db`: the database moved to another server, and one at rest that is to go on."""

from typing import Annotated

import typer

from cli.database import address_of, kind_of
from cli.output import JsonOption, command_errors, progress, refuse, show_done, show_record
from cli.roles import roles

NAME = "db"
app = typer.Typer(no_args_is_help=True, help="Move the database, and let one that is at rest go on.")

HERE = "embedded"

app.command()(roles)


@app.command()
@command_errors()
def move(
    to: Annotated[str, typer.Argument(help="postgresql://… of an empty database, or: embedded")],
    replace: Annotated[bool, typer.Option("--replace", help="It was moved away from before; empty it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Copy the database to another server and leave the old one marked, so that it does not go on.

    Muster must be stopped on every machine. Examples: muster db move postgresql://muster@db/muster; muster db move
    embedded --replace
    """
    import migrations
    from cases.copies.moving import move as move_
    from cases.environment import NotInitialised
    from config import postgres
    from config.clock import utc_now
    from config.database import driver_url, make_engine
    from config.settings import load_settings
    from workflows.only_one import holder

    settings = load_settings()
    if (runs := holder(settings.home)) is not None:
        refuse(f"Muster runs here (process {runs}). Stop it first: muster stop")
    if kind_of(settings) is None:
        raise NotInitialised
    url = postgres.start(settings.home / "postgres") if to == HERE else address_of(to)
    told = HERE if to == HERE else driver_url(to).set(drivername="postgresql").render_as_string(hide_password=True)
    source = make_engine(postgres.database_url(settings), pool_size=1)
    target = make_engine(url, pool_size=1)
    if source.url == target.url:
        refuse("That is the database it is in already.")
    try:
        with progress("Moving") as tell:
            done = move_(source, target, migrations, to=told, replace=replace, progress=tell, now=utc_now())
    finally:
        source.dispose()
        target.dispose()
    setting = "take MUSTER_DATABASE_URL away" if to == HERE else f"set MUSTER_DATABASE_URL to {told} with its password"
    values = {"to": told, "rows": done.rows, "cases": done.cases, "events": done.events}
    show_done(values, f"{done.rows} rows with {done.cases} cases are there, compared and verified. Now {setting}; the "
              "old database is marked and refuses to go on. The folders of the home stay where they are.",
              as_json=as_json)  # fmt: skip


@app.command()
@command_errors()
def resume(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: JsonOption = False
) -> None:
    """Let a database go on that is at rest, because it was restored or moved away.

    Do this only where no other copy of it goes on: members would be written to twice. Example: muster db resume
    """
    from cases.copies import resting
    from cases.environment import NotInitialised
    from config.clock import utc_now
    from config.database import make_engine
    from config.postgres import database_url
    from config.settings import load_settings

    settings = load_settings()
    if kind_of(settings) is None:
        raise NotInitialised
    engine = make_engine(database_url(settings), pool_size=1)
    try:
        with engine.begin() as conn:
            rest = resting.at_rest(conn)
            if rest is None:
                show_done({"resumed": False}, "It is not at rest; nothing was changed.", as_json=as_json)
                return
            waits = resting.what_waits(conn)
            if not yes:
                show_record({"at rest": rest.sentence, **waits})
                typer.confirm("Does no other copy of this installation go on?", abort=True)
            resting.take_writes(conn)
            resting.wake(conn, now=utc_now())
    finally:
        engine.dispose()
    say_ = "It goes on here. Start it: muster up"
    show_done({"resumed": True, **waits}, say_, as_json=as_json)
