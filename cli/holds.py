"""`muster holds`: what Muster has held back because it was more than anybody expects, and the decision about it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.asking import day, environment, person, staff_names
from cli.output import JsonOption, command_errors, say, show_json, show_list, show_record

if TYPE_CHECKING:
    from state_machines.values import Actor

NAME = "holds"
app = typer.Typer(help="What Muster has held back and asks about.")

Number = Annotated[int, typer.Argument(help="The number of what is held back; `muster holds` shows it", min=1)]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the decision.", metavar="TEXT")]
Who = Annotated[str, typer.Option("--as", help="The manager who decides.", metavar="EMAIL")]


@app.callback(invoke_without_command=True)
@command_errors()
def holds(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Also what was decided.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List what is held back, the newest first: of which process, how many cases and mails, since when.

    Examples: muster holds; muster holds --all --json; muster holds approve 3 --reason "As planned" --as mina@…
    """
    if context.invoked_subcommand is not None:
        return
    from cases.breaker.reading import held_back, to_dict
    from config.database import reading

    env = environment()
    with reading(env.engine) as conn:
        found = [dict(to_dict(each)) for each in held_back(conn, open_only=not every, limit=200)]
    if as_json:
        show_json({"items": found, "total": len(found)})
        return
    names = staff_names(env)
    show_list(
        [{**each, "raised_at": datetime.fromisoformat(each["raised_at"]),
          "mails": sum(each["messages"].values()), "by": names.get(each["decided_by"], each["decided_by"])}
         for each in found],
        {"number": "number", "process": "process", "cases": "cases", "waiting": "waiting", "mails": "mails",
         "raised_at": "since", "state": "state", "by": "decided by"},
        as_json=False, total=len(found), zone=env.settings.zone, empty="Nothing is held back.",
    )  # fmt: skip


@app.command()
@command_errors()
def show(number: Number, as_: Who, as_json: JsonOption = False) -> None:
    """Show what is held back under a number: why, what would happen, and the first of its cases.

    Example: muster holds show 3 --as mina@association.example
    """
    from cases.breaker.reading import held_page, to_dict

    env = environment()
    found = held_page(env, number, actor=person(env, as_), now=env.now())
    told: dict[str, Any] = {**to_dict(found.held), "refs": [row.ref for row in found.rows], "unseen": found.unseen}
    if as_json:
        show_json(told)
        return
    show_record(told)
    for sample in found.samples:
        say(f"\n{sample.title}, to {sample.to}, about {sample.ref}\n  {sample.subject}")


@app.command()
@command_errors()
def approve(number: Number, reason: Reason, as_: Who, as_json: JsonOption = False) -> None:
    """Let what is held back go on: the next sweep does it.

    Example: muster holds approve 3 --reason "The reminders of the days we were offline" --as mina@association.example
    """
    from cases.breaker import deciding

    env = environment()
    cases = deciding.approve(env, number, reason, actor=person(env, as_))
    _told(number, cases, "will go on with the next sweep", as_json=as_json)


@app.command()
@command_errors()
def decline(
    number: Number,
    reason: Reason,
    as_: Who,
    until: Annotated[
        str | None, typer.Option(help="Until which day waits what cannot be left out.", metavar="YYYY-MM-DD")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Do not do what is held back: reminders are passed over, what would move a case on waits until a day.

    Example: muster holds decline 3 --reason "The clock was wrong" --until 2026-12-01 --as mina@association.example
    """
    from cases.breaker import deciding

    env = environment()
    actor: Actor = person(env, as_)
    wait = day(until, "--until") if until else None
    cases = deciding.decline(env, number, reason, until=wait, actor=actor)
    _told(number, cases, "will not happen, and say so", as_json=as_json)


def _told(number: int, cases: int, what: str, *, as_json: bool) -> None:
    if as_json:
        show_json({"number": number, "cases": cases})
    else:
        say(f"{cases} cases {what}.")
