"""The personal page of a case: where it stands, what was written, what its holder may do. Looking changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from cases import evidence
from cases.errors import BadInput, CaseNotFound, TransitionRefused
from cases.own.deeds import act, tell
from cases.own.leaving import meaning, preview
from cases.own.pages import OwnCase, answers_complaint, complains, letter, own_case, require_room
from cases.own.survey import survey
from notifications import links
from state_machines.process import Transition
from web.forms import fields_of, leftover_errors
from web.posted import Form, Posted
from web.typed import payload_of
from web.visitors import signing as signing_pages
from web.visitors import survey as survey_pages
from web.visitors import survey_help
from web.visitors.address import Address, Own, OwnPages
from web.visitors.deed_words import DEEDS, title_of, worded

pages = OwnPages()

DONE: Mapping[str, str] = {
    "withdraw": "Your complaint is withdrawn. You need do nothing more.",
    "accept": "Thank you. We have noted that you are content with the answer.",
    "request_stage_2": "We have your wish for a second look. Somebody who had nothing to do with it takes it.",
    "information_received": "Thank you. We have what you sent, and go on with your complaint.",
    "record_reply": "Thank you. We have your side, and it will be weighed.",
    "end_now_without_offers": "Your notice is taken. The confirmation comes by e-mail.",
    "accept_offer": "You stay a member on these terms. The confirmation comes by e-mail.",
    "revoke": "Your notice is taken back: the membership goes on. The confirmation comes by e-mail.",
    "declare_hardship": "Thank you for telling us. We look at it, and you need not explain or prove anything.",
    "confirm_cancellation": "Your notice is taken. The confirmation comes by e-mail.",
    "keep_membership": "Thank you. The membership goes on as it is.",
    "ask_for_offer": "This is what we can offer. You can end the membership just as well.",
    "request_exemption": "We have your request. Reminders stand still until it is decided.",
    "refuse": "We have noted that you will not answer.",
}
TEMPLATES = {"cancellation": "visitor/leaving_case.html", "monitoring": "visitor/matter.html"}


@pages.show("", statements=22)
def home(own: Own) -> Response:
    """The first page of a link."""
    holder = own.holder()
    if holder.case.process == "survey_response" and holder.purpose == "member":
        return survey_pages.landing(own, survey(own.env, own.purpose, own.key, language=own.language, now=own.now))
    if holder.case.process == "signature" and holder.purpose == "member":
        return signing_pages.landing(own)
    return _shown(own, own_case(own.env, own.purpose, own.key, now=own.now))


def _shown(own: Address, found: OwnCase, *, status: int = 200, **more: Any) -> Response:
    holder = found.holder
    template, title = TEMPLATES.get(holder.case.process, "visitor/complaint.html"), _title(found)
    values: dict[str, Any] = {"found": found, "title_of": title_of, "told": "", "error": None, "trouble": None, **more}
    if holder.case.process == "cancellation":
        values |= {"means": preview(own.env, holder, now=own.now), "meant": meaning(holder.case)}
    if holder.case.process == "complaint" and not complains(holder):
        template = "visitor/respondent.html"
    answer: Response = own.page(template, title=title, holder=holder, status=status, **values)
    return answer


def _title(found: OwnCase) -> str:
    holder = found.holder
    if holder.case.process == "cancellation":
        return "Your membership" if holder.role == "member" else "The end of a membership"
    if holder.case.process == "complaint":
        return "A complaint: your side" if answers_complaint(holder) else "Your complaint"
    return "Your membership and the Code of Practice"  # a subject is written for colleagues


# --- doing something that the process lets this person do


def _wanted(found: OwnCase, trigger: str) -> list[Transition]:
    """The moves of a trigger that are meant for this person now."""
    return [c.transition for c in found.choices if c.transition.trigger == trigger and c.refused is None]


@pages.show("/do/{trigger}", statements=16)
def ask(own: Own, trigger: str) -> Response:
    """The form of something its holder may do."""
    found = own_case(own.env, own.purpose, own.key, now=own.now)
    return _form(own, found, trigger)


def _form(
    own: Address, found: OwnCase, trigger: str, typed: Mapping[str, Any] | None = None, status: int = 200,
    errors: Mapping[str, Any] | None = None, others: tuple[str, ...] = (),
) -> Response:  # fmt: skip
    wanted = _wanted(found, trigger)
    if not wanted and typed is None:
        return own.back("This is not possible any more; here is how it stands now.", tone="info")
    model = wanted[0].needs if wanted else None
    fields = worded(trigger, fields_of(model, typed, errors, zone=own.env.settings.zone))
    words = DEEDS.get(trigger)
    others = (*others, *leftover_errors(model, errors or {}))
    title = title_of(wanted[0]) if wanted else "This is not possible any more"
    answer: Response = own.page(
        "visitor/do.html", title=title, holder=found.holder, status=status, found=found, trigger=trigger,
        fields=fields, others=others, transition=wanted[0] if wanted else None, typed=typed or {},
        intro=words.intro if words else "", given=words.given if words else {},
    )  # fmt: skip
    return answer


@pages.do("/do/{trigger}")
def do(own: Own, posted: Form, trigger: str) -> Response:
    """Do what the form says. Sent twice, it is done once."""
    found = own_case(own.env, own.purpose, own.key, now=own.now)
    wanted = _wanted(found, trigger)
    payload = payload_of(wanted[0].needs, posted, zone=own.env.settings.zone) if wanted else _raw(posted)
    try:
        add_files(own, found, posted)
        act(own.env, found.holder, trigger, payload, seen=posted.number("seen") or 0)
    except TransitionRefused as no:
        return _form(
            own, found, trigger, payload, 422 if no.errors else 409, no.errors, () if no.errors else (str(no),)
        )
    except BadInput as bad:
        return _form(own, found, trigger, payload, bad.status, others=(str(bad),))
    return own.back(DONE.get(trigger, "Thank you. We have it."))


def _raw(posted: Posted) -> dict[str, Any]:
    """What a form held whose moment has passed: it may have been sent before."""
    return {name: value for name, value in posted.nested().items() if name not in ("csrf", "seen")}


# --- writing, sending files, reading letters


@pages.do("/tell")
def tell_us(own: Own, posted: Form) -> Response:
    """Write to us, with files where there are some."""
    found = own_case(own.env, own.purpose, own.key, now=own.now)
    text, names = posted.text("text"), [upload.name for upload in posted.files("files")]
    try:
        add_files(own, found, posted)
        said = text if text.strip() or not names else f"Sent on this page: {', '.join(names)}"
        tell(own.env, found.holder, said, about=posted.text("about")[:80])
    except BadInput as bad:
        return _not_taken(own, found, text, bad)
    return own.back("Thank you. We have it, and whoever deals with this case hears of it.")


def _not_taken(own: Address, found: OwnCase, text: str, bad: BadInput) -> Response:
    """Return the page with the message still in it, and why it could not be taken."""
    process = found.holder.case.process if found.holder.purpose == links.MEMBER else ""
    if process == "survey_response":
        return survey_help.not_taken(own, found, text, bad)
    if process == "signature":
        return signing_pages.landing(own, told=text, trouble=[str(bad)], status=bad.status)
    return _shown(own, found, status=bad.status, told=text, trouble=str(bad))


def add_files(own: Address, found: OwnCase, posted: Posted) -> None:
    """Put the files of a form on the case. Raises BadInput with the sentence about the one that cannot be taken."""
    for upload in posted.files("files"):
        require_room(own.env, found.holder)
        try:
            evidence.add(own.env, found.holder.ref, upload.name, upload.content, actor=found.holder.actor)
        except BadInput as bad:
            raise BadInput(f"{upload.name}: {bad}") from bad


@pages.show("/files/{sha256}", statements=14)
def file(own: Own, sha256: str) -> Response:
    """A file that holders of this link have sent."""
    holder = own.holder()
    kept, content = evidence.read(own.env, holder.ref, sha256, actor=holder.actor, now=own.now)
    return own.visit.download(kept.name, kept.media_type, [content])


@pages.show("/letters/{number}", statements=10)
def one_letter(own: Own, number: int) -> Response:
    """A letter as it was sent."""
    if number >= 2**63:
        raise CaseNotFound("")
    holder, found = letter(own.env, own.purpose, own.key, number, now=own.now)
    answer: Response = own.page(
        "visitor/letter.html", title=found["subject"] or "A letter", holder=holder, letter=found
    )
    return answer
