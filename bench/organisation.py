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
from config import postgres
from config.clock import set_sandbox
from config.database import make_engine, transaction
from config.settings import Settings, load_settings
from members import store as members
from members.staff_commands import add_staff
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Actor, Role

LAUNCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FACTS = {
    "launch": "2026-03-02", "deadline": "2026-04-17", "questionnaire": "pulse", "questionnaire_version": 1,
    "campaign_title": "Annual self-assessment 2026", "ladder": "standard",
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


PLAN = {
    "kind": "survey", "title": "Annual self-assessment 2026", "questionnaire": "pulse", "launch": "2026-03-02",
    "deadline": "2026-04-17", "population": {"status": ["active"]},
}  # fmt: skip


def responses(env: Environment, count: int) -> None:
    """Open a survey response for each of so many new members, as a launch does. Nothing is due to the campaign."""
    process = process_named("survey_response")
    campaign = plan_campaign(env, PLAN, actor=Actor("staff:1", "Amara", frozenset({Role.COORDINATOR}))).after.id
    with transaction(env.engine) as conn:
        conn.execute(text("UPDATE cases SET due_at = NULL"))
    for start in range(0, count, 20_000):
        size = min(20_000, count - start)
        with transaction(env.engine) as conn:
            names = [{"name": f"Member {start + n:06d}"} for n in range(size)]
            ids = members.insert_members(conn, names, source="bench", actor=SYSTEM, now=LAUNCH)
            here = world(conn, env)
            wishes = [opening.Wish(process, PLAN["title"], FACTS, member, None, campaign) for member in ids]
            found = [c for c in opening.decided(conn, wishes, here, actor=SYSTEM) if not isinstance(c, tuple)]
            store.apply(conn, found, here)
    tidy(env)


def tidy(env: Environment) -> None:
    """Do what autovacuum would do in its time, so that it does not happen in the middle of a measurement."""
    with env.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("VACUUM ANALYZE")


@contextmanager
def elsewhere(env: Environment, work: Callable[..., Any], *given: Any) -> Iterator[Future[Any]]:
    """Yield the future of ``work(env, *given)`` in a process of its own; on leaving, wait for it."""
    url = env.engine.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool.submit(_at_work, env.settings, url, work, given)


def _at_work(settings: Settings, url: str, work: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    policy = load_policy(settings)
    env = Environment(make_engine(url, pool_size=1), settings, policy, working_calendar(settings, policy))
    try:
        return work(env, *given)
    finally:
        env.engine.dispose()
