"""Whether every promise is kept, asked of the database after something was broken on purpose."""

from __future__ import annotations

from cases import audit
from cases.promises import broken_promises
from config.database import reading
from tests.cast import Cast


def broken(cast: Cast) -> list[str]:
    """Return every promise that is not kept and every fault of the record, as sentences; warnings pass."""
    with reading(cast.env.engine) as conn:
        promises = broken_promises(conn, cast.env, cast.env.now())
        found = [f"{f.check} {f.ref}: {f.why}" for f in promises if not f.warning]
        found += [f"record {p.ref} {p.seq}: {p.why}" for p in audit.verify(conn).problems]
    found += [f"message {row.key} is there twice" for row in cast.rows(
        "SELECT key FROM messages GROUP BY key HAVING count(*) > 1")]  # fmt: skip
    return found
