"""`muster prefect`, `deploy`, `worker` and `web`: the parts of `muster up` one by one, for several machines."""

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from cli.output import command_errors, refuse, say

if TYPE_CHECKING:
    from config.roles import DatabaseRole
    from config.settings import Settings

app = typer.Typer()


@app.command()
@command_errors()
def prefect(
    host: Annotated[str, typer.Option(help="Where it listens; on the network only behind TLS.")] = "127.0.0.1",
) -> None:
    """Run the Prefect server that the workers of several machines share, until Ctrl-C. `muster up` has its own.

    It listens on MUSTER_PREFECT_PORT. Example: muster prefect --host 10.0.0.5
    """
    from config.settings import load_settings
    from workflows import prefect_settings

    settings = load_settings()
    port = settings.prefect_port
    say(f"Prefect: {prefect_settings.address(port)}; workers find it at PREFECT_API_URL=http://HOST:{port}/api")
    env = prefect_settings.server_environment(settings, port)
    _become(settings, env, "prefect", "server", "start", "--host", host, "--port", str(port))


@app.command()
@command_errors()
def deploy(
    sweeps: Annotated[int, typer.Option(help="How many sweeps begin each minute: one for each worker.", min=1)] = 2,
) -> None:
    """Tell a shared Prefect server which flows run when. After an upgrade again; twice is harmless.

    Needs PREFECT_API_URL. Examples: muster deploy; muster deploy --sweeps 3
    """
    from config.settings import load_settings
    from workflows import prefect_settings

    settings = load_settings()
    _become(settings, prefect_settings.joining_environment(settings), "workflows.work_pool", "register", str(sweeps))


@app.command()
@command_errors()
def worker(
    name: Annotated[str | None, typer.Option(help="Its name in Prefect; the machine's unless given.")] = None,
) -> None:
    """Run the flows of a shared Prefect server on this machine, until Ctrl-C. Any number of machines may.

    Needs MUSTER_DATABASE_URL or MUSTER_WORKER_DATABASE_URL, and PREFECT_API_URL. Example: muster worker
    """
    import socket

    from config.roles import WORKER
    from config.settings import load_settings
    from workflows import prefect_settings

    settings = load_settings()
    if settings.database_url is None and settings.worker_database_url is None:
        refuse("Several machines share one database: set MUSTER_DATABASE_URL.")
    _require_schema(settings, WORKER)
    env = prefect_settings.joining_environment(settings)
    _become(settings, env, "workflows.work_pool", "work", name or socket.gethostname())


@app.command()
@command_errors()
def web() -> None:
    """Serve the desk alone, until Ctrl-C. `muster up` does so too.

    It listens on MUSTER_WEB_HOST and MUSTER_WEB_PORT. Example: muster web
    """
    from config.roles import WEB
    from config.settings import load_settings

    _require_schema(load_settings(), WEB)
    from web import __main__ as desk

    desk.main()


def _require_schema(settings: "Settings", role: "DatabaseRole") -> None:
    """Refuse a database that is not set up, or older than this version of Muster."""
    import migrations
    from cases import installation
    from cases.environment import NotInitialised
    from config.database import make_engine, reading
    from config.roles import address

    shared = settings.database_url or settings.web_database_url or settings.worker_database_url
    if shared is None and not (settings.home / "postgres" / "PG_VERSION").exists():
        raise NotInitialised
    engine = make_engine(address(settings, role), pool_size=1)
    try:
        revision = migrations.current(engine)
        if revision is None:
            raise NotInitialised
        with reading(engine) as conn:
            if installation.kind(conn) is None:
                raise NotInitialised
        if revision < migrations.head():
            refuse("The database is that of an older Muster; bring it up to date on one machine with: muster init")
    finally:
        engine.dispose()


def _become(settings: "Settings", env: dict[str, str], module: str, *arguments: str) -> NoReturn:
    """Go on as another program, in Prefect's folder: no settings file of a project nearby is read there."""
    import os
    import sys

    from workflows import prefect_settings

    os.chdir(prefect_settings.folder(settings))
    with open(os.devnull) as nothing:  # noqa: PTH123  on a terminal, `prefect server start` asks questions
        os.dup2(nothing.fileno(), 0)
    os.execve(sys.executable, [sys.executable, "-m", module, *arguments], env)  # noqa: S606  our own program
