"""Signing a document on its personal page: read it whole, sign it, sign with a reservation, or say no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from cases import evidence
from cases.documents import signatures
from cases.documents.reading import TextChanged
from cases.errors import BadInput, CaseNotFound, TransitionRefused
from cases.own.deeds import act
from cases.own.giving_signature import Form, NotInForce, SignedAlready, TextMoved, fresh_link, sign
from cases.own.pages import require_room
from cases.own.signing import Signing, consent, signing, text_file
from surveys import languages
from web.access import PUBLIC
from web.posted import Form as Sent
from web.posted import Posted
from web.routing import Pages
from web.visitors.address import Address, Own

pages = Pages(may=PUBLIC)
FIELDS = ("name", "position", "legal_name", "reservation", "statement")
_TITLES = {
    "sign": "Sign", "reserve": "Sign with a reservation", "refuse": "Say that you will not sign",
}  # fmt: skip
LABELS = {
    "name": "Your name", "position": "Your position", "legal_name": "Legal name of the organisation",
    "reservation": "Your reservation", "statement": "Why", "intent": "Your consent",
}  # fmt: skip
UNTICKED = "please tick the box; nothing is signed without it"
SHOWN = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""What a browser that shows a PDF within our page may do with it: nothing but show it."""


def _found(own: Address, language: str = "") -> Signing:
    return signing(own.env, own.purpose, own.key, (language or own.language)[:12], now=own.now)


def _page(own: Address, template: str, found: Signing, *, title: str, status: int = 200, **more: Any) -> Response:
    clock = found.holder.case.clocks.get("respond")
    answer: Response = own.page(
        template, title=title, holder=found.holder, found=found, status=status,
        direction=languages.direction, due=clock.due if clock else None, **more,
    )  # fmt: skip
    return answer


def landing(own: Address, *, told: str = "", status: int = 200, trouble: Sequence[str] = ()) -> Response:
    """Return the first page of a request to sign: the whole text, for whom, by when, and what can be done.

    ``told`` is a message that could not be taken, and ``trouble`` says why.
    """
    return _landing(own, _found(own), told=told, status=status, trouble=trouble)


def _landing(
    own: Address, found: Signing, *, told: str = "", status: int = 200, trouble: Sequence[str] = ()
) -> Response:
    title = f"{found.title}, version {found.number}"
    return _page(own, "visitor/signing.html", found, title=title, status=status, trouble=trouble, told=told)


@pages.post("/m/{key}/read")
def opened(own: Own, sent: Sent) -> Response:
    """The text was read. That it was is noted here, and only here."""
    found = _found(own, sent.text("language"))
    if found.may("view") and found.text is not None:
        act(own.env, found.holder, "view", {"language": found.text.language}, seen=sent.number("seen") or 0)
    return own.back(path=f"/sign?language={found.text.language}" if found.text is not None else "")


@pages.get("/m/{key}/sign", statements=16)
def sign_form(own: Own) -> Response:
    """The form below which one signs."""
    return _form(own, _found(own), "sign")


@pages.get("/m/{key}/reserve", statements=16)
def reserve_form(own: Own) -> Response:
    """The form of a signature with a reservation."""
    return _form(own, _found(own), "reserve")


@pages.get("/m/{key}/refuse", statements=16)
def refuse_form(own: Own) -> Response:
    """The form of a refusal."""
    return _form(own, _found(own), "refuse")


def _form(
    own: Address, found: Signing, deed: str, *, status: int = 200, typed: Mapping[str, str] | None = None,
    errors: Mapping[str, Sequence[str]] | None = None, trouble: Sequence[str] = (), moved: bool = False,
) -> Response:  # fmt: skip
    if not found.may(deed) or (found.text is None and deed != "refuse"):
        return own.back()
    told = {name: (UNTICKED,) if name == "intent" else each for name, each in (errors or {}).items()}
    blank = dict.fromkeys(FIELDS, "") | {"legal_name": found.member_name}
    return _page(
        own, "visitor/sign.html", found, title=_TITLES[deed], status=status, deed=deed,
        typed={**blank, **(typed or {})}, errors=told, labels=LABELS, trouble=trouble, moved=moved,
        consent=consent(found, reserved=deed == "reserve"),
    )  # fmt: skip


def _typed(sent: Posted) -> dict[str, str]:
    return {name: sent.text(name) for name in FIELDS if name in sent}


