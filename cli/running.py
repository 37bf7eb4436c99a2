"""`muster init`, `up`, `demo`, `stop` and `status`: an installation, made, run and looked at."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.database import initialised, opened
from cli.output import JsonOption, command_errors, local, say, show_json, show_record, span

if TYPE_CHECKING:
    from config.settings import Settings

app = typer.Typer()


@app.command()
@command_errors()
def init(
    sandbox: Annotated[bool, typer.Option("--sandbox", help="For trying out: its clock can be set.")] = False,
) -> None:
    """Make the database of this installation, for production or as a sandbox. Twice is harmless.

    The kind is for ever: a sandbox never becomes a production database. Examples: muster init; muster init --sandbox
    """
    from config.settings import load_settings

    settings = load_settings()
    made = initialised(settings, sandbox=sandbox)
    kind = "sandbox" if sandbox else "production"
    say(f"{'Made' if made else 'There is already'} a {kind} database; everything else is in {settings.home}.")
    say(_next(settings, sandbox=sandbox))


def _next(settings: "Settings", *, sandbox: bool) -> str:
    if sandbox:
        return f"Next: muster up, then open {settings.base_url} and choose who you are."
    return (
        "Next: muster staff add you@example.org --name You --role administrator, muster staff password you@example.org,"
        f"\nmuster up; then sign in at {settings.base_url} and invite the others."
    )


@app.command()
@command_errors()
def up() -> None:
    """Run everything: the database, Prefect with its schedules, and the desk, until Ctrl-C.

    What dies is started again; what was missed is caught up. Example: muster up
    """
    from config.settings import load_settings
    from workflows import supervisor

    supervisor.up(load_settings(), say)


@app.command()
@command_errors()
def demo(
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete this demo and start anew.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Stop after the first scheduled sweep.")] = False,
) -> None:
    """Run Muster with made-up members in a sandbox; mail goes to files. Again continues the same demo.

    Its home is .muster-demo, unless MUSTER_HOME says otherwise. Examples: muster demo; muster demo --fresh
    """
    from cli import trying_out

    trying_out.run(fresh=fresh, sure=yes, once=once)


@app.command()
@command_errors()
def stop() -> None:
    """Stop the `muster up` of this home, and its embedded database.

    Example: muster stop
    """
    import os
    import signal
    import time

    from config.postgres import stop_embedded
    from config.settings import load_settings
    from workflows.only_one import holder

    settings = load_settings()
    runs = holder(settings.home)
    if runs is not None:
        os.kill(runs, signal.SIGTERM)
        while holder(settings.home) == runs:
            time.sleep(0.2)
    database = settings.database_url is None and stop_embedded(settings)
    say("Stopped." if runs is not None or database else "Nothing was running.")


@app.command()
@command_errors()
def status(as_json: JsonOption = False) -> None:
    """Show how this installation is: its clock, the last sweep, what is due, overdue and parked, the outbox.

    Examples: muster status; muster status --json
    """
    import migrations
    from cases import health
    from workflows.only_one import holder

    env = opened()
    told = health.status(env, head=migrations.head())
    found = {**told, "running": holder(env.settings.home) is not None}
    if as_json:
        show_json(found)
        return
    held = found["held_back"]
    held["holds"] = [
        f"{each['process']}: {each['waiting']} (muster holds show {each['number']})" for each in held["holds"]
    ]
    show_record(_in_words(found, env.settings))


def _in_words(found: dict[str, Any], settings: "Settings") -> dict[str, Any]:
    """Return what people read of a status: ages as spans, what lies deeper as one line each."""
    words: dict[str, Any] = {}
    for key, value in found.items():
        inner = value.items() if isinstance(value, dict) else [("", value)]
        for part, item in inner:
            name = f"{key} {part}".strip().replace("_", " ")
            seconds = name.endswith((" seconds", " age")) and isinstance(item, int | float)
            words[name.removesuffix(" seconds")] = span(item) if seconds else local(_instant(item), settings.zone)
    return {name: text for name, text in words.items() if text}


def _instant(value: object) -> object:
    """Return the instant that an ISO 8601 text is; everything else as it is."""
    from datetime import datetime

    if isinstance(value, str) and value[:2] == "20" and "T" in value:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return value
