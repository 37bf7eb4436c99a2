"""`muster campaigns`: plan a campaign from a file, and see how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.asking import AsOption, AsViewer, environment, person
from cli.output import JsonOption, command_errors, say, show_json, show_record

NAME = "campaigns"
app = typer.Typer(no_args_is_help=True, help="Plan campaigns and see how far they are.")

COUNTS = (
    "eligible", "invited", "responded", "complete", "exempt", "unreachable", "failed", "outstanding", "excluded",
)  # fmt: skip


@app.command()
@command_errors()
def plan(
    file: Annotated[Path, typer.Argument(help="The plan, a YAML file", exists=True, dir_okay=False)],
    as_: AsOption,
    as_json: JsonOption = False,
) -> None:
    """Open a campaign from a plan. Somebody else approves it.

    Example: muster campaigns plan survey-2026.yaml --as amara@x.org
    """
    from cases.campaigns import plan as plan_

    env = environment()
    case = plan_(env, file, actor=person(env, as_)).after
    if as_json:
        show_json({"ref": case.ref, "state": case.state, "title": case.subject})
        return
    say(f"{case.ref} is planned: {case.subject}.")
    say("A manager approves it:")
    say(f"   muster cases fire {case.ref} approve_plan --as EMAIL --set data_protection_checked=true")


@app.command()
@command_errors()
def status(
    ref: Annotated[str, typer.Argument(help="The reference of the campaign, e.g. SC-2026-000001")],
    as_: AsViewer = None,
    as_json: JsonOption = False,
) -> None:
    """Show how far a campaign is: who has responded, who is exempt, who is still outstanding.

    Example: muster campaigns status SC-2026-000001 --json
    """
    from cases.campaigns import status as status_

    env = environment()
    found = status_(env, ref, actor=person(env, as_)).to_dict()
    if as_json:
        show_json(found)
        return
    say(f"{found['ref']}  {found['title']}: {found['state'].replace('_', ' ')}")
    show_record({name: found[name] for name in COUNTS})
    for name in ("response_rate", "accounted_rate"):
        share = found[name]
        say(f"{name.replace('_', ' ').capitalize()}: {'n/a' if share is None else f'{share:.1%}'}")
