"""`muster campaigns`: plan a campaign from a file, and see how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.asking import AsOption, AsViewer, environment, person
from cli.output import JsonOption, command_errors, local, refuse, say, show_json, show_list, show_record

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cases.environment import Environment
    from cases.rehearsing.values import Rehearsal

NAME = "campaigns"
app = typer.Typer(no_args_is_help=True, help="Plan campaigns and see how far they are.")

COUNTS = (
    "eligible", "invited", "responded", "complete", "exempt", "unreachable", "not_reached", "failed", "outstanding",
    "excluded",
)  # fmt: skip


@app.command()
@command_errors()
def plan(
    file: Annotated[Path, typer.Argument(help="The plan, a YAML file", exists=True, dir_okay=False)],
    as_: AsOption,
    as_json: JsonOption = False,
) -> None:
    """Open a campaign from a plan: of kind survey, or signoff with a document. Somebody else approves it.

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
    """Show how far a campaign is: who has responded or signed, who is exempt, who is still outstanding.

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
        say(f"{name.replace('_', ' ').capitalize()}: {'n/a' if share is None else f'{_permille(share) / 10}%'}")


def _permille(share: float) -> int:
    """Return a share in thousandths, rounded down: 100 % is everybody and nothing less."""
    return round(share * 10_000) // 10


@app.command()
@command_errors()
def rehearse(
    ref: Annotated[str, typer.Argument(help="The reference of the campaign, e.g. SC-2026-000001")],
    answers: Annotated[
        str, typer.Option(help="none: nobody answers; model: as the response model draws it; or a YAML file")
    ] = "none",
    seed: Annotated[int, typer.Option(help="Number of the course that the model draws", min=0)] = 1,
    until: Annotated[str | None, typer.Option(help="The last day, such as 2026-12-31")] = None,
    mails: Annotated[bool, typer.Option("--mails", help="Print every mail as well, word for word")] = False,
    as_: AsViewer = None,
    as_json: JsonOption = False,
) -> None:
    """Run a campaign ahead on a simulated clock: which mails leave when and to whom. Nothing is written or sent.

    Example: muster campaigns rehearse SC-2026-000001 --answers model
    """
    from cases.rehearsing.rehearsal import rehearse as rehearse_

    env = environment()
    wish, told = _wish(env, answers, seed, until)
    found = rehearse_(env, ref, wish, happenings=told, actor=person(env, as_))
    if as_json:
        show_json(found.to_dict(mails=mails))
        return
    _show_rehearsal(found, env.settings.zone)
    for mail in found.mails if mails else ():
        say(f"\n--- {local(mail.at, env.settings.zone)}  to {mail.to_name} <{mail.to_email}>: {mail.title}")
        say(f"{mail.subject}\n\n{mail.text}")


def _wish(env: Environment, answers: str, seed: int, until: str | None) -> Any:
    """What was asked for, and what a file tells will happen."""
    from datetime import date

    from cases.rehearsing.happenings import read_happenings
    from cases.rehearsing.values import FILE, MODEL, NOBODY, Wish

    try:
        last = date.fromisoformat(until) if until else None
    except ValueError:
        refuse(f"{until!r} is not a day; write for example 2026-12-31.")
    if answers in (NOBODY, MODEL):
        return Wish(answers, seed, last), ()
    path = Path(answers)
    if not path.is_file():
        refuse(f"There is no file {answers}; --answers takes none, model or a file with what happens.")
    return Wish(FILE, seed, last), read_happenings(path, env)


def _show_rehearsal(found: Rehearsal, zone: ZoneInfo) -> None:
    say(f"{found.ref}  {found.title}: rehearsed until {local(found.until.astimezone(zone).date())}")
    for sentence in (*found.assumed, *(f"Look: {one}" for one in found.warnings), *found.refused):
        say(f"  {sentence}")
    days = [
        {"day": local(d.day), "marks": ", ".join(d.marks), "mails": ", ".join(f"{t} {n}" for t, n in d.sent.items()),
         "recipients": d.recipients, "answers": d.answers, "outstanding": d.outstanding, "tasks": d.tasks,
         "escalations": d.escalations}
        for d in found.days if d.mails or d.answers or d.tasks
    ]  # fmt: skip
    show_list(days, {name: name.capitalize() for name in days[0]} if days else {}, empty="Nothing would happen.")
    for landing in found.landings[:20]:
        away = f" (for {landing.instead_of}, who is away)" if landing.instead_of else ""
        say(f"{local(landing.at, zone)}  {landing.title}, {landing.case}: {landing.lands_on}{away}")
    if len(found.landings) > 20:
        say(f"... and {len(found.landings) - 20} more escalations; --json has them all.")
    if found.forecast is not None:
        last = found.forecast.days[-1]
        band = f"({last.low} to {last.high} in four courses of five)"
        say(f"Expected answers by {local(last.day)}: {last.median} of {found.forecast.asked} {band}.")
    say(f"In the end: {found.end}. {found.totals['mails']} mails, {found.totals['not_sent']} not sent.")
