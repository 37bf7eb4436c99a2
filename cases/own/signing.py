"""What a member is asked to sign, as its personal page shows it: the text as it is kept, and what was signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cases.documents import reading as documents
from cases.documents import signatures
from cases.documents.reading import Text
from cases.documents.signatures import Given
from cases.environment import Environment
from cases.errors import CaseNotFound
from cases.own.pages import Holder, opened
from cases.tables import CaseRow
from config.database import Connection, reading
from notifications.links import LinkExpired
from state_machines.registry import process_named
from state_machines.values import Case, Role

PROCESS = "signature"


@dataclass(frozen=True)
class Signing:
    """What the holder of a link is asked to sign, as they see it."""

    holder: Holder
    document: Any
    """The row of the document, or None where it is not there any more."""
    texts: Sequence[Text]
    text: Text | None
    """In the language that is shown, with its bytes."""
    triggers: frozenset[str]
    given: Given | None
    """The newest signature."""
    successor: Any
    """The row of the version that took the place of the one asked for, or None."""
    asked_anew: bool
    """Whether the member is asked for a later version by another link, and has not signed it yet."""
    seen: int

    def may(self, trigger: str) -> bool:
        """Whether the process lets the holder do this now."""
        return trigger in self.triggers

    @property
    def member_name(self) -> str:
        """For whom it is signed."""
        return str(self.holder.row.member_name or "")

    @property
    def title(self) -> str:
        """What the document is called."""
        return str(self.holder.case.data.get("document_title", ""))

    @property
    def number(self) -> str:
        """The number of its version."""
        return str(self.holder.case.data.get("document_number", ""))

    @property
    def authoritative(self) -> str:
        """The language whose text decides."""
        return str(self.holder.case.data.get("authoritative", ""))

    @property
    def summary(self) -> str:
        """What has changed, in members' words."""
        return str((self.document.data if self.document is not None else {}).get("summary", ""))


def signing(env: Environment, purpose: str, token: str, language: str = "", *, now: datetime) -> Signing:
    """Return what the holder of a link is asked to sign, in a language that there is.

    Raises LinkForged or LinkExpired, also for a link to something else, and TextChanged where the text on the disk is
    not the one that was approved.
    """
    with reading(env.engine) as conn:
        holder = opened(conn, env, purpose, token, now=now)
        if holder.case.process != PROCESS or holder.purpose != "member":
            raise LinkExpired
        document = documents.find(conn, str(holder.case.data.get("document", "")))
        texts = asked_for(conn, holder.case, document)
        given = signatures.newest(conn, env, holder.case.id)
        after = document.data.get("superseded_by") if document is not None else None
        successor = documents.find(conn, str(after)) if after else None
        later = open_request(conn, holder.case) if holder.case.state == "superseded" else None
    signed = given.signed.language if given is not None and holder.case.data.get("signed_sha256") else ""
    chosen = _chosen(texts, language or signed, holder)
    shown = documents.with_content(env, chosen) if chosen is not None else None
    found = process_named(PROCESS).from_state[holder.case.state]
    triggers = frozenset(t.trigger for t in found if Role.MEMBER in t.by)
    return Signing(holder, document, texts, shown, triggers, given, successor, later is not None, holder.row.last_seq)


def asked_for(conn: Connection, case: Case, document: Any) -> list[Text]:
    """Return the texts that the member is asked to sign; they are those of the version, or none are shown."""
    if document is None:
        return []
    asked: Mapping[str, str] = case.data.get("document_languages") or {}
    return [text for text in documents.texts_of(conn, document.id) if asked.get(text.language) == text.sha256]


def _chosen(texts: Sequence[Text], language: str, holder: Holder) -> Text | None:
    """The text in the language that was asked for, or the one the member is written to in, or the one that decides."""
    by_language = {text.language: text for text in texts}
    spoken = holder.language
    for wanted in (language, spoken, spoken.partition("-")[0], str(holder.case.data.get("authoritative", ""))):
        if wanted in by_language:
            return by_language[wanted]
    return texts[0] if texts else None


def text_file(found: Signing, language: str) -> Text:
    """Return the text that was asked for by its language. Raises CaseNotFound."""
    if found.text is None or found.text.language != language:
        raise CaseNotFound(found.holder.ref)
    return found.text


def consent(found: Signing, *, reserved: bool = False) -> str:
    """Return the sentence that whoever signs agrees to; it is kept with the signature, word for word."""
    means = "with the reservation that I state here" if reserved else "without any reservation"
    return (
        f"I have read “{found.title}”, version {found.number}. I may sign for {found.member_name}, I agree to the text "
        f"on its behalf {means}, and I mean this as its signature."
    )


def open_request(conn: Connection, case: Case) -> int | None:
    """Return the request that waits for a signature: this one, or what its campaign asks for instead of it."""
    mine = (CaseRow.member_id == case.member_id, CaseRow.process == PROCESS, CaseRow.closed_at.is_(None))
    later = (CaseRow.id > case.id) & CaseRow.parent_id.is_not_distinct_from(case.parent_id)
    found = select(CaseRow.id).where(*mine, (CaseRow.id == case.id) | later).order_by(CaseRow.id.desc()).limit(1)
    return conn.execute(found).scalar_one_or_none()
