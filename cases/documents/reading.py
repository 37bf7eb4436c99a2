"""Reading documents: all of them with their versions, one version with its texts, and a text as it was approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import func, select

from cases.commands import acts_for
from cases.documents.files import MARKDOWN
from cases.documents.tables import DocumentText, SignatureRow
from cases.environment import Environment, world
from cases.errors import BadInput, CaseNotFound
from cases.evidence import Damaged, kept_content
from cases.people import called
from cases.permissions import visible
from cases.rows import day_of, ref_of
from cases.sight import row_seen
from cases.tables import CaseLink, CaseRow
from config.database import Connection, reading, without_nul
from papers.changes import Paragraph, compared
from papers.markdown import to_html
from state_machines.processes.code_document import ASKS_FOR, SUPERSEDES
from state_machines.values import Actor

PROCESS = "code_document"
_MOST = 500
"""So many versions are listed, the newest first."""


class TextChanged(Damaged):
    """The text on the disk is not the one that was approved, so it is not shown. Tell whoever runs the server:"""


@dataclass(frozen=True)
class Text:
    """The text of a version in one language, and where asked for its exact bytes."""

    language: str
    sha256: str
    media_type: str
    name: str
    size: int
    authoritative: bool
    added_at: datetime
    added_by: str
    content: bytes = b""

    @property
    def is_markdown(self) -> bool:
        """Whether it can be shown on a page; a PDF is shown as the file it is."""
        return self.media_type == MARKDOWN

    @property
    def content_type(self) -> str:
        """What a browser is told that it is."""
        return f"{self.media_type}; charset=utf-8" if self.is_markdown else self.media_type

    @property
    def words(self) -> str:
        """The text as characters; empty for a PDF."""
        return self.content.decode("utf-8").removeprefix("\ufeff") if self.is_markdown else ""

    @cached_property
    def html(self) -> str:
        """The text as safe HTML whose headings stand below the page's own; empty for a PDF."""
        return to_html(self.words) if self.is_markdown else ""


@dataclass(frozen=True)
class Line:
    """A version in a list."""

    ref: str
    title: str
    number: str
    state: str
    material: bool
    effective_on: date | None
    languages: Sequence[str]
    authoritative: str
    signatures: int
    process: str = PROCESS
    closed: bool = False


@dataclass(frozen=True)
class Version:
    """One version with everything about it."""

    row: Any
    line: Line
    summary: str
    texts: Sequence[Text]
    written_by: Sequence[str]
    approved_by: Sequence[str]
    before: Line | None
    after: Line | None
    asking: Sequence[Mapping[str, Any]]
    """The campaigns that ask for signatures under it: reference, title, state, process."""

    def text(self, language: str) -> Text:
        """Return the text in a language, by default the one that decides. Raises CaseNotFound."""
        wanted = language or self.line.authoritative
        found = next((text for text in self.texts if text.language == wanted), None)
        if found is None:
            raise CaseNotFound(self.line.ref)
        return found


def documents(env: Environment, *, actor: Actor, now: datetime | None = None) -> dict[str, list[Line]]:
    """Return the versions the actor may see by title, the newest version first."""
    with reading(env.engine) as conn:
        mine = visible(actor, acts_for(actor, world(conn, env, now)))
        found: dict[str, list[Line]] = {}
        for line in _lines(conn, CaseRow.process == PROCESS, mine):
            found.setdefault(line.title, []).append(line)
        return found


def _lines(conn: Connection, *where: Any) -> list[Line]:
    signed = select(func.count()).where(SignatureRow.document_id == CaseRow.id).scalar_subquery()
    rows = conn.execute(
        select(CaseRow.id, CaseRow.ref, CaseRow.state, CaseRow.data, CaseRow.closed_at, signed.label("signed"))
        .where(*where).order_by(CaseRow.id.desc()).limit(_MOST)
    )  # fmt: skip
    return [_line(row) for row in rows]


def _line(row: Any) -> Line:
    data = row.data
    return Line(
        row.ref, str(data.get("title", "")), str(data.get("number", "")), row.state, bool(data.get("material", True)),
        day_of(data.get("effective_on")), sorted(data.get("languages", {})), str(data.get("authoritative", "")),
        int(row.signed), closed=row.closed_at is not None,
    )  # fmt: skip


