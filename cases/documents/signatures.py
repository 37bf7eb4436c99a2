"""The evidence of signatures: written once with the signature itself, read again, and verified."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, insert, select, update

from cases.commands import acts_for
from cases.documents.receipt import Signed, printed
from cases.documents.tables import SignatureRow
from cases.environment import Environment, World, world
from cases.errors import CaseNotFound
from cases.evidence import keep_content, kept_content
from cases.permissions import may_see
from cases.rows import personal_digest
from cases.tables import PERSONAL_PART, CaseEvent, CaseRow, EventPersonal, EvidenceFile
from config.database import Connection, reading, without_nul
from members.tables import Member
from state_machines.values import Actor

MEDIA_TYPE = "application/pdf"
_LARGEST = 4 * 1024 * 1024
_BY = "system:receipt"


@dataclass(frozen=True)
class Evidence:
    """What is written about a signature besides its event."""

    case_id: int
    seq: int
    ref: str
    document: Any
    """The row of the document."""
    payload: Mapping[str, Any]
    """What the signature's form held."""
    email: str
    reservation: str
    sent_at: datetime | None
    viewed_at: datetime | None


def write(conn: Connection, evidence: Evidence, here: World) -> str:
    """Write the evidence of a signature and its receipt, inside the caller's transaction; return the receipt's number.

    Raises NoRoom where the receipt cannot be stored; the signature is then not given either.
    """
    said, number = evidence.payload, f"{evidence.ref}-R{evidence.seq}"
    signer = {
        "name": said["name"], "position": said["position"], "email": evidence.email, "address": said["address"],
        "browser": said["browser"], "reservation": evidence.reservation,
    }  # fmt: skip
    conn.execute(insert(SignatureRow).values(
        case_id=evidence.case_id, seq=evidence.seq, document_id=evidence.document.id,
        document_sha256=said["document_sha256"], language=said["language"], sent_at=evidence.sent_at,
        viewed_at=evidence.viewed_at, signed_at=here.now, legal_name=said["legal_name"], method=said["method"],
        consent=said["consent"], with_reservation=bool(evidence.reservation), role_fits=said["role_fits"],
        domain_fits=said["domain_fits"], contact_id=said.get("contact_id"), signer=signer, receipt_number=number,
    ))  # fmt: skip
    _keep_receipt(conn, evidence, here)
    return number


def _keep_receipt(conn: Connection, evidence: Evidence, here: World) -> None:
    mine = (SignatureRow.case_id == evidence.case_id) & (SignatureRow.seq == evidence.seq)
    signed = _signed(_rows(conn, mine)[0], here.env)
    content = printed(signed, here.env.settings.zone)
    digest, size = keep_content(here.env.settings.evidence, content, _LARGEST, lambda path: None)
    conn.execute(insert(EvidenceFile).values(
        case_id=evidence.case_id, sha256=digest, name=file_name(signed.number), media_type=MEDIA_TYPE, size=size,
        added_at=here.now, added_by=_BY,
    ))  # fmt: skip
    conn.execute(update(SignatureRow).where(mine).values(receipt_sha256=digest))


def file_name(number: str) -> str:
    """Return what the file of a receipt is called."""
    return f"receipt-{number}.pdf"


def _rows(conn: Connection, *where: ColumnElement[bool]) -> list[Any]:
    """Signatures with their case, member and document, the newest first."""
    document = CaseRow.__table__.alias("document")
    return list(conn.execute(
        select(
            *SignatureRow.__table__.c, CaseRow.ref, CaseRow.state, CaseRow.closed_at, CaseRow.team, CaseRow.owner_id,
            CaseRow.restricted_to, CaseRow.walled_off, CaseRow.member_id, Member.name.label("member"),
            Member.ref.label("member_ref"), document.c.ref.label("document_ref"), document.c.data.label("document"),
        )
        .join(CaseRow, CaseRow.id == SignatureRow.case_id)
        .join(document, document.c.id == SignatureRow.document_id)
        .outerjoin(Member, Member.id == CaseRow.member_id)
        .where(*where).order_by(SignatureRow.signed_at.desc(), SignatureRow.case_id.desc(), SignatureRow.seq.desc())
    ))  # fmt: skip


def _signed(row: Any, env: Environment) -> Signed:
    signer, document = row.signer or {}, row.document
    return Signed(
        row.receipt_number, row.ref, env.policy.organisation.name, row.member or "", row.member_ref or "",
        row.document_ref, str(document.get("title", "")), str(document.get("number", "")), row.document_sha256,
        row.language, str(document.get("authoritative", "")), row.sent_at, row.viewed_at, row.signed_at,
        row.legal_name, signer.get("name", ""), signer.get("position", ""), signer.get("email", ""), row.method,
        signer.get("address", ""), signer.get("browser", ""), row.consent, signer.get("reservation", ""),
    )  # fmt: skip


