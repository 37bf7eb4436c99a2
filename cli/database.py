"""The database of this installation, as commands need it: made, asked what it is, opened."""

from typing import TYPE_CHECKING

from cli.output import at_end

if TYPE_CHECKING:
    from cases.environment import Environment
    from config.settings import Settings


def opened(settings: "Settings | None" = None) -> "Environment":
    """Return the environment of an installation that is set up; it is closed when the command ends.

    Does not make an embedded database where there is none. Raises NotInitialised, and sentences about settings.
    """
    from cases.environment import NotInitialised, open_environment
    from config.settings import load_settings

    settings = settings or load_settings()
    if kind_of(settings) is None:
        raise NotInitialised
    env = open_environment(settings)
    at_end(env.engine.dispose)
    return env


def initialised(settings: "Settings", *, sandbox: bool) -> bool:
    """Make and migrate the database of this home; return False when it was there already."""
    from cases import installation
    from config.clock import utc_now
    from config.database import make_engine
    from config.postgres import database_url
    from migrations import upgrade

    engine = make_engine(database_url(settings), pool_size=1)
    try:
        upgrade(engine)
        return installation.initialise(engine, settings, sandbox=sandbox, now=utc_now())
    finally:
        engine.dispose()


def kind_of(settings: "Settings") -> str | None:
    """Return `production` or `sandbox`, or None when there is no database that is set up."""
    from cases import installation
    from config.database import make_engine, reading
    from config.postgres import database_url
    from migrations import current

    if settings.database_url is None and not (settings.home / "postgres" / "PG_VERSION").exists():
        return None
    engine = make_engine(database_url(settings), pool_size=1)
    try:
        if current(engine) is None:
            return None
        with reading(engine) as conn:
            return installation.kind(conn)
    finally:
        engine.dispose()
