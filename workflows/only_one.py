"""One `muster up` for each home: a lock that the system lets go of when its holder ends, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class AlreadyRunning(Exception):
    """Muster is already running for this home"""

    def __str__(self) -> str:
        number = f" (process {self.args[0]})" if self.args and self.args[0] else ""
        return f"{type(self).__doc__}{number}; stop that one first, with Ctrl-C or: muster stop"


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Be the only one of this home. Raises AlreadyRunning when there is one."""
    with _file(home).open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning(_number(home)) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)


def holder(home: Path) -> int | None:
    """Return the process number of the one that runs for this home; None when there is none."""
    if not _file(home).exists():
        return None
    with _file(home).open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _number(home)
    return None


def _file(home: Path) -> Path:
    return home / "up.lock"


def _number(home: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(_file(home).read_text())
    return None