@pages.post("/m/{key}/sign")
def sign_it(own: Own, sent: Sent) -> Response:
    """Sign. Twice is once."""
    return _signed(own, sent, "sign")


@pages.post("/m/{key}/reserve")
def reserve(own: Own, sent: Sent) -> Response:
    """Sign with a reservation, perhaps with a file that says more about it."""
    return _signed(own, sent, "reserve")


def _signed(own: Address, sent: Posted, deed: str) -> Response:
    found, typed = _found(own, sent.text("language")), _typed(sent)
    form = Form(
        sent.text("language"), sent.text("document_sha256"), typed.get("name", ""), typed.get("position", ""),
        typed.get("legal_name", ""), sent.yes("intent"),
        typed.get("reservation", "") if deed == "reserve" else None, own.visit.address,
        own.visit.request.headers.get("user-agent", ""),
    )  # fmt: skip
    try:
        _add_files(own, found, sent)
        sign(own.env, found, form)
    except TransitionRefused as no:
        if not no.errors:
            return _landing(own, _found(own), status=409, trouble=[str(no)])
        return _form(own, found, deed, status=422, typed=typed, errors=no.errors)
    except TextMoved as moved:
        return _form(own, _found(own, form.language), deed, status=409, typed=typed, trouble=[str(moved)], moved=True)
    except (SignedAlready, NotInForce) as late:
        now = _found(own)
        replaced = now.holder.case.state == "superseded"
        return _landing(own, now, status=409, trouble=["Nothing was signed." if replaced else str(late)])
    except (TextChanged, CaseNotFound):
        raise
    except BadInput as bad:
        return _form(own, found, deed, status=bad.status, typed=typed, trouble=[str(bad)])
    return own.back("Thank you. The signature has arrived; the receipt is below, and goes out by e-mail.")


def _add_files(own: Address, found: Signing, sent: Posted) -> None:
    """Put what came with a reservation on the case. Raises BadInput with the sentence about the file."""
    for upload in sent.files("files") if found.may("reserve") else ():
        require_room(own.env, found.holder)
        try:
            evidence.add(own.env, found.holder.ref, upload.name, upload.content, actor=found.holder.actor)
        except BadInput as bad:
            raise BadInput(f"{upload.name}: {bad}") from bad


@pages.post("/m/{key}/refuse")
def refuse(own: Own, sent: Sent) -> Response:
    """Say that it will not be signed, and why."""
    found, typed = _found(own, sent.text("language")), _typed(sent)
    said = {name: typed.get(name, "").strip() for name in ("name", "statement")}
    try:
        act(own.env, found.holder, "refuse", said, seen=sent.number("seen") or 0)
    except TransitionRefused as no:
        if not no.errors:
            return _landing(own, _found(own), status=409, trouble=[str(no)])
        return _form(own, found, "refuse", status=422, typed=typed, errors=no.errors)
    return own.back("We have noted that your organisation will not sign, and why.")


@pages.post("/m/{key}/fresh")
def fresh(own: Own) -> Response:
    """Have a fresh link mailed to whoever may sign."""
    fresh_link(own.env, own.holder(), now=own.now)
    return own.back("A new link is on its way by e-mail to whoever signs for your organisation. It can take minutes.")


# --- files


@pages.get("/m/{key}/text/{language}", statements=14)
def text(own: Own, language: str) -> Response:
    """The text as the file it is, to keep, print or read elsewhere: the very bytes that are signed."""
    found = text_file(_found(own, language), language)
    return own.visit.download(found.name, found.content_type, [found.content])


@pages.get("/m/{key}/text/{language}/shown", statements=14)
def shown(own: Own, language: str) -> Response:
    """A PDF to be shown within the page."""
    found = text_file(_found(own, language), language)
    if found.is_markdown:
        raise CaseNotFound("")
    headers = {"content-disposition": "inline", "content-security-policy": SHOWN, "x-frame-options": "SAMEORIGIN"}
    return Response(found.content, media_type=found.media_type, headers=headers)


@pages.get("/m/{key}/receipt.pdf", statements=14)
def receipt(own: Own) -> Response:
    """The receipt of the newest signature."""
    found = _found(own)
    if found.given is None:
        raise CaseNotFound(found.holder.ref)
    name = signatures.file_name(found.given.signed.number)
    return own.visit.download(name, signatures.MEDIA_TYPE, [signatures.receipt(own.env, found.given)])
