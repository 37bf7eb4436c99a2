"""A real desk that is killed while somebody answers on their page, and the person, who sends the same form again."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2 as httpx
import uvicorn
from bs4 import BeautifulSoup
from fastapi import FastAPI

from tests.faults.kill_points import put_hooks
from tests.faults.kill_workers import End, Kill, Watch, Worker
from tests.pages.inspector import Page

Chosen = Callable[[], Iterator[Kill]]
Killed = Callable[[Kill, End], None]
Answer = tuple[int, list[tuple[str, str]], bytes]
RESPONDENT = {"respondent.name": "Chandra Mills", "respondent.role": "Director", "respondent.email": "c@mills.example"}
ANSWERS = {"a.contact_current": "yes", "a.staff": "120", "a.code_progress": "on_track"}


class Desk:
    """The desk on one address; whoever serves it may be killed, and the next one takes over."""

    def __init__(self, app: FastAPI, begin: Callable[[], None]) -> None:
        self._app, self._begin = app, begin
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        self.address: tuple[str, int] = self._socket.getsockname()

    def close(self) -> None:
        """Give the address back."""
        self._socket.close()

    def served(self, kill: Kill | None) -> Worker:
        """Let somebody serve it."""

        def serve(watch: Watch) -> None:
            self._begin()
            put_hooks(watch)
            config = uvicorn.Config(_Watched(self._app, watch), log_config=None, access_log=False, lifespan="off")
            uvicorn.Server(config).run(sockets=[self._socket])

        return Worker(serve, kill)


class _Watched:
    """The application, with a word when a form has come and when its answer is about to leave."""

    def __init__(self, app: FastAPI, watch: Watch) -> None:
        self._app, self._watch = app, watch

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        posted = scope["type"] == "http" and scope["method"] == "POST"

        async def sending(message: Any) -> None:
            if posted and message["type"] == "http.response.start":
                self._watch.reached("desk: done, no answer sent")
            await send(message)

        if posted:
            self._watch.reached("desk: request read, nothing done")
        await self._app(scope, receive, sending)


class Visitor:
    """Somebody at a page, who presses the button again when no answer comes."""

    def __init__(self, desk: Desk, chosen: Chosen, killed: Killed) -> None:
        self._desk, self._chosen, self._killed = desk, chosen, killed
        self._serving: Worker | None = None

    def answer(self, home: str) -> None:
        """Open a survey, answer it, and submit it."""
        try:
            page = self.get(home).form().submit()
            page.form("form[data-autosave]").send(ANSWERS)
            page = self.get(f"{home}/review").form().send({**RESPONDENT, "declaration": "yes"})
            assert "Your answers have arrived" in page.main, page.main
        finally:
            self._nobody_serves()

    def get(self, path: str) -> Page:
        """Look at a page."""
        return self._page(path, *self._answered("GET", path, None))

    def post(self, path: str, values: Any, *, files: Any = None) -> Page:
        """Send a form until there is an answer, and look at where that leads."""
        body = urlencode(list(values.items()) if isinstance(values, Mapping) else list(values))
        answer = next(filter(None, (self._tried(path, body, kill) for kill in self._chosen())), None)
        page = self._page(path, *(answer or self._answered("POST", path, body)))
        return self.get(page.response.headers["location"]) if page.response.is_redirect else page

    def _tried(self, path: str, body: str, kill: Kill) -> Answer | None:
        self._nobody_serves()
        self._serving = self._desk.served(kill)
        answer = self._asked("POST", path, body, kill)
        self._nobody_serves()  # who was to be killed and was not, since it was through before
        return answer

    def _answered(self, method: str, path: str, body: str | None) -> Answer:
        answer = self._asked(method, path, body)
        assert answer is not None
        return answer

    def _asked(self, method: str, path: str, body: str | None, kill: Kill | None = None) -> Answer | None:
        """Return status, headers and content; None when the desk was killed before it had answered."""
        if self._serving is None:
            self._serving = self._desk.served(None)
        parts = urlsplit(path)
        talking = http.client.HTTPConnection(*self._desk.address, timeout=60)
        try:
            form = {"content-type": "application/x-www-form-urlencoded"} if body is not None else {}
            where = parts.path + (f"?{parts.query}" if parts.query else "")
            talking.request(method, where, body, {"host": "127.0.0.1:8080", "connection": "close", **form})
            end = self._serving.step(talking.sock)
            if end is not None:
                self._serving = None
                assert kill is not None
                self._killed(kill, end)
                return None
            found = talking.getresponse()
            return found.status, found.getheaders(), found.read()
        finally:
            talking.close()

    def _page(self, path: str, status: int, headers: list[tuple[str, str]], content: bytes) -> Page:
        request = httpx.Request("GET", f"http://127.0.0.1:8080{urlsplit(path).path}")
        response = httpx.Response(status, headers=headers, content=content, request=request)
        assert status < 400 or status == 409, f"{path}: {status} {response.text[:2000]}"
        return Page(self, response, BeautifulSoup(response.text, "html5lib"))  # type: ignore[arg-type]

    def _nobody_serves(self) -> None:
        if self._serving is not None:
            self._serving.kill()
            self._serving = None
