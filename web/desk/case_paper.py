"""A case on paper, for a hearing or a council: everything in the order in which it happened, then the letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from jinja2.filters import do_filesizeformat
from starlette.responses import Response

from cases.queries import CasePage, case_page
from cases.reading_mail import Letter, letters
from papers.blocks import Block, Bullets, Definitions, Heading, PageBreak, Paper, Paragraph
from state_machines.registry import process_named
from web.access import STAFF
from web.desk import case_clocks, case_timeline
from web.desk.case_mail import Mail
from web.desk.case_people import Names
from web.desk.case_runs import runs
from web.desk.case_shown import links
from web.desk_page import Desk, DeskPage
from web.naming import plural, role_title, state_title, words
from web.routing import Pages
from web.said import Said
from web.wording import instant, when_words

pages = Pages(may=STAFF)
PDF = "application/pdf"
MOST = 3000
"""Events on paper, the latest; nobody reads more, and the record itself can be exported."""


@pages.get("/cases/{ref}/paper", statements=22)
def paper(desk: Desk, ref: str) -> Response:
    """Everything about a case that the viewer may see, as a PDF to be kept or handed on."""
    from papers.pdf import printed  # it takes a third of a second to load

    page = case_page(desk.env, ref, actor=desk.actor, last_events=MOST, now=desk.now)
    written = letters(desk.env, page.case.ref, actor=desk.actor, now=desk.now)
    content = printed(_paper(desk, page), _Printer(desk, page).blocks(written))
    return desk.download(f"{page.case.ref} {desk.today.isoformat()}.pdf", PDF, [content])


def _paper(desk: DeskPage, page: CasePage) -> Paper:
    line, on = page.line, when_words(desk.now, desk.env.settings.zone)
    return Paper(
        line["subject"] or line["ref"], desk.now, running=f"{line['ref']}, as at {on}",
        subtitle=f"{process_named(line['process']).title} {line['ref']}",
        footer=f"{line['ref']}, made by {desk.person.name} on {on}", subject=line["subject"] or "",
    )  # fmt: skip


class _Printer:
    """Turns one case into what is printed of it."""

    def __init__(self, desk: DeskPage, page: CasePage) -> None:
        self._desk, self._page, self._names = desk, page, Names(page, desk.staffing)
        self._began = case_timeline.began(page, desk)

    def blocks(self, written: Sequence[Letter]) -> Iterator[Block]:
        """Yield what is printed, from the first page to the last."""
        if self._page.row.restricted_to is not None:
            yield Paragraph("Only named people may see this case. Hand this on to nobody else.", "strong")
        yield Definitions([(label, told) for label, told in self._facts() if told])
        yield from self._about()
        yield from self._clocks()
        yield from self._history()
        yield from self._files()
        yield from self._links()
        for number, each in enumerate(written):
            if number == 0:
                yield PageBreak()
                yield Heading("Letters")
            yield from self._letter(each)

    def _facts(self) -> Iterator[tuple[str, str]]:
        line, row = self._page.line, self._page.row
        yield "Member", f"{line['member']} ({line['member_ref']})" if line["member"] else "No member"
        yield "State", line["state_title"]
        yield "Owner", f"{line['owner_name'] or 'Nobody'} ({role_title(line['owner_role'])})"
        yield "Team", line["team"] or ""
        yield "Received", self._when(line["received"])
        yield "Closed", self._when(line["closed"])
        yield "How it ended", words(line["outcome"].lower()) if line["outcome"] else ""
        theirs = row.external_ref or ""
        yield "Their reference", "" if theirs.startswith("page:") else theirs

    def _about(self) -> Iterator[Block]:
        if self._began:
            yield Heading("What it is about")
            yield _definitions(self._began)

    def _clocks(self) -> Iterator[Block]:
        found = case_clocks.clocks(self._page, self._names, self._desk.env.policy)
        told = []
        for clock in found:
            still = f"Stands still since {self._when(clock.paused_since)}: {clock.why_paused}. Was due"
            lines = [f"{still if clock.paused_since else 'Due'} {self._when(clock.due)}."]
            for given in clock.given:
                lines.append(f"More time from {given.by} until {self._when(given.until)}, instead of "
                             f"{self._when(given.was)}{f': {given.reason}' if given.reason else ''}.")  # fmt: skip
            told.append((clock.title, "\n".join(lines)))
        if told:
            yield Heading("Deadlines")
            yield Definitions(told)

    def _history(self) -> Iterator[Block]:
        yield Heading("What happened")
        entries = case_timeline.every(self._page, self._desk)
        if entries and entries[0].seq > 1:
            yield Paragraph(f"The latest {plural(len(entries), 'entry', 'entries')}.", "small")
        for first, others in runs(entries):
            yield from self._entry(first, others)

    def _entry(self, each: case_timeline.Happened, others: Sequence[case_timeline.Happened]) -> Iterator[Block]:
        yield Heading(f"{self._when(each.at)}: {each.title}", 3)
        yield Paragraph(f"{each.by}{f'; the case came to “{each.move}”' if each.move else ''}", "small")
        yield from (Paragraph(remark) for remark in each.remarks)
        if each.said and not (each.seq == 1 and self._began):
            yield _definitions(each.said)
        if each.mails:
            yield Bullets([self._mail(mail) for mail in each.mails])
        if others:
            yield Paragraph(f"The same {plural(len(others), 'time')} more, until {self._when(others[-1].at)}.", "small")

    def _mail(self, mail: Mail) -> str:
        at = f" {self._when(mail.at)}" if mail.at else ""
        return f"“{mail.title}” to {mail.to}: {mail.words.lower()}{at}{f', {mail.reason}' if mail.reason else ''}"

    def _files(self) -> Iterator[Block]:
        if self._page.evidence:
            yield Heading("Files of the case")
            yield Bullets([
                f"{file['name']}, {do_filesizeformat(file['size'])}, added by {self._names.person(file['by'])} on "
                f"{self._when(file['added'])}\nSHA-256 {file['sha256']}" for file in self._page.evidence
            ])  # fmt: skip

    def _links(self) -> Iterator[Block]:
        if found := links(self._page):
            yield Heading("Other cases")
            yield Bullets([
                f"{link['ref']}, {link['subject']}: {link['words']}; {state_title(link['process'], link['state'])}"
                for link in found
            ])  # fmt: skip

    def _letter(self, letter: Letter) -> Iterator[Block]:
        yield Heading(letter.subject or letter.title, 2)
        yield Paragraph(f"To {letter.to}, sent {self._when(letter.at)}", "small")
        yield Paragraph(letter.text, "quote")

    def _when(self, at: datetime | str | None) -> str:
        found = instant(at)
        return when_words(found, self._desk.env.settings.zone) if found else ""


def _definitions(said: Sequence[Said]) -> Definitions:
    return Definitions([(each.label, _text(each)) for each in said])


def _text(said: Said) -> str:
    """What was said; records one below the other, each with its number."""
    if not said.records:
        return "\n".join(said.lines)
    told = []
    for number, record in enumerate(said.records, start=1):
        parts = [f"{label}: {text}" for label, text in record.parts]
        first, *others = [record.head, *parts] if record.head else parts
        told.append("\n".join([f"{number}. {first}" if len(said.records) > 1 else first, *others]))
    return "\n".join(told)
