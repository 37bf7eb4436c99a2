"""Giving a signature on a personal page: one, under the text that was shown, written with its evidence.

The form carries the digest of the text that was shown: a signature under another text than the one that is asked for is
refused, and so is a second one; the same form sent twice is one signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unicodedata import category

from sqlalchemy import func, select

from cases.commands import fired, lock_seen, typed, unhindered
from cases.documents import reading as documents
from cases.documents import signatures
from cases.documents.signatures import Evidence
from cases.environment import Environment, World, world
from cases.errors import BadInput, CaseError
from cases.locking import Locked
from cases.own.pages import TO_MEMBERS, Holder
from cases.own.signatory import is_named, signatory
from cases.own.signing import PROCESS, Signing, asked_for, consent, open_request
from cases.tables import CaseEvent
from config.database import Connection, transaction, without_nul
from notifications import outbox
from notifications.tables import SENT, MessageRow
from notifications.values import NewMessage
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Case

_JOINERS = "\u200c\u200d"
METHOD = "personal link sent by e-mail"


class SignedAlready(CaseError):
    """Somebody has signed already; a second signature is not needed."""


class TextMoved(CaseError):
    """The text has changed since you opened the page. Please read the new one before you sign."""


class NotInForce(CaseError):
    """This document is not in force any more, so it cannot be signed. You will hear from us."""


@dataclass(frozen=True)
class Form:
    """What whoever signs has filled in."""

    language: str
    document_sha256: str
    name: str
    position: str
    legal_name: str
    intent: bool
    reservation: str | None = None
    """None: signed as it stands."""
    address: str = ""
    browser: str = ""

    @property
    def reserved(self) -> bool:
        """Whether it is signed with a reservation."""
        return self.reservation is not None


def sign(env: Environment, found: Signing, form: Form, *, now: datetime | None = None) -> bool:
    """Sign, with the evidence and the receipt in the same transaction; return whether that was new.

    Raises TransitionRefused with errors by field, TextMoved, SignedAlready, NotInForce, TextChanged or NoRoom.
    """
    holder = found.holder
    form = _cleaned(form)

    def once() -> bool:
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            locked = lock_seen(conn, holder.ref, holder.actor, here)
            if _is_repeated(conn, env, locked.case, form):
                return False
            document = _document(conn, env, locked.case, form)
            who = signatory(conn, locked.case, form.name, env.policy)
            payload = {
                "document_sha256": form.document_sha256, "language": form.language, "name": form.name,
                "position": form.position, "legal_name": form.legal_name, "intent": form.intent,
                "consent": consent(found, reserved=form.reserved), "method": METHOD, "role_fits": who.role_fits,
                "domain_fits": who.domain_fits, "contact_id": who.contact.id if who.contact else None,
                "address": form.address, "browser": form.browser,
            }  # fmt: skip
            trigger = "reserve" if form.reserved else "sign"
            more = {"reservation": form.reservation} if form.reserved else {}
            fired(conn, locked, trigger, typed({**payload, **more}), None, here, holder.actor)
            _write_evidence(conn, locked, document, payload, who.email, form.reservation or "", here)
            return True

    return unhindered(once)


def _cleaned(form: Form) -> Form:
    """Return the form as it can be stored: blanks at the ends, and what a browser says of itself without end, go."""
    kept = {name: _visible(getattr(form, name)) for name in ("name", "position", "legal_name")}
    kept["language"] = without_nul(form.language.strip())
    reservation = None if form.reservation is None else without_nul(form.reservation.strip())
    return Form(
        **kept, document_sha256=form.document_sha256.strip().lower(), intent=form.intent, reservation=reservation,
        address=form.address[:100], browser=without_nul(form.browser)[:500],
    )  # fmt: skip


def _visible(typed: str) -> str:
    """Return a line as a reader sees it; nothing where it has no letter or digit: the receipt must name somebody.

    Signs that turn the direction of what follows, or that nobody sees, are left out; two that join letters are not.
    """
    kept = "".join(" " if s.isspace() else s for s in typed if s in _JOINERS or s.isspace() or category(s)[0] != "C")
    return " ".join(kept.split()) if any(sign.isalnum() for sign in kept) else ""


def _is_repeated(conn: Connection, env: Environment, case: Case, form: Form) -> bool:
    """Whether just this was signed already. Raises SignedAlready when somebody else was faster, or signed otherwise."""
    if any(t.trigger == "sign" for t in process_named(PROCESS).from_state[case.state]):
        return False
    given = signatures.newest(conn, env, case.id)
    if given is None or case.data.get("signed_sha256") is None:
        return False
    same = (given.signed.document_sha256, given.signed.reservation) == (form.document_sha256, form.reservation or "")
    if same and is_named(given.signed.name, form.name):
        return True
    raise SignedAlready


def _document(conn: Connection, env: Environment, case: Case, form: Form) -> Any:
    """Return the document whose text is signed. Raises TextMoved, NotInForce, or TextChanged for its bytes."""
    document = documents.find(conn, str(case.data.get("document", "")))
    texts = asked_for(conn, case, document)
    text = next((each for each in texts if each.language == form.language), None)
    if text is None or text.sha256 != form.document_sha256:
        raise TextMoved
    if document.state != "effective":
        raise NotInForce
    documents.with_content(env, text)
    return document


def _write_evidence(
    conn: Connection, locked: Locked, document: Any, payload: Mapping[str, Any], email: str, reservation: str,
    here: World,
) -> None:  # fmt: skip
    case = locked.case
    sent = select(func.min(MessageRow.sent_at)).where(
        MessageRow.case_id == case.id, MessageRow.state == SENT, TO_MEMBERS
    )
    viewed = select(func.max(CaseEvent.at)).where(CaseEvent.case_id == case.id, CaseEvent.trigger == "view")
    evidence = Evidence(
        case.id, locked.head.seq + 1, case.ref, document, payload, email, reservation, conn.execute(sent).scalar(),
        conn.execute(viewed).scalar(),
    )  # fmt: skip
    signatures.write(conn, evidence, here)


def fresh_link(env: Environment, holder: Holder, *, now: datetime) -> None:
    """Have a fresh link mailed to whoever may sign: anew where it has grown too old. Asking again sends nothing more.

    The answer is the same whether one was sent or not.
    """
    if holder.case.process != PROCESS:
        raise BadInput("This link is for something else.")
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        locked = lock_seen(conn, holder.ref, SYSTEM, here)
        if locked.case.state == "expired":
            fired(conn, locked, "reissue", None, None, here, SYSTEM)
            return
        case_id = open_request(conn, locked.case)
        if case_id is not None:
            key = f"own_link:{case_id}:signatory:{here.now:%Y%m%d%H}"
            wanted = NewMessage(key, "own_link", "signatory", case_id=case_id, member_id=locked.case.member_id)
            outbox.enqueue(conn, [wanted], now=here.now)
