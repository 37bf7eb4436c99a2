"""The tables of the record: cases, their append-only events, links, tasks, evidence, answers, and the sweeps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from config.database import Base

_EMPTY = text("'{}'::jsonb")


class CaseRow(Base):
    """A case as it stands now. Everything here can be rebuilt from its events."""

    __tablename__ = "cases"
    __table_args__ = (
        # Every list of the desk is read from an index in the order in which it is shown: see cases/lists/worklist.py.
        UniqueConstraint("process", "external_ref"),
        Index("ix_cases_due", "due_at", "id", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_cases_queue", "owner_id", "deadline_at", "id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_cases_open", "deadline_at", "id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_cases_team_open", "team", "deadline_at", "id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_cases_team_state", "team", "process", "state", "deadline_at", "id"),
        Index("ix_cases_closed", "closed_at", "id", postgresql_where=text("closed_at IS NOT NULL")),
        Index("ix_cases_team_closed", "team", "closed_at", "id", postgresql_where=text("closed_at IS NOT NULL")),
        Index("ix_cases_owner_closed", "owner_id", "closed_at", "id", postgresql_where=text("closed_at IS NOT NULL")),
        Index("ix_cases_received", "received_at", "id"),
        Index(
            "ix_cases_guarded", "owner_id", "id", postgresql_where=text(
                "restricted_to IS NOT NULL OR walled_off IS NOT NULL"),
        ),
        Index("ix_cases_on_hold", "deadline_at", "id", postgresql_where=text("on_hold")),
        Index("ix_cases_parked", "deadline_at", "id", postgresql_where=text("parked_at IS NOT NULL")),
        Index("ix_cases_process_state", "process", "state", "deadline_at", "id"),
        Index("ix_cases_parent_state", "parent_id", "state", postgresql_where=text("parent_id IS NOT NULL")),
        Index("ix_cases_member", "member_id", "process"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    ref: Mapped[str] = mapped_column(unique=True)
    process: Mapped[str]
    process_version: Mapped[int]
    state: Mapped[str]
    version: Mapped[int]
    member_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("members.id"))
    team: Mapped[str | None]
    owner_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("staff.id"))
    owner_role: Mapped[str]
    coordinator_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("staff.id"))
    subject: Mapped[str]
    external_ref: Mapped[str | None]
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("cases.id"))
    restricted_to: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    """Staff who alone may see it; null: everybody whom the rules allow."""
    walled_off: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    """Staff who may never see it, because it is about them."""
    on_hold: Mapped[bool] = mapped_column(default=False)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=_EMPTY)
    parties: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=_EMPTY)
    clocks: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=_EMPTY)
    counts: Mapped[dict[str, int]] = mapped_column(JSONB, server_default=_EMPTY)
    people: Mapped[dict[str, list[str]]] = mapped_column(JSONB, server_default=_EMPTY)
    received_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    entered_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    due_at: Mapped[datetime | None]
    """When the sweep must look at it again."""
    deadline_at: Mapped[datetime | None]
    """The soonest instant a clock is due, for people."""
    parked_at: Mapped[datetime | None]
    parked_why: Mapped[str | None]
    last_seq: Mapped[int]
    last_hash: Mapped[str]


class CaseEvent(Base):
    """One thing that happened to a case. The database refuses to change or delete it."""

    __tablename__ = "case_events"
    __table_args__ = (UniqueConstraint("case_id", "seq"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    seq: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str]
    role: Mapped[str]
    on_behalf_of: Mapped[str | None]
    kind: Mapped[str]
    trigger: Mapped[str]
    source: Mapped[str | None]
    target: Mapped[str]
    occurrence: Mapped[str | None] = mapped_column(unique=True)
    """Case, clock, anchor and rung: a rung fires once, whoever sweeps."""
    process_version: Mapped[int]
    policy_version: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    personal_digest: Mapped[str | None]
    prev_hash: Mapped[str]
    hash: Mapped[str]


class EventPersonal(Base):
    """Personal data of an event, kept beside it: erasing it leaves the chain valid."""

    __tablename__ = "event_personal"

    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    salt: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


PERSONAL_PART = (EventPersonal.case_id == CaseEvent.case_id) & (EventPersonal.seq == CaseEvent.seq)
"""The condition that ties an event to what of it is personal."""


class CaseWords(Base):
    """The words by which a case is found: its subject (``seq`` 0) and its notes, folded as names are.

    Kept apart from ``cases``: an index of words there would be written anew with every move of a clock. The words of a
    note go when its personal part goes; the database sees to that.
    """

    __tablename__ = "case_words"
    __table_args__ = (
        Index("ix_case_words", func.to_tsvector(text("'simple'"), text("words")), postgresql_using="gin"),
    )

    case_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    words: Mapped[str]


class CaseLink(Base):
    """How one case has to do with another."""

    __tablename__ = "case_links"

    from_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"), primary_key=True)
    to_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"), primary_key=True, index=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]


class CaseTask(Base):
    """Something a person must do by hand for a case, such as a phone call."""

    __tablename__ = "case_tasks"
    __table_args__ = (Index("ix_case_tasks_open", "case_id", "kind", postgresql_where=text("closed_at IS NULL")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    kind: Mapped[str]
    title: Mapped[str]
    role: Mapped[str]
    due_at: Mapped[datetime]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]


class EvidenceFile(Base):
    """A file that supports a case. Its content lies under its SHA-256, so a changed file is another file."""

    __tablename__ = "evidence_files"
    __table_args__ = (UniqueConstraint("case_id", "sha256"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    sha256: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[datetime]
    added_by: Mapped[str]


class ResponseAnswers(Base):
    """One revision of a member's answers. A revision is never changed; an edit is the next one."""

    __tablename__ = "response_answers"

    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    submitted: Mapped[bool]
    imputed: Mapped[bool] = mapped_column(default=False)
    questionnaire: Mapped[str]
    questionnaire_version: Mapped[int]
    fingerprint: Mapped[str]
    respondent: Mapped[dict[str, Any]] = mapped_column(JSONB)
    answers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    flags: Mapped[list[Any]] = mapped_column(JSONB)
    score: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    texts: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Fingerprints of the long texts, to notice the same words from two members."""


class ResponseDraft(Base):
    """What a member has typed into the survey and not submitted, the hidden questions' answers too."""

    __tablename__ = "response_drafts"

    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"), primary_key=True, autoincrement=False)
    revision: Mapped[int]
    """The newest revision of the answers when it was saved."""
    at: Mapped[datetime]
    respondent: Mapped[dict[str, Any]] = mapped_column(JSONB)
    answers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """``answers``, ``evidence`` and ``comments`` by question."""


