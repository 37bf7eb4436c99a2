"""Where a personal page is: the key in its address, and for whom that key was made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from cases.environment import Environment
from cases.own.pages import Holder, holder_of
from notifications import links
from web.access import PUBLIC
from web.desk_page import VisitorPage
from web.routing import Pages

Handler = TypeVar("Handler", bound=Callable[..., Any])
SPOKEN = ("en",)
"""The languages in which these pages have texts."""


@dataclass(frozen=True)
class Address:
    """A personal page: its purpose and key, and the page itself."""

    visit: VisitorPage
    purpose: str
    key: str

    @property
    def env(self) -> Environment:
        """The installation."""
        return self.visit.env

    @property
    def now(self) -> datetime:
        """The instant the installation lives in."""
        return self.visit.now

    @property
    def home(self) -> str:
        """The path of the page; everything else of it is below."""
        if self.purpose == links.MEMBER:
            return f"/m/{self.key}"
        return f"/p/{self.purpose.removeprefix('party:')}/{self.key}"

    @property
    def language(self) -> str:
        """The language of the questions that the address asks for; it is remembered with the first answer."""
        return self.visit.request.query_params.get("language", "")[:20]

    def holder(self) -> Holder:
        """Return who holds the link. Raises LinkForged or LinkExpired."""
        return holder_of(self.env, self.purpose, self.key, now=self.now)

    def page(self, template: str, *, title: str, holder: Holder, **more: Any) -> Response:
        """Return a page in the language of its reader, as far as we speak it."""
        spoken = holder.language[:2].lower()
        lang = spoken if spoken in SPOKEN else SPOKEN[0]
        return self.visit.page(
            template, title=title, home=self.home, holder=holder, case=holder.case, lang=lang, **more
        )

    def back(self, sentence: str | None = None, *, path: str = "", tone: str = "success") -> Response:
        """Return the way back to the page, or to one below it."""
        return self.visit.see_other(f"{self.home}{path}", sentence, tone=tone)


async def _address(request: Request) -> Address:
    page = request.state.page
    assert isinstance(page, VisitorPage)  # noqa: S101  the rule of the route made it
    role = request.path_params.get("role")
    return Address(page, links.party(role) if role else links.MEMBER, request.path_params["key"])


Own = Annotated[Address, Depends(_address)]
"""What a handler of a personal page takes."""


class OwnPages(Pages):
    """A router whose routes exist below the link of a member and below that of a person named on a case."""

    def __init__(self) -> None:
        super().__init__(may=PUBLIC)

    def show(self, path: str, *, statements: int) -> Callable[[Handler], Handler]:
        """Show something at a path below a personal page."""

        def added(handler: Handler) -> Handler:
            for head in ("/m/{key}", "/p/{role}/{key}"):
                self.get(f"{head}{path}", statements=statements)(handler)
            return handler

        return added

    def do(self, path: str) -> Callable[[Handler], Handler]:
        """Do something at a path below a personal page."""

        def added(handler: Handler) -> Handler:
            for head in ("/m/{key}", "/p/{role}/{key}"):
                self.post(f"{head}{path}")(handler)
            return handler

        return added
