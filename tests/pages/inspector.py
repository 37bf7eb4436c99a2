"""Pages as a browser and its user see them: parsed strictly, inspected each time, forms filled in and sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import html5lib
import httpx2 as httpx
from bs4 import BeautifulSoup, Tag
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event
from starlette.routing import Match

from config.database import Engine
from web.routing import budget_of, routes_of

Values = Mapping[str, Any]
NOT_FOR_PEOPLE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d|<bound method|datetime\.datetime\(|\bNone\b(?! of| were)")
_NEEDS_LABEL = ("input", "select", "textarea")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_PRESSED = ("a", "button", "summary", "select", "textarea")


class Unsound(AssertionError):
    """A page is not as every page must be."""


@dataclass
class Page:
    """One answer, with what is in it."""

    client: Client
    response: httpx.Response
    soup: BeautifulSoup
    statements: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status_code

    @property
    def path(self) -> str:
        """Where the page is, after every redirect."""
        return self.response.url.raw_path.decode()

    @property
    def text(self) -> str:
        """Every word a reader sees, spaces made one."""
        return _words(self.soup)

    @property
    def main(self) -> str:
        """Every word of the page's own part."""
        found = self.soup.find("main")
        return _words(found if isinstance(found, Tag) else self.soup)

    def one(self, css: str) -> Tag:
        """Return the one element that matches."""
        found = self.soup.select(css)
        assert len(found) == 1, f"{len(found)} elements match {css!r} on {self.path}"
        return found[0]

    def all(self, css: str) -> list[Tag]:
        """Return every element that matches."""
        return list(self.soup.select(css))

    def words(self, css: str) -> list[str]:
        """Return the words of every element that matches."""
        return [_words(each) for each in self.soup.select(css)]

    def form(self, css: str = "main form") -> Form:
        """Return the one form that matches."""
        return Form(self, self.one(css))

    def follow(self, text: str) -> Page:
        """Follow the link with these words."""
        links = [a for a in self.soup.select("a[href]") if _words(a) == text or a.get("aria-label") == text]
        assert links, f"no link says {text!r} on {self.path}; there are {[_words(a) for a in self.soup.select('a')]}"
        return self.client.get(urljoin(str(self.response.url), str(links[0]["href"])))


@dataclass
class Form:
    """A form as it stands on a page."""

    page: Page
    tag: Tag

    @property
    def values(self) -> list[tuple[str, str]]:
        """What a browser would send if nothing was touched (buttons left out)."""
        return list(_controls(self.tag))

    def submit(self, button: str | None = None, files: Any = None, **typed: Any) -> Page:
        """Fill in fields and send the form, as its button with these words (or its first one) would.

        A list ticks several boxes of a name; None takes a field away; ``__`` in a keyword stands for ``.``.
        """
        typed = {name.replace("__", "."): value for name, value in typed.items()}
        return self.send(typed, button=button, files=files)

    def send(self, typed: Values, button: str | None = None, files: Any = None) -> Page:
        """Send the form with these values in place of those that stand in it. Raises where a field is not there."""
        known = {str(each["name"]) for each in self.tag.select("[name]")} | self._outside()
        missing = set(typed) - known
        assert not missing, f"the form has no field {sorted(missing)}; it has {sorted(known)}"
        values = [(name, value) for name, value in self.values if name not in typed]
        for name, value in typed.items():
            many = value if isinstance(value, list | tuple) else [] if value is None else [value]
            values += [(name, str(each)) for each in many]
        values += self._button(button)
        action = urljoin(str(self.page.response.url), str(self._attribute("action", button) or ""))
        if str(self.tag.get("method", "get")).lower() == "get":
            return self.page.client.get(f"{action.partition('?')[0]}?{urlencode(values)}")
        return self.page.client.post(action, values, files=files)

    def _outside(self) -> set[str]:
        """Names of controls elsewhere on the page that belong to this form."""
        number = self.tag.get("id")
        return {str(e["name"]) for e in self.page.soup.select(f'[form="{number}"][name]')} if number else set()

    def _attribute(self, name: str, button: str | None) -> Any:
        return self.tag.get(name)

    def _button(self, words: str | None) -> list[tuple[str, str]]:
        buttons = [b for b in self.tag.select("button") if b.get("type", "submit") == "submit"]
        if number := self.tag.get("id"):
            buttons += [b for b in self.page.soup.select(f'button[form="{number}"]') if b not in buttons]
        if words is not None:
            buttons = [b for b in buttons if _words(b) == words or b.get("aria-label") == words]
            assert buttons, f"the form has no button {words!r}"
        pressed = buttons[0] if buttons else None
        if pressed is None or not pressed.get("name"):
            return []
        return [(str(pressed["name"]), str(pressed.get("value", "")))]


