"""A code of practice in two languages, and members who are asked to sign it, told through the commands people use."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from cases import commands, opening, store
from cases.delivering import deliver
from cases.demo import KeepingTransport
from cases.documents.files import Given
from cases.documents.versions import add_version
from cases.environment import world
from cases.own.giving_signature import Form
from cases.own.links import token_of
from cases.own.signing import Signing, signing
from cases.sweep import sweep_due
from config.database import transaction
from notifications import links
from state_machines.registry import process_named
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast

ENGLISH = b"""# Code of Practice

We pay on time.

## Work

Nobody works without a contract.

| Who | When |
|---|---|
| All | 2026 |
"""
WELSH = "# Cod Ymarfer\n\nRydym yn talu'n brydlon. Ŵyl, Môn a'r Wyddfa.\n".encode()
IN_FORCE = datetime.fromisoformat("2026-03-03T09:00:00+00:00")


def texts(english: bytes = ENGLISH, **more: bytes) -> dict[str, Given]:
    return {"en": Given("code.md", english), **{name: Given(f"code-{name}.md", text) for name, text in more.items()}}


def version(cast: Cast, number: str = "3.0", english: bytes = ENGLISH, **changed: Any) -> str:
    """Begin a version as Amara; return its reference."""
    said: dict[str, Any] = {
        "title": "Code of Practice", "number": number, "files": texts(english, cy=WELSH), "authoritative": "en",
        "summary": "Nobody works without a contract any more.", "effective_on": date(2026, 3, 3), "material": True,
        "actor": cast.actor("Amara"), "now": MONDAY,
    }  # fmt: skip
    return add_version(cast.env, **(said | changed)).after.ref


def in_force(cast: Cast, number: str = "3.0", english: bytes = ENGLISH, at: datetime = IN_FORCE, **changed: Any) -> str:
    """Bring a version into force; return its reference."""
    ref = version(cast, number, english, **changed)
    fire(cast, ref, "send_to_review", "Amara")
    fire(cast, ref, "approve", "Mina")
    cast.go_to(at)
    sweep_due(cast.env)
    assert state(cast, ref) == "effective"
    return ref


def fire(cast: Cast, ref: str, trigger: str, who: str, **payload: Any) -> str:
    return commands.fire(cast.env, ref, trigger, payload=payload or None, actor=cast.actor(who)).after.state


def state(cast: Cast, ref: str) -> str:
    return str(cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=ref))


def asked(cast: Cast, document: str, member_id: int) -> str:
    """Ask a member to sign a document, as a campaign would; return the reference of its signature."""
    data = cast.scalar("SELECT data FROM cases WHERE ref = :ref", ref=document)
    request = {
        "document": document, "document_title": data["title"], "document_number": data["number"],
        "document_languages": data["languages"], "authoritative": data["authoritative"], "launch": "2026-03-03",
        "deadline": "2026-04-02", "campaign_title": "Sign-off 2026",
    }  # fmt: skip
    with transaction(cast.env.engine) as conn:
        here = world(conn, cast.env)
        wish = opening.Wish(process_named("signature"), "Sign-off 2026", request, member_id, "North")
        [found] = opening.decided(conn, [wish], here, actor=SYSTEM)
        assert not isinstance(found, tuple), found
        store.apply(conn, [found], here)
        return found.outcome.after.ref


def link(cast: Cast, ref: str) -> str:
    """The token of the personal link of a case."""
    return token_of(cast.env, links.MEMBER, int(cast.scalar("SELECT id FROM cases WHERE ref = :ref", ref=ref)))


def page(cast: Cast, ref: str, language: str = "") -> Signing:
    return signing(cast.env, links.MEMBER, link(cast, ref), language, now=cast.env_now)


def form(found: Signing, **changed: Any) -> Form:
    """What the signatory fills in below the text that is shown."""
    assert found.text is not None
    said = {
        "language": found.text.language, "document_sha256": found.text.sha256, "name": "Chandra Rao",
        "position": "Director", "legal_name": found.member_name, "intent": True, "address": "192.0.2.7",
        "browser": "Firefox",
    }  # fmt: skip
    return Form(**(said | changed))


def signatory(cast: Cast, **contact: Any) -> int:
    """A member whose one contact, Chandra Rao, may sign for it."""
    [number] = cast.members("Acme Gins")
    said = {"name": "Chandra Rao", "email": "chandra@acme.example", "role": "signatory"} | contact
    with transaction(cast.env.engine) as conn:
        pairs = ", ".join(f"{column} = :{column}" for column in said)
        conn.execute(text(f"UPDATE contacts SET {pairs} WHERE member_id = :id"), {**said, "id": number})
    return number


def requested(cast: Cast, document: str, **contact: Any) -> str:
    """A member that was asked to sign, the letter delivered."""
    ref = asked(cast, document, signatory(cast, **contact))
    deliver(cast.env, transport=KeepingTransport({}))
    return ref
