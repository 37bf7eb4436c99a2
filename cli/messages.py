"""`muster messages`: what was sent, what waits, and what was not sent and why."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.asking import AsActor, AsViewer, LimitOption, OffsetOption, environment, person
from cli.output import JsonOption, command_errors, local, refuse, say, show_json, show_list

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cases.environment import Environment
    from state_machines.values import Actor

NAME = "messages"
app = typer.Typer(no_args_is_help=True, help="Look at mail: sent, waiting, and not sent and why.")

Number = Annotated[int, typer.Argument(help="The number of the message; `muster messages list` shows it", min=1)]


class State(StrEnum):
    """What became of a message."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    SUPPRESSED = "suppressed"
    FAILED = "failed"


@app.command(name="list")
@command_errors()
def list_(
    case: Annotated[str | None, typer.Option(help="Only about this case.", metavar="REF")] = None,
    state: Annotated[State | None, typer.Option(help="Only those with this fate; suppressed: not sent.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind, e.g. survey_invitation.")] = None,
    as_: AsViewer = None,
    limit: LimitOption = 50,
    offset: OffsetOption = 0,
    as_json: JsonOption = False,
) -> None:
    """List messages, the newest first.

    Examples: muster messages list --case CO-2026-000042; muster messages list --state suppressed --json
    """
    from cases.mailroom import outbox
    from notifications import catalogue

    if kind is not None:
        catalogue.kind(kind := kind.replace("-", "_"))
    env = environment()
    items, total = outbox(
        env, case=case, state=state.value if state else None, kind=kind, viewer=person(env, as_), limit=limit,
        offset=offset,
    )  # fmt: skip
    show_list(
        items if as_json else [{**item, "when": _when(item), "what": _what(item)} for item in items],
        {"id": "number", "case": "case", "title": "message", "receiver": "to", "what": "state", "when": "when"},
        as_json=as_json, total=total, zone=env.settings.zone, empty="There is no such message.",
    )  # fmt: skip


def _when(item: dict[str, Any]) -> object:
    return item["sent_at"] or (item["not_before"] if item["state"] in (State.QUEUED, State.SENDING) else None)


def _what(item: dict[str, Any]) -> str:
    return f"{item['state']}: {item['reason']}" if item["reason"] else str(item["state"])


@app.command()
@command_errors()
def show(number: Number, as_: AsViewer = None, as_json: JsonOption = False) -> None:
    """Show a message word for word as it was sent.

    Example: muster messages show 17
    """
    env = environment()
    found = _one(env, number, person(env, as_))
    if as_json:
        show_json(found)
        return
    say("\n".join(f"{name}: {local(value, env.settings.zone)}" for name, value in found["headers"].items()))
    if found["body_text"] is None:
        say(_why_no_text(found, env.settings.zone))
        return
    say(f"\n{found['body_text'].rstrip()}")
    if not found["genuine"]:
        refuse("This text is not what was sent: it was changed in the database afterwards.")


def _why_no_text(found: dict[str, Any], zone: ZoneInfo) -> str:
    why = f": {found['reason']}" if found["reason"] else ""
    if found["state"] in (State.QUEUED, State.SENDING):
        return f"\nIt is not written yet{why}; it leaves from {local(found['not_before'], zone)}, if still wanted then."
    return f"\nIt was not sent{why}."


@app.command()
@command_errors()
def requeue(
    numbers: Annotated[list[int], typer.Argument(help="The numbers of failed messages")],
    as_: AsActor = None,
    as_json: JsonOption = False,
) -> None:
    """Let failed messages be tried once more, after the cause is mended.

    Example: muster messages requeue 17 18
    """
    from cases.commands import require_staff
    from config.database import transaction
    from notifications import outbox as queue

    env = environment()
    actor = person(env, as_)
    require_staff(actor)
    for number in numbers:
        _one(env, number, actor)
    now = env.now()
    with transaction(env.engine) as conn:
        count = queue.requeue(conn, numbers, now=now)
    if as_json:
        show_json({"asked": len(set(numbers)), "requeued": count})
    if not count:
        refuse("None of these has failed; only a message that has failed is tried again.")
    if not as_json:
        say(f"{count} of {len(set(numbers))} tried again at the next delivery: muster deliver")


def _one(env: Environment, number: int, viewer: Actor) -> dict[str, Any]:
    """Return a message with its text and headers; refuse the same way when it is not theirs to see."""
    from cases.mailroom import message

    found = message(env, number, viewer=viewer)
    if found is None:
        refuse(f"There is no message {number}, or it is not yours to see.")
    return {**found, "headers": _headers(found, env.settings.mail_from)}


def _headers(item: dict[str, Any], sender: str) -> dict[str, Any]:
    to = f"{item['to_name']} <{item['to']}>" if item["to_name"] and item["to"] else item["to"]
    found = {
        "From": sender, "To": to or item["receiver"], "Date": item["sent_at"],
        "Subject": item["subject"] or item["title"], "Message-ID": item["message_id"], "X-Muster-Case": item["case"],
        "Auto-Submitted": "auto-generated" if item["sent_at"] else None,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}
