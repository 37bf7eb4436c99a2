"""What happened to a case as people read it: who, when, what was said, and which mail went out with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cases.duplicates import MARKED, UNMARKED
from cases.history import history
from cases.queries import CasePage
from cases.sight import seen
from state_machines.catching_up import LATER_IS_DUE
from state_machines.english import capital
from state_machines.process import Process
from state_machines.registry import process_named
from web.desk.case_mail import MAIL, Mail, mail, mail_remarks, mail_title
from web.desk.case_people import Names, options
from web.desk.case_points import points
from web.desk_page import DeskPage
from web.naming import trigger_title, words
from web.said import Said, said

Event = Mapping[str, Any]
PAGE = 25
"""Events on one page of the history."""

_TITLES = {
    "note": "Note", "told": "Wrote on the personal page", "assigned": "Given to somebody else",
    "restricted": "Who may see it", "evidence": "File added",
    "parked": "Set aside after an error", "unparked": "Taken up again after an error", "handed_over": "New owner",
    "member_merged": "Moved with its member", "team_changed": "Now another team's",
    "contact_bounced": "Mail to a contact came back",
    "clocks_moved": "Deadlines worked out anew", "opened": "Opened", MARKED: "Marked as a duplicate",
    UNMARKED: "Not a duplicate after all", "mail_held_back": "More mail was held back",
    "task_done": "Task done", "repaired": "Put in order",
}  # fmt: skip
_UNDONE = {"not_fired": "was not done", "passed_over": "was passed over", "put_off": "was put off"}
_PICTURES = {
    "note": "note", "told": "message", "assigned": "user-check", "restricted": "lock", "evidence": "paperclip",
    "parked": "alert-triangle", "task_done": "check", "repaired": "check",
    "handed_over": "switch-horizontal", "team_changed": "users-group", "contact_bounced": "mail-x",
    "opened": "plus", MARKED: "copy",
    "not_fired": "bell-off", "passed_over": "bell-off", "put_off": "clock-pause", "mail_received": "mail",
    "mail_held_back": "mail-x",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry of the history."""

    seq: int
    at: str
    title: str
    picture: str
    by: str
    by_muster: bool
    move: str | None
    """The state it came to, by title."""
    said: list[Said]
    remarks: list[str]
    mails: list[Mail]
    file: Mapping[str, Any] | None

    @property
    def is_routine(self) -> bool:
        """Whether Muster did it and it moved nothing."""
        return self.by_muster and self.move is None and not self.said and self.file is None


def timeline(page: CasePage, desk: DeskPage) -> tuple[list[Happened], int | None]:
    """Return the entries newest first, and the number before which there are earlier ones.

    ``page`` was read with one event more than is shown.
    """
    events = page.events[1:] if len(page.events) > PAGE else page.events
    earlier = events[0]["seq"] if len(events) < len(page.events) else None
    read = _Reader(page, desk)
    return [read.entry(event) for event in reversed(events)], earlier


def every(page: CasePage, desk: DeskPage) -> list[Happened]:
    """Return all entries that were read, in the order in which they happened."""
    read = _Reader(page, desk)
    return [read.entry(event) for event in page.events]


ASKED_BY_MUSTER = frozenset({"survey_response", "signature"})
"""Cases that begin without anybody's words: the campaign's own data says nothing about them."""


def began(page: CasePage, desk: DeskPage) -> list[Said]:
    """Return what the case was opened with; of a long history its first event is read by itself."""
    if page.case.process in ASKED_BY_MUSTER:
        return []
    first = page.events[0] if page.events and page.events[0]["kind"] == "opened" else None
    if first is not None:
        typed = {**first["details"].get("payload", {}), **first["personal"]}
    else:
        found = history(desk.env, page.case.ref, limit=1, actor=desk.actor, now=desk.now).events
        typed = {**found[0].details.get("payload", {}), **found[0].personal} if found else {}
    people = options(desk.staffing)
    return said(process_named(page.case.process), "open", typed, people=people, zone=desk.env.settings.zone)


