"""What happens next to a case if nobody acts: in brief on its page, and the whole of it on a page of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.responses import Response

from cases.explaining.coming import what_happens_next
from cases.explaining.foretold import Coming, Decision, Mail, Next, Reader
from cases.people import whom
from notifications.eligibility import SAME_PERSON
from web.access import STAFF
from web.desk_page import Desk, DeskPage
from web.naming import role_title
from web.routing import Pages

pages = Pages(may=STAFF)

BRIEF = 6
"""So many things stand on the page of a case."""
_AT_ONCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Letter:
    """Messages of a kind that come to the same end."""

    words: str
    at: datetime | None
    """When it leaves, where that is later than what asks for it."""
    why: str


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that will happen, in words."""

    next: Next
    what: str
    move: str | None
    lands_on: str | None
    letters: list[Letter]
    tasks: list[str]
    beside: list[str]
    decisions: list[str]


@pages.get("/cases/{ref}/next", statements=16)
def what_comes(desk: Desk, ref: str) -> Response:
    """Everything that flows will do to a case until it ends, if nobody acts."""
    found = what_happens_next(desk.env, ref, actor=desk.actor, now=desk.now)
    return desk.page(
        "desk/case_next.html", title=f"If nobody acts: {found.subject or found.ref}", ref=found.ref, found=found,
        lines=[_line(each) for each in found.items], waiting=_letters(found.waiting, None),
    )  # fmt: skip


def brief(desk: DeskPage, ref: str) -> tuple[Coming, list[Line]]:
    """Return what happens next to a case, and the first lines of it. Raises CaseNotFound."""
    found = what_happens_next(desk.env, ref, actor=desk.actor, now=desk.now)
    told = [each for each in found.items if each.kind == "transition"][:BRIEF]
    clocks_of = Counter(title for title, _ in {(each.title, each.clock_title) for each in told})
    return found, [_line(each, in_brief=True, of_several=clocks_of[each.title] > 1) for each in told]


def _line(each: Next, *, in_brief: bool = False, of_several: bool = False) -> Line:
    lands_on = each.owner if each.moves and not each.final else None
    if lands_on and each.acting:
        lands_on = f"{lands_on}, for whom {each.acting} acts then"
    what = f"{_what(each)} ({each.clock_title})" if of_several and each.clock_title else _what(each)
    mails = [mail for mail in each.mails if not (in_brief and mail.state == "not sent" and mail.why == SAME_PERSON)]
    return Line(
        each, what, each.target_title if each.moves else None, lands_on, _letters(mails, each.at),
        [f"{task.title} ({task.who})" for task in each.tasks], _beside(each), [_decision(d) for d in each.decisions],
    )  # fmt: skip


def _what(each: Next) -> str:
    words = each.title
    if each.by == "case":
        words += f", because of {each.cause or 'another case'}"
    elif each.by == "mail":
        words += ", since no address is left"
    return f"{words}, then {each.rhythm}" if each.rhythm else words


def _letters(mails: Sequence[Mail], asked: datetime | None) -> list[Letter]:
    """Messages in words, those that come to the same end together."""
    found: dict[tuple[str, str, datetime | None, str], list[str]] = {}
    for mail in mails:
        late = mail.at if asked is None or mail.at - asked > _AT_ONCE else None
        at = late if mail.state == "sent" else None
        found.setdefault((mail.title, mail.state, at, mail.why), []).append(_reader(mail.to, mail.audience))
    return [_letter(key, names) for key, names in found.items()]


def _letter(key: tuple[str, str, datetime | None, str], names: Sequence[str]) -> Letter:
    title, state, at, why = key
    to = ", ".join(dict.fromkeys(names))
    if state == "sent":
        return Letter(f"“{title}” to {to}", at, why if at else "")
    words = "does not leave" if state == "not sent" else "waits"
    return Letter(f"“{title}” to {to} {words}", None, why)


def _reader(to: Reader | None, audience: str) -> str:
    if to is None:
        return _audience(audience)
    return f"{to.name} for {to.instead_of}" if to.instead_of else to.name


def _audience(audience: str) -> str:
    if audience.startswith("contact:"):
        return "a contact of the member"
    if audience.startswith("role:"):
        return f"everybody who is {role_title(audience[5:])}"
    return f"the {whom(audience)}"


def _beside(each: Next) -> list[str]:
    found = []
    for beside in each.beside:
        match beside.what:
            case "opens":
                found.append(f"Opens a case: {beside.process}, {beside.subject}")
            case "opens for members":
                found.append(f"Opens a case ({beside.process}) for {beside.where}")
            case _:
                found.append(f"“{beside.subject}” on {beside.where}")
    return found


def _decision(decision: Decision) -> str:
    people = ", ".join(decision.people) or f"no {decision.role.label}; somebody must be found"
    more = f" and {decision.more} more" if decision.more else ""
    return f"Waits for a decision ({', '.join(decision.titles)}) by {people}{more}"
