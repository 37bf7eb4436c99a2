"""The tables of documents: the texts of each version, and the evidence of each signature."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base


class DocumentText(Base):
    """The text of a version in one language. The exact bytes lie in the evidence store, under their SHA-256."""

    __tablename__ = "document_versions"
    __table_args__ = (UniqueConstraint("case_id", "language"), Index("ix_document_versions_sha256", "sha256"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    language: Mapped[str]
    sha256: Mapped[str]
    media_type: Mapped[str]
    name: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    authoritative: Mapped[bool]
    added_at: Mapped[datetime]
    added_by: Mapped[str]


class SignatureRow(Base):
    """The evidence of one signature. What names a person stands in ``signer`` alone, and can be erased there."""

    __tablename__ = "signatures"
    __table_args__ = (
        Index("ix_signatures_document", "document_id", "signed_at"),
        Index("uq_signatures_number", text("upper(receipt_number)"), unique=True),
    )

    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    """The event that the signature is."""
    document_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    document_sha256: Mapped[str]
    language: Mapped[str]
    sent_at: Mapped[datetime | None]
    viewed_at: Mapped[datetime | None]
    signed_at: Mapped[datetime]
    legal_name: Mapped[str]
    method: Mapped[str]
    consent: Mapped[str]
    with_reservation: Mapped[bool]
    role_fits: Mapped[bool]
    domain_fits: Mapped[bool]
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    signer: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """``name``, ``position``, ``email``, ``address``, ``browser`` and ``reservation``; null once erased."""
    receipt_number: Mapped[str]
    receipt_sha256: Mapped[str | None] = mapped_column(unique=True)
    """Of the PDF in the evidence store; null where it has not been made."""
