"""What a sign-off in the browser needs: a code of some pages, members with directors, the mails, a signatory."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx2 as httpx
from bs4 import BeautifulSoup
from playwright.sync_api import Page, expect

from cases.delivering import deliver
from cases.sweep import sweep_due
from notifications.transport import Mail
from tests.browser.conftest import Desk
from tests.cast import Cast
from tests.pages.inspector import Client
from tests.pages.inspector import Page as Answered
from web.app import create_app

FIRST = ("Žofie", "Chandra", "Łukasz", "Māris", "Ana María", "Þórdís", "Siân", "Nguyễn", "Aroha")
LAST = ("Nováková", "Rao", "Wójcik", "Bērziņš", "Ó Briain")
CLAUSES = {
    "Working time": "Nobody works more than *48 hours* a week, and everybody has one day in seven off.",
    "Pay": "Pay is at least what the law of the place asks for. [A fund](https://fund.example/) advances what is late.",
    "Credit": "Whoever worked on a film is **named** in it, freelances and trainees included.",
    "Open source": "What a member changes in software of the foundation, it offers back within a year.",
    "Suppliers": "A member asks of its suppliers what this code asks of itself.",
    "Complaints": "A member answers a complaint within twenty working days.",
}
PARAGRAPH = (
    "A member says in writing who answers for this clause, tells everybody who works for it, and shows its records "
    "when it is asked. Where the law of the place asks for more, the law holds. Where it asks for less, this clause "
    "holds. A member that cannot keep it says so before it is found out, and by when it can."
)
TABLE = "| From | Hours |\n|---|---:|\n| 2026 | 48 |\n| 2027 | 46 |\n"
WELSH = b"# Cod Ymarfer\n\n## Oriau gwaith\n\nNid oes neb yn gweithio mwy na 48 awr yr wythnos.\n"
NEW_WELSH = WELSH.replace(b"48 awr", b"46 awr")


def code(hours: int = 48) -> bytes:
    """A code of practice of some pages."""
    parts = [f"## {n}. {name}\n\n{told}\n\n{PARAGRAPH}\n" for n, (name, told) in enumerate(CLAUSES.items(), 1)]
    text = "\n".join(["# Code of Practice\n", *parts, "## 7. From when\n", TABLE])
    return text.replace("48 hours", f"{hours} hours").encode()


def with_directors(published: Path, folder: Path, nobody_at: str) -> tuple[Path, dict[str, str]]:
    """Copy the published members, each with a director who signs, but for one; return the file and who they are."""
    with published.open(encoding="utf-8-sig", newline="") as source:
        rows = list(csv.DictReader(source))
    directors = {}
    for number, row in enumerate(rows):
        name, there = row["Organisation"], row["Contact e-mail (made up)"].partition("@")[2]
        directors[name] = f"{FIRST[number % 9]} {LAST[number // 9]}"
        signs = "" if name == nobody_at else "signatory"
        row |= {"Contact name 2": directors[name], "E-mail 2": f"director@{there}", "Contact role 2": signs}
        row["Team"] = "South" if number % 3 == 2 else "North"
    path = folder / "members-aswf.csv"
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path, directors


@dataclass
class Days:
    """The days of the story, and every mail that went out in them."""

    cast: Cast
    mails: list[Mail] = field(default_factory=list)

    def send(self, mail: Mail) -> None:
        """Keep a mail."""
        self.mails.append(mail)

    def close(self) -> None:
        """There is no conversation to end."""

    def deliver(self) -> None:
        """Send what waits."""
        deliver(self.cast.env, transport=self)

    def at(self, day: str, hour: int = 9) -> None:
        """Move to a day; what comes due until then is done, and the mails go out."""
        self.cast.go_to(datetime.fromisoformat(f"{day}T{hour:02}:00:00").replace(tzinfo=self.cast.env.calendar.zone))
        sweep_due(self.cast.env)
        self.deliver()

    def newest(self, to: str, about: str) -> Mail:
        """Return the newest mail to an address whose subject begins so."""
        found = [mail for mail in self.mails if mail.to_email == to and mail.subject.startswith(about)]
        assert found, f"{to} got {[mail.subject for mail in self.mails if mail.to_email == to]}"
        return found[-1]


def link_in(mail: Mail) -> str:
    """Return the path of the personal link in a mail, which its text and its HTML have alike."""
    [link] = set(re.findall(r"https?://[^\s\"<>]+(/m/[^\s\"<>?]+)", mail.text))
    assert f'{link}"' in mail.html or f"{link}<" in mail.html
    return link


@dataclass
class Signatory:
    """Somebody at a browser who got a mail, and signs."""

    page: Page
    home: str
    name: str

    def open(self) -> Page:
        """Open the link of the mail."""
        self.page.goto(self.home)
        return self.page

    def read(self) -> Page:
        """Read the text, and go on to the form."""
        self.open().get_by_role("button", name="I have read it: go on to sign").click()
        expect(self.page.locator("h1")).to_have_text("Sign")
        return self.page

    def fill(self, name: str = "") -> Page:
        """Fill in the form, not sending it yet."""
        self.page.get_by_label("Your name").fill(name or self.name)
        self.page.get_by_label("Your position").fill("Managing director")
        self.page.locator("#intent").check()
        return self.page

    def sign(self, name: str = "") -> Page:
        """Read, fill in and sign."""
        self.read()
        self.fill(name).get_by_role("button", name="Sign", exact=True).click()
        expect(self.page.locator("h2").filter(has_text="The signature")).to_be_visible()
        return self.page


class _Unchecked(Client):
    """Reads pages that others have looked at already: quickly."""

    def _seen(self, response: httpx.Response, asked: list[str]) -> Answered:
        return Answered(self, response, BeautifulSoup(response.text, "html.parser"), asked)


class Others:
    """Members of whom nothing special is told: the same pages and forms, in a browser without a window."""

    def __init__(self, desk: Desk) -> None:
        self._client = _Unchecked(create_app(desk.cast.env), desk.cast.env.engine)

    def sign(self, home: str, name: str) -> None:
        """Read and sign."""
        form = self._client.get(home).form(f'form[action="{home}/read"]').submit().form(f'form[action="{home}/sign"]')
        done = form.send({"name": name, "position": "Managing director", "intent": "yes"})
        assert "The signature is valid" in done.main


def figures(page: Page) -> dict[str, str]:
    """Return the numbers at the head of a campaign, by what they are called."""
    told = page.locator(".campaign-figures > span")
    pairs = [(each.locator("strong").inner_text(), each.inner_text()) for each in told.all()]
    return {words.removeprefix(number).strip(): number for number, words in pairs}


def parts(page: Page) -> Iterator[tuple[str, int]]:
    """Yield what became of the members of a campaign, and how many they are."""
    for each in page.locator(".plot-legend").first.locator("li").all():
        number = each.locator("strong").inner_text()
        if number != "0":
            yield each.inner_text().removesuffix(number).strip(), int(number)
