"""Taking a backup while everything goes on: the database as it stands at one instant, then the files that it names.

A file is on the disk before its row is written and is never changed, so every row of that instant has its file, unless
it was lost before.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import text

from cases import evidence
from cases.audit import SEAL, record_head
from cases.copies.archive import KEY, Writer, is_ours
from cases.errors import BadInput
from config import dumping
from config.database import Connection, Engine
from config.settings import Settings
from notifications.inbox import keeping

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a backup holds."""

    made_at: datetime
    rows: int
    files: int
    size: int
    """Bytes of its parts together."""
    faults: tuple[str, ...]
    """Files that were missing or are not what was stored, so that they are not in the backup as they were."""


def default_name(now: datetime) -> str:
    """Return the name of a backup in a folder."""
    return f"muster-{now:%Y%m%d-%H%M%S}.backup"


def mark_of(key: str) -> str:
    """Return by what one can tell that a secret key is the same, without learning it."""
    return hmac.new(key.encode(), b"muster backup", hashlib.sha256).hexdigest()[:16]


def take(
    engine: Engine, settings: Settings, out: BinaryIO, *, drafts: Path, with_key: bool = False,
    progress: Progress | None = None, now: datetime,
) -> Taken:  # fmt: skip
    """Write a backup into a stream and return what it holds; ``now`` is the real instant.

    Drafts of parts are made in the folder ``drafts``. Nothing that goes on meanwhile has to wait.
    """
    archive, faults = Writer(out, drafts), list[str]()
    with _one_instant(engine) as conn:
        manifest = _database(conn, archive, progress)
        wanted = [*_evidence(conn, settings), *_mail(conn, settings)]
    for name, path, size, digest, needed in wanted:
        if (fault := _file(archive, name, path, size, digest, needed=needed)) is not None:
            faults.append(fault)
        if progress is not None:
            progress(size)
    if with_key:
        key = settings.secret_key.get_secret_value().encode()
        archive.add(KEY, io.BytesIO(key), len(key))
    mark = mark_of(settings.secret_key.get_secret_value())
    total = sum(size for size, _ in archive.parts.values())
    archive.finish({**manifest, "made_at": now.isoformat(), "muster": _version(), "key": mark,
                    "faults": faults})  # fmt: skip
    rows = sum(table["rows"] for table in manifest["tables"].values())
    return Taken(now, rows, sum("/" in name and not name.startswith("tables/") for name in archive.parts), total,
                 tuple(faults))  # fmt: skip


def take_into(
    engine: Engine, settings: Settings, to: Path, *, with_key: bool = False, progress: Progress | None = None,
    now: datetime,
) -> tuple[Path, Taken]:  # fmt: skip
    """Write a backup to a file, or into a folder under a name of its own, and return where it is and what it holds.

    It is under its name only when it is whole. Raises BadInput where there is such a file, or OSError.
    """
    path = to / default_name(now) if to.is_dir() else to
    if path.exists():
        raise BadInput(f"{path} is there already; a backup is never written over another.")
    number, name = tempfile.mkstemp(prefix=".muster-", suffix=".unfinished", dir=path.parent)
    draft = Path(name)  # mkstemp makes it for this user alone
    try:
        with os.fdopen(number, "wb") as file:
            taken = take(engine, settings, file, drafts=path.parent, with_key=with_key, progress=progress, now=now)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path, taken


@contextmanager
def _one_instant(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that sees the database as it is now, and nothing that is written later."""
    with engine.connect() as bare:
        options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        conn = bare.execution_options(**options)
        with conn.begin():
            dumping.be_exact(conn)
            yield conn


def _database(conn: Connection, archive: Writer, progress: Progress | None) -> dict[str, Any]:
    found = dumping.tables(conn)
    manifest = {**facts(conn), "tables": {}}
    for table in (each for each in found if is_ours(each.name)):
        archive.add_rows(table.name, dumping.copy_out(conn, table))
        rows = dumping.count(conn, table.name)
        manifest["tables"][table.name] = {"columns": list(table.columns), "rows": rows}
        if progress is not None:
            progress(rows)
    return manifest


def facts(conn: Connection) -> dict[str, Any]:
    """Return what a database says of itself: its schema, its kind, its server, where its record stands."""
    one = conn.execute(text("SELECT (SELECT version_num FROM alembic_version) AS revision, kind, time_zone, "
                            "current_setting('server_version') AS postgres FROM installation")).one()  # fmt: skip
    seal = conn.execute(
        text("SELECT period, result FROM job_runs WHERE job = :job ORDER BY period DESC LIMIT 1"), {"job": SEAL}
    ).one_or_none()
    return {**one._mapping, "record": record_head(conn), "seal": dict(seal._mapping) if seal is not None else None}


Wanted = tuple[str, Path, int, str | None, bool]
"""Name of the part, file, size, SHA-256 where it is known, and whether it must be there."""


def _evidence(conn: Connection, settings: Settings) -> Iterator[Wanted]:
    rows = conn.execute(text("SELECT sha256, min(size) AS size FROM evidence_files GROUP BY sha256 ORDER BY sha256"))
    for row in rows:
        yield f"evidence/{row.sha256}", evidence.path_of(settings.evidence, row.sha256), row.size, row.sha256, True


_LARGE_MAIL = text("""
SELECT sha256, size, body_text IS NOT NULL AS needed FROM inbox_messages WHERE raw IS NULL AND size > :inline
ORDER BY sha256
""")


def _mail(conn: Connection, settings: Settings) -> Iterator[Wanted]:
    """Large mails, which lie beside the database. The words of one that was set aside may be gone."""
    if conn.execute(text("SELECT to_regclass('inbox_messages')")).scalar_one() is None:
        return
    rows = conn.execute(_LARGE_MAIL, {"inline": keeping.INLINE})
    for row in rows:
        yield f"mail/{row.sha256}", keeping.path_of(settings.home, row.sha256), row.size, None, row.needed


def _file(archive: Writer, name: str, path: Path, size: int, digest: str | None, *, needed: bool) -> str | None:
    """Add a file, and return what is wrong with it."""
    try:
        with path.open("rb") as file:
            there = os.fstat(file.fileno()).st_size
            found = archive.add(name, file, there)
    except FileNotFoundError:
        return f"{name}: missing" if needed else None
    if there != size or (digest is not None and found != digest):
        return f"{name}: not what was stored"
    return None


def _version() -> str:
    try:
        return version("muster")
    except PackageNotFoundError:
        return "unknown"
