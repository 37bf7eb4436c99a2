"""The running server of a data folder: its process, its socket, and what a dead one leaves lying about."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

import psutil

LONGEST_SOCKET = 103  # bytes in a socket's path that every system accepts (Linux 107, macOS 103)
SOCKET_LINE = 4  # of postmaster.pid, counted from 0


def running(data: Path) -> psutil.Process | None:
    """Return the running server of `data`, and never another process that has got its number since."""
    process = _process_in(data / "postmaster.pid")
    try:
        command = process.cmdline() if process else []
    except psutil.Error:
        command = []
    ours = bool(command) and "postgres" in Path(command[0]).name and str(data) in command
    return process if ours else None


def socket_folder(data: Path) -> Path:
    """Return where the socket is or will be: the data folder, or a short one under the temporary folder.

    Raises OSError when that short one belongs to somebody else.
    """
    if running(data) is not None:
        lines = (data / "postmaster.pid").read_text().split("\n")
        if len(lines) > SOCKET_LINE and lines[SOCKET_LINE]:  # the last lines are written late
            return Path(lines[SOCKET_LINE])
    if len(os.fsencode(data / ".s.PGSQL.5432")) <= LONGEST_SOCKET:
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"muster-pg-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    owner = data.stat()
    if short.is_symlink() or short.stat().st_uid not in {os.getuid(), owner.st_uid}:
        raise PermissionError(f"{short} belongs to somebody else.")
    if os.getuid() == 0:
        os.chown(short, owner.st_uid, owner.st_gid)
    short.chmod(stat.S_IRWXU)
    return short


def forget_strangers(data: Path) -> None:
    """Remove lock files whose number now belongs to another process, or to one that died and was not reaped.

    PostgreSQL itself removes those of dead processes, and goes on to check that no memory is shared any more.
    """
    if running(data) is None:
        for file in (data / "postmaster.pid", socket_folder(data) / ".s.PGSQL.5432.lock"):
            if _process_in(file) is not None:
                file.unlink(missing_ok=True)


def _process_in(file: Path) -> psutil.Process | None:
    """Return the live process whose number is on the first line of `file`."""
    try:
        return psutil.Process(int(file.read_text().split("\n")[0]))
    except (OSError, ValueError, psutil.Error):
        return None
