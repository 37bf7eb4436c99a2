"""A folder in which other programs lay down mail: `*.eml` files, or a Maildir's `new`.

What was taken is moved to `done`, under its digest. Two readers at once are safe: the database takes each mail once,
and whoever is later finds the file gone. A file is to be written elsewhere and moved here, as every Maildir is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from notifications.inbox.keeping import LARGEST, digest_of

DONE = "done"


class SpoolGone(Exception):
    """The folder of incoming mail cannot be read:"""

    def __str__(self) -> str:
        return " ".join([type(self).__doc__ or "", *map(str, self.args)])


class Spool:
    """One folder of mail that waits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def waiting(self, most: int) -> Iterator[tuple[str, bytes]]:
        """Return name and content of what waits, the oldest first. Raises SpoolGone."""
        for path in self._files()[:most]:
            content = _content(path)
            if content:
                yield path.relative_to(self.folder).as_posix(), content

    def done(self, name: str, raw: bytes) -> None:
        """Move a mail that was taken out of the way; another reader may have done it."""
        there = self.folder / DONE
        there.mkdir(mode=0o700, exist_ok=True)
        try:
            (self.folder / name).replace(there / f"{digest_of(raw[:LARGEST])}.eml")
        except FileNotFoundError:
            return

    def _files(self) -> list[Path]:
        try:
            found = [*self.folder.glob("*.eml"), *(self.folder / "new").glob("[!.]*")]
            return [path for _, path in sorted((path.lstat().st_mtime_ns, path) for path in found if path.exists())]
        except OSError as bad:
            raise SpoolGone(f"{self.folder} ({bad.strerror}).") from None


def _content(path: Path) -> bytes | None:
    """Return what is in a file; None when it is gone, or is no file of its own such as a link."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return None
        return file.read(LARGEST + 1)
