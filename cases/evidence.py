"""Files that support a case, kept under the digest of their content: a changed file is another file.

A file is on the case or it is not: the row and the event are written in one transaction, after the content is safely
on the disk. Content that no case has, because that transaction failed, is reported by ``verify_files``.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Row, insert, select

from cases.commands import lock_seen, plain_change
from cases.environment import Environment, world
from cases.errors import BadInput, CaseError, CaseNotFound, NotAllowed
from cases.file_types import ALLOWED, BadFile, check_content, safe_name
from cases.findings import Finding
from cases.looking.recording import FILE, looked_at_case
from cases.sight import row_seen
from cases.store import apply
from cases.tables import CaseRow, EvidenceFile
from config import clock
from config.database import Connection, reading, transaction, without_nul
from state_machines.values import STAFF, Actor, Role

LARGEST = 20 * 1024 * 1024
_CHUNK = 1024 * 1024
MAY_ADD = (STAFF - {Role.AUDITOR}) | {Role.MEMBER, Role.COMPLAINANT, Role.SYSTEM}
_LEFT_OVER_AFTER = timedelta(days=1)


class NoRoom(CaseError):
    """The file could not be stored; nothing was kept. Tell whoever looks after the server:"""

    status = 507


class Damaged(CaseError):
    """The stored file is missing or is not what was stored; tell whoever looks after the server:"""

    status = 500


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file on a case."""

    ref: str
    sha256: str
    name: str
    media_type: str
    size: int
    added_at: datetime
    added_by: str


def add(
    env: Environment, ref: str, name: str, content: bytes | BinaryIO, *, largest: int = LARGEST, actor: Actor,
    now: datetime | None = None,
) -> Evidence:  # fmt: skip
    """Put a file on a case and return it; a file the case has already is returned as it is.

    Raises CaseNotFound, NotAllowed, BadInput with a sentence about the file, or NoRoom.
    """
    if not actor.roles & MAY_ADD:
        raise NotAllowed("Only those who work on a case may add evidence to it.")
    try:
        clean, extension = safe_name(name)
        with reading(env.engine) as conn:
            row_seen(conn, ref, actor, world(conn, env, now))
        kept = keep_content(env.settings.evidence, content, largest, lambda path: check_content(path, extension))
    except BadFile as bad:
        raise BadInput(str(bad)) from None
    with transaction(env.engine) as conn:
        return _noted(env, conn, ref, clean, extension, kept, actor, now)


def _noted(
    env: Environment, conn: Connection, ref: str, name: str, extension: str, kept: tuple[str, int], actor: Actor,
    now: datetime | None,
) -> Evidence:  # fmt: skip
    """Write the row and the event. The name of a file may name a person, so it is kept beside the event."""
    here = world(conn, env, now)
    locked = lock_seen(conn, ref, actor, here)
    known = _row(conn, locked.case.id, kept[0])
    if known is not None:
        return _evidence_of(locked.case.ref, known)
    found = Evidence(locked.case.ref, kept[0], name, ALLOWED[extension], kept[1], here.now, actor.person)
    details = {"sha256": found.sha256, "media_type": found.media_type, "size": found.size}
    change = plain_change(locked, locked.case, "evidence", details, {"name": name}, actor=actor, now=here.now)
    apply(conn, [change], here)
    conn.execute(insert(EvidenceFile).values(
        case_id=locked.case.id, name=name, added_at=here.now, added_by=actor.person, **details
    ))  # fmt: skip
    return found


def read(
    env: Environment, ref: str, sha256: str, *, actor: Actor, now: datetime | None = None
) -> tuple[Evidence, bytes]:
    """Return a file of a case with its content. Members see what they sent themselves, and nothing else.

    Raises CaseNotFound, or Damaged when the content is not what was stored.
    """
    with reading(env.engine) as conn:
        case = row_seen(conn, ref, actor, world(conn, env, now))
        row = _row(conn, case.id, sha256)
    looked_at_case(case, case.ref, what=FILE, name=sha256[:12], actor=actor)
    inside = actor.roles & (STAFF | {Role.SYSTEM})
    if row is None or not (inside or row.added_by == actor.person):
        raise CaseNotFound(ref)
    return _evidence_of(case.ref, row), kept_content(env.settings.evidence, row.sha256, row.name)


