"""What `muster demo` does: a sandbox with made-up members, a mail catcher, and everything running."""

import os
import shutil
from typing import TYPE_CHECKING

import typer

from cli.database import initialised, kind_of
from cli.output import progress, refuse, say

if TYPE_CHECKING:
    from cases.environment import Environment
    from config.settings import Settings

HOME = ".muster-demo"
LOADED = "demo-loaded"
MAIL_PORT = 1025
ONCE_WITHIN = 300.0
OURS = (
    "postgres",
    "postgres.lock",
    "prefect",
    "prefect-password",
    "logs",
    "mail",
    "mail-in",
    "mail-kept",
    "evidence",
    LOADED,
)
"""What `--fresh` deletes; anything else in the folder is not Muster's to delete."""


def run(*, fresh: bool, sure: bool, once: bool) -> None:
    """Make or continue the demo and run it until told to stop, or until one scheduled sweep is done."""
    from config.settings import load_settings
    from workflows import supervisor
    from workflows.only_one import AlreadyRunning, holder

    os.environ.setdefault("MUSTER_HOME", HOME)
    settings = load_settings()
    if (number := holder(settings.home)) is not None:
        raise AlreadyRunning(number)
    if fresh:
        _delete(settings, sure=sure)
    _load(settings)
    mail = None
    if not os.environ.get("MUSTER_SMTP_URL"):
        from workflows.prefect_settings import free_port

        mail = (free_port(MAIL_PORT), settings.home / "mail")
    _say_what_to_try(mail[0] if mail else None)
    supervisor.up(settings, say, mail=mail, once_within=ONCE_WITHIN if once else None)


def _delete(settings: "Settings", *, sure: bool) -> None:
    """Delete this demo, after a question. Never a production database, and never one that is not embedded."""
    from config.postgres import stop_embedded

    if settings.database_url is not None:
        refuse("The demo's database is at MUSTER_DATABASE_URL; only an embedded one can be started anew.")
    if kind_of(settings) == "production":
        refuse(f"{settings.home} is a production installation; it is not deleted.")
    if (settings.home / "postgres").exists() and not sure:
        typer.confirm(f"Delete everything of the demo in {settings.home}?", abort=True)
    stop_embedded(settings)
    for name in OURS:
        path = settings.home / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _load(settings: "Settings") -> None:
    """Make the sandbox and load the sample, unless that was done before."""
    done = settings.home / LOADED
    if done.exists() and kind_of(settings) == "sandbox":
        say("Continuing the demo; `muster demo --fresh` starts anew.")
        return
    if not initialised(settings, sandbox=True):
        refuse(
            "This sandbox was not made by `muster demo`, or its loading was interrupted;"
            " start anew with: muster demo --fresh"
        )

    from cases.demo import load_sample
    from cases.environment import open_environment

    say("Loading made-up members and their cases.")
    env = open_environment(settings)
    with progress("Loading") as tell:
        loaded = load_sample(env, progress=tell, now=env.now())
    _lay_down_mail(env)
    env.engine.dispose()
    counts = [f"{count} {name.replace('_', ' ')}" for name, count in loaded.items() if isinstance(count, int)]
    say(f"Loaded {', '.join(counts)}." if counts else "Loaded.")
    done.touch()


def _lay_down_mail(env: "Environment") -> None:
    """Put some mail into the folder of what comes in: the first minutes of the demo read it."""
    from cases.inbox.sample import sample_mail

    folder = env.settings.spool
    folder.mkdir(exist_ok=True)
    for number, mail in enumerate(sample_mail(env), 1):
        (folder / f"{number}.eml").write_bytes(mail)


def _say_what_to_try(mail_port: int | None) -> None:
    home = os.environ["MUSTER_HOME"]
    say("")
    say("Open the desk in a browser (its address follows) and choose who you are; no password is needed.")
    say("Its bar at the top lets a day or a week pass. To try in another terminal:")
    say(f"   export MUSTER_HOME={home}")
    if mail_port not in (None, MAIL_PORT):
        say(f"   export MUSTER_SMTP_URL=smtp://127.0.0.1:{mail_port}")
    for command, why in (
        ("muster status", "how everything is"),
        ("muster clock advance 7d", "a week passes"),
        ("muster sweep", "what is due happens now, not only in the next minute"),
        ("muster deliver", "its mail leaves"),
        ("muster inbox list", f"what came in by mail; lay *.eml files into {home}/mail-in"),
        ("muster process show complaint", "how a complaint moves"),
        ("muster check", "whether every promise holds"),
    ):
        say(f"   {command:<32} {why}")
    say("")
