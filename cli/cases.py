"""`muster cases`: open, list, show and move cases, and import them from a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import case_reasons
from cli.asking import (
    AsOption,
    AsViewer,
    LimitOption,
    MapOption,
    OffsetOption,
    SetOption,
    environment,
    fields,
    pairs,
    person,
    staff_names,
)
from cli.output import JsonOption, command_errors, progress, refuse, say, show_done, show_json, show_list

if TYPE_CHECKING:
    from state_machines.values import Outcome

NAME = "cases"
app = typer.Typer(no_args_is_help=True, help="Open, list, show and move cases.")
app.add_typer(case_reasons.app)

Process = Annotated[str, typer.Argument(help="complaint, monitoring, cancellation …; see: muster process list")]
Ref = Annotated[str, typer.Argument(help="The reference of the case, e.g. CO-2026-000042")]
Words = Annotated[str, typer.Argument(help="What to write down", metavar="TEXT")]
Owner = Annotated[str, typer.Argument(help="E-mail address of the new owner", metavar="EMAIL")]


@app.command(name="import")
@command_errors()
def import_(
    process: Process,
    file: Annotated[Path, typer.Argument(help="A CSV or XLSX file", exists=True, dir_okay=False)],
    mapping: MapOption = None,
    create_members: Annotated[
        bool, typer.Option("--create-members", help="Add the members that are not in the register yet.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,
    as_: AsViewer = None,
    as_json: JsonOption = False,
) -> None:
    """Open a case for every row of a table. The same file again adds nothing.

    `external_ref` is the key that says which rows were imported before. Example:
    muster cases import complaint complaints.csv --map member=Company --map subject=Issue
    --map external_ref="Complaint ID" --map received_at="Date received" --create-members
    """
    from cases.importing import import_cases

    columns = pairs(mapping, "--map")
    env = environment()
    with progress("Importing") as tell:
        report = import_cases(
            env, process, file, columns, create_members=create_members, dry_run=dry_run, progress=tell,
            actor=person(env, as_),
        ).to_dict()  # fmt: skip
    show_import(report, as_json=as_json)


def show_import(report: dict[str, Any], *, as_json: bool) -> None:
    """Show what an import did, with every refused line."""
    if as_json:
        show_json(report)
        return
    counts = ("created", "updated", "unchanged", "members_created")
    said = ", ".join(f"{report[name]} {name.replace('_', ' ')}" for name in counts if name in report)
    say(f"{said}, {len(report['refused'])} refused.")
    for refused in report["refused"]:
        say(f"   line {refused['line']}: {refused['why']}")
    for remark in report.get("remarks", ()):
        say(remark)


@app.command(name="open")
@command_errors()
def open_(
    process: Process,
    subject: Annotated[str, typer.Option(help="One line that says what it is about.")],
    as_: AsOption,
    member: Annotated[str | None, typer.Option(help="Reference or name of the member.", metavar="REF")] = None,
    settings: SetOption = None,
    received: Annotated[str | None, typer.Option(help="When it came in, if not now.", metavar="INSTANT")] = None,
    as_json: JsonOption = False,
) -> None:
    """Open a case.

    Example: muster cases open complaint --member M-000012 --subject "Cold pool" --set channel=phone --as amara@x.org
    """
    from cases.commands import open_one
    from config.clock import parse_instant

    values = fields(settings)
    env = environment()
    outcome = open_one(
        env, process, member=member, subject=subject, payload=values, actor=person(env, as_),
        received_at=parse_instant(received, env.settings.zone) if received else None,
    )  # fmt: skip
    _said(outcome, as_json=as_json)


def _said(outcome: Outcome, *, as_json: bool) -> None:
    from state_machines.registry import process_named

    case = outcome.after
    if as_json:
        show_json({
            "ref": case.ref, "process": case.process, "state": case.state, "from": outcome.before.state,
            "version": outcome.before.version + 1, "due_at": outcome.due_at, "deadline": outcome.deadline,
            "final": outcome.final,
        })  # fmt: skip
        return
    say(f"{case.ref} is in the state {process_named(case.process).state(case.state).title}.")


@app.command(name="list")
@command_errors()
def list_(
    process: Annotated[str | None, typer.Option(help="Only this kind of case.")] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only owned by this person.", metavar="EMAIL")] = None,
    member: Annotated[str | None, typer.Option(help="Only of this member.", metavar="REF")] = None,
    campaign: Annotated[str | None, typer.Option(help="Only responses of this campaign.", metavar="REF")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose time has passed.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Only those that are not closed.")] = False,
    as_: AsViewer = None,
    limit: LimitOption = 50,
    offset: OffsetOption = 0,
    as_json: JsonOption = False,
) -> None:
    """List cases, soonest deadline first.

    Examples: muster cases list --overdue; muster cases list --process complaint --owner amara@x.org --json
    """
    from cases.queries import Filter, list_cases

    env = environment()
    narrow = Filter(process, state, owner, member, overdue, open_, campaign)
    items, total = list_cases(env, narrow, actor=person(env, as_), limit=limit, offset=offset)
    if not as_json:
        items = [_for_people(item) for item in items]
    show_list(
        items,
        {"ref": "reference", "member": "member", "subject": "subject", "state_title": "state", "owner_name": "owner",
         "deadline": "due"},
        as_json=as_json, total=total, zone=env.settings.zone, empty="There is no such case.",
    )  # fmt: skip


def _for_people(item: dict[str, Any]) -> dict[str, Any]:
    from datetime import datetime

    due = datetime.fromisoformat(item["deadline"]) if item["deadline"] else None
    return {**item, "deadline": due, "subject": item["subject"][:60]}


@app.command()
@command_errors()
def show(ref: Ref, as_: AsViewer = None, as_json: JsonOption = False) -> None:
    """Show a case: state, owner, clocks, events, messages, what you may do, and what happens next if nobody acts.

    Example: muster cases show CO-2026-000042 --as amara@x.org
    """
    from cases.breaker.reading import held_since
    from cases.queries import case_page
    from cli.case_page import as_text, as_values
    from config.database import reading

    env = environment()
    page = case_page(env, ref, actor=person(env, as_))
    with reading(env.engine) as conn:
        held = held_since(conn, page.case.id)
    names, now = staff_names(env), env.now()
    if as_json:
        show_json(as_values(page, names, held, now))
    else:
        say(as_text(page, names, held, now, env.settings.zone))


@app.command()
@command_errors()
def fire(
    ref: Ref,
    trigger: Annotated[str, typer.Argument(help="What to do, e.g. acknowledge; `muster cases show` lists it")],
    as_: AsOption,
    settings: SetOption = None,
    note: Annotated[str | None, typer.Option(help="A note kept with it.")] = None,
    version: Annotated[int | None, typer.Option(help="Refuse when the case is no longer at this version.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Do something with a case, as a member of staff.

    Example: muster cases fire CO-2026-000042 withdraw --as amara@x.org --note "By telephone"
    """
    from cases.commands import fire as fire_

    values = fields(settings)
    env = environment()
    outcome = fire_(
        env, ref, trigger.replace("-", "_"), payload=values, note=note, seen_version=version, actor=person(env, as_)
    )
    _said(outcome, as_json=as_json)


