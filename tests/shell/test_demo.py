"""The sample organisation: it loads through the real commands, keeps every promise, and looks lived in."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from cases import audit, installation
from cases.demo import HalfLoaded, KeepingTransport, NoSandbox, load_sample
from cases.environment import Environment, load_policy, working_calendar
from cases.promises import broken_promises
from config.database import Engine, make_engine, reading
from config.settings import load_settings
from members.staff_commands import add_staff
from notifications.refusals import NeverDeliverable
from state_machines.registry import processes
from state_machines.values import SYSTEM
from tests.shell.conftest_demo import fresh_database

NOW = datetime(2026, 6, 17, 14, 25, tzinfo=UTC)
"""A Wednesday in summer time."""
