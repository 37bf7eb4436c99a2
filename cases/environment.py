"""What every use case needs: the database, the settings, the rules, the calendar. Made once per process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from cases.errors import CaseError
from config import clock
from config.database import Connection, Engine, make_engine, reading
from config.policy import read_policy
from config.postgres import database_url
from config.roles import DatabaseRole, address
from config.settings import Settings, load_settings
from members import staff_store
from members.staffing import Staffing
from notifications import catalogue
from state_machines.calendars import Calendar, calendar
from state_machines.objections import payload_errors
from state_machines.policy import Policy, PolicyError
from state_machines.registry import require_sound
from state_machines.values import Context


class NotInitialised(CaseError):
    """This database is not set up yet; run: muster init"""

    status = 503


@dataclass(frozen=True)
class Environment:
    """The database, the settings, the rules and the calendar of this installation."""

    engine: Engine
    settings: Settings
    policy: Policy
    calendar: Calendar

    def now(self) -> datetime:
        """Return the instant this installation lives in: the real one, or the one a sandbox's clock stands at."""
        with reading(self.engine) as conn:
            return clock.current(conn)


@dataclass(frozen=True)
class World:
    """What one transaction decides by: the environment, the staff as they are now, and the moment."""

    env: Environment
    staffing: Staffing
    now: datetime

    def context(self, facts: Mapping[str, Any]) -> Context:
        """Return what the core may look at for a case with these facts."""
        return Context(self.env.policy, self.env.calendar, facts)


def world(conn: Connection, env: Environment, now: datetime | None = None) -> World:
    """Return the world of a transaction; ``now`` is the installation's clock unless given."""
    return World(env, staff_store.staffing(conn), now or clock.current(conn))


def load_policy(settings: Settings) -> Policy:
    """Return the policy: ours with the organisation's own file over it. Raises PolicyError with sentences."""
    values = read_policy(settings.policy)
    try:
        policy = Policy.model_validate(values)
        policy.check()
    except ValidationError as bad:
        lines = [f"{name}: {' '.join(found)}" for name, found in payload_errors(bad).items()]
        raise PolicyError("The policy cannot be used. " + "; ".join(lines)) from None
    except ValueError as bad:
        raise PolicyError(f"The policy cannot be used. {bad}") from None
    return policy


def open_environment(settings: Settings | None = None, *, role: DatabaseRole | None = None) -> Environment:
    """Return the environment of this installation, starting its embedded database when it has one.

    ``role``: as whom the database is entered; as the owner of its tables unless given. Raises SettingsError,
    PolicyError or BrokenProcess with sentences: a process that is not proved is not run.
    """
    settings = settings or load_settings()
    policy = load_policy(settings)
    require_sound(policy, catalogue.entries().keys())
    engine = make_engine(database_url(settings) if role is None else address(settings, role))
    return Environment(engine, settings, policy, working_calendar(settings, policy))


def working_calendar(settings: Settings, policy: Policy) -> Calendar:
    """Return the organisation's calendar: the public holidays of its place and its own closure days."""
    place = calendar(settings.calendar, settings.time_zone, policy.organisation.closures)
    return Calendar(place.name, place.zone_name, place.closures, cut_off=policy.organisation.cut_off)