@app.command()
@command_errors()
def note(ref: Ref, text: Words, as_: AsOption, as_json: JsonOption = False) -> None:
    """Write a note on a case.

    Example: muster cases note CO-2026-000042 "Called, no answer" --as amara@x.org
    """
    from cases.commands import note as note_

    env = environment()
    note_(env, ref, text, actor=person(env, as_))
    show_done({"ref": ref.upper(), "noted": text}, f"Noted on {ref.upper()}.", as_json=as_json)


@app.command()
@command_errors()
def assign(ref: Ref, to: Owner, as_: AsOption, as_json: JsonOption = False) -> None:
    """Give a case to somebody else.

    Example: muster cases assign CO-2026-000042 bo@x.org --as mina@x.org
    """
    from cases.commands import assign as assign_

    env = environment()
    assign_(env, ref, to, actor=person(env, as_))
    show_done({"ref": ref.upper(), "owner": to}, f"{ref.upper()} belongs to {to} now.", as_json=as_json)


@app.command()
@command_errors()
def unpark(ref: Ref, as_json: JsonOption = False) -> None:
    """Let a parked case be swept again at once, after its cause is mended.

    Example: muster cases unpark CO-2026-000042
    """
    from cases.sweep import unpark as unpark_

    if not unpark_(environment(), ref):
        refuse(f"{ref.upper()} is not parked.")
    said = f"{ref.upper()} is swept again at the next sweep."
    show_done({"ref": ref.upper(), "parked": False}, said, as_json=as_json)
