"""What the desk remembers about the people who use it. Instants here are by the real clock, also in a sandbox.

Secrets (sessions, links, API tokens) are kept as their SHA-256 only: a copy of the database opens no door.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from config.database import Base


class WebSession(Base):
    """Somebody is signed in on one browser."""

    __tablename__ = "web_sessions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    staff_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), index=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    address: Mapped[str]
    agent: Mapped[str]


class StaffPassword(Base):
    """The password of a member of staff, as an argon2 hash."""

    __tablename__ = "staff_passwords"

    staff_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), primary_key=True, autoincrement=False)
    hash: Mapped[str]
    changed_at: Mapped[datetime]


class PasswordLink(Base):
    """A link with which somebody may choose a password, once."""

    __tablename__ = "password_links"

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), index=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Attempt(Base):
    """A failed try, such as a wrong password, under a key that is slowed down: an account, an address."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_key_at", "key", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    key: Mapped[str]
    at: Mapped[datetime]


class OidcIdentity(Base):
    """Who somebody is at the OpenID provider."""

    __tablename__ = "oidc_identities"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), index=True)
    bound_at: Mapped[datetime]


class ApiToken(Base):
    """A key for a program that acts as a member of staff, within its scopes."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    staff_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), index=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    made_by: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class CalendarFeed(Base):
    """A secret address under which somebody reads their own days in a calendar program."""

    __tablename__ = "calendar_feeds"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    staff_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), index=True)
    titles: Mapped[bool]
    """Whether it says what cases are about; otherwise it names references only."""
    absences: Mapped[bool]
    """Whether it holds the person's absences."""
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    """What a request with this key was answered, to answer its repetition alike."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_at", "at"),)

    token_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("api_tokens.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[str]
    """Of method, path and body."""
    status: Mapped[int | None]
    """Null while the first request is still at work."""
    headers: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    at: Mapped[datetime]


class Draft(Base):
    """What somebody has typed into a form of a case and not sent yet."""

    __tablename__ = "drafts"

    staff_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), primary_key=True, autoincrement=False)
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"), primary_key=True, autoincrement=False)
    form: Mapped[str] = mapped_column(primary_key=True)
    """The trigger, or ``note``."""
    fields: Mapped[dict[str, Any]] = mapped_column("values", JSONB)
    """What was typed, as it was typed: lists of texts by the names of the fields."""
    version: Mapped[int]
    """Of the case on their screen."""
    at: Mapped[datetime]


class CaseViewer(Base):
    """Who had a case open, and when last."""

    __tablename__ = "case_viewers"

    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"), primary_key=True, autoincrement=False)
    staff_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime]


class SavedView(Base):
    """Filters of a list under a name."""

    __tablename__ = "saved_views"
    __table_args__ = (
        Index(
            "uq_saved_views_owner_name",
            "owner_id",
            func.lower(text("name")),
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("ix_saved_views_shared", "shared", postgresql_where=text("shared")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    owner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"))
    name: Mapped[str]
    page: Mapped[str]
    """``/queue`` or ``/cases``."""
    query: Mapped[str]
    """The filters as they stand in the URL."""
    shared: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    """Kept for a while after it was deleted, for whoever changes their mind."""


class ViewPin(Base):
    """A view that somebody wants beside their queue."""

    __tablename__ = "view_pins"
    __table_args__ = (UniqueConstraint("staff_id", "view_id"),)

    view_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("saved_views.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    staff_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), primary_key=True, autoincrement=False)
    position: Mapped[int]