class QuestionnaireRow(Base):
    """A questionnaire as it was when a campaign was planned with it; it is never changed."""

    __tablename__ = "questionnaires"

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)
    kept_at: Mapped[datetime]


class CampaignMember(Base):
    """The frozen population of a campaign: who is in it, and of everybody else why not."""

    __tablename__ = "campaign_members"

    campaign_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), primary_key=True)
    included: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)


class Sweep(Base):
    """One run of the sweep; the newest row is the heartbeat."""

    __tablename__ = "sweeps"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]
    now: Mapped[datetime]
    """The instant of the organisation's clock it worked for."""
    due: Mapped[int]
    fired: Mapped[int]
    parked: Mapped[int]
    batches: Mapped[int]
    oldest_due_at: Mapped[datetime | None]
    milliseconds: Mapped[int]
    worker: Mapped[str | None]
    """Machine and process that did it, ``host:pid``."""


class JobRun(Base):
    """The ledger of daily and weekly work: a job is done once for its period, whoever starts it."""

    __tablename__ = "job_runs"

    job: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=1)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The audit trail is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER case_events_append_only BEFORE UPDATE OR DELETE ON case_events
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER case_events_no_truncate BEFORE TRUNCATE ON case_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
"""What keeps events as they were written; part of the first migration."""

FORGET_WORDS = """
CREATE FUNCTION forget_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM case_words WHERE case_id = OLD.case_id AND seq = OLD.seq;
  RETURN NULL;
END $$;
CREATE TRIGGER event_personal_forget_words AFTER UPDATE OR DELETE ON event_personal
  FOR EACH ROW EXECUTE FUNCTION forget_words();
"""
"""What is erased is not found any more; part of the second migration."""

# Rooms with tables of their own: whoever knows the tables of the record knows these as well.
from cases.breaker import tables as tables_of_breaker  # noqa: E402, F401
from cases.documents import tables as tables_of_documents  # noqa: E402, F401
from cases.looking import tables as tables_of_looks  # noqa: E402, F401
from cases.rehearsing import tables as tables_of_rehearsals  # noqa: E402, F401
