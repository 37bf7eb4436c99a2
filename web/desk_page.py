"""Who is looking, and how an answer is made: a page, one block of it, a way back, a file."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from cases.environment import Environment
from cases.looking.recording import EXPORT, looked_at
from config.settings import Settings
from members.staffing import NOT_LENT, Person, Staffing
from state_machines.values import Actor, Role
from web import csrf, posted, rendering
from web.sessions import Session
from web.shell import Shell

FLASH_COOKIE = "muster_flash"
THEME_COOKIE = "muster_theme"
THEMES = ("auto", "light", "dark")
KEYS_COOKIE = "muster_keys"
LIST_COOKIE = "muster_list"
"""The list somebody works through; it goes with their session."""
A_YEAR = 365 * 24 * 3600
_FLASH_SECONDS = 60


def session_cookie(settings: Settings) -> str:
    """Return the name of the session's cookie; over https no other host or path can set one of that name."""
    return "__Host-muster" if _https(settings) else "muster"


def _https(settings: Settings) -> bool:
    return settings.base_url.startswith("https://")


def set_cookie(response: Response, settings: Settings, name: str, value: str, *, seconds: int | None) -> None:
    """Give the browser a cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=_https(settings), httponly=True, samesite="lax"
    )  # fmt: skip


@dataclass(frozen=True)
class _Page:
    """What the pages of staff and visitors have in common."""

    request: Request
    env: Environment
    shell: Shell

    @property
    def now(self) -> datetime:
        """The instant the installation lives in, in UTC."""
        return self.shell.now

    @property
    def today(self) -> date:
        """The day it is where the organisation is."""
        return self.env.calendar.local_date(self.now)

    @property
    def address(self) -> str:
        """The network address of the reader."""
        return self.request.client.host if self.request.client else ""

    @property
    def reader(self) -> str:
        """Under whose key the forms of this page are signed."""
        raise NotImplementedError

    @cached_property
    def csrf_token(self) -> str:
        """The field that every form carries."""
        return csrf.token(self.env.settings.secret_key.get_secret_value(), self.reader)

    @property
    def wants_block(self) -> bool:
        """Whether htmx asks for a piece of a page rather than follows a link."""
        headers = self.request.headers
        return "hx-request" in headers and "hx-boosted" not in headers and "hx-history-restore-request" not in headers

    @property
    def theme(self) -> str:
        """The appearance the reader chose: ``auto``, ``light`` or ``dark``."""
        chosen = self.request.cookies.get(THEME_COOKIE, "auto")
        return chosen if chosen in THEMES else "auto"

    @property
    def wants_keys(self) -> bool:
        """Whether single letters act as keys; somebody who speaks to the computer switches them off (WCAG 2.1.4)."""
        return self.request.cookies.get(KEYS_COOKIE) != "off"

    def page(
        self, template: str, *, title: str, block: str | None = None, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """Return a page, or only its named block where htmx asks for a piece."""
        flash = _read_flash(self.request)
        known = {"desk": self, "shell": self.shell, "title": title, "status": status, "flash": flash, "now": self.now}
        part = block if block and self.wants_block else None
        html = rendering.render(self.env.settings.zone, template, part, {**known, **values})
        response = HTMLResponse(html, status_code=status)
        response.headers["vary"] = "HX-Request, Cookie"
        if flash is not None and part is None:
            response.delete_cookie(FLASH_COOKIE, path="/")
        self._finish(response)
        return response

    def _finish(self, response: Response) -> None:
        """Give the answer what the reader needs to come back."""

    def _taken_away(self, name: str) -> None:
        """Note that the reader takes a copy away, where that is to be noted."""

    def see_other(self, path: str, sentence: str | None = None, *, tone: str = "success") -> RedirectResponse:
        """Return the way to another page of ours, with a sentence to show there once. ``tone``: success, warning, …"""
        response = RedirectResponse(path if is_local(path) else "/", status_code=303)
        if sentence:
            set_cookie(response, self.env.settings, FLASH_COOKIE, _flash(sentence, tone), seconds=_FLASH_SECONDS)
        return response

    def download(self, name: str, media_type: str, chunks: Iterable[str | bytes]) -> StreamingResponse:
        """Return a file to keep, never one to be shown in the browser."""
        self._taken_away(name)
        headers = {"content-disposition": attachment(name), "content-security-policy": "sandbox; default-src 'none'"}
        return StreamingResponse(chunks, media_type=media_type, headers=headers)


@dataclass(frozen=True)
class DeskPage(_Page):
    """The desk of somebody who is signed in."""

    session: Session
    person: Person
    staffing: Staffing

    @property
    def reader(self) -> str:
        """Under whose key the forms of this page are signed."""
        return f"session:{self.session.token}"

    @cached_property
    def actor(self) -> Actor:
        """Who is signed in, as somebody who acts for themselves."""
        return self.staffing.actor(self.person.id)

    @cached_property
    def stands_in_for(self) -> Collection[int]:
        """The ids of the staff this person deputises for today."""
        return self.staffing.deputises_for(self.person.id, self.today)

    @cached_property
    def roles_today(self) -> frozenset[Role]:
        """Own roles, and those lent by who is away."""
        lent = (self.staffing.people[other].roles - NOT_LENT for other in self.stands_in_for)
        return self.actor.roles.union(*lent)

    def actor_for(self, owner_id: int | None) -> Actor:
        """Return who acts on a case of this owner: on the owner's behalf where this person stands in for them today.

        ``for`` in the query names somebody else whom they stand in for, as for a decision that waits for that person.
        """
        asked = self.request.query_params.get("for", "")
        named = posted.number_of(asked)
        other = owner_id if named is None else named
        return self.staffing.actor(self.person.id, other if other in self.stands_in_for else None)

    def _taken_away(self, name: str) -> None:
        looked_at(EXPORT, name=name, actor=self.actor)

    def may_enter(self, path: str) -> bool:
        """Whether the rule of the page at this path lets the person in; what they may not enter is not offered."""
        roles: Mapping[str, frozenset[Role]] = self.request.app.state.roles
        return not self.roles_today.isdisjoint(roles[path])


@dataclass(frozen=True)
class VisitorPage(_Page):
    """A page for somebody without an account."""

    @property
    def reader(self) -> str:
        """Under whose key the forms of this page are signed: the personal link, else the visitor's cookie."""
        path = self.request.url.path
        if path.startswith(("/m/", "/p/", "/unsubscribe/", "/password/")):
            return f"link:{'/'.join(path.split('/')[: 4 if path.startswith('/p/') else 3])}"
        return f"visitor:{self._visitor}"

    @cached_property
    def _visitor(self) -> str:
        return self.request.cookies.get(csrf.VISITOR_COOKIE) or secrets.token_urlsafe(16)

    def _finish(self, response: Response) -> None:
        if "csrf_token" in vars(self) and "_visitor" in vars(self):  # it has a form that only this visitor may send
            set_cookie(response, self.env.settings, csrf.VISITOR_COOKIE, self._visitor, seconds=None)


