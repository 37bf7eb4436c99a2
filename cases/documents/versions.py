"""Bringing out a version of a document: begun with its texts, which change only while it is a draft."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from cases import opening, store
from cases.commands import fired, lock_seen, typed, unhindered
from cases.documents.files import Given, Kept, keep
from cases.documents.tables import DocumentText
from cases.environment import Environment, World, world
from cases.errors import BadInput, NotAllowed, TransitionRefused
from cases.locking import Locked
from cases.tables import CaseLink, CaseRow, EvidenceFile
from config.database import Connection, transaction, without_nul
from state_machines.processes.code_document import SUPERSEDES
from state_machines.registry import process_named
from state_machines.values import Actor, Outcome

PROCESS = "code_document"
_MOST_LANGUAGES = 40
_ONE_AT_A_TIME = 7_305_041
"""The advisory lock under which versions are begun: two people do not bring out the same one."""


def add_version(
    env: Environment, *, title: str, number: str, files: Mapping[str, Given], authoritative: str,
    material: bool = True, summary: str, effective_on: date | str, supersedes: str | None = None, actor: Actor,
    now: datetime | None = None,
) -> Outcome:  # fmt: skip
    """Begin a version of a document with its texts by language, and return it, a draft.

    ``supersedes``: the reference of the version in force whose place it takes. Raises BadInput, TransitionRefused with
    errors by field, CaseNotFound, NotAllowed or NoRoom.
    """
    _require_author(actor)
    kept = _all_kept(env, files)
    said = {
        "title": title, "number": number, "material": material, "summary": summary, "effective_on": str(effective_on),
        "languages": {language: text.sha256 for language, text in kept.items()}, "authoritative": authoritative,
        "supersedes": (supersedes or "").strip().upper(),
    }  # fmt: skip

    def once() -> Outcome:
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            conn.execute(select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
            before = _before(conn, supersedes, actor, here) if supersedes else None
            _require_new(conn, title, number)
            return _opened(conn, typed(said), before, kept, actor, here)

    return unhindered(once)


def _opened(
    conn: Connection, said: Mapping[str, Any], before: Locked | None, kept: Mapping[str, Kept], actor: Actor,
    here: World,
) -> Outcome:  # fmt: skip
    link = (before.case.id, SUPERSEDES) if before is not None else None
    wish = opening.Wish(process_named(PROCESS), subject_of(said["title"], said["number"]), said, link=link)
    [found] = opening.decided(conn, [wish], here, actor=actor)
    if isinstance(found, tuple):
        raise TransitionRefused(found[1])
    store.apply(conn, [found], here)
    _write(conn, found.outcome.after.id, kept, str(said["authoritative"]), actor=actor, now=here.now)
    return found.outcome


def subject_of(title: str, number: str) -> str:
    """Return what a version is called in lists: "Code of Practice 3.0"."""
    return f"{title.strip()} {number.strip()}"


def change_texts(
    env: Environment, ref: str, files: Mapping[str, Given | None], *, authoritative: str = "",
    seen_version: int | None = None, actor: Actor, now: datetime | None = None,
) -> Outcome:  # fmt: skip
    """Replace, add or (with None) take away texts of a draft, and return it. Raises as ``add_version``, or CaseChanged.

    The texts of a version that has left its draft never change: TransitionRefused.
    """
    _require_author(actor)
    kept = _all_kept(env, {language: file for language, file in files.items() if file is not None})
    gone = [language for language, file in files.items() if file is None]

    def once() -> Outcome:
        with transaction(env.engine) as conn:
            here = world(conn, env, now)
            locked = _locked(conn, ref, actor, here, seen_version)
            had = dict(locked.case.data.get("languages", {}))
            languages = {k: v for k, v in had.items() if k not in gone} | {k: t.sha256 for k, t in kept.items()}
            _require_different(languages)
            decides = authoritative or str(locked.case.data.get("authoritative", ""))
            payload = {"languages": languages, "authoritative": decides}
            outcome = fired(conn, locked, "change_text", payload, None, here, actor)
            conn.execute(delete(DocumentText).where(
                DocumentText.case_id == locked.case.id, DocumentText.language.in_(gone)
            ))  # fmt: skip
            _write(conn, locked.case.id, kept, decides, actor=actor, now=here.now)
            return outcome

    return unhindered(once)


def _require_author(actor: Actor) -> None:
    if not actor.roles & set(process_named(PROCESS).opened_by):
        raise NotAllowed("Only coordinators and managers may bring out a version of a document.")


def _locked(conn: Connection, ref: str, actor: Actor, here: World, seen_version: int | None = None) -> Locked:
    locked = lock_seen(conn, ref, actor, here, seen_version)
    if locked.case.process != PROCESS:
        raise BadInput(f"{locked.case.ref} is no document; references of documents begin with CD.")
    return locked


def _all_kept(env: Environment, files: Mapping[str, Given]) -> dict[str, Kept]:
    if len(files) > _MOST_LANGUAGES:
        raise BadInput(f"A version has at most {_MOST_LANGUAGES} languages.")
    kept = {without_nul(language.strip()): keep(env, file) for language, file in files.items()}
    _require_different({language: text.sha256 for language, text in kept.items()})
    return kept


def _require_different(languages: Mapping[str, str]) -> None:
    for language, digest in languages.items():
        twins = sorted(other for other, same in languages.items() if same == digest)
        if len(twins) > 1:
            raise BadInput(f"The languages {' and '.join(twins)} have the same text; has a file been chosen twice?")
        if not language:
            raise BadInput("Say for each file which language it is in.")


def _before(conn: Connection, ref: str, actor: Actor, here: World) -> Locked:
    """Lock the version whose place a new one takes. Raises BadInput."""
    locked = _locked(conn, ref, actor, here)
    if locked.case.state != "effective":
        raise BadInput(f"{locked.case.ref} is not in force, so nothing can take its place.")
    successor = conn.execute(
        select(CaseRow.ref)
        .join(CaseLink, CaseLink.from_id == CaseRow.id)
        .where(CaseLink.to_id == locked.case.id, CaseLink.type == SUPERSEDES, CaseRow.closed_at.is_(None))
    ).scalar()  # fmt: skip
    if successor is not None:
        raise BadInput(f"{successor} is to take the place of {locked.case.ref} already; go on with it or withdraw it.")
    return locked


def _require_new(conn: Connection, title: str, number: str) -> None:
    same = conn.execute(
        select(CaseRow.ref).where(
            CaseRow.process == PROCESS, CaseRow.state != "withdrawn",
            func.lower(CaseRow.data["title"].as_string()) == title.strip().lower(),
            CaseRow.data["number"].as_string() == number.strip(),
        ).limit(1)
    ).scalar()  # fmt: skip
    if same is not None:
        raise BadInput(f"There is a version {number.strip()} of {title.strip()} already: {same}.")


def _write(
    conn: Connection, case_id: int, kept: Mapping[str, Kept], authoritative: str, *, actor: Actor, now: datetime
) -> None:
    """Write which texts a version has. The files are on the case as well, like everything in the evidence store."""
    for language, text in kept.items():
        row = {
            "sha256": text.sha256, "media_type": text.media_type, "name": text.name, "size": text.size,
            "added_at": now, "added_by": actor.person,
        }  # fmt: skip
        statement = insert(DocumentText).values(case_id=case_id, language=language, authoritative=False, **row)
        conn.execute(statement.on_conflict_do_update(index_elements=["case_id", "language"], set_=row))
        conn.execute(insert(EvidenceFile).values(case_id=case_id, **row).on_conflict_do_nothing())
    decides = update(DocumentText).where(DocumentText.case_id == case_id)
    conn.execute(decides.values(authoritative=DocumentText.language == authoritative))
