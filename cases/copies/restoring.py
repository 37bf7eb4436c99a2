"""Bringing a backup back: into an empty database, in one transaction, compared with what the manifest says.

What was restored is at rest (``cases/copies/resting.py``): a copy that writes to members by surprise would be worse
than none. Whoever was signed in is signed out.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr
from sqlalchemy import text

from cases import audit, evidence
from cases.copies import resting
from cases.copies.archive import KEY, Reader
from cases.copies.errors import BadBackup, NotRestored
from cases.copies.taking import mark_of
from config import dumping
from config.database import Connection, Engine, transaction
from config.settings import SHORTEST_KEY, Settings
from notifications.inbox import keeping

Progress = Callable[[int], None]
SIGNED_OUT = ("web_sessions", "password_links", "idempotency_keys", "attempts")
"""What lets somebody in, or remembers what they just did, and must not outlive the machine it was given on."""

LONGEST_KEY = 10_000
"""Bytes."""


class Schema(Protocol):
    """The migrations of this version, which this folder does not know."""

    def knows(self, revision: str) -> bool:
        """Return whether there is such a revision."""

    def bring(self, conn: Connection, revision: str) -> None:
        """Bring the database of a connection to a revision, in its transaction; ``head`` is the newest."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored."""

    made_at: str
    rows: int
    files: int
    same_key: bool
    """Whether personal links that were sent before are good here."""
    problems: int
    """Problems of the record, which were in the backup as well."""
    left_out: tuple[str, ...]
    """Tables that are not Muster's."""
    faults: tuple[str, ...]
    """Files that the backup lacked, as it said itself."""


def restore(
    backup: Reader, engine: Engine, settings: Settings, schema: Schema, *, take_key: bool = True,
    progress: Progress | None = None, now: datetime,
) -> Restored:  # fmt: skip
    """Bring a backup back into an empty database and the folders of a home; ``now`` is the real instant.

    ``take_key``: the secret key of the backup, where it has one, becomes that of the home. Not where the home is that
    of another installation, whose personal links would all stop working.

    Raises BadBackup or NotRestored with the reason; nothing is left then, neither rows nor files.
    """
    backup.verify()
    manifest, key = backup.manifest, _key_in(backup)
    if not schema.knows(manifest["revision"]):
        raise BadBackup(f"its schema ({manifest['revision']}) is of a newer Muster; upgrade this one first.")
    written: list[Path] = []
    try:
        with transaction(engine) as conn:
            left_out = _database(conn, backup, schema, progress)
            schema.bring(conn, "head")
            problems = len(audit.verify(conn).problems)
            _close_doors(conn)
            told = {"made_at": manifest["made_at"], "muster": manifest["muster"]}
            resting.lay_to_rest(conn, resting.RESTORED, told, now=now)
            written += files(backup, settings, progress)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    if key is not None and take_key:
        settings = _with_key(settings, key)
    same_key = mark_of(settings.secret_key.get_secret_value()) == manifest["key"]
    rows = sum(table["rows"] for table in manifest["tables"].values())
    count = sum(1 for _ in _file_parts(backup, settings))
    return Restored(manifest["made_at"], rows, count, same_key, problems, left_out, tuple(manifest["faults"]))


def _database(conn: Connection, backup: Reader, schema: Schema, progress: Progress | None) -> tuple[str, ...]:
    """Make the schema that the backup had and fill it. Raises NotRestored when anything differs in the end."""
    dumping.be_exact(conn)
    if not dumping.is_empty(conn):
        raise NotRestored(
            "the database is not empty. Restore into a MUSTER_HOME that is new, or with --into an empty database."
        )
    schema.bring(conn, backup.manifest["revision"])
    kept = backup.manifest["tables"]
    found = [table for table in dumping.tables(conn) if table.name in kept]
    with loading(conn, found):
        for table in found:
            if not set(kept[table.name]["columns"]) <= set(table.columns):
                raise BadBackup(f"{table.name} has columns that it has in no Muster.")
            dumping.copy_in(conn, table.name, kept[table.name]["columns"], backup.rows(table.name))
            if progress is not None:
                progress(kept[table.name]["rows"])
    compare(conn, {table.name: kept[table.name]["rows"] for table in found}, backup.manifest["record"])
    return tuple(sorted(set(kept) - {table.name for table in found}))


@contextmanager
def loading(conn: Connection, found: list[dumping.Table]) -> Iterator[None]:
    """Have tables empty and still at the beginning, and as they work in the end."""
    dumping.clear(conn, found)
    yield
    dumping.settle(conn, found)


def compare(conn: Connection, rows: dict[str, int], record: Any) -> None:
    """Raise NotRestored unless each table has so many rows and the record stands where it did."""
    for name, wanted in rows.items():
        there = dumping.count(conn, name)
        if there != wanted:
            raise NotRestored(f"{name} has {there} rows and should have {wanted}.")
    if audit.record_head(conn) != dict(record):
        raise NotRestored("the record does not stand where it stood.")


def _close_doors(conn: Connection) -> None:
    for table in SIGNED_OUT:
        if conn.execute(text("SELECT to_regclass(:name)"), {"name": table}).scalar_one() is not None:
            conn.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608  a name of ours


# --- files


def files(backup: Reader, settings: Settings, progress: Progress | None = None) -> list[Path]:
    """Put the files of a backup where they belong, those that are missing or damaged there; return which these were.

    Raises OSError, with nothing left of what was begun.
    """
    written: list[Path] = []
    try:
        for name, path in _file_parts(backup, settings):
            size, digest = backup.parts[name]
            if not _is_there(path, size, digest):
                _put(path, backup.chunks(name))
                written.append(path)
            if progress is not None:
                progress(size)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return written


def _file_parts(backup: Reader, settings: Settings) -> Iterator[tuple[str, Path]]:
    for name in backup.parts:
        kind, _, digest = name.partition("/")
        if digest != backup.parts[name][1]:
            continue  # damaged when it was backed up, or never what it says
        if kind == "evidence":
            yield name, evidence.path_of(settings.evidence, digest)
        elif kind == "mail":
            yield name, keeping.path_of(settings.home, digest)


def _is_there(path: Path, size: int, digest: str) -> bool:
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_size == size and hashlib.file_digest(file, "sha256").hexdigest() == digest
    except OSError:
        return False


def _put(path: Path, chunks: Iterator[bytes]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, draft = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)


def _key_in(backup: Reader) -> str | None:
    """Return the secret key that a backup holds, None where it holds none. Raises BadBackup for what is no such key."""
    if KEY not in backup.parts:
        return None
    content = b"".join(backup.chunks(KEY)) if backup.parts[KEY][0] <= LONGEST_KEY else b""
    key = content.decode("utf-8", "replace").strip()
    if len(key) < SHORTEST_KEY or not key.isprintable() or mark_of(key) != backup.manifest["key"]:
        raise BadBackup("the secret key in it is not the one it was made with.")
    return key


def _with_key(settings: Settings, key: str) -> Settings:
    """Return the settings of a home that has this key from now on; the same where MUSTER_SECRET_KEY says what it is."""
    path, ours = settings.home / KEY, settings.secret_key.get_secret_value()
    if key == ours or not path.exists() or path.read_text().strip() != ours:
        return settings
    path.unlink()
    _put(path, iter([key.encode() + b"\n"]))
    return settings.model_copy(update={"secret_key": SecretStr(key)})
