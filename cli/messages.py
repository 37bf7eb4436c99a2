"""`muster messages`: what was sent, what waits, and what was not sent and why."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.asking import AsActor, AsViewer, LimitOption, OffsetOption, environment, person
from cli.output import JsonOption, command_errors, local, refuse, say, show_json, show_list

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy import ColumnElement, Select

    from cases.environment import Environment, World
    from config.database import Connection
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


# ---------------------------------------------------------------------------------------------- looking them up


def outbox(
    env: Environment,
    *,
    case: str | None = None,
    state: str | None = None,
    kind: str | None = None,
    member_id: int | None = None,
    viewer: Actor,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[dict[str, Any]], int]:
    """Return one page of the messages the viewer may see, the newest first, and how many there are in all.

    Raises CaseNotFound for a case the viewer may not see.
    """
    from sqlalchemy import func, select

    from cases.environment import world
    from cases.queries import case_page
    from config.database import reading
    from notifications.tables import MessageRow

    of_case = case_page(env, case, actor=viewer, last_events=1).case.id if case else None
    given = {"case_id": of_case, "state": state, "kind": kind, "member_id": member_id}
    with reading(env.engine) as conn:
        where = [getattr(MessageRow, name) == value for name, value in given.items() if value is not None]
        where += _seen_by(viewer, world(conn, env))
        total = conn.execute(select(func.count()).select_from(MessageRow).where(*where)).scalar_one()
        page = select(*MessageRow.__table__.c).where(*where).order_by(MessageRow.id.desc())
        return _items(conn, conn.execute(page.limit(limit).offset(offset)).all()), total


def _seen_by(viewer: Actor, here: World) -> list[ColumnElement[bool]]:
    """Mail about a case is for who may see the case; other mail for who gets it, and for who sees all teams."""
    from sqlalchemy import and_, literal_column, or_, select, true

    from cases.commands import acts_for
    from cases.permissions import SEE_ALL_TEAMS, visible
    from cases.rows import staff_id_of
    from notifications.tables import MessageRow
    from state_machines.values import Role

    if Role.SYSTEM in viewer.roles:
        return []
    about: Select[Any] = select(literal_column("1")).where(
        visible(viewer, acts_for(viewer, here)), literal_column("cases.id") == MessageRow.case_id
    )
    own = true() if viewer.roles & SEE_ALL_TEAMS else MessageRow.staff_id == staff_id_of(viewer.person)
    return [or_(about.correlate(MessageRow).exists(), and_(MessageRow.case_id.is_(None), own))]


def _items(conn: Connection, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return rows of the outbox as lists show them, with the references of their cases, in one statement."""
    from cases.delivering import case_views
    from notifications import catalogue

    views = case_views(conn, sorted({row.case_id for row in rows if row.case_id is not None}))
    known = catalogue.entries()
    return [
        {
            "id": row.id, "kind": row.kind, "title": known[row.kind].kind.title if row.kind in known else row.kind,
            "case": views[row.case_id].ref if row.case_id in views else None, "audience": row.audience,
            "receiver": row.to_email or row.to_name or whom(row.audience), "purpose": row.purpose,
            "state": row.state, "reason": row.reason, "to": row.to_email, "to_name": row.to_name,
            "subject": row.subject, "not_before": row.not_before, "sent_at": row.sent_at, "attempts": row.attempts,
            "error": row.last_error,
        }
        for row in rows
    ]  # fmt: skip


def whom(audience: str) -> str:
    """Return an audience as people say it."""
    return audience.removeprefix("party:").replace("_", " ")


def _one(env: Environment, number: int, viewer: Actor) -> dict[str, Any]:
    """Return a message with its text and headers; refuse the same way when it is not theirs to see."""
    from sqlalchemy import select

    from cases.environment import world
    from config.database import reading
    from notifications.queries import is_genuine
    from notifications.tables import MessageRow

    with reading(env.engine) as conn:
        where = [MessageRow.id == number, *_seen_by(viewer, world(conn, env))]
        row = conn.execute(select(*MessageRow.__table__.c).where(*where)).one_or_none()
        if row is None:
            refuse(f"There is no message {number}, or it is not yours to see.")
        [item] = _items(conn, [row])
    return {
        **item, "headers": _headers(item, row, env.settings.mail_from), "body_text": row.body_text,
        "body_html": row.body_html, "genuine": is_genuine(row) if row.body_text is not None else None,
    }  # fmt: skip


def _headers(item: dict[str, Any], row: Any, sender: str) -> dict[str, Any]:
    to = f"{row.to_name} <{row.to_email}>" if row.to_name and row.to_email else row.to_email
    found = {
        "From": sender, "To": to or item["receiver"], "Date": row.sent_at, "Subject": row.subject or item["title"],
        "Message-ID": row.message_id, "X-Muster-Case": item["case"],
        "Auto-Submitted": "auto-generated" if row.sent_at else None,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}
