"""`muster inbox`: mail that came in, read, listed, and given to the case it belongs to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.asking import AsActor, AsViewer, LimitOption, environment, person
from cli.output import JsonOption, command_errors, refuse, say, show_json, show_list, show_record

if TYPE_CHECKING:
    from cases.inbox.lists import Mail

NAME = "inbox"
app = typer.Typer(no_args_is_help=True, help="Mail that comes in: bounces, automatic replies, and what people write.")

Number = Annotated[int, typer.Argument(help="The number of the mail; `muster inbox list` shows it", min=1)]


class Fate(StrEnum):
    """What became of a mail."""

    WAITING = "waiting"
    UNMATCHED = "unmatched"
    KEPT = "kept"
    MATCHED = "matched"
    IGNORED = "ignored"
    ALL = "all"


@app.command()
@command_errors()
def read(
    as_json: JsonOption = False,
    seconds: Annotated[
        float | None, typer.Option(help="Stop after so many seconds; the next run goes on.", min=1)
    ] = None,
) -> None:
    """Read what came in, from the folder MUSTER_MAIL_SPOOL and the mailbox MUSTER_IMAP_URL.

    Any number of readings may run at once. Examples: muster inbox read; muster inbox read --json
    """
    from workflows.jobs import inbox_read

    report = inbox_read(environment(), budget_seconds=seconds)
    if as_json:
        show_json(report)
        return
    if not report["configured"]:
        refuse("There is nothing to read: set MUSTER_IMAP_URL or MUSTER_MAIL_SPOOL.")
    names = ("read", "matched", "unmatched", "kept", "ignored", "again", "retried")
    say(", ".join(f"{report[name]} {name}" for name in names if name == "read" or report[name]))
    if report["stopped"]:
        refuse(report["stopped"])


@app.command(name="list")
@command_errors()
def list_(
    state: Annotated[Fate, typer.Option(help="Only those of this fate; waiting: what a person has to look at.")] = (
        Fate.WAITING
    ),
    kind: Annotated[str | None, typer.Option(help="Only this kind, e.g. bounce or reply.")] = None,
    as_: AsViewer = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List mail that came in, the newest first.

    Examples: muster inbox list; muster inbox list --state matched --kind bounce --json
    """
    from cases.inbox import lists
    from notifications.inbox.incoming import Kind

    if kind is not None and kind not in set(Kind):
        refuse(f"There is no such kind; there are {', '.join(sorted(Kind))}.")
    env = environment()
    asked = "" if state is Fate.ALL else state.value
    viewer = person(env, as_)
    found = lists.listed(env, state=asked, kind=kind, limit=limit, viewer=viewer)
    show_list(
        [_line(mail) for mail in found],
        {"id": "number", "received_at": "came in", "from": "from", "subject": "subject", "title": "what it is",
         "case": "case", "state": "state"},
        as_json=as_json, total=len(found), zone=env.settings.zone, empty="There is no such mail.",
    )  # fmt: skip


def _line(mail: Mail) -> dict[str, Any]:
    return {
        "id": mail.id, "received_at": mail.received_at, "from": mail.from_email, "subject": mail.subject,
        "kind": mail.kind, "title": mail.title, "case": mail.case, "perhaps": mail.perhaps, "state": mail.state,
        "why": mail.why,
    }  # fmt: skip


@app.command()
@command_errors()
def show(number: Number, as_: AsViewer = None, as_json: JsonOption = False) -> None:
    """Show a mail as plain text, and what became of it.

    Example: muster inbox show 17
    """
    from cases.inbox import lists

    env = environment()
    mail = lists.one(env, number, viewer=person(env, as_))
    found = {
        **_line(mail), "status": mail.status, "reason": mail.details.get("reason"),
        "files": mail.details.get("files", []), "back_on": mail.details.get("back_on"),
        "matched_by": mail.matched_by, "text": mail.text,
    }  # fmt: skip
    if as_json:
        show_json(found)
        return
    shown = {name: value for name, value in found.items() if value and name not in ("text", "kind")}
    show_record(shown, zone=env.settings.zone)
    say(f"\n{mail.text}" if mail.text else "\nThere are no words in it.")


@app.command()
@command_errors()
def assign(
    number: Number,
    ref: Annotated[str, typer.Argument(help="The reference of the case it belongs to")],
    as_: AsActor = None,
    as_json: JsonOption = False,
) -> None:
    """Put a mail on the case that it belongs to.

    Example: muster inbox assign 17 CO-2026-000042 --as amara@example.org
    """
    from cases.inbox import sorting

    env = environment()
    found = sorting.assign(env, number, ref, actor=person(env, as_))
    if as_json:
        show_json({"number": number, "case": found})
    else:
        say(f"It is on {found} now.")


@app.command()
@command_errors()
def ignore(
    number: Number,
    undo: Annotated[bool, typer.Option("--undo", help="Let it wait again.")] = False,
    as_: AsActor = None,
    as_json: JsonOption = False,
) -> None:
    """Set a mail aside as not ours, or take that back.

    Examples: muster inbox ignore 17; muster inbox ignore 17 --undo
    """
    from cases.inbox import sorting

    env = environment()
    (sorting.restore if undo else sorting.ignore)(env, number, actor=person(env, as_))
    if as_json:
        show_json({"number": number, "state": "unmatched" if undo else "ignored"})
    else:
        say("It waits again." if undo else "It is set aside.")


@app.command()
@command_errors()
def forget(
    days: Annotated[int, typer.Option(help="Of mail that came in at least so many days ago.", min=1)] = 90,
    as_: AsActor = None,
    as_json: JsonOption = False,
) -> None:
    """Remove the words of mail that was set aside; that there was one stays.

    Examples: muster inbox forget; muster inbox forget --days 30
    """
    from cases.inbox import sorting

    env = environment()
    count = sorting.forget(env, days=days, actor=person(env, as_))
    if as_json:
        show_json({"forgotten": count})
    else:
        say(f"The words of {count} {'mail' if count == 1 else 'mails'} are removed.")
