"""The table of looks at what is restricted. It is added to; what is too old goes, and nothing else can."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base


class RestrictedView(Base):
    """Somebody looked at something restricted. Instants are by the real clock, also in a sandbox."""

    __tablename__ = "restricted_views"
    __table_args__ = (
        Index("ix_restricted_views_person", "person", "at"),
        Index("ix_restricted_views_case", "case_ref", "id"),
        Index("ix_restricted_views_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    person: Mapped[str]
    """As events name people: ``staff:3``."""
    on_behalf_of: Mapped[str | None]
    what: Mapped[str]
    case_ref: Mapped[str | None]
    """No key of another table: what was looked at is told also when it is gone."""
    name: Mapped[str | None]
    through: Mapped[str]
    """``page``, ``api`` or ``command``."""
    request: Mapped[str]
    """The number of the request, which its answer and the log carry."""


KEPT_YEARS = 3
"""After so long a look is forgotten: long enough for a complaint about it, no longer than its purpose (GDPR art. 5)."""

ONLY_OLD_GO = f"""
CREATE FUNCTION refuse_to_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.at < now() - interval '{KEPT_YEARS} years' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'Who looked is kept as it was written: % on % is refused.', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER restricted_views_kept BEFORE UPDATE OR DELETE ON restricted_views
  FOR EACH ROW EXECUTE FUNCTION refuse_to_forget();
CREATE TRIGGER restricted_views_no_truncate BEFORE TRUNCATE ON restricted_views
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
"""What keeps looks as they were written; part of the fifth migration."""

HOLD_RECORD = """
CREATE FUNCTION hold_record() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  LOCK TABLE public.case_events IN SHARE MODE;
END $$;
REVOKE ALL ON FUNCTION hold_record() FROM PUBLIC;
"""
"""Lets whoever seals the record keep writers out for a moment, without a right to change it."""
