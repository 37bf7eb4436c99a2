"""The organisation of the demo in a database of its own, and where its most telling things are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import text

from cases.environment import Environment
from cases.inbox.sample import sample_mail
from cases.inbox.taking import take
from cases.own.links import leave_token
from config import clock
from config.database import reading, transaction
from members import staff_store
from notifications import links
from state_machines.values import SYSTEM
from tests.cast import Cast
from tests.sample import sample_organisation
from web.accounts.password_links import invite


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

    def contact(self) -> int:
        """Return the number of a contact of the member with the most cases."""
        with reading(self.env.engine) as conn:
            wanted = text("SELECT min(c.id) FROM contacts c JOIN members m ON m.id = c.member_id WHERE m.ref = :ref")
            return int(conn.execute(wanted, {"ref": self.member()}).scalar_one())

    def letter(self, where: str, purpose: str = "") -> str:
        """Return where the first mail about the first case for which this SQL condition holds is read.

        With the purpose of a personal link, by whom it was written to.
        """
        ref = self.ref(where)
        first = text(
            "SELECT min(m.id) FROM messages m JOIN cases c ON c.id = m.case_id"
            " WHERE c.ref = :ref AND m.state = 'sent' AND (:purpose = '' OR m.audience = :purpose)"
        )
        with reading(self.env.engine) as conn:
            number = conn.execute(first, {"ref": ref, "purpose": purpose}).scalar_one()
        return f"{self.link(where, purpose)}/letters/{number}" if purpose else f"/cases/{ref}/messages/{number}"

    def leave_link(self) -> str:
        """Return the link with which the member with the most cases would leave."""
        with reading(self.env.engine) as conn:
            number = conn.execute(text("SELECT id FROM members WHERE ref = :ref"), {"ref": self.member()}).scalar_one()
        return f"/links/leave/{leave_token(self.env, number, asked_at=self.env.now())}"

    def password_link(self) -> str:
        """Return a link with which somebody of the staff chooses a password."""
        with transaction(self.env.engine) as conn:
            person = next(iter(staff_store.staffing(conn).people.values()))
            return urlsplit(invite(conn, self.env, person, actor=SYSTEM, now=clock.utc_now())).path

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
    """Yield the demo in a database of its own on this server, with mail that waits in its inbox."""
    with sample_organisation(server, home) as env:
        for mail in sample_mail(env):
            take(env, mail, source="the demo")
        yield Cast(env), Places(env)