class _Reader:
    """Turns the events of one case into words."""

    def __init__(self, page: CasePage, desk: DeskPage) -> None:
        self._page, self._desk = page, desk
        self._process: Process = process_named(page.case.process)
        self._names = Names(page, desk.staffing)
        self._people = options(desk.staffing)
        self._mails: dict[int, list[Mail]] = {}
        for message in page.messages:
            self._mails.setdefault(message["event_seq"] or 0, []).append(mail(message, self._names, desk.now))
        named = {ref for event in page.events for name in ("duplicate_of", "duplicate")
                 if isinstance(ref := event["details"].get(name), str)}  # fmt: skip
        self._known = seen(desk.env, named, actor=desk.actor, now=desk.now)
        self._files = {file["sha256"]: file for file in page.evidence}

    def entry(self, event: Event) -> Happened:
        """Return one event as an entry."""
        moved = event["kind"] != "opened" and event["from"] != event["to"]
        return Happened(
            event["seq"], event["at"], self._title(event), _PICTURES.get(event["kind"], "arrow-right"),
            self._names.by(event), event["actor"].startswith("system:"),
            self._process.state(event["to"]).title if moved else None, self._said(event), list(self._remarks(event)),
            self._mails.get(event["seq"], []),
            self._files.get(event["details"].get("sha256", "")) if event["kind"] == "evidence" else None,
        )  # fmt: skip

    def _title(self, event: Event) -> str:
        title = trigger_title(self._process.name, event["trigger"])
        if event["kind"] == "transition":
            return title
        if event["kind"] in _UNDONE:
            return f"“{title}” {_UNDONE[event['kind']]}"
        if event["kind"] == MAIL:
            return mail_title(event)
        return _TITLES.get(event["kind"], words(event["kind"]))

    def _said(self, event: Event) -> list[Said]:
        if event["kind"] not in ("transition", "opened"):
            return []
        typed = {**event["details"].get("payload", {}), **event["personal"]}
        typed = self._by_name(typed)
        trigger = "open" if event["kind"] == "opened" else event["trigger"]
        return said(
            self._process, trigger, typed, people=self._people, zone=self._desk.env.settings.zone,
            heads=points(self._page.case),
        )  # fmt: skip

    def _by_name(self, typed: dict[str, Any]) -> dict[str, Any]:
        """What was typed, with the number of a promised action as what was promised."""
        promised, number = self._page.case.data.get("remedies") or (), typed.get("remedy")
        if not isinstance(number, int) or not 0 < number <= len(promised):
            return typed
        return {**typed, "remedy": promised[number - 1]["what"]}

    def _remarks(self, event: Event) -> Iterator[str]:
        if event["kind"] == MAIL:
            yield from mail_remarks(event)
        special: Callable[[Event], str | None] | None = getattr(self, f"_{event['kind']}", None)
        if special is not None and (text := special(event)):
            yield text
        yield from self._about_clocks(event["details"])

    def _about_clocks(self, details: Mapping[str, Any]) -> Iterator[str]:
        for name, ended in (details.get("clocks_ended") or {}).items():
            yield f"{self._clock(name)}: {'in time' if ended['met'] else 'not in time'}"
        for name, missed in (details.get("passed_over") or {}).items():
            yield f"{self._clock(name)}: {len(missed)} reminder(s) fell into the pause and are not caught up"

    def _clock(self, name: str) -> str:
        clocks = (clock for state in self._process.states for clock in state.clocks if clock.name == name)
        title = next((clock.title for clock in clocks), "hold" if name == "hold" else words(name))
        return capital(title)

    def _note(self, event: Event) -> str:
        return str(event["personal"].get("text") or "What was written here has been erased.")

    def _task_done(self, event: Event) -> str:
        title = event["personal"].get("title") or "Which one has been erased."
        note = event["personal"].get("note")
        return f"{title}: {note}" if note else str(title)

    def _told(self, event: Event) -> str:
        return self._note(event)

    def _assigned(self, event: Event) -> str:
        return f"To {self._names.address(str(event['details'].get('to', '')))}"

    def _restricted(self, event: Event) -> str:
        named = event["details"].get("to")
        if named is None:
            return "Everybody whom the rules allow sees it again."
        who = ", ".join(self._names.person(person) for person in named)
        owner = event["details"].get("owner")
        return f"Only these see it: {who}." + (f" {self._names.person(owner)} owns it now." if owner else "")

    def _evidence(self, event: Event) -> str:
        return str(event["personal"].get("name") or "Its name has been erased.")

    def _parked(self, event: Event) -> str:
        return str(event["details"].get("why", ""))

    def _handed_over(self, event: Event) -> str:
        details = event["details"]
        return f"From {self._names.person(details.get('from'))} to {self._names.person(details.get('to'))}"

    def _team_changed(self, event: Event) -> str:
        details = event["details"]
        owner = details.get("owner")
        went = f"From {details.get('from') or 'no team'} to {details.get('to')}, with its member."
        return went + (f" {self._names.person(owner)} owns it now." if owner else "")

    def _not_fired(self, event: Event) -> str:
        return str(event["details"].get("why", ""))

    def _mail_held_back(self, event: Event) -> str:
        return f"More mail from {event['personal'].get('from') or 'this sender'} stays in the inbox today."

    def _passed_over(self, event: Event) -> str:
        why = str(event["details"].get("why", LATER_IS_DUE))
        return "A later step was due at the same time." if why == LATER_IS_DUE else capital(why)

    def _put_off(self, event: Event) -> str:
        until = datetime.fromisoformat(event["details"]["until"]).astimezone(self._desk.env.settings.zone)
        return f"It waits until {until.day} {until:%B %Y}, {until:%H:%M}: {event['details']['why']}"

    def _marked_duplicate(self, event: Event) -> str:
        return self._other(event, "Repeats {}.", "{} repeats this one.")

    def _unmarked_duplicate(self, event: Event) -> str:
        return self._other(event, "It does not repeat {}.", "{} does not repeat this one.")

    def _other(self, event: Event, one: str, other: str) -> str:
        """The other case of a pair; by its reference only for who may see it."""
        repeats = event["details"].get("duplicate_of")
        ref = repeats or event["details"].get("duplicate")
        told = (one if repeats else other).format(ref if ref in self._known else "another case")
        return capital(told)
