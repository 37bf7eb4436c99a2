"""A throw-away organisation of any size on a PostgreSQL of its own."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

import migrations
from cases import opening, store
from cases.campaigns import plan_campaign
from cases.environment import Environment, load_policy, working_calendar, world
from cases.installation import initialise
from cases.tables import CaseRow
from config import postgres
from config.clock import set_sandbox
from config.database import make_engine, transaction
from config.settings import load_settings
from members import store as members
from members.staff_commands import add_staff
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Actor, Role

LAUNCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TITLE = "Annual self-assessment 2026"
FACTS = {
    "launch": "2026-03-02", "deadline": "2026-04-17", "questionnaire": "pulse", "questionnaire_version": 1,
    "campaign_title": TITLE, "ladder": "standard",
}  # fmt: skip
PLAN = {
    "kind": "survey", "title": TITLE, "questionnaire": "pulse", "launch": "2026-03-02",
    "deadline": "2026-04-17", "population": {"status": ["active"]},
}  # fmt: skip


@contextmanager
def organisation() -> Iterator[Environment]:
    """Yield an empty sandbox with a coordinator, a manager and a senior manager, its clock at the launch."""
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        settings = load_settings({"MUSTER_HOME": str(home), "MUSTER_DATABASE_URL": postgres.start(home / "postgres")})
        assert settings.database_url is not None
        engine = make_engine(settings.database_url.get_secret_value())
        try:
            migrations.upgrade(engine)
            initialise(engine, settings, sandbox=True, now=LAUNCH)
            policy = load_policy(settings)
            asks_never = policy.breaker.model_copy(update={"late": 10**9, "on_time": 10**9})
            policy = policy.model_copy(update={"breaker": asks_never})
            env = Environment(engine, settings, policy, working_calendar(settings, policy))
            go_to(env, LAUNCH)
            for name, role in (("Amara", "coordinator"), ("Mina", "manager"), ("Sol", "senior_manager")):
                add_staff(engine, name, f"{name.lower()}@muster.example", [role], actor=SYSTEM, now=LAUNCH)
            yield env
        finally:
            engine.dispose()
            postgres.stop(home / "postgres")


def go_to(env: Environment, instant: datetime) -> None:
    """Set the clock."""
    with transaction(env.engine) as conn:
        set_sandbox(conn, instant)


_COPIED = ", ".join(
    column.name for column in CaseRow.__table__.columns if column.name not in {"id", "ref"} and column.computed is None
)
_COPIES = text(f"""
INSERT INTO cases (ref, {_COPIED})
SELECT 'XX-2026-' || lpad((c.id + :beyond)::text, 8, '0'), {_COPIED} FROM cases c
WHERE c.parent_id = :campaign AND c.id <= :last ORDER BY c.id LIMIT :count
""")


def responses(env: Environment, count: int, *, whole: int = 100_000) -> None:
    """Open a survey response for each of so many new members, as a launch does. Nothing is due to the campaign.

    So many are `whole`; the others are copies of these, several for a member and without the event of their opening.
    """
    process = process_named("survey_response")
    campaign = plan_campaign(env, PLAN, actor=Actor("staff:1", "Amara", frozenset({Role.COORDINATOR}))).after.id
    with transaction(env.engine) as conn:
        conn.execute(text("UPDATE cases SET due_at = NULL WHERE due_at IS NOT NULL"))
    first = min(count, whole)
    for start in range(0, first, 20_000):
        size = min(20_000, first - start)
        with transaction(env.engine) as conn:
            names = [{"name": f"Member {start + n:06d}"} for n in range(size)]
            ids = members.insert_members(conn, names, source="bench", actor=SYSTEM, now=LAUNCH)
            here = world(conn, env)
            wishes = [opening.Wish(process, TITLE, FACTS, member, None, campaign) for member in ids]
            found = [c for c in opening.decided(conn, wishes, here, actor=SYSTEM) if not isinstance(c, tuple)]
            store.apply(conn, found, here)
    with transaction(env.engine) as conn:
        last = conn.execute(text("SELECT max(id) FROM cases")).scalar_one()
        for start in range(first, count, first):
            values = {
                "beyond": 10_000_000 + start,
                "campaign": campaign,
                "last": last,
                "count": min(first, count - start),
            }
            conn.execute(_COPIES, values)
    tidy(env)


def tidy(env: Environment) -> None:
    """Do what autovacuum would do in its time, so that it does not happen in the middle of a measurement."""
    with env.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("VACUUM ANALYZE")


@contextmanager
def elsewhere(env: Environment, work: Callable[..., Any], *given: Any) -> Iterator[Future[Any]]:
    """Yield the future of ``work(env, *given)`` in a process of its own; on leaving, wait for it."""
    rules = env.settings, env.policy, env.calendar
    url = env.engine.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool.submit(_at_work, url, rules, work, given)


def _at_work(url: str, rules: tuple[Any, ...], work: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    env = Environment(make_engine(url, pool_size=1), *rules)
    try:
        return work(env, *given)
    finally:
        env.engine.dispose()
