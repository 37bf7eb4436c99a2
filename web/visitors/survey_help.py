"""What to do when a survey cannot simply be answered: too little time, a reason to be exempt, something to correct.

Who is not the right person, and by when an answer comes, is said on forms of `web.visitors.reaching`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from starlette.responses import Response

from cases.errors import BadInput
from cases.own.deeds import tell
from cases.own.pages import OwnCase, own_case
from cases.own.reaching import reaching
from notifications.links import LinkExpired
from web.access import PUBLIC
from web.posted import Form
from web.routing import Pages
from web.visitors.address import Address, Own

pages = Pages(may=PUBLIC)
TYPED = ("until", "why", "told")
IS_IN = ("submitted", "dq_review", "resubmitted", "complete")
"""States in which the answers lie with us."""


@pages.get("/m/{key}/help", statements=20)
def ways(own: Own) -> Response:
    """What can be done."""
    return _shown(own, _found(own))


def _found(own: Address) -> OwnCase:
    found = own_case(own.env, own.purpose, own.key, now=own.now)
    if found.holder.case.process != "survey_response":
        raise LinkExpired
    return found


def _shown(
    own: Address, found: OwnCase, *, status: int = 200, typed: Mapping[str, str] | None = None,
    trouble: Sequence[str] = (),
) -> Response:  # fmt: skip
    answer: Response = own.page(
        "visitor/survey_help.html", title=_title(found), holder=found.holder, found=found,
        reach=reaching(own.env, found.holder, now=own.now), typed={**dict.fromkeys(TYPED, ""), **(typed or {})},
        trouble=trouble, status=status, is_in=found.state in IS_IN,
    )  # fmt: skip
    return answer


def _title(found: OwnCase) -> str:
    return "Something to correct?" if found.state in IS_IN else "Something stands in the way"


@pages.post("/m/{key}/more-time")
def more_time(own: Own, posted: Form) -> Response:
    """Ask for more time; a manager decides, since nobody else may give it."""
    found = _found(own)
    until, why = posted.text("until").strip(), posted.text("why").strip()
    try:
        tell(own.env, found.holder, _wish(until, why), about="more time")
    except BadInput as bad:
        return _shown(own, found, status=bad.status, typed={"until": until, "why": why}, trouble=[str(bad)])
    return own.back("We have your wish for more time. Until you hear from us, the day that was given stays.")


def _wish(until: str, why: str) -> str:
    """A wish for more time in a sentence. Raises BadInput."""
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise BadInput("Please say until when you need more time, and why.") from None
    if not why:
        raise BadInput("Please say why you need more time.")
    return f"We need until {day.day} {day:%B %Y}. {why}"


def not_taken(own: Address, found: OwnCase, told: str, bad: BadInput) -> Response:
    """Return the page with a message that could not be taken, and why."""
    return _shown(own, found, status=bad.status, typed={"told": told}, trouble=[str(bad)])