def version(env: Environment, ref: str, *, actor: Actor, now: datetime | None = None) -> Version:
    """Return one version. Raises CaseNotFound, or BadInput for a case that is no document."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        row = _document(conn, ref, actor, here)
        linked = _linked(conn, row.id)
        refs = {row.ref, *(each.ref for each in linked if each.type == SUPERSEDES)}
        lines = {line.ref: line for line in _lines(conn, CaseRow.ref.in_(sorted(refs)))}
        mine = visible(actor, acts_for(actor, here))
        asking = conn.execute(
            select(CaseRow.ref, CaseRow.subject.label("title"), CaseRow.state, CaseRow.process, CaseRow.closed_at)
            .where(CaseRow.id.in_([each.id for each in linked if each.type == ASKS_FOR]), mine)
            .order_by(CaseRow.id.desc())
        ).all()  # fmt: skip

        def names(*triggers: str) -> list[str]:
            people = [person for trigger in triggers for person in row.people.get(trigger, ())]
            return [called(person, here.staffing) for person in dict.fromkeys(people)]

        return Version(
            row, lines[row.ref], str(row.data.get("summary", "")), texts_of(conn, row.id),
            names("open", "change_text", "describe"), names("approve"), _neighbour(linked, lines, "before"),
            _neighbour(linked, lines, "after"), [dict(each._mapping) for each in asking],
        )  # fmt: skip


def _document(conn: Connection, ref: str, actor: Actor, here: Any) -> Any:
    row = row_seen(conn, ref, actor, here)
    if row.process != PROCESS:
        raise BadInput(f"{row.ref} is no document; references of documents begin with CD.")
    return row


def _linked(conn: Connection, case_id: int) -> list[Any]:
    """The versions before and after, and the campaigns: id, reference, type of link, and on which side they stand."""
    before = select(CaseRow.id, CaseRow.ref, CaseRow.state, CaseLink.type, CaseLink.to_id.label("to")).join(
        CaseLink, CaseLink.to_id == CaseRow.id
    )
    after = select(CaseRow.id, CaseRow.ref, CaseRow.state, CaseLink.type, CaseLink.to_id.label("to")).join(
        CaseLink, CaseLink.from_id == CaseRow.id
    )
    kinds = CaseLink.type.in_((SUPERSEDES, ASKS_FOR))
    both = before.where(CaseLink.from_id == case_id, kinds).union(after.where(CaseLink.to_id == case_id, kinds))
    return list(conn.execute(both))


def _neighbour(linked: Sequence[Any], lines: Mapping[str, Line], side: str) -> Line | None:
    """The version before this one, or the one that takes its place; one that was withdrawn only where no other does."""
    found = [each for each in linked if each.type == SUPERSEDES and (each.to == each.id) == (side == "before")]
    found.sort(key=lambda each: (each.state == "withdrawn", -each.id))
    return lines.get(found[0].ref) if found else None


def texts_of(conn: Connection, case_id: int) -> list[Text]:
    """Return the texts of a version without their bytes, the one that decides first."""
    rows = conn.execute(
        select(DocumentText.__table__).where(DocumentText.case_id == case_id)
        .order_by(DocumentText.authoritative.desc(), DocumentText.language)
    )  # fmt: skip
    return [
        Text(r.language, r.sha256, r.media_type, r.name, r.size, r.authoritative, r.added_at, r.added_by) for r in rows
    ]


def with_content(env: Environment, text: Text) -> Text:
    """Return a text with its bytes. Raises TextChanged when they are not what was stored."""
    try:
        content = kept_content(env.settings.evidence, text.sha256, text.name)
    except Damaged:
        raise TextChanged(text.name) from None
    return Text(
        text.language, text.sha256, text.media_type, text.name, text.size, text.authoritative, text.added_at,
        text.added_by, content,
    )  # fmt: skip


def read_text(env: Environment, ref: str, language: str = "", *, actor: Actor, now: datetime | None = None) -> Text:
    """Return the text of a version with its bytes, by default in the language that decides.

    Raises CaseNotFound, or TextChanged when the bytes on the disk are not those that were stored.
    """
    return with_content(env, version(env, ref, actor=actor, now=now).text(without_nul(language.strip())))


def changes(env: Environment, found: Version, language: str, *, actor: Actor) -> list[Paragraph] | None:
    """Return what changed since the version before, in a language; None where the two cannot be compared."""
    if found.before is None:
        return None
    earlier = version(env, found.before.ref, actor=actor)
    pair = [next((t for t in each.texts if t.language == language), None) for each in (earlier, found)]
    old, new = pair
    if old is None or new is None or not (old.is_markdown and new.is_markdown):
        return None
    return compared(with_content(env, old).words, with_content(env, new).words)


def find(conn: Connection, ref: str) -> Any:
    """Return the row of a document by its reference, or None; for callers who have asked who may see it."""
    return conn.execute(
        select(CaseRow.id, CaseRow.ref, CaseRow.state, CaseRow.data)
        .where(CaseRow.ref == ref_of(ref), CaseRow.process == PROCESS)
    ).one_or_none()  # fmt: skip
