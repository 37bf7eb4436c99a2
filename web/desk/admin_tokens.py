"""API keys: making one for a program that acts as somebody, seeing when it was used, ending it."""

from __future__ import annotations

from datetime import date, timedelta

from starlette.responses import Response

from cases.errors import BadInput
from config import clock
from config.database import reading, transaction
from members.errors import MembersError, NotFound
from members.staff_record import note_deed
from web.accounts import tokens
from web.desk.admin_rules import ADMINISTRATORS
from web.desk.admin_staff import person_of
from web.desk_page import Desk, DeskPage
from web.forms import Field, Option
from web.naming import person_title
from web.posted import Form, Posted
from web.routing import Pages

pages = Pages(may=ADMINISTRATORS)

A_YEAR = timedelta(days=365)


@pages.get("/admin/tokens", statements=6)
def listed(desk: Desk) -> Response:
    """Every key there is."""
    return _page(desk)


def _page(
    desk: DeskPage, *, made: str = "", typed: Posted | None = None, problem: str = "", status: int = 200
) -> Response:
    """``made``: the text of a key that was just made; it is shown on this one answer and never again."""
    with reading(desk.env.engine) as conn:
        keys = tokens.listed(conn)
    return desk.page(
        "desk/admin/tokens.html", title="API keys", status=status, lines=keys, made=made, problem=problem,
        fields=_fields(desk, typed), people=desk.staffing.people, scopes=tokens.SCOPES, real=clock.utc_now(),
    )  # fmt: skip


def _fields(desk: DeskPage, typed: Posted | None) -> list[Field]:
    until = typed.text("until") if typed else (_today(desk) + A_YEAR).isoformat()
    return [
        Field("name", "What it is for", "text", required=True, value=typed.text("name") if typed else "",
              limits={"maxlength": tokens.LONGEST_NAME}, help="Such as: nightly export to the data warehouse."),
        Field("of", "Acts as", "select", required=True, value=typed.text("of") if typed else "",
              options=tuple(Option(str(p.id), person_title(p)) for p in desk.staffing.active),
              help="It sees and may do what this person could, and no more than is ticked below."),
        Field("scopes", "May", "several", required=True, value=typed.all("scopes") if typed else [],
              options=tuple(Option(scope, f"{words} ({scope})") for scope, words in tokens.SCOPES.items())),
        Field("until", "Last day", "date", value=until, limits={},
              help="Left empty, it works until somebody revokes it."),
    ]  # fmt: skip


def _today(desk: DeskPage) -> date:
    """The day by the real clock, which keys live by in a sandbox too."""
    return desk.env.calendar.local_date(clock.utc_now())


@pages.post("/admin/tokens")
def make(desk: Desk, posted: Form) -> Response:
    """Make a key and show it this once."""
    now = clock.utc_now()
    try:
        person = person_of(desk, posted.number("of"))
        if not person.active:
            raise BadInput(f"{person.name} has left.")
        last = posted.day("until")
        ends = desk.env.calendar.end_of(last) if last else None
        with transaction(desk.env.engine) as conn:
            made = tokens.make(
                conn, posted.text("name"), posted.all("scopes"), staff_id=person.id, made_by=desk.person.id,
                expires_at=ends, now=now,
            )  # fmt: skip
            words = f'got an API key that acts as them: "{posted.text("name").strip()}"'
            note_deed(conn, person.id, words, actor=desk.actor, now=desk.now)
    except (BadInput, MembersError) as refused:
        return _page(desk, typed=posted, problem=str(refused), status=422)
    return _page(desk, made=made)


@pages.post("/admin/tokens/revoke")
def revoke(desk: Desk, posted: Form) -> Response:
    """End a key for good. Raises NotFound."""
    with transaction(desk.env.engine) as conn:
        ended = tokens.revoke(conn, posted.number("id") or 0, now=clock.utc_now())
    if not ended:
        raise NotFound("This key does not exist, or has been revoked already.")
    return desk.see_other("/admin/tokens", "The key works no more.")
