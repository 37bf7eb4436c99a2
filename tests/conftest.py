"""Fixtures that more than one folder of tests needs: real databases, and the shared data."""

import importlib
import importlib.util
import os
import shutil
import tempfile
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import text
from xdist.scheduler import LoadScopeScheduling

from config import postgres, roles
from config.database import Engine, make_engine, metadata
from config.locks import locked
from tests.cast import Cast, cast_of

# Every example is drawn anew, but in CI the same ones each time; a busy machine is no failure.
settings.register_profile("muster", deadline=None, derandomize=os.environ.get("MUSTER_CI") == "1")
settings.load_profile("muster")

REPOSITORY = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("MUSTER_CI") == "1"
TEMPLATE = "muster_template"

# Nothing here survives the tests, so nothing waits for the disk.
HASTE = """
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
"""

MEMORY, ROOM = Path("/dev/shm"), 4 * 1024**3  # noqa: S108 - a folder of our own is made in it
"""Where files are kept in memory on Linux, and how many bytes must be free there for the tests' databases."""

TOGETHER = (
    "tests/browser/", "tests/pages/test_access.py", "tests/pages/test_attacks.py",
    "tests/security/test_looks.py", "tests/shell/test_complaints_on_real_input.py", "tests/shell/test_demo.py",
)  # fmt: skip
"""Files whose tests share something costly, such as a browser or a whole organisation: one worker runs all of them."""


class ByFileWhereItPays(LoadScopeScheduling):
    """Hands out single tests, and whole files where their tests belong together."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if nodeid.startswith(TOGETHER) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Return how tests are shared out; the long ones come first, in the order of `pytest_collection_modifyitems`."""
    config.option.loadscopereorder = False
    return ByFileWhereItPays(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what mostly waits: others work meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("flows") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Turn every skip into a failure in CI, where each tool and all data must be there."""
    report: pytest.TestReport = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped, which MUSTER_CI=1 forbids: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """The same for whole files that would be skipped."""
    report: pytest.CollectReport = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"Skipped, which MUSTER_CI=1 forbids: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of one running PostgreSQL, shared by all workers and stopped by the last one."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    users = root / "postgres-users"
    users.mkdir(exist_ok=True)
    mine = users / str(os.getpid())
    with locked(root / "postgres-users.lock"):
        mine.touch()
        data = _room(root) / "postgres"
        _make_template(data)
    yield data
    with locked(root / "postgres-users.lock"):
        mine.unlink()
        if not any(users.iterdir()):
            postgres.stop(data)
            (root / "room").unlink()
            shutil.rmtree(data.parent)


def _room(root: Path) -> Path:
    """Return where the databases of this run lie: in memory where there is room, since a copy for each test is made."""
    chosen = root / "room"
    if not chosen.exists():
        roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
        folder = tempfile.mkdtemp(prefix="muster-tests-", dir=MEMORY if roomy else root)
        Path(folder).chmod(0o755)
        chosen.write_text(folder)
    return Path(chosen.read_text())


def _make_template(data: Path) -> None:
    """Make the migrated database that each test copies, once for all workers."""
    admin = make_engine(postgres.start(data, database="postgres", extra=HASTE))
    with admin.connect() as conn:
        statement = text("SELECT count(*) FROM pg_database WHERE datname = :name AND datistemplate")
        done = conn.execute(statement, {"name": TEMPLATE}).scalar_one()
    if not done:
        engine = make_engine(postgres.start(data, database=TEMPLATE))
        _migrate(engine)
        engine.dispose()
        _administer(admin, f"ALTER DATABASE {TEMPLATE} IS_TEMPLATE true")
    admin.dispose()


def _migrate(engine: Engine) -> None:
    """Bring an empty database to the newest schema."""
    upgrade = getattr(importlib.import_module("migrations"), "upgrade", None)
    if upgrade is not None:
        upgrade(engine)
        roles.prepare(engine)
        return
    for folder in ("config", "members", "notifications", "cases", "web"):
        if importlib.util.find_spec(f"{folder}.tables"):
            importlib.import_module(f"{folder}.tables")
    metadata.create_all(engine)


def _administer(admin: Engine, statement: str) -> None:
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text(statement))


@pytest.fixture(scope="session")
def database_admin(database_server: Path) -> Iterator[Engine]:
    """A way to create and drop databases in the tests' server."""
    admin = make_engine(postgres.start(database_server, database="postgres"), pool_size=1)
    yield admin
    admin.dispose()


@contextmanager
def fresh_database(admin: Engine, template: str = TEMPLATE) -> Iterator[str]:
    """Yield the address of a fresh, migrated, empty database, or of a copy of another; it is dropped in the end."""
    name = f"test_{uuid.uuid4().hex}"
    _administer(admin, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield admin.url.set(database=name).render_as_string(hide_password=False)
    _administer(admin, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine_url(database_admin: Engine) -> Iterator[str]:
    """The address of a fresh, migrated, empty database, for tests that start other processes."""
    with fresh_database(database_admin) as url:
        yield url


@pytest.fixture
def engine(engine_url: str) -> Iterator[Engine]:
    """An engine on a fresh, migrated, empty database."""
    engine = make_engine(engine_url)
    yield engine
    engine.dispose()


@pytest.fixture
def cast(engine: Engine, tmp_path: Path) -> Cast:
    """A sandbox with the cast of the tests."""
    return cast_of(engine, tmp_path / "home")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder `shared/data` beside the checkout: published registers and complaints, not ours to ship."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        reason = f"the published data is not there: {folder.relative_to(REPOSITORY.parent)}"
        pytest.fail(reason) if IN_CI else pytest.skip(reason)
    return folder
