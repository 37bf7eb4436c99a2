"""Importing members in four steps: the file, what its columns are, exactly what would be done, and that it was done.

Between the steps the file stays on the server, under a random name and with whoever uploaded it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from starlette.responses import Response

from cases.handing_over import AT_ONCE, follow_teams
from config import clock
from members import uploads
from members.column_guesses import guessed
from members.errors import Changed, Unusable
from members.fields import FIELDS, check_mapping
from members.import_preview import created_lines, updated_lines
from members.importing import Preview, import_members, preview_import
from members.spreadsheets import Table, read_table
from members.uploads import Upload
from members.visibility import require_change_many
from web.access import STAFF
from web.desk.member_changes import MANY
from web.desk_page import Desk, DeskPage
from web.naming import words
from web.posted import Form
from web.routing import Pages

pages = Pages(may=STAFF)
START = "/members/import"
SAMPLES = 20
SHOWN_SAMPLES = 3
LINES = 100
_TITLES = {
    "ref": "Muster's reference (M-000012)", "external_ref": "Their own reference", "email": "E-mail of the contact",
    "contact_name": "Name of the contact", "phone": "Telephone of the contact",
    "contact_role": "Role of the contact (such as signatory)",
}  # fmt: skip
SHOWS = ("changed", "created", "refused")


@pages.get(START, may=MANY, statements=7)
def start(desk: Desk) -> Response:
    """Choose a file."""
    require_change_many(desk.actor)
    return _start(desk)


def _start(desk: DeskPage, wrong: str = "", status: int = 200) -> Response:
    megabytes = uploads.LARGEST >> 20
    return desk.page("desk/member_import.html", title="Import members", wrong=wrong, megabytes=megabytes, status=status)


@pages.post(START, may=MANY)
def upload(desk: Desk, posted: Form) -> Response:
    """Keep a file and look whether it is a table."""
    require_change_many(desk.actor)
    files = posted.files("file")
    if not files:
        return _start(desk, "Choose a file first.", 422)
    kept = None
    try:
        home = desk.env.settings.home
        kept = uploads.keep(home, desk.actor.person, files[0].name, files[0].content, now=clock.utc_now())
        read_table(kept.path)
    except Unusable as bad:
        if kept is not None:
            uploads.forget(kept)
        return _start(desk, str(bad), 422)
    kept = uploads.say(kept, {"all_listed": posted.yes("all_listed")})
    return desk.see_other(f"{START}/{kept.token}")


def _find(desk: DeskPage, token: str) -> Upload:
    """Return what who is signed in has uploaded. Raises NotFound or NotYours."""
    require_change_many(desk.actor)
    return uploads.find(desk.env.settings.home, desk.actor.person, token, now=clock.utc_now())


# --------------------------------------------------------------------------------------------- what its columns are


@pages.get(START + "/{token}", may=MANY, statements=7)
def columns(desk: Desk, token: str) -> Response:
    """Say which column is which field; what is guessed is chosen already."""
    kept = _find(desk, token)
    if "report" in kept.said:
        return desk.see_other(f"{START}/{token}/report")
    table = read_table(kept.path)
    samples = _samples(table)
    said = kept.said.get("mapping")
    chosen = {column: field for field, column in said.items()} if said else guessed(table.columns, samples)
    return _columns(desk, kept, table, samples, chosen)


def _samples(table: Table) -> list[Mapping[str, str]]:
    return [record.values for record in islice(table.records, SAMPLES)]


def _columns(
    desk: DeskPage, kept: Upload, table: Table, samples: list[Mapping[str, str]], chosen: Mapping[str, str],
    wrong: str = "", status: int = 200,
) -> Response:  # fmt: skip
    shown = {
        column: list(dict.fromkeys(row[column] for row in samples if row[column]))[:SHOWN_SAMPLES]
        for column in table.columns
    }
    return desk.page(
        "desk/member_import_columns.html", title="What the columns are", kept=kept, columns=table.columns, shown=shown,
        chosen=chosen, wrong=wrong, status=status, fields={name: _title(name) for name in FIELDS},
    )  # fmt: skip


def _title(field: str) -> str:
    name, _, number = field.rpartition("_")
    if number.isdigit():
        return f"{_TITLES[name]} {number}"
    return _TITLES.get(field, words(field))


@pages.post(START + "/{token}", may=MANY)
def choose(desk: Desk, posted: Form, token: str) -> Response:
    """Keep which column is which field."""
    kept = _find(desk, token)
    table = read_table(kept.path)
    chosen = {
        column: field for number, column in enumerate(table.columns) if (field := posted.text(f"column.{number}"))
    }  # fmt: skip
    try:
        mapping = _mapping(chosen)
        check_mapping(mapping, table.columns)
    except Unusable as bad:
        return _columns(desk, kept, table, _samples(table), chosen, str(bad), 422)
    uploads.say(kept, {**kept.said, "mapping": mapping})
    return desk.see_other(f"{START}/{token}/preview")


def _mapping(chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each field. Raises Unusable for a field that two columns were given, or without a name."""
    mapping: dict[str, str] = {}
    for column, field in chosen.items():
        if field in mapping:
            raise Unusable(f"“{_title(field)}” is chosen for two columns: {mapping[field]} and {column}.")
        mapping[field] = column
    if "name" not in mapping:
        raise Unusable("Choose the column that holds the name of the member.")
    return mapping


