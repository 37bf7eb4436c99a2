"""Mail as it came, to the letter: small ones in their row, large ones in a file under the home folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

INLINE = 512 * 1024
"""So many bytes are kept in the row."""
LARGEST = 64 * 1024 * 1024
"""Of a larger mail only so much is kept; no mail server that we know takes larger ones."""


class NoRoom(Exception):
    """There is no room for a mail that came in, so it stays where it is:"""

    def __str__(self) -> str:
        return " ".join([type(self).__doc__ or "", *map(str, self.args)])


def digest_of(raw: bytes) -> str:
    """Return what a mail is known by."""
    return hashlib.sha256(raw).hexdigest()


def kept(home: Path, raw: bytes, digest: str) -> bytes | None:
    """Return what goes into the row; a large mail is written to its file, and nothing goes there.

    The file is on the disk for good when this returns. Raises NoRoom, and then leaves nothing behind.
    """
    if len(raw) <= INLINE:
        return raw
    path = path_of(home, digest)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write(path, raw)
    except OSError as bad:
        raise NoRoom(f"{path.parent.parent} ({bad.strerror or type(bad).__name__}).") from None
    return None


def _write(path: Path, raw: bytes) -> None:
    number, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(number)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def content(home: Path, digest: str, inline: bytes | None) -> bytes | None:
    """Return a mail as it came; None when its file is gone."""
    if inline is not None:
        return inline
    try:
        return path_of(home, digest).read_bytes()
    except OSError:
        return None


def forget(home: Path, digest: str) -> None:
    """Delete the file of a large mail, where there is one."""
    path_of(home, digest).unlink(missing_ok=True)


def path_of(home: Path, digest: str) -> Path:
    """Return where a large mail lies."""
    return home / "mail-kept" / digest[:2] / f"{digest}.eml"
