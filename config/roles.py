"""Roles of the database: what the desk may do there, what the flows may, and nobody's business besides.

The owner of the tables migrates, and serves the commands. The desk and the flows come under roles of their own, which
can make no table, rewrite no record and read no secret that is not theirs: whoever finds a way to send the database a
statement of his own through a page is stopped there. Letters: Select, Insert, Update, Delete.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import text

from config.database import Connection, Engine, make_engine
from config.postgres import database_url
from config.settings import Settings
from config.tables import SANDBOX

_LOCK = 770018
_WORDS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}


@dataclass(frozen=True)
class DatabaseRole:
    """A role: its name, what it is for, what it may do to each table, and what besides in a sandbox."""

    name: str
    purpose: str
    tables: Mapping[str, str]
    in_sandbox: Mapping[str, str]


_SHARED = {
    # The record: added to, never rewritten.
    "case_events": "SI", "event_personal": "SI", "member_changes": "SI", "staff_changes": "S", "evidence_files": "SI",
    "questionnaires": "SI", "response_answers": "SI", "restricted_views": "SI",
    # What stands now.
    "cases": "SIU", "case_links": "SID", "case_tasks": "SIU", "case_words": "SI", "campaign_members": "SIU",
    "members": "SIU", "contacts": "SIU", "member_proposals": "SIU", "messages": "SIU", "signatures": "SIU",
    "document_versions": "SIU", "link_epochs": "SIU", "response_drafts": "SIUD", "inbox_messages": "SIU",
    "inbox_sources": "SIU", "rehearsals": "SIUD", "rehearsed_mails": "SID",
    "sweep_holds": "SIU", "held_cases": "SIUD", "sweep_tallies": "SIUD",
    # Read by whoever decides anything.
    "staff": "S", "absences": "S", "teams": "S", "conflicts_of_interest": "S", "staff_version": "S",
    "installation": "S", "alembic_version": "S", "sweeps": "S", "job_runs": "S",
}  # fmt: skip

WEB = DatabaseRole(
    "muster_web",
    "the desk, the members' pages and the API",
    {
        **_SHARED,
        "staff": "SIU", "absences": "SIUD", "teams": "SIU", "conflicts_of_interest": "SID", "staff_version": "SU",
        "staff_changes": "SI", "document_versions": "SIUD",
        "web_sessions": "SIUD", "staff_passwords": "SIU", "password_links": "SIUD", "attempts": "SIUD",
        "oidc_identities": "SID", "api_tokens": "SIU", "idempotency_keys": "SIUD", "calendar_feeds": "SIU",
        "drafts": "SIUD", "case_viewers": "SIUD", "saved_views": "SIUD", "view_pins": "SIUD",
    },
    {"installation": "SU", "sweeps": "SIUD", "job_runs": "SIUD"},
)  # fmt: skip
WORKER = DatabaseRole(
    "muster_worker",
    "the flows: sweep, delivery, the inbox, nightly work",
    {**_SHARED, "sweeps": "SIUD", "job_runs": "SIUD", "restricted_views": "SID"},
    {},
)
ROLES = (WEB, WORKER)


def address(settings: Settings, role: DatabaseRole) -> str:
    """Return the address under which a role comes to the database; that of the owner where it was given no other.

    Muster's own PostgreSQL has the roles always. Raises PostgresFailed.
    """
    own = settings.web_database_url if role is WEB else settings.worker_database_url
    if own is not None:
        return own.get_secret_value()
    given = database_url(settings)
    if settings.database_url is not None:
        return given
    owner = make_engine(given, pool_size=1)
    try:
        prepare(owner)
        return owner.url.set(username=role.name).render_as_string(hide_password=False)
    finally:
        owner.dispose()


def prepare(engine: Engine) -> None:
    """Make the roles where they are missing and give them what they need. The engine is that of a superuser."""
    with engine.begin() as conn:
        _alone(conn)
        there = _there(conn)
        for role in ROLES:
            if role.name not in there:
                conn.exec_driver_sql(_text(conn, _made(role)))
        _grant(conn, {role.name for role in ROLES})


def renew(conn: Connection) -> list[str]:
    """Give the roles that are there what they need, tables new since then among it; return their names."""
    _alone(conn)
    there = _there(conn)
    _grant(conn, there)
    return sorted(there)


def renew_sandbox(conn: Connection) -> None:
    """Give the roles that are there what they need besides in a sandbox, which this database has just become."""
    there = _there(conn)
    wanted = [_text(conn, each) for role in ROLES if role.name in there for each in _given_in_sandbox(role)]
    if wanted:
        conn.exec_driver_sql("; ".join(wanted))


def statements(conn: Connection) -> list[str]:
    """Return the statements that make both roles, without passwords, and give them what they need in this database."""
    made = [_text(conn, _made(role)) for role in ROLES]
    return made + [_text(conn, each) for role in ROLES for each in _granted(conn, role)]


def _alone(conn: Connection) -> None:
    """Two processes that give the same at once would be in each other's way."""
    conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _there(conn: Connection) -> set[str]:
    names = [role.name for role in ROLES]
    return set(conn.execute(text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:n)"), {"n": names}).scalars())


def _grant(conn: Connection, names: set[str]) -> None:
    wanted = [_text(conn, each) for role in ROLES if role.name in names for each in _granted(conn, role)]
    if wanted:
        conn.exec_driver_sql("; ".join(wanted))


def _made(role: DatabaseRole) -> sql.Composable:
    return sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS").format(
        sql.Identifier(role.name)
    )


def _granted(conn: Connection, role: DatabaseRole) -> Iterator[sql.Composable]:
    """What a role is given, from nothing: for tables that are there."""
    name, database = sql.Identifier(role.name), sql.Identifier(conn.engine.url.database or "")
    yield sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC, {}").format(name)
    yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name)
    yield sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, name)
    yield sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name)
    yield sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(name)
    there = set(conn.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars())
    for table, letters in sorted(role.tables.items()):
        if table in there:
            yield _may(name, table, letters)
    if role is WORKER:
        yield _may_hold(name)
    if conn.execute(text("SELECT kind FROM installation")).scalar() == SANDBOX:
        yield from _given_in_sandbox(role)


def _given_in_sandbox(role: DatabaseRole) -> Iterator[sql.Composable]:
    """Where the clock is moved by a button, the desk does the work of the flows."""
    name = sql.Identifier(role.name)
    for table, letters in sorted(role.in_sandbox.items()):
        yield _may(name, table, letters)
    if role.in_sandbox:
        yield _may_hold(name)


def _may(name: sql.Identifier, table: str, letters: str) -> sql.Composable:
    what = sql.SQL(", ").join(sql.SQL(_WORDS[letter]) for letter in letters)
    return sql.SQL("GRANT {} ON {} TO {}").format(what, sql.Identifier(table), name)


def _may_hold(name: sql.Identifier) -> sql.Composable:
    """Seals of the record need its writers to wait; that right comes without one to change anything."""
    return sql.SQL("GRANT EXECUTE ON FUNCTION hold_record() TO {}").format(name)


def _text(conn: Connection, statement: sql.Composable) -> str:
    return statement.as_string(conn.connection.driver_connection)
