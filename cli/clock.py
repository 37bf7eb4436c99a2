"""`muster clock`: the instant an installation lives in; that of a sandbox can be set."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import opened
from cli.output import JsonOption, command_errors, local, say, show_json

if TYPE_CHECKING:
    from cases.environment import Environment

NAME = "clock"
app = typer.Typer(no_args_is_help=True, help="Show the clock, and set that of a sandbox.")

NOTHING_FIRES = "Nothing fires by itself: run `muster sweep`, or wait a minute if `muster up` runs."


@app.command()
@command_errors()
def show(as_json: JsonOption = False) -> None:
    """Show the instant this installation lives in.

    Example: muster clock show
    """
    from cases import installation
    from config.database import reading

    env = opened()
    with reading(env.engine) as conn:
        kind = installation.kind(conn)
    now, stands = env.now(), _stands_still(env)
    if as_json:
        show_json({"now": now, "zone": env.settings.time_zone, "kind": kind, "stands_still": stands})
        return
    say(f"{local(now, env.settings.zone)} ({env.settings.time_zone})")
    if stands:
        say("This sandbox stands still there; move it with `muster clock advance 1d`.")


@app.command(name="set")
@command_errors()
def set_(
    instant: Annotated[str, typer.Argument(help="2026-03-02, 2026-03-02T14:30 or 2026-03-02T14:30+00:00")],
    as_json: JsonOption = False,
) -> None:
    """Set a sandbox's clock; it stands still there until it is moved.

    Examples: muster clock set 2026-03-02; muster clock set 2026-03-02T14:30
    """
    from config.clock import parse_instant

    env = opened()
    _move(env, parse_instant(instant, env.settings.zone), as_json=as_json)


@app.command()
@command_errors()
def advance(
    length: Annotated[str, typer.Argument(help="7d, 36h, 90m, 2w or 1d12h")], as_json: JsonOption = False
) -> None:
    """Move a sandbox's clock on; it stands still there.

    Examples: muster clock advance 7d; muster clock advance 1d12h
    """
    from config.clock import parse_duration

    step = parse_duration(length)
    env = opened()
    _move(env, env.now() + step, as_json=as_json)


@app.command()
@command_errors()
def follow(as_json: JsonOption = False) -> None:
    """Let a sandbox's clock follow the real one again.

    Example: muster clock follow
    """
    _move(opened(), None, as_json=as_json)


def _move(env: "Environment", instant: datetime | None, *, as_json: bool) -> None:
    from config.clock import set_sandbox
    from config.database import transaction

    before = env.now()
    with transaction(env.engine) as conn:
        set_sandbox(conn, instant)
    now = env.now()
    if as_json:
        show_json({"now": now, "before": before, "zone": env.settings.time_zone, "stands_still": instant is not None})
        return
    say(f"The clock {'stands at' if instant else 'follows the real one:'} {local(now, env.settings.zone)}.")
    if now < before:
        say("That is earlier than before: what has fired does not fire again.")
    say(NOTHING_FIRES)


def _stands_still(env: "Environment") -> bool:
    from config.clock import utc_now

    return abs((env.now() - utc_now()).total_seconds()) > 1