async def _desk(request: Request) -> DeskPage:
    page = request.state.page
    assert isinstance(page, DeskPage)  # noqa: S101  the rule of the route made it
    return page


async def _visitor(request: Request) -> VisitorPage:
    page = request.state.page
    assert isinstance(page, VisitorPage)  # noqa: S101  the rule of the route made it
    return page


Desk = Annotated[DeskPage, Depends(_desk)]
"""What a handler of the staff's pages takes."""
Visit = Annotated[VisitorPage, Depends(_visitor)]
"""What a handler of a page without an account takes."""


def is_local(path: str) -> bool:
    """Whether an address stays on this site."""
    return path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()


def attachment(name: str) -> str:
    """Return the Content-Disposition of a file with any name (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\/;%' else "_" for c in name) or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _flash(sentence: str, tone: str) -> str:
    text = json.dumps({"text": sentence[:1500], "tone": tone}, ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode()


def _read_flash(request: Request) -> Mapping[str, str] | None:
    """Return the sentence to show once. The cookie is the reader's own, and is escaped like anything typed."""
    kept = request.cookies.get(FLASH_COOKIE)
    if not kept:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(kept))
        tone = found["tone"] if found["tone"] in ("success", "warning", "danger", "info") else "info"
        return {"text": str(found["text"]), "tone": tone}
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        return None
