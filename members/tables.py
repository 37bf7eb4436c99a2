"""The tables of the register: members, their contacts, the staff, and what changed."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Identity,
    Index,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base

KINDS = ("organisation", "person")
STATUSES = ("prospect", "active", "suspended", "leaving", "left", "terminated", "merged")
CONTACT_ROLES = ("primary", "deputy", "signatory", "executive", "payer", "other")
CONTACT_STATUSES = ("ok", "bounced", "left")
PROPOSAL_STATES = ("open", "accepted", "declined", "withdrawn")
ABSENCE_REASONS = ("holiday", "sickness", "training", "other")


def _one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"known_{column}")


class Member(Base):
    """An organisation or a person in the register."""

    __tablename__ = "members"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    ref: Mapped[str] = mapped_column(
        Text,
        Computed("'M-' || lpad(id::text, greatest(6, length(id::text)), '0')", persisted=True),
        unique=True,
    )
    external_ref: Mapped[str | None] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text, server_default="organisation")
    name: Mapped[str]
    name_key: Mapped[str]
    status: Mapped[str] = mapped_column(Text, server_default="active")
    tier: Mapped[str | None]
    category: Mapped[str | None]
    country: Mapped[str | None]
    region: Mapped[str | None]
    site: Mapped[str | None]
    team: Mapped[str | None]
    website: Mapped[str | None]
    language: Mapped[str] = mapped_column(Text, server_default="en")
    joined_on: Mapped[date | None]
    left_on: Mapped[date | None]
    flags: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    merged_into: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("members.id"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        _one_of("kind", KINDS),
        _one_of("status", STATUSES),
        CheckConstraint("(status = 'merged') = (merged_into IS NOT NULL)", name="merged_says_into_whom"),
        Index("ix_members_name_key", "name_key", postgresql_ops={"name_key": "text_pattern_ops"}),
        Index("ix_members_listed", "name_key", "id"),
        Index("ix_members_words", func.to_tsvector(text("'simple'"), text("name_key")), postgresql_using="gin"),
        Index("ix_members_status_team", "status", "team"),
        Index("ix_members_team", "team"),
        Index("ix_members_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    )


class Contact(Base):
    """A person or mailbox of a member; lower positions are written to first."""

    __tablename__ = "contacts"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(Text, server_default="")
    email: Mapped[str | None]
    phone: Mapped[str | None]
    role: Mapped[str] = mapped_column(Text, server_default="other")
    language: Mapped[str | None]
    status: Mapped[str] = mapped_column(Text, server_default="ok")
    bounced_at: Mapped[datetime | None]
    bounce_reason: Mapped[str | None]

    __table_args__ = (
        _one_of("role", CONTACT_ROLES),
        _one_of("status", CONTACT_STATUSES),
        Index("uq_contacts_member_id_email", "member_id", func.lower(text("email")), unique=True),
        Index("ix_contacts_lower_email", func.lower(text("email"))),
        Index("ix_contacts_member_id_position", "member_id", "position"),
    )


class Staff(Base):
    """Someone who works with Muster; ``staff:<id>`` in the record."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    team: Mapped[str | None]
    manager_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("staff.id"))
    status: Mapped[str] = mapped_column(Text, server_default="active")
    left_on: Mapped[date | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        _one_of("status", ("active", "left")),
        CheckConstraint("cardinality(roles) > 0", name="has_a_role"),
        Index("uq_staff_email", func.lower(text("email")), unique=True),
    )


class Team(Base):
    """A team, and the rules that say which members are its own."""

    __tablename__ = "teams"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    covers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    """Rules such as ``{"region": ["North"], "tier": ["Premier"]}``: all keys of one rule must hold."""
    lead_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("staff.id"))


class Absence(Base):
    """Days, first and last included, on which someone is away, and who stands in."""

    __tablename__ = "absences"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    staff_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), index=True)
    from_date: Mapped[date]
    until_date: Mapped[date]
    deputy_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("staff.id"))
    reason: Mapped[str | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("from_date <= until_date", name="begins_before_it_ends"),
        CheckConstraint("deputy_id IS NULL OR deputy_id <> staff_id", name="deputy_is_someone_else"),
        _one_of("reason", ABSENCE_REASONS),
    )


class ConflictOfInterest(Base):
    """A member whom someone on the staff must not judge."""

    __tablename__ = "conflicts_of_interest"

    staff_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), primary_key=True)
    declared_on: Mapped[date]
    note: Mapped[str] = mapped_column(Text, server_default="")

    __table_args__ = (Index("ix_conflicts_of_interest_member_id", "member_id"),)


class StaffVersion(Base):
    """One row with a value that is another after every change of the staff, absences, teams and conflicts of interest.

    Triggers see to that. It is random and no number: a transaction rolled back and a backup restored never share one
    with something else, so whoever knows the staff of a version knows them for good.
    """

    __tablename__ = "staff_version"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    version: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"))


class ChangeLog(Base):
    """What changed on a member: ``{"tier": ["General", "Premier"]}``, before and after."""

    __tablename__ = "member_changes"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"))
    at: Mapped[datetime]
    actor: Mapped[str]
    source: Mapped[str]
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (Index("ix_member_changes_member_id_at", "member_id", "at"),)


class MemberProposal(Base):
    """A change of a member that somebody asks for, and what was decided about it."""

    __tablename__ = "member_proposals"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"))
    proposed_by: Mapped[str]
    """Who asks: ``member:17``, ``contact:5``, ``staff:3``."""
    at: Mapped[datetime]
    source: Mapped[str]
    """The page or case it came from."""
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Before and after by field, what is to be done to contacts, and a note; see ``members/proposals.py``."""
    status: Mapped[str] = mapped_column(Text, server_default="open")
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]

    __table_args__ = (
        _one_of("status", PROPOSAL_STATES),
        CheckConstraint("(status = 'open') = (decided_at IS NULL)", name="decided_when"),
        Index("ix_member_proposals_member_id", "member_id", "id"),
        Index("ix_member_proposals_open", "id", postgresql_where=text("status = 'open'")),
    )


class StaffChange(Base):
    """What changed about a member of staff or a team, before and after, and by whom: ``{"roles": [[…], […]]}``."""

    __tablename__ = "staff_changes"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    staff_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("staff.id"))
    """Whom it is about; none where it is about a team, which ``team`` among the changes names."""
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (Index("ix_staff_changes_staff_id", "staff_id", "id"),)


NEW_VERSION = """
INSERT INTO staff_version (id) VALUES (1);
CREATE FUNCTION new_staff_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE staff_version SET version = gen_random_uuid();
  RETURN NULL;
END $$;
CREATE TRIGGER staff_new_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON staff
  FOR EACH STATEMENT EXECUTE FUNCTION new_staff_version();
CREATE TRIGGER absences_new_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON absences
  FOR EACH STATEMENT EXECUTE FUNCTION new_staff_version();
CREATE TRIGGER teams_new_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON teams
  FOR EACH STATEMENT EXECUTE FUNCTION new_staff_version();
CREATE TRIGGER conflicts_new_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON conflicts_of_interest
  FOR EACH STATEMENT EXECUTE FUNCTION new_staff_version();
"""
"""What makes a new version with every change of the staff, whoever makes it; part of the second migration."""
