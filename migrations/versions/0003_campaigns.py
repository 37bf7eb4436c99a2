"""What campaigns that reach everybody need: documents and signatures, the inbox, rehearsals, calendar feeds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from config.database import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _inbox()
    _documents()
    _rehearsals()
    _calendar_feeds()


def _inbox() -> None:
    """What comes back by mail."""
    op.create_table(
        "inbox_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("from_email", sa.Text(), nullable=True),
        sa.Column("from_name", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body_text", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=True),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("perhaps_case_id", sa.BigInteger(), nullable=True),
        sa.Column("event_seq", sa.Integer(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("matched_by", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("retry_at", UtcDateTime(), nullable=True),
        sa.Column("handled_at", UtcDateTime(), nullable=True),
        sa.Column("handled_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('matched', 'unmatched', 'ignored', 'kept')", name=op.f("ck_inbox_messages_known_state")
        ),
        sa.CheckConstraint(
            "state <> 'matched' OR case_id IS NOT NULL", name=op.f("ck_inbox_messages_matched_to_a_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_messages")),
        sa.UniqueConstraint("sha256", name=op.f("uq_inbox_messages_sha256")),
    )
    for name, columns, where in (
        ("state", ["state", "id"], None),
        ("case", ["case_id", "id"], "case_id IS NOT NULL"),
        ("message_id", ["message_id"], "message_id IS NOT NULL"),
        ("retry", ["retry_at"], "retry_at IS NOT NULL"),
        ("outbox", ["outbox_id"], "outbox_id IS NOT NULL"),
        ("kind", ["kind", "received_at"], None),
    ):
        condition = sa.text(where) if where else None
        op.create_index(f"ix_inbox_messages_{name}", "inbox_messages", columns, postgresql_where=condition)
    address: sa.ColumnElement[str] = sa.literal_column("lower(from_email)")
    op.create_index("ix_inbox_messages_sender", "inbox_messages", ["case_id", address, "received_at"])
    op.create_table(
        "inbox_sources",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=True),
        sa.Column("last_uid", sa.BigInteger(), nullable=True),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_inbox_sources")),
    )


def _documents() -> None:
    """Versions of documents, and the signatures under them."""
    op.create_table(
        "document_versions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("authoritative", sa.Boolean(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_document_versions_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_versions")),
        sa.UniqueConstraint("case_id", "language", name=op.f("uq_document_versions_case_id_language")),
    )
    op.create_index("ix_document_versions_sha256", "document_versions", ["sha256"])
    op.create_table(
        "signatures",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("viewed_at", UtcDateTime(), nullable=True),
        sa.Column("signed_at", UtcDateTime(), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("with_reservation", sa.Boolean(), nullable=False),
        sa.Column("role_fits", sa.Boolean(), nullable=False),
        sa.Column("domain_fits", sa.Boolean(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("signer", postgresql.JSONB(), nullable=True),
        sa.Column("receipt_number", sa.Text(), nullable=False),
        sa.Column("receipt_sha256", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_signatures_case_id_cases")),
        sa.ForeignKeyConstraint(["document_id"], ["cases.id"], name=op.f("fk_signatures_document_id_cases")),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_signatures")),
        sa.UniqueConstraint("receipt_sha256", name=op.f("uq_signatures_receipt_sha256")),
    )
    op.create_index("ix_signatures_document", "signatures", ["document_id", "signed_at"])
    op.create_index("uq_signatures_number", "signatures", [sa.literal_column("upper(receipt_number)")], unique=True)


def _rehearsals() -> None:
    """Rehearsals that were asked for at the desk, and their mails page by page."""
    op.create_table(
        "rehearsals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("touched_at", UtcDateTime(), nullable=False),
        sa.Column("wish", postgresql.JSONB(), nullable=False),
        sa.Column("unseen", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("progress", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("result", postgresql.JSON(), nullable=True),
        sa.Column("pages", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name=op.f("ck_rehearsals_known_state")),
        sa.ForeignKeyConstraint(["campaign_id"], ["cases.id"], name=op.f("fk_rehearsals_campaign_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsals")),
    )
    op.create_index("ix_rehearsals_asked", "rehearsals", ["campaign_id", "asked_by", "id"])
    op.create_index("ix_rehearsals_begun", "rehearsals", ["begun_at"])
    op.create_table(
        "rehearsed_mails",
        sa.Column("rehearsal_id", sa.BigInteger(), nullable=False),
        sa.Column("page", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mails", postgresql.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rehearsal_id"],
            ["rehearsals.id"],
            name=op.f("fk_rehearsed_mails_rehearsal_id_rehearsals"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("rehearsal_id", "page", name=op.f("pk_rehearsed_mails")),
    )


def _calendar_feeds() -> None:
    """Secret addresses under which people read their own days in a calendar program."""
    op.create_table(
        "calendar_feeds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("titles", sa.Boolean(), nullable=False),
        sa.Column("absences", sa.Boolean(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_calendar_feeds_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feeds")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_calendar_feeds_token_sha256")),
    )
    op.create_index(op.f("ix_calendar_feeds_staff_id"), "calendar_feeds", ["staff_id"])
