"""`muster sweep` and `muster deliver`: what the scheduled flows do, without Prefect."""

from typing import Annotated, Any

import typer

from cli.database import opened
from cli.output import JsonOption, command_errors, progress, refuse, say, show_json

app = typer.Typer()

Budget = Annotated[float | None, typer.Option(help="Stop after so many seconds; the next run goes on.", min=1)]


@app.command()
@command_errors()
def sweep(as_json: JsonOption = False, seconds: Budget = None) -> None:
    """Fire everything that is due now.

    Any number of sweeps may run at once, here and in `muster up`. Examples: muster sweep; muster sweep --seconds 40
    """
    from cases.sweep import sweep_due

    with progress("Sweeping") as tell:
        report = sweep_due(opened(), budget_seconds=seconds, progress=tell).to_dict()
    if as_json:
        show_json(report)
        return
    say(_counted(report, ("due", "fired", "not_fired", "passed_over", "parked")))
    for trigger, count in report.get("by_trigger", {}).items():
        say(f"   {count} {trigger.replace('_', ' ')}")
    if report.get("more"):
        say("There is more to do: run it again.")


@app.command()
@command_errors()
def deliver(as_json: JsonOption = False, seconds: Budget = None) -> None:
    """Send the mail that is due now and still wanted.

    Examples: muster deliver; muster deliver --json
    """
    from workflows.jobs import delivered

    with progress("Delivering") as tell:
        report = delivered(opened(), budget_seconds=seconds, progress=tell)
    if as_json:
        show_json(report)
        return
    say(_counted(report, ("sent", "suppressed", "failed", "held", "retried")))
    for reason, count in report.get("reasons", {}).items():
        say(f"   {count} {reason.replace('_', ' ')}")
    if report["stopped"]:
        refuse(report["stopped"])


def _counted(report: dict[str, Any], names: tuple[str, ...]) -> str:
    """Return the counts that are not zero, the first one always."""
    shown = [name for name in names if name == names[0] or report.get(name)]
    return ", ".join(f"{report.get(name, 0)} {name.replace('_', ' ')}" for name in shown)
