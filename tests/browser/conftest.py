"""A real Chromium before a real server: the application on a free port, and people at their browsers."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect, sync_playwright

from tests.cast import Cast
from web.app import create_app

NAMES = ("chromium", "chromium-browser", "google-chrome")
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--no-first-run")  # fmt: skip
PATIENCE = 30_000
"""Milliseconds that a page may take on a machine that is busy with other tests; a quiet one needs none of them."""
expect.set_options(timeout=PATIENCE)


AT_REST = """() => document.readyState === "complete" && document.documentElement.classList.contains("scripts")
    && !document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")"""


def at_rest(page: Page) -> None:
    """Wait until the page and its scripts have done what they had to: a key pressed before that may be lost."""
    page.wait_for_function(AT_REST)


def browser_path() -> str | None:
    """Return where the Chromium of this machine is."""
    return os.environ.get("MUSTER_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of this machine; it downloads nothing.

    For one module at a time: while it runs, this thread has a running event loop, which other tests' libraries notice.
    """
    path = browser_path()
    if path is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@dataclass
class Desk:
    """A running desk."""

    cast: Cast
    address: str
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)

    def person(self, **options: Any) -> Person:
        """Return somebody at a browser of their own. Options are Playwright's, such as ``java_script_enabled``."""
        context = self.browser.new_context(base_url=self.address, viewport=LAPTOP, **options)
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        return Person(self, context.new_page())


@dataclass
class Person:
    """Somebody at a browser; what goes wrong on the way is kept."""

    desk: Desk
    page: Page
    troubles: list[str] = field(default_factory=list)
    weight: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        self.page.on("response", self._came)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.troubles.append(f"console: {message.text}")

    def _came(self, response: Response) -> None:
        if not response.url.startswith((self.desk.address, "data:")):
            self.troubles.append(f"something from elsewhere: {response.url}")
        elif response.status >= 500 or (response.status == 404 and "/static/" in response.url):
            self.troubles.append(f"{response.status}: {response.url}")

    def sign_in(self, name: str) -> Person:
        """Sign in as somebody of the cast, with the button of the sandbox."""
        self.page.goto("/sign-in")
        self.page.get_by_role("button", name=name).first.click()
        self.page.wait_for_url(lambda url: "/sign-in" not in url)
        return self


@pytest.fixture
def running(cast: Cast, chromium: Browser) -> Iterator[Desk]:
    """The desk of the cast, served on this machine."""
    with serving(cast) as address:
        desk = Desk(cast, address, chromium)
        yield desk
        for context in desk.contexts:
            context.close()


class serving:
    """Serve the desk of an organisation while the block runs; yields its address."""

    def __init__(self, cast: Cast) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)  # who comes before the server is up waits, and is not refused
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(create_app(cast.env), log_config=None, access_log=False))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return self.address

    def __exit__(self, *rest: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


Someone = Callable[..., Person]


@pytest.fixture
def someone(running: Desk) -> Iterator[Someone]:
    """Somebody at a browser, signed in where a name is given; at the end nothing may have gone wrong in it."""
    people: list[Person] = []

    def there(name: str | None = None, **options: Any) -> Person:
        person = running.person(**options)
        people.append(person)
        return person.sign_in(name) if name else person

    yield there
    assert [trouble for person in people for trouble in person.troubles] == []
