"""Complaining without an account: one page, open to everybody, that works with a telephone and with a screen reader."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from starlette.responses import Response

from cases import evidence
from cases.errors import BadInput
from cases.own.complaint import LONGEST, ComplaintInvalid, Words, complain
from cases.own.links import token_of
from cases.own.pages import holder_of
from config import clock
from config.database import transaction
from notifications import links
from web.access import PUBLIC
from web.accounts import throttle
from web.desk_page import Visit, VisitorPage
from web.posted import Form, Posted
from web.routing import Pages

pages = Pages(may=PUBLIC)
TRAP = "website"
"""A field that people do not see. Programs fill it in, and are thanked."""
MOST_FILES = 10
_ONCE = re.compile(r"[A-Za-z0-9_-]{16,40}", re.ASCII)
NAMES = tuple(each.name for each in fields(Words))


@pages.get("/complain", statements=8)
def form(visit: Visit) -> Response:
    """The form."""
    return _form(visit, {}, secrets.token_urlsafe(16))


def _form(
    visit: VisitorPage, typed: Mapping[str, str], once: str, *, status: int = 200,
    errors: Mapping[str, str] | None = None, trouble: Sequence[str] = (),
) -> Response:  # fmt: skip
    return visit.page(
        "visitor/complain.html", title="Make a complaint", status=status, once=once, errors=errors or {},
        trouble=trouble, typed={**dict.fromkeys(NAMES, ""), **typed}, longest=LONGEST, trap=TRAP,
    )  # fmt: skip


@pages.post("/complain")
def send(visit: Visit, posted: Form) -> Response:
    """Open the complaint, and lead to its own page."""
    typed = {name: posted.text(name) for name in NAMES}
    once = posted.text("once") if _ONCE.fullmatch(posted.text("once")) else secrets.token_urlsafe(16)
    if posted.text(TRAP).strip():
        return visit.page("visitor/thanks.html", title="Thank you", words="We have received your message.")
    if len(posted.files("files")) > MOST_FILES:
        return _form(visit, typed, once, status=422, trouble=[f"Please send at most {MOST_FILES} files at once."])
    _slow_down(visit)
    try:
        case_id = complain(visit.env, Words(**typed), once=once)
    except ComplaintInvalid as bad:
        again = ["Please choose your files once more: a browser does not keep them."] if posted.files("files") else []
        return _form(visit, typed, once, status=422, errors=bad.errors, trouble=again)
    key = token_of(visit.env, links.party("complainant"), case_id)
    trouble = _files(visit, key, posted)
    sentence = "We have received your complaint. Please keep the address of this page: it is yours alone."
    if trouble:
        sentence = f"{sentence} Not taken: {' '.join(trouble)} You can send files again below."
    return visit.see_other(f"/p/complainant/{key}", sentence, tone="warning" if trouble else "success")


def _files(visit: VisitorPage, key: str, posted: Posted) -> list[str]:
    """Put the files on the complaint and return a sentence about each that cannot be taken."""
    holder = holder_of(visit.env, links.party("complainant"), key, now=visit.now)
    trouble = []
    for upload in posted.files("files"):
        try:
            evidence.add(visit.env, holder.ref, upload.name, upload.content, actor=holder.actor)
        except BadInput as bad:
            trouble.append(f"{upload.name}: {bad}")
    return trouble


def _slow_down(visit: VisitorPage) -> None:
    """Raise TooManyTries for an address that sends one complaint after the other."""
    with transaction(visit.env.engine) as conn:
        keys: Any = [throttle.address(visit.address, what="complain", free=10)]
        throttle.presume_failure(conn, keys, now=clock.utc_now())
