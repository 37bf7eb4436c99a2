"""How Muster's own Prefect is set up: its folder, its port, its password, what it keeps. Does not import Prefect."""

import os
import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from config.locks import locked
from config.settings import Settings

HOST = "127.0.0.1"
PORTS_TO_TRY = 50
REPOSITORY = Path(__file__).resolve().parent.parent

DAY = 86400
FIXED = {
    # Nothing is told to anybody: neither by the server, nor by the library, nor by the dashboard in the browser.
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # A missing address fails loudly, instead of starting a server of its own without a scheduler.
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
    # In memory, leases die with the server and the slots they hold stay taken for ever.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    # Muster's own history is in its database; here a week of runs and two days of events are enough.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(7 * DAY),
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P2D",
    "PREFECT_LOGGING_COLORS": "false",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    "NO_COLOR": "1",
    "PYTHONUNBUFFERED": "1",
}


FROM_OUTSIDE = ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_DATABASE_CONNECTION_URL")
"""What machines that share a Prefect server are told by their environment."""


class NoServer(Exception):
    """This needs to know the Prefect server and its password"""

    def __str__(self) -> str:
        return f"{type(self).__doc__}: set {' and '.join(map(str, self.args))}, as on the machine of `muster prefect`."


class NoPortFree(Exception):
    """Every port that was tried on this machine is taken; set MUSTER_PREFECT_PORT or MUSTER_WEB_PORT to a free one."""

    def __str__(self) -> str:
        return type(self).__doc__ or ""


def folder(settings: Settings) -> Path:
    """Return Prefect's own folder, made when it is missing."""
    path = settings.home / "prefect"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def password_file(settings: Settings) -> Path:
    """Return the file with the one line that opens the dashboard."""
    return settings.home / "prefect-password"


def password(settings: Settings) -> str:
    """Return the line that opens the dashboard and the API, made once for each home."""
    path = password_file(settings)
    with locked(path.with_name(f"{path.name}.lock")):
        if not path.exists() or not path.read_text().strip():
            draft = path.with_name(f"{path.name}.new")
            draft.unlink(missing_ok=True)
            draft.touch(mode=0o600, exist_ok=False)
            draft.write_text(f"muster:{secrets.token_urlsafe(24)}\n")
            draft.replace(path)
        return path.read_text().strip()


def free_port(wanted: int) -> int:
    """Return ``wanted`` when nobody listens there, or the next port that is free. Raises NoPortFree."""
    for port in range(wanted, min(wanted + PORTS_TO_TRY, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise NoPortFree


def address(port: int) -> str:
    """Return the address of the dashboard."""
    return f"http://{HOST}:{port}"


def environment(
    settings: Settings, port: int, env: Mapping[str, str] | None = None, *, secret: str | None = None
) -> dict[str, str]:
    """Return the environment for Muster's processes: this one's, without anybody else's Prefect in it.

    The password is ``secret`` where one is given, else the line in the home.

    The processes run in Prefect's folder, so that no settings file of a project that happens to be the current folder
    is read; paths are absolute for that reason.
    """
    inherited = os.environ if env is None else env
    kept = {name: value for name, value in inherited.items() if not name.startswith("PREFECT_")}
    muster = {"MUSTER_HOME": str(settings.home), "MUSTER_EVIDENCE": str(settings.evidence)}
    if settings.policy is not None:
        muster["MUSTER_POLICY"] = str(settings.policy.resolve())
    secret = secret or password(settings)
    ours = {
        "PREFECT_HOME": str(folder(settings)),
        "PREFECT_API_URL": f"{address(port)}/api",
        "PREFECT_SERVER_API_AUTH_STRING": secret,
        "PREFECT_API_AUTH_STRING": secret,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(REPOSITORY), inherited.get("PYTHONPATH", "")])),
    }
    return {**kept, **muster, **FIXED, **ours}


def server_environment(settings: Settings, port: int, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a Prefect server that several machines use.

    Its password is PREFECT_API_AUTH_STRING where that is set, else the line in the home; its own database is a file in
    the home, or the PostgreSQL that PREFECT_SERVER_DATABASE_CONNECTION_URL names.
    """
    given = _from_outside(env)
    made = environment(settings, port, env, secret=given.get("PREFECT_API_AUTH_STRING"))
    return {**given, **made}


def joining_environment(settings: Settings, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a process that works for a Prefect server elsewhere. Raises NoServer.

    On the machine of that server the line in the home is password enough.
    """
    given = _from_outside(env)
    needed = ["PREFECT_API_URL"] if password_file(settings).exists() else ["PREFECT_API_URL", "PREFECT_API_AUTH_STRING"]
    if missing := [name for name in needed if name not in given]:
        raise NoServer(*missing)
    made = environment(settings, settings.prefect_port, env, secret=given.get("PREFECT_API_AUTH_STRING"))
    path = os.pathsep.join(filter(None, [str(Path(sys.executable).parent), made.get("PATH", "")]))
    return {**made, **given, "PATH": path}  # a flow run is started as `python`


def _from_outside(env: Mapping[str, str] | None) -> dict[str, str]:
    known = os.environ if env is None else env
    return {name: known[name] for name in FROM_OUTSIDE if known.get(name)}
