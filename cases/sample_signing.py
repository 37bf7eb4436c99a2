"""What the sample organisation tells of documents and signatures: a code brought out, and members who sign it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cases.documents.files import Given
from cases.documents.versions import add_version
from cases.environment import Environment
from cases.own.giving_signature import Form, sign
from cases.own.links import token_of
from cases.own.signing import signing
from cases.tables import CaseRow
from config.database import reading
from members import store as member_store
from members.cards import Contact
from notifications import links
from state_machines.values import Actor

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) a browser"


def bring_out(env: Environment, said: Mapping[str, Any], folder: Path, *, actor: Actor, now: datetime) -> str:
    """Begin a version of a document with the texts it names, and return its reference."""
    texts = {language: Given(name, (folder / name).read_bytes()) for language, name in said["texts"].items()}
    settings = {name: value for name, value in said.items() if name != "texts"}
    return add_version(env, files=texts, actor=actor, now=now, **settings).after.ref


def signatory_of(env: Environment, member: str) -> Contact:
    """Return the contact who signs for a member."""
    with reading(env.engine) as conn:
        card = member_store.find_by_ref(conn, member)
        contacts = member_store.contacts_of(conn, [card.id])[card.id]
    return next(contact for contact in contacts if contact.role == "signatory")


def give_signature(env: Environment, ref: str, member: str, then: str, *, now: datetime) -> None:
    """Have a member sign on its page: as it is on file, by a colleague who may not, or with a reservation."""
    with reading(env.engine) as conn:
        case_id = conn.execute(select(CaseRow.id).where(CaseRow.ref == ref)).scalar_one()
    found = signing(env, links.MEMBER, token_of(env, links.MEMBER, case_id), now=now)
    assert found.text is not None, f"{ref} has no text to sign"  # noqa: S101  the sample is ours
    name = "Robin Marsh" if then == "wrong" else signatory_of(env, member).name
    reservation = "Clause 4 can bind our own spinning mills only from January on." if then == "reserved" else None
    form = Form(
        language=found.text.language, document_sha256=found.text.sha256, name=name,
        position="Assistant" if then == "wrong" else "Managing director", legal_name=found.member_name, intent=True,
        reservation=reservation, address="192.0.2.17", browser=BROWSER,
    )  # fmt: skip
    sign(env, found, form, now=now)