# ------------------------------------------------------------------------------------------- what would be done


@pages.get(START + "/{token}/preview", may=MANY, statements=24)
def preview(desk: Desk, token: str, show: str = "", page: int = 1) -> Response:
    """Exactly what would be written, and what not and why; nothing is written yet."""
    kept = _find(desk, token)
    if "report" in kept.said:
        return desk.see_other(f"{START}/{token}/report")
    if "mapping" not in kept.said:
        return desk.see_other(f"{START}/{token}")
    return _preview(desk, kept, show, page)


def _limits(desk: DeskPage) -> dict[str, Any]:
    limits = desk.env.policy.members
    return {"leaving_share": limits["leaving_hold_share"], "leaving_count": limits["leaving_hold_count"]}


def _preview(
    desk: DeskPage, kept: Upload, show: str = "", number: int = 1, wrong: str = "", status: int = 200
) -> Response:
    try:
        found = preview_import(
            desk.env.engine, kept.path, kept.said["mapping"], missing_means_left=kept.said["all_listed"],
            now=desk.now, **_limits(desk),
        )  # fmt: skip
    except Unusable as bad:
        return _start(desk, str(bad), 422)
    lines = {
        "changed": updated_lines(found.plan), "created": created_lines(found.plan), "refused": found.report.refused,
    }  # fmt: skip
    shown = show if show in SHOWS else next((name for name in SHOWS if lines[name]), SHOWS[0])
    last = max(1, -(-len(lines[shown]) // LINES))
    number = min(max(number, 1), last)
    here = f"{START}/{kept.token}/preview"
    return desk.page(
        "desk/member_import_preview.html", title="What would be done", kept=kept, found=found, here=here, show=shown,
        counts={name: len(lines[name]) for name in SHOWS}, wrong=wrong, status=status, blocked=_blocked(found),
        lines=lines[shown][(number - 1) * LINES : number * LINES],
        next=f"{here}?show={shown}&page={number + 1}" if number < last else None,
        previous=f"{here}?show={shown}&page={number - 1}" if number > 1 else None,
    )  # fmt: skip


def _blocked(found: Preview) -> bool:
    """Whether nobody can let this import go on as it is: what cannot be read may be somebody who stays."""
    return found.report.held is not None and not found.report.held.leavers


# --------------------------------------------------------------------------------------------------- that it is done


@pages.post(START + "/{token}/write", may=MANY)
def write(desk: Desk, posted: Form, token: str) -> Response:
    """Write what was shown, and nothing else."""
    kept = _find(desk, token)
    if "report" in kept.said:
        return desk.see_other(f"{START}/{token}/report")
    try:
        report = import_members(
            desk.env.engine, kept.path, kept.said["mapping"], missing_means_left=kept.said["all_listed"],
            allow_leavers=posted.yes("allow_leavers"), as_seen=posted.text("seen"), actor=desk.actor, now=desk.now,
            **_limits(desk),
        )  # fmt: skip
    except Changed as bad:
        return _preview(desk, kept, wrong=str(bad), status=409)
    if report.held is not None:
        return _preview(desk, kept, wrong=f"{report.held.why} Tick the box below if that is right.", status=409)
    follow_teams(desk.env, most=AT_ONCE, now=desk.now)
    uploads.used(kept, {"report": report.to_dict()})
    return desk.see_other(f"{START}/{token}/report", "The file is imported.")


@pages.get(START + "/{token}/report", may=MANY, statements=7)
def report(desk: Desk, token: str) -> Response:
    """What an import did, for an hour."""
    kept = _find(desk, token)
    if "report" not in kept.said:
        return desk.see_other(f"{START}/{token}")
    return desk.page(
        "desk/member_import_report.html", title="What was done", kept=kept, report=kept.said["report"],
        refused=kept.said["report"]["refused"][:LINES],
    )  # fmt: skip


@pages.post(START + "/{token}/forget", may=MANY)
def forget(desk: Desk, token: str) -> Response:
    """Remove an uploaded file without importing it."""
    uploads.forget(_find(desk, token))
    return desk.see_other(START, "The file is removed; nothing was imported.", tone="info")
