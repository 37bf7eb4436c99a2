"""`muster up`: the database, Prefect and the desk as one thing that is started, watched and stopped together.

The parts are processes of their own. One that dies is started again; when this process dies, they die with it. Only
the embedded PostgreSQL goes on then, since every command uses it; the next start attaches to it.
"""

import logging
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from time import sleep
from types import FrameType

from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

import migrations
from cases import installation, ledger
from cases.copies.resting import require_awake
from cases.environment import NotInitialised, open_environment
from config.clock import monotonic, utc_now
from config.database import Engine, make_engine, reading
from config.postgres import PostgresFailed, database_url, stop_embedded
from config.settings import Settings
from workflows import prefect_settings
from workflows.children import Child
from workflows.only_one import only_one

log = logging.getLogger(__name__)

Say = Callable[[str], None]

TICK, AFTER_TROUBLE = 0.5, 5.0
LAST_WORDS = 3.0
"""Seconds in which a run that has done its work may tell Prefect so."""
SILENCE = timedelta(minutes=10)
"""After so long without a sweep, whoever says that he runs is started again."""
LOOK_AT_HEARTBEAT = 60.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class NeverSwept(Exception):
    """No scheduled sweep came to its end in time; the logs folder of the home says why."""

    def __str__(self) -> str:
        return type(self).__doc__ or ""


def up(settings: Settings, say: Say, *, mail: tuple[int, Path] | None = None, once_within: float | None = None) -> None:
    """Run everything until told to stop, or, with `once_within` seconds, until one scheduled sweep is done.

    `mail` is port and folder of a mail catcher to run as well. Raises AlreadyRunning, NotInitialised, NeverSwept and
    what opening the environment raises.
    """
    with only_one(settings.home):
        engine = _ready_database(settings, say)
        try:
            _Supervisor(settings, engine, say, mail).run(once_within)
        finally:
            engine.dispose()
            if settings.database_url is None:
                stop_embedded(settings)
            say("Everything has stopped.")


def _ready_database(settings: Settings, say: Say) -> Engine:
    """Return an engine on the migrated database, started when it is ours. Raises NotInitialised."""
    say("Starting the database.")
    engine = make_engine(database_url(settings), pool_size=1)
    try:
        if migrations.current(engine) is None or _kind(engine) is None:
            raise NotInitialised
        require_awake(engine)
        for revision in migrations.upgrade(engine):
            say(f"Migrated the database to {revision}.")
        open_environment(settings).engine.dispose()  # a policy or a process that does not hold is said now
    except Exception:
        engine.dispose()
        raise
    return engine


def _kind(engine: Engine) -> str | None:
    with reading(engine) as conn:
        return installation.kind(conn)