@dataclass(frozen=True)
class Given:
    """A signature that was given: all that its receipt says, and where that receipt is."""

    signed: Signed
    case_id: int
    seq: int
    state: str
    receipt_sha256: str
    reserved: bool
    erased: bool
    """Whether what named the signer has been erased since."""


def _given(row: Any, env: Environment) -> Given:
    return Given(
        _signed(row, env), row.case_id, row.seq, row.state, row.receipt_sha256 or "", row.with_reservation,
        row.signer is None,
    )  # fmt: skip


def newest(conn: Connection, env: Environment, case_id: int) -> Given | None:
    """Return the newest signature on a case, or None."""
    rows = _rows(conn, SignatureRow.case_id == case_id)
    return _given(rows[0], env) if rows else None


def receipt(env: Environment, given: Given) -> bytes:
    """Return the bytes of a receipt. Raises CaseNotFound, or Damaged when they are not what was stored."""
    if not given.receipt_sha256:
        raise CaseNotFound(given.signed.ref)
    return kept_content(env.settings.evidence, given.receipt_sha256, file_name(given.signed.number))


# --- verifying


@dataclass(frozen=True)
class Verdict:
    """Whether something is a receipt of ours, in a sentence, and what it says where the reader may see that."""

    genuine: bool
    sentence: str
    given: Given | None = None


def verify_file(env: Environment, content: bytes, *, actor: Actor, now: datetime | None = None) -> Verdict:
    """Say of a file whether it is a receipt that was issued here, unchanged."""
    digest = hashlib.sha256(content).hexdigest()
    found = _verdict(env, SignatureRow.receipt_sha256 == digest, actor, now)
    return found or Verdict(
        False, "This file is not a receipt that was issued here, or it has been changed since. Verify it by its number."
    )


def verify_number(env: Environment, number: str, *, actor: Actor, now: datetime | None = None) -> Verdict:
    """Say of a number whether a receipt was issued under it; a file with that number need not be that receipt."""
    wanted = without_nul(number.strip().upper())
    found = _verdict(env, func.upper(SignatureRow.receipt_number) == wanted, actor, now)
    return found or Verdict(False, "No receipt was issued under this number.")


def _verdict(env: Environment, which: ColumnElement[bool], actor: Actor, now: datetime | None) -> Verdict | None:
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        rows = _rows(conn, which)
        if not rows:
            return None
        row = rows[0]
        if (wrong := _contradiction(conn, row)) is not None:
            return Verdict(False, wrong)
        if not may_see_signature(actor, row, here):
            return Verdict(True, "This receipt was issued here. What it says is for another team to read.")
        return Verdict(
            True, "This receipt was issued here, and the record of the signature is whole.", _given(row, env)
        )


def may_see_signature(actor: Actor, row: Any, here: World) -> bool:
    """Whether an actor may see the case of a signature."""
    return may_see(actor, row, acts_for(actor, here))


_AS_IN_THE_EVENT = ("document_sha256", "language", "legal_name", "consent", "method", "contact_id")
_AS_BESIDE_IT = ("name", "position", "address", "browser")


def _contradiction(conn: Connection, row: Any) -> str | None:
    """Where the evidence does not say what the event of the signature says, which nobody can have changed."""
    event = conn.execute(
        select(
            CaseEvent.at, CaseEvent.details, CaseEvent.personal_digest, EventPersonal.salt,
            cast(EventPersonal.data, Text).label("text"), EventPersonal.data,
        )
        .outerjoin(EventPersonal, PERSONAL_PART)
        .where(CaseEvent.case_id == row.case_id, CaseEvent.seq == row.seq)
    ).one_or_none()  # fmt: skip
    if event is not None and event.at == row.signed_at and _agrees(event, row):
        return None
    return (
        "A receipt was issued here under this number, but its record does not agree with the history of its case. "
        "Tell whoever runs Muster; muster audit verify says more."
    )


def _agrees(event: Any, row: Any) -> bool:
    said, signer = (event.details or {}).get("payload", {}), row.signer
    if any(said.get(name) != getattr(row, name) for name in _AS_IN_THE_EVENT):
        return False
    if signer is None or event.salt is None:  # erased, in one of the two places or in both
        return True
    whole = personal_digest(event.salt, event.text) == event.personal_digest
    same = all(event.data.get(name, "") == signer.get(name, "") for name in _AS_BESIDE_IT)
    return whole and same and (said.get("reservation") or "") == signer.get("reservation", "")
