"""The clock of a sandbox: time passes at the press of a button, and what happened meanwhile is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

from starlette.responses import Response

from cases.errors import BadInput
from cases.mailroom import outbox
from cases.reading_mail import own_page_in
from cases.sandbox_story import story
from cases.sandbox_time import FOLLOW, OnlyInSandbox, Passed, next_due, pass_time
from notifications.tables import SENT
from state_machines.english import capital
from web import naming
from web.access import STAFF
from web.desk_page import Desk, DeskPage, is_local
from web.posted import Form
from web.routing import Pages
from web.wording import length, when_words

pages = Pages(may=STAFF)

LATEST = 20
STEPS = (("1h", "An hour later"), ("1d", "A day later"), ("1w", "A week later"), ("next", "To the next thing due"))
LONGEST = timedelta(days=400)
"""A story of more than that is nobody's question, and a long read."""


@pages.get("/sandbox", statements=12)
def sandbox(desk: Desk) -> Response:
    """Show the clock of a sandbox, and the latest mail."""
    _require_sandbox(desk)
    mails, total = outbox(desk.env, state=SENT, viewer=desk.actor, limit=LATEST)
    return desk.page(
        "desk/sandbox.html", title="Sandbox", mails=mails, total=total, steps=STEPS,
        next_due=next_due(desk.env, desk.now), here=desk.now.astimezone(desk.env.settings.zone),
    )  # fmt: skip


@pages.post("/sandbox/clock")
def move(desk: Desk, posted: Form) -> Response:
    """Let time pass, and lead to what happened. Raises OnlyInSandbox in a production installation."""
    _require_sandbox(desk)
    step = posted.text("step") or posted.text("instant")
    if not step.strip():
        raise BadInput("Please say how far the clock is to move.")
    passed = pass_time(desk.env, step)
    came_from = posted.text("from")
    query = {"from": _written(passed.since), "to": _written(passed.until + timedelta(microseconds=999_999))}
    query |= {"back": came_from} if is_local(came_from) and came_from not in ("/", "/sandbox") else {}
    sentence, tone = _in_words(desk, passed, step)
    if passed.backwards or passed.stops == 0:
        return desk.see_other("/sandbox", sentence, tone=tone)
    return desk.see_other(f"/sandbox/what-happened?{urlencode(query)}", sentence, tone=tone)


@pages.get("/sandbox/what-happened", statements=8)
def what_happened(desk: Desk) -> Response:
    """Show what Muster did, and what became of mail, between two moments."""
    _require_sandbox(desk)
    query = desk.request.query_params
    since, until = _instant(query.get("from", "")), _instant(query.get("to", ""))
    if not since < until or until - since > LONGEST:
        raise BadInput("These two moments are no stretch of time to tell about.")
    found = story(desk.env, since, until, actor=desk.actor, now=desk.now)
    back = query.get("back", "")
    return desk.page(
        "desk/sandbox_story.html", title="What happened", found=found, since=since, until=until, steps=STEPS,
        back=back if is_local(back) else "",
    )  # fmt: skip


@pages.post("/cases/{ref}/messages/{number}/open")
def open_as_reader(desk: Desk, posted: Form, ref: str, number: int) -> Response:
    """Lead to the personal page of a letter's reader. Raises OnlyInSandbox elsewhere, where a link is theirs alone."""
    _require_sandbox(desk)
    page = own_page_in(desk.env, ref, number, actor=desk.actor, now=desk.now)
    if page is None:
        return desk.see_other(f"/cases/{ref}/messages/{number}", "No page of its reader is behind it.", tone="warning")
    return desk.see_other(page)


def _require_sandbox(desk: DeskPage) -> None:
    if not desk.shell.sandbox:
        raise OnlyInSandbox


def _written(at: datetime) -> str:
    """An instant for an address, in whole seconds; what happened is looked for in these."""
    return at.strftime("%Y%m%dT%H%M%SZ")


def _instant(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S%z")
    except ValueError:
        raise BadInput("This address does not say which stretch of time is meant.") from None


def _in_words(desk: DeskPage, passed: Passed, step: str) -> tuple[str, str]:
    """What happened, in a sentence or more, and how it is coloured."""
    if passed.backwards:
        stands = when_words(passed.until, desk.env.settings.zone)
        again = "What has happened stays, and does not happen again."
        return f"The clock stands at {stands}, which is earlier than before. {again}", "warning"
    told = [*_counts(passed), *_troubles(passed)]
    troubled = len(told) > 1
    if step == FOLLOW:
        told.append("The clock follows the real one now.")
        told += ["What fell due meanwhile happens within a minute."] if passed.stops == 0 else []
    return " ".join(told), "warning" if troubled else "success"


def _counts(passed: Passed) -> list[str]:
    span = length(passed.until - passed.since)
    steps = naming.plural(passed.fired, "step of a deadline", "steps of deadlines")
    mails = naming.plural(passed.sent, "mail")
    return [f"{capital(span)} passed: {steps}, {mails} sent, {passed.suppressed} not needed any more."]


def _troubles(passed: Passed) -> list[str]:
    found = []
    if passed.no_mail:
        found.append(
            f"No mail could leave: {passed.no_mail.rstrip('.')}. What was to be sent stays queued and leaves later."
        )
    if passed.parked:
        found.append(f"{naming.plural(passed.parked, 'case')} could not be decided and was set aside.")
    if not passed.got_there:
        found.append("There was much to do, so time stopped on the way; press again to go on.")
    return found