def kept_content(root: Path, digest: str, name: str) -> bytes:
    """Return what was stored under a digest. Raises Damaged with the file's name when it is not that any more."""
    try:
        content = path_of(root, digest).read_bytes()
    except OSError as bad:
        raise Damaged(f"{name} ({bad.strerror})") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise Damaged(name)
    return content


def _row(conn: Connection, case_id: int, digest: str) -> Row[Any] | None:
    wanted = (EvidenceFile.case_id == case_id, EvidenceFile.sha256 == without_nul(digest.strip().lower()))
    return conn.execute(select(EvidenceFile.__table__).where(*wanted)).one_or_none()


def _evidence_of(ref: str, row: Any) -> Evidence:
    return Evidence(ref, row.sha256, row.name, row.media_type, row.size, row.added_at, row.added_by)


# --- the store on the disk


def path_of(root: Path, digest: str) -> Path:
    """Return where content with this digest lies."""
    return root / digest[:2] / digest[2:4] / digest


def keep_content(root: Path, content: bytes | BinaryIO, largest: int, check: Callable[[Path], None]) -> tuple[str, int]:
    """Store content under its digest and return digest and size; on any failure nothing is left.

    ``check`` looks at the file before it is kept. Raises BadFile with the sentence about it, or NoRoom.
    """
    stream = BytesIO(content) if isinstance(content, bytes) else content
    draft: Path | None = None
    try:
        _folder(root)
        number, name = tempfile.mkstemp(prefix=".new-", dir=root)
        draft = Path(name)
        digest, size = _written(number, stream, largest)
        check(draft)
        _folder(path_of(root, digest).parent.parent)
        _folder(path_of(root, digest).parent)
        draft.replace(path_of(root, digest))
        _settle(path_of(root, digest).parent)
    except OSError as bad:
        raise NoRoom(bad.strerror or type(bad).__name__) from None
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)
    return digest, size


def _written(number: int, stream: BinaryIO, largest: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with os.fdopen(number, "wb") as file:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > largest:
                raise BadFile(f"The file is larger than {largest / 1024 / 1024:.0f} MB, the most that is taken.")
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(number)
    if size == 0:
        raise BadFile("The file is empty.")
    return digest.hexdigest(), size


def _folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=not path.parent.exists(), exist_ok=True)


def _settle(folder: Path) -> None:
    """Have the disk keep the new name as well as the content."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def verify_files(env: Environment, *, part: tuple[int, int] = (0, 1)) -> list[Finding]:
    """Return the files that are missing, damaged, or belong to no case.

    ``part``: (k, n) reads only one n-th of the contents; that each file is there, in its size, is always looked at.
    """
    with reading(env.engine) as conn:
        file = EvidenceFile.__table__.c
        named = select(file.sha256, file.size, CaseRow.ref).join(CaseRow, CaseRow.id == file.case_id)
        rows = conn.execute(named.order_by(file.sha256, CaseRow.ref)).all()
    root, sound = env.settings.evidence, dict[str, str | None]()
    for row in rows:
        if row.sha256 not in sound:
            sound[row.sha256] = _fault(path_of(root, row.sha256), row, part)
    found = [
        Finding("evidence", row.ref, f"the file {row.sha256[:12]} {why}") for row in rows if (why := sound[row.sha256])
    ]
    return found + [
        Finding("evidence", name, "the stored file belongs to no case") for name in _left_over(root, set(sound))
    ]


def unreadable(root: Path, rows: Iterable[Any]) -> frozenset[str]:
    """Return which of these files, by SHA-256, are not to be had as they were stored; rows have digest and size."""
    return frozenset(row.sha256 for row in rows if _fault(path_of(root, row.sha256), row, (0, 1)) is not None)


def _fault(path: Path, row: Any, part: tuple[int, int]) -> str | None:
    try:
        if path.stat().st_size != row.size:
            return "has another size than it had"
        if int(row.sha256[:8], 16) % part[1] != part[0]:
            return None
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as bad:
        return f"cannot be read ({bad.strerror})"
    return None if digest == row.sha256 else "is damaged"


def _left_over(root: Path, known: set[str]) -> Iterator[str]:
    """Contents without a case, once they are older than a day: one that is being added has no row yet."""
    if not root.is_dir():
        return
    before = (clock.utc_now() - _LEFT_OVER_AFTER).timestamp()
    for path in sorted(path for path in root.rglob("*") if path.is_file() and path.name not in known):
        if path.stat().st_mtime < before:
            yield path.name[:12]
