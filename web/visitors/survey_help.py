"""What to do when a survey cannot simply be answered: the wrong person, too little time, a reason to be exempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from cases.errors import BadInput
from cases.own.deeds import tell
from cases.own.pages import OwnCase, own_case, own_contacts
from members.errors import MembersError
from members.proposals import not_the_right_person, propose
from notifications.links import LinkExpired
from state_machines.values import Message
from web.access import PUBLIC
from web.posted import Form
from web.routing import Pages
from web.visitors.address import Address, Own

pages = Pages(may=PUBLIC)
FIELDS = ("contact", "name", "email", "phone")
TIME = ("until", "why")
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
        contacts=own_contacts(own.env, found.holder), typed={**dict.fromkeys((*FIELDS, *TIME), ""), **(typed or {})},
        trouble=trouble, status=status, is_in=found.state in IS_IN,
    )  # fmt: skip
    return answer


def _title(found: OwnCase) -> str:
    return "Something to correct?" if found.state in IS_IN else "Something stands in the way"


@pages.post("/m/{key}/other-person")
def other_person(own: Own, posted: Form) -> Response:
    """Somebody else should answer: propose the change of the contacts, and write to the next contact there is."""
    found = _found(own)
    typed = {name: posted.text(name).strip() for name in FIELDS}
    contacts = own_contacts(own.env, found.holder)
    me = next((c for c in contacts if str(c.id) == typed["contact"]), contacts[0] if contacts else None)
    new = {name: typed[name] for name in ("name", "email", "phone") if typed[name]}
    try:
        member_id = found.holder.case.member_id or 0
        if me is not None:
            changes = not_the_right_person(me.id, **new)
            propose(own.env.engine, member_id, changes, proposed_by=found.holder.actor.person, source=found.holder.ref,
                    now=own.now)  # fmt: skip
        words = ", ".join(new.values()) or "not said"
        said = f"“I am not the right person” ({me.name or me.email if me else 'unknown'}). Who is: {words}."
        first_is_wrong = len(contacts) > 1 and me is not None and me.id == contacts[0].id
        also = (Message("own_link", "next_contact"),) if first_is_wrong else ()
        tell(own.env, found.holder, said, about="the right contact", also=also)
    except (MembersError, BadInput) as bad:
        return _shown(own, found, status=422, typed=typed, trouble=[str(bad)])
    more = " The next contact of your organisation gets the link as well." if also else ""
    return own.back(f"Thank you. We have passed it on to the membership team.{more}")


@pages.post("/m/{key}/more-time")
def more_time(own: Own, posted: Form) -> Response:
    """Ask for more time; a manager decides, since nobody else may give it."""
    found = _found(own)
    until, why = posted.text("until").strip(), posted.text("why").strip()
    if not until or not why:
        told = ["Please say until when you need more time, and why."]
        return _shown(own, found, status=422, typed={"until": until, "why": why}, trouble=told)
    tell(own.env, found.holder, f"We need until {until}. {why}", about="more time")
    return own.back("We have your wish for more time. Until you hear from us, the day that was given stays.")
