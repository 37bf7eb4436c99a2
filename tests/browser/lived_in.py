"""The organisation of the demo in a database of its own, and where its most telling things are."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

import migrations
from cases.demo import load_sample
from cases.environment import Environment, load_policy, working_calendar
from cases.inbox.sample import sample_mail
from cases.inbox.taking import take
from cases.installation import initialise
from config import postgres
from config.database import make_engine, reading
from config.settings import load_settings
from notifications import links
from tests.cast import Cast

TUESDAY = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Places:
    """References and personal links to look at."""

    env: Environment

    def ref(self, where: str, **values: Any) -> str:
        """Return the reference of the first case for which this SQL condition holds."""
        statement = text(f"SELECT ref FROM cases c WHERE {where} ORDER BY id LIMIT 1")
        with reading(self.env.engine) as conn:
            found = conn.execute(statement, values).scalar()
        assert found, f"the demo has no case where {where}"
        return str(found)

    def member(self) -> str:
        """Return the reference of the member with the most cases."""
        statement = text(
            "SELECT m.ref FROM members m JOIN cases c ON c.member_id = m.id GROUP BY m.ref, m.id"
            " ORDER BY count(*) DESC, m.id LIMIT 1"
        )
        with reading(self.env.engine) as conn:
            return str(conn.execute(statement).scalar_one())

    def mail(self) -> int:
        """Return the number of the first mail that came in and waits for a person."""
        with reading(self.env.engine) as conn:
            waits = text("SELECT min(id) FROM inbox_messages WHERE state = 'unmatched'")
            return int(conn.execute(waits).scalar_one())

    def held(self) -> int:
        """Return the number of the newest of what is held back."""
        with reading(self.env.engine) as conn:
            return int(conn.execute(text("SELECT max(id) FROM sweep_holds")).scalar_one())

    def section(self, where: str) -> str:
        """Return the id of the first section of the questionnaire that the first such response is asked."""
        statement = text(
            "SELECT q.definition -> 'sections' -> 0 ->> 'id' FROM cases c JOIN cases p ON p.id = c.parent_id"
            " JOIN questionnaires q ON q.fingerprint = p.data ->> 'questionnaire_fingerprint'"
            f" WHERE {where.replace('process =', 'c.process =').replace('state =', 'c.state =')} ORDER BY c.id LIMIT 1"
        )
        with reading(self.env.engine) as conn:
            return str(conn.execute(statement).scalar_one())

    def link(self, where: str, purpose: str = links.MEMBER) -> str:
        """Return the personal link to the first case for which this SQL condition holds."""
        with reading(self.env.engine) as conn:
            number = conn.execute(text(f"SELECT id FROM cases c WHERE {where} ORDER BY id LIMIT 1")).scalar_one()
            epoch = links.epochs(conn, [number])[number]
        secret = self.env.settings.secret_key.get_secret_value()
        return links.url("", links.make(secret, purpose, number, epoch), purpose)


@contextmanager
def lived_in(server: Path, home: Path) -> Iterator[tuple[Cast, Places]]:
    """Load the demo into a new database of this server, and yield it."""
    name = f"demo_{uuid.uuid4().hex}"
    url = postgres.start(server, database=name)
    engine = make_engine(url)
    settings = load_settings(
        {"MUSTER_HOME": str(home), "MUSTER_DATABASE_URL": url, "MUSTER_SMTP_URL": "smtp://127.0.0.1:1"}
    )
    migrations.upgrade(engine)
    policy = load_policy(settings)
    env = Environment(engine, settings, policy, working_calendar(settings, policy))
    initialise(engine, settings, sandbox=True, now=TUESDAY)
    load_sample(env, now=TUESDAY)
    for mail in sample_mail(env):
        take(env, mail, source="the demo")
    yield Cast(env), Places(env)
    engine.dispose()
