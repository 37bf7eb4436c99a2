"""On a member's link, whatever it asks for: "I am not the right person", and the day by which an answer comes.

Looking changes nothing. Nobody is written to at an address that is named here before a person has confirmed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from starlette.responses import Response

from cases.errors import BadInput, TransitionRefused
from cases.own.pages import Holder
from cases.own.reaching import SOMEBODY_ELSE, not_me, promise, reaching
from members.errors import MembersError
from notifications.links import LinkExpired
from state_machines.registry import process_named
from web.access import PUBLIC
from web.posted import Form
from web.routing import Pages
from web.visitors.address import Address, Own

pages = Pages(may=PUBLIC)
PERSON = ("name", "position", "email", "phone")


def _holder(own: Address) -> Holder:
    """Return who holds the link of a case that asks a member for something; of any other, none is shown here."""
    holder = own.holder()
    if not process_named(holder.case.process).standings:
        raise LinkExpired
    return holder


@pages.get("/m/{key}/not-me", statements=14)
def form(own: Own) -> Response:
    """Where somebody says that they are not the right person, or by when an answer comes."""
    return _shown(own, _holder(own))


def _shown(
    own: Address, holder: Holder, *, typed: Mapping[str, str] | None = None, trouble: Sequence[str] = (),
    status: int = 200,
) -> Response:  # fmt: skip
    answer: Response = own.page(
        "visitor/reaching.html", title="Not the right person?", holder=holder, typed=typed or {}, trouble=trouble,
        reach=reaching(own.env, holder, now=own.now), status=status,
    )  # fmt: skip
    return answer


@pages.post("/m/{key}/not-me")
def say_not_me(own: Own, posted: Form) -> Response:
    """Somebody else should answer: the next contact is written to, and what was named is proposed for the register."""
    holder = _holder(own)
    typed = {name: posted.text(name).strip() for name in ("contact", *PERSON)}
    contact = posted.number("contact") if typed["contact"] != SOMEBODY_ELSE else None
    if contact is None and typed["contact"] != SOMEBODY_ELSE:
        return _shown(own, holder, typed=typed, trouble=["Please choose who you are."], status=422)
    try:
        named = {name: typed[name] for name in PERSON}
        turned = not_me(own.env, holder, contact, named, seen=posted.number("seen") or 0, now=own.now)
    except (BadInput, MembersError) as bad:
        return _shown(own, holder, typed=typed, trouble=[str(bad)], status=422)
    except TransitionRefused as no:
        return _shown(own, holder, typed=typed, trouble=[str(no)], status=422 if no.errors else 409)
    more = " From now on we write to another contact of your organisation." if turned else ""
    return own.back(f"Thank you. We have passed it on to the membership team.{more}")


@pages.post("/m/{key}/promise")
def say_when(own: Own, posted: Form) -> Response:
    """Say by when an answer comes; until then no reminders go out but one on the last day."""
    holder = _holder(own)
    typed = posted.text("promised_on").strip()
    try:
        day = date.fromisoformat(typed)
        promise(own.env, holder, day, seen=posted.number("seen") or 0, now=own.now)
    except ValueError:
        told = ["Please choose the day by which you will answer."]
        return _shown(own, holder, typed={"promised_on": typed}, trouble=told, status=422)
    except TransitionRefused as no:
        trouble, status = [str(no)], 422 if no.errors or no.refused.rule == "promise_is_soon" else 409
        return _shown(own, holder, typed={"promised_on": typed}, trouble=trouble, status=status)
    return own.back(f"Thank you. We look forward to your answer by {day.day} {day:%B %Y}.")