class Client:
    """A browser without scripts, signed in or not."""

    def __init__(self, app: FastAPI, engine: Engine, cookies: Mapping[str, str] | None = None) -> None:
        self._app, self._engine = app, engine
        self.http = TestClient(app, base_url="http://127.0.0.1:8080", cookies=dict(cookies or {}))

    def get(self, path: str, *, status: int = 200, statements: int | None = None, **headers: str) -> Page:
        """Ask for a page and inspect it. ``statements`` overrides the budget of its route, downwards or upwards."""
        with counted(self._engine) as asked:
            response = self.http.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        page = self._seen(response, asked)
        assert response.status_code == status, f"{path} answered {response.status_code}: {page.main[:600]}"
        if not response.history and status == 200:
            budget = statements if statements is not None else self.budget(path)
            if budget is not None and len(asked) > budget:
                listed = "\n".join(f"  {' '.join(each.split())[:150]}" for each in asked)
                raise Unsound(f"{path} asked {len(asked)} statements; its budget is {budget}:\n{listed}")
        return page

    def post(self, path: str, values: Any, *, files: Any = None, follow: bool = True, **headers: str) -> Page:
        """Send a form, follow the redirect, and inspect what comes back."""
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        pairs = list(values.items()) if isinstance(values, Mapping) else list(values)
        if files is not None:
            data: dict[str, list[str]] = {}
            for name, value in pairs:
                data.setdefault(name, []).append(str(value))
            response = self.http.post(path, data=data, files=files, headers=named, follow_redirects=follow)
        else:
            named["content-type"] = "application/x-www-form-urlencoded"
            response = self.http.post(path, content=urlencode(pairs), headers=named, follow_redirects=follow)
        return self._seen(response, [])

    def budget(self, path: str) -> int | None:
        """Return how many statements the page at this path may ask."""
        scope = {"type": "http", "path": urlsplit(path).path, "method": "GET", "headers": [], "root_path": ""}
        for _, route in routes_of(self._app):
            if route.matches(scope)[0] == Match.FULL:
                return budget_of(route)
        return None

    def _seen(self, response: httpx.Response, asked: list[str]) -> Page:
        kind = response.headers.get("content-type", "")
        soup = BeautifulSoup(response.text if kind.startswith("text/html") else "", "html5lib")
        if kind.startswith("text/html") and response.text.lstrip().lower().startswith("<!doctype"):
            inspect(response.text, soup, str(response.url))
        return Page(self, response, soup, asked)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Yield a list that every statement asked of this engine is written to."""
    asked: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def inspect(html: str, soup: BeautifulSoup, where: str) -> None:
    """Raise Unsound unless a page is as every page must be."""
    problems = [
        *_parse_errors(html),
        *_structure(soup),
        *_unlabelled(soup),
        *_unsafe(soup),
        *_forms(soup),
        *_valid(soup),
    ]
    if problems:
        raise Unsound(f"{where}:\n" + "\n".join(f"  {each}" for each in problems))


def _parse_errors(html: str) -> Iterator[str]:
    parser = html5lib.HTMLParser()
    parser.parse(html)
    for (line, column), code, values in parser.errors:
        yield f"line {line}, column {column}: {code} {values}"


def _structure(soup: BeautifulSoup) -> Iterator[str]:
    if len(soup.select("h1")) != 1:
        yield f"{len(soup.select('h1'))} h1 elements"
    if not (soup.title and _words(soup.title)):
        yield "no title"
    if not (soup.html and soup.html.get("lang")):
        yield "no language"
    numbers = [str(each["id"]) for each in soup.select("[id]")]
    for number in sorted({n for n in numbers if numbers.count(n) > 1}):
        yield f"the id {number} stands more than once"
    for each in soup.select("[aria-describedby], [aria-labelledby]"):
        for name in ("aria-describedby", "aria-labelledby"):
            for number in str(each.get(name, "")).split():
                if number not in numbers:
                    yield f"{name} names {number}, which is not there"
    for table in soup.select("table"):
        if not table.select("th[scope]"):
            yield f"a table without th[scope]: {_words(table)[:60]}"
    for each in soup.select("img:not([alt])"):
        yield f"a picture without alt: {each}"
    for raw in NOT_FOR_PEOPLE.findall(_words(soup)):
        yield f"a value that is not for people: {raw}"


def _valid(soup: BeautifulSoup) -> Iterator[str]:
    """What a validator of HTML refuses and a parser does not notice."""
    above = 0
    for each in soup.find_all(True):
        if each.name in _HEADINGS:
            level = int(each.name[1])
            if level > above + 1:
                yield f"an {each.name} after an h{above}: {_words(each)[:60]}"
            above = level
        elif each.name in _PRESSED and each.find_parent(["a", "button", "summary"]):
            yield f"a {each.name} within something that is pressed itself: {str(each)[:120]}"
        elif each.name == "option" and not (_words(each) or each.get("label") or each.find_parent("datalist")):
            yield f"a choice without words: {str(each.find_parent('select'))[:120]}"
        elif each.name == "select" and each.has_attr("required") and not _may_be_left(each):
            yield f"a choice that must be made and always is: {str(each)[:120]}"
        yield from (f"{name} is no attribute of HTML: data-{name} is" for name in each.attrs if name.startswith("hx-"))
    if len(soup.select("main")) != 1:
        yield f"{len(soup.select('main'))} main elements"


def _may_be_left(select: Tag) -> bool:
    """Whether the first choice of a list says that nothing is chosen yet."""
    first = select.find("option")
    return select.has_attr("multiple") or (isinstance(first, Tag) and not first.get("value", _words(first)))


def _unlabelled(soup: BeautifulSoup) -> Iterator[str]:
    labelled = {str(each["for"]) for each in soup.select("label[for]")}
    for each in soup.select(",".join(_NEEDS_LABEL)):
        if each.name == "input" and each.get("type") in ("hidden", "submit", "button", "reset"):
            continue
        named = each.get("aria-label") or each.get("aria-labelledby") or each.find_parent("label")
        if not named and str(each.get("id")) not in labelled:
            yield f"a control without a label: {str(each)[:120]}"
    for each in soup.select("button, a[href]"):
        if not _words(each) and not each.get("aria-label") and not each.select("[aria-label]"):
            yield f"a button or link without words: {str(each)[:120]}"


def _unsafe(soup: BeautifulSoup) -> Iterator[str]:
    for each in soup.select("[style], style"):
        yield f"inline style, which the policy refuses: {str(each)[:120]}"
    for each in soup.select("script:not([src])"):
        yield f"inline script: {str(each)[:120]}"
    for each in soup.find_all(True):
        yield from (f"{name} on {each.name}" for name in each.attrs if name.startswith("on"))
    for each in soup.select("[src], link[href], use[href]"):
        address = str(each.get("src") or each.get("href"))
        if not address.startswith(("/", "#", "data:")):
            yield f"something from elsewhere: {address}"
    for each in soup.select('a[target="_blank"]'):
        if "noopener" not in (each.get("rel") or []):
            yield f"a new tab that knows this one: {str(each)[:120]}"


def _forms(soup: BeautifulSoup) -> Iterator[str]:
    for form in soup.select("form"):
        if str(form.get("method", "get")).lower() == "post" and not form.select('input[name="csrf"]'):
            yield f"a form without the CSRF field: {form.get('action')}"
        if form.select('input[type="file"]') and form.get("enctype") != "multipart/form-data":
            yield f"a form with a file that sends none: {form.get('action')}"
        for inner in form.select("form"):
            yield f"a form within a form: {inner.get('action')}"


def _controls(form: Tag) -> Iterator[tuple[str, str]]:
    number = form.get("id")
    root = form.find_parent("html") or form
    outside = root.select(f'[form="{number}"][name]') if number else []
    for each in [*form.select("input[name], select[name], textarea[name]"), *outside]:
        if each.name == "button" or each.has_attr("disabled"):
            continue
        kind = str(each.get("type", "text")) if each.name == "input" else each.name
        if kind in ("checkbox", "radio"):
            if each.has_attr("checked"):
                yield str(each["name"]), str(each.get("value", "on"))
        elif each.name == "select":
            chosen = each.select("option[selected]") or each.select("option")[:1]
            yield from ((str(each["name"]), str(o.get("value", o.get_text()))) for o in chosen)
        elif each.name == "textarea":
            yield str(each["name"]), each.get_text().removeprefix("\n")
        elif kind not in ("file", "submit", "button", "image", "reset"):
            yield str(each["name"]), str(each.get("value", ""))


def _words(tag: Tag) -> str:
    return " ".join(tag.get_text(" ").split())
