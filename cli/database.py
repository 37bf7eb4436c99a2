"""The database of this installation, as commands need it: made, asked what it is, opened."""

from typing import TYPE_CHECKING

from cli.output import at_end, refuse

if TYPE_CHECKING:
    from cases.environment import Environment
    from cases.looking.recording import Look
    from config.settings import Settings


def opened(settings: "Settings | None" = None) -> "Environment":
    """Return the environment of an installation that is set up; it is closed when the command ends.

    Does not make an embedded database where there is none. Raises NotInitialised, and sentences about settings.
    """
    from cases.copies.resting import require_here
    from cases.environment import NotInitialised, open_environment
    from cases.looking import recording
    from config.database import reading
    from config.settings import load_settings

    settings = settings or load_settings()
    if kind_of(settings) is None:
        raise NotInitialised
    env = open_environment(settings)
    at_end(env.engine.dispose)
    with reading(env.engine) as conn:
        require_here(conn)
    looks = recording.begin()
    at_end(lambda: _keep(env, looks))
    return env


def _keep(env: "Environment", looks: "list[Look]") -> None:
    """Write who looked at what is restricted with this command."""
    if looks:
        import uuid

        from cases.looking.store import keep
        from config.clock import utc_now

        keep(env.engine, looks, through="command", request=uuid.uuid4().hex[:16], now=utc_now())


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


def address_of(typed: str) -> str:
    """Return the address of a database that somebody typed. Refuses what is none, without repeating a password.

    One in the query is refused as well: it would be told with the address.
    """
    from config.database import driver_url

    try:
        hidden = any("password" in name for name in driver_url(typed).query)
    except Exception:  # the library's own words would repeat the address, and its password
        hidden = True
    if hidden:
        refuse("This is no PostgreSQL address such as postgresql://user:password@host/muster. In a password write %40 "
               "for an @ and %2F for a /.")  # fmt: skip
    return typed


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