class _Supervisor:
    def __init__(self, settings: Settings, engine: Engine, say: Say, mail: tuple[int, Path] | None) -> None:
        self._settings, self._engine, self._say, self._mail = settings, engine, say, mail
        self._stopping = False
        self._port = prefect_settings.free_port(settings.prefect_port)
        self._web_port = prefect_settings.free_port(settings.web_port)
        self._since = utc_now()
        self._next_look = 0.0
        self._children = self._all_children()

    def run(self, once_within: float | None) -> None:
        """Start, watch and restart until told to stop."""
        before = {number: signal.signal(number, self._told_to_stop) for number in STOP_SIGNALS}
        deadline = None if once_within is None else monotonic() + once_within
        self._say_where()
        try:
            while not self._stopping:
                self._tick_safely()
                if deadline is not None and self._swept_since(self._since):
                    self._say("A scheduled sweep is done.")
                    sleep(LAST_WORDS)
                    break
                if deadline is not None and monotonic() > deadline:
                    raise NeverSwept
                sleep(TICK)
        finally:
            self._say("Stopping.")
            self._stop_children()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _told_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True  # nothing else is done here: the signal may have come in the middle of anything

    def _tick_safely(self) -> None:
        """Look after the parts; what goes wrong with that is said, and does not end what works."""
        try:
            self._tick()
        except Exception as error:
            self._say(f"Something went wrong while looking after the parts ({type(error).__name__}); going on.")
            log.exception("looking after the parts failed")
            sleep(AFTER_TROUBLE)

    def _tick(self) -> None:
        for child in self._children:
            status = child.ended()
            if status is not None:
                name = child.name[0].upper() + child.name[1:]
                self._say(f"{name} ended ({_status(status)}) and is started again; see {child.log}")
            if child.start_when_ready():
                again = "" if child.starts == 1 else " again"
                self._say(f"Started {child.name}{again}.")
        self._watch_heartbeat()

    def _watch_heartbeat(self) -> None:
        """Start Prefect again when it seems alive and nothing has been swept for long."""
        if monotonic() < self._next_look:
            return
        self._next_look = monotonic() + LOOK_AT_HEARTBEAT
        for child in self._children:
            child.keep_log_short()
        if self._swept_since(utc_now() - SILENCE) is False and utc_now() - self._since > SILENCE:
            self._say("Nothing has been swept for ten minutes; starting Prefect again.")
            self._since = utc_now()
            for child in self._children:
                if child.name in {"the runner", "the Prefect server"}:
                    child.stop()

    def _swept_since(self, instant: datetime) -> bool | None:
        """Return whether a sweep began after `instant`; None when the database does not say."""
        try:
            with reading(self._engine) as conn:
                at = ledger.last_sweep_at(conn)
        except SQLAlchemyError:
            self._revive_database()
            return None
        return at is not None and at >= instant

    def _revive_database(self) -> None:
        if self._settings.database_url is None:
            try:
                database_url(self._settings)
            except (PostgresFailed, OSError) as failed:
                self._say(str(failed))

    def _stop_children(self) -> None:
        """Stop in the opposite order: who calls somebody ends before who is called."""
        for child in reversed(self._children):
            child.stop()

    # ------------------------------------------------------------------------------------------- what is run

    def _all_children(self) -> list[Child]:
        env = prefect_settings.environment(self._settings, self._port)
        env["MUSTER_WEB_PORT"] = str(self._web_port)  # links in mails lead to where the desk is found
        children = []
        if self._mail is not None:
            port, folder = self._mail
            env["MUSTER_SMTP_URL"] = f"smtp://{prefect_settings.HOST}:{port}"
            module = "workflows.mail_catcher"
            children.append(self._child("the mail catcher", env, "-m", module, str(port), str(folder)))
        where = ("--host", prefect_settings.HOST, "--port", str(self._port))
        children.append(self._child("the Prefect server", env, "-m", "prefect", "server", "start", *where))
        without_prefect = {name: value for name, value in env.items() if not name.startswith("PREFECT_")}
        web, worker = self._settings.web_database_url, self._settings.worker_database_url
        children.append(self._child("the desk", _entering(without_prefect, web), "-m", "web"))
        runner = self._child("the runner", _entering(env, worker), "-m", "workflows.runner")
        runner.may_start = self._prefect_answers
        return [*children, runner]

    def _child(self, name: str, env: Mapping[str, str], *arguments: str) -> Child:
        log = self._settings.home / "logs" / f"{name.removeprefix('the ').lower().replace(' ', '-')}.log"
        return Child(name, [sys.executable, *arguments], env, prefect_settings.folder(self._settings), log)

    def _prefect_answers(self) -> bool:
        try:
            url = f"{prefect_settings.address(self._port)}/api/health"
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _desk(self) -> str:
        """Where people open the desk: the address they were given, else the port it really has."""
        ours = f"http://127.0.0.1:{self._settings.web_port}"
        given = self._settings.base_url
        return f"http://127.0.0.1:{self._web_port}" if given == ours else given

    def _say_where(self) -> None:
        if self._port != self._settings.prefect_port:
            self._say(f"Port {self._settings.prefect_port} is taken; Prefect uses {self._port}.")
        if self._web_port != self._settings.web_port:
            self._say(f"Port {self._settings.web_port} is taken; the desk uses {self._web_port}.")
        self._say(f"Desk: {self._desk()}")
        self._say(f"Prefect: {prefect_settings.address(self._port)}")
        self._say(f"   it asks for a password: the line in {prefect_settings.password_file(self._settings)}")
        if self._mail is not None:
            self._say(f"Mail: kept in {self._mail[1]}, and sent to nobody")
        self._say(f"Logs: {self._settings.home / 'logs'}")
        self._say("Ctrl-C stops everything.")


def _entering(env: Mapping[str, str], address: SecretStr | None) -> Mapping[str, str]:
    """Return the variables of a part that enters the database at an address of its own, and is told no other."""
    if address is None:
        return env
    others = ("MUSTER_WEB_DATABASE_URL", "MUSTER_WORKER_DATABASE_URL")
    rest = {name: value for name, value in env.items() if name not in others}
    return {**rest, "MUSTER_DATABASE_URL": address.get_secret_value()}


def _status(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}"
