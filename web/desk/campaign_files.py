"""What a campaign hands out: members and answers as files that are read and written in a stream."""

from __future__ import annotations

import itertools

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cases.campaigning.denominator_file import denominator_rows
from cases.campaigning.export import answer_rows, member_rows
from cases.campaigning.signatures import signature_rows
from reports.spreadsheet import XLSX, xlsx_chunks
from reports.table import CSV, csv_chunks
from web.access import STAFF
from web.desk_page import Desk
from web.routing import Pages

pages = Pages(may=STAFF)
FILES = {"members": member_rows, "answers": answer_rows, "denominator": denominator_rows, "signatures": signature_rows}


@pages.get("/campaigns/{ref}/{what}.{kind}", statements=12)
def file(desk: Desk, ref: str, what: str, kind: str) -> Response:
    """Members, answers or signatures as CSV or for a spreadsheet program."""
    if what not in FILES or kind not in ("csv", "xlsx"):
        raise HTTPException(404)
    rows = FILES[what](desk.env, ref, actor=desk.actor, now=desk.now)
    rows = itertools.chain([next(rows)], rows)  # so that what is refused is refused before anything is sent
    name = f"{ref.upper()}-{what}-{desk.today.isoformat()}.{kind}"
    if kind == "csv":
        return desk.download(name, CSV, csv_chunks(rows))
    return desk.download(name, XLSX, xlsx_chunks(rows))
