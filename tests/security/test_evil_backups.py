"""A backup that somebody made by hand: what it says of itself is not believed, and what is here is not made worse."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import migrations
from cases import evidence
from cases.copies import archive, restoring
from cases.copies.archive import KEY, MANIFEST
from cases.copies.errors import BadBackup
from cases.copies.taking import mark_of
from cli.main import app as commands_of
from config import dumping
from config.clock import utc_now
from config.database import Engine
from config.settings import load_settings
from tests.cast import Cast
from tests.pages.case_cast import a_complaint
from tests.shell.test_backup import backed_up, elsewhere, empty

STRANGE = "evidence/" + "a" * 64


@pytest.fixture
def honest(cast: Cast, tmp_path: Path) -> Path:
    """A backup with its key and a file."""
    evidence.add(cast.env, a_complaint(cast), "a.txt", b"as it was", actor=cast.actor("Amara"))
    return backed_up(cast, tmp_path / "honest.backup", with_key=True)


def parts_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """The parts of a backup, the manifest last."""
    with tarfile.open(path) as tar:
        for member in tar:
            file = tar.extractfile(member)
            assert file is not None
            yield member.name, file.read()


def forged(path: Path, says: Mapping[str, Any] | bytes = {}, **parts: bytes) -> Path:
    """The same backup with other parts, and with a manifest that fits them and says something else besides."""
    held = {**dict(parts_of(path)), **{KEY if name == "key" else STRANGE: content for name, content in parts.items()}}
    kept = json.loads(held.pop(MANIFEST))
    known = {name: [len(content), hashlib.sha256(content).hexdigest()] for name, content in held.items()}
    told = says if isinstance(says, bytes) else json.dumps({**kept, "parts": known, **says}).encode()
    new = path.with_name("forged.backup")
    with tarfile.open(new, "w") as tar:
        for name, content in {**held, MANIFEST: told}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return new


LIES: tuple[Any, ...] = (
    b"[]", b'"x"', b"[" * 100_000, b'{"format": 1, "parts": []}', b'{"format": 1}', {"made_at": "\x1b]0;x\x07"},
    {"faults": ["\x1b[31m"]}, {"tables": {"a b": {"columns": [], "rows": 0}}},
    {"parts": {"/etc/passwd": [1, "0" * 64]}}, {"parts": {"evidence/../../x": [1, "0" * 64]}},
    {"record": {"cases": -1, "events": 0, "digest": "0" * 64}},
)  # fmt: skip


def test_what_a_backup_says_of_itself_is_checked_before_it_is_used(honest: Path) -> None:
    for lie in LIES:
        with pytest.raises(BadBackup), archive.opened(forged(honest, lie)):
            pytest.fail(f"{lie!r} was believed")


def test_a_file_that_is_not_what_its_name_says_is_put_nowhere(cast: Cast, honest: Path) -> None:
    with archive.opened(forged(honest, strange=b"another")) as found:
        found.verify()
        assert restoring.files(found, cast.env.settings) == []
    assert not evidence.path_of(cast.env.settings.evidence, "a" * 64).exists()


def test_a_part_that_is_mostly_holes_is_not_read(tmp_path: Path, honest: Path) -> None:
    held = dict(parts_of(honest))
    told = json.loads(held[MANIFEST])
    told["parts"] = {STRANGE: [1 << 50, "0" * 64]}
    path, holes = tmp_path / "holes.backup", tarfile.TarInfo(STRANGE)
    holes.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": STRANGE,
                         "GNU.sparse.size": str(1 << 50), "GNU.sparse.map": "0,0"}  # fmt: skip
    with tarfile.open(path, "w") as tar:
        tar.addfile(holes)
        member, content = tarfile.TarInfo(MANIFEST), json.dumps(told).encode()
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    with archive.opened(path) as found, pytest.raises(BadBackup, match="not as it was written"):
        found.verify()


UNUSABLE: tuple[tuple[dict[str, bytes], dict[str, Any]], ...] = (
    ({"key": b"short"}, {}), ({"key": b"x" * 40}, {}), ({"key": b"x" * 20_000}, {}), ({"key": b"\x1b" * 40}, {}),
    ({}, {"tables": {"staff": {"columns": ["x) FROM PROGRAM 'true' --"], "rows": 0}}}),
)  # fmt: skip


def test_what_would_not_work_here_is_refused_and_leaves_nothing(
    cast: Cast, honest: Path, tmp_path: Path, database_admin: Engine
) -> None:
    with empty(database_admin) as engine:
        there = elsewhere(cast, engine, tmp_path / "elsewhere")
        before = there.settings.secret_key
        for parts, says in UNUSABLE:
            with pytest.raises(BadBackup), archive.opened(forged(honest, says, **parts)) as found:
                restoring.restore(found, engine, there.settings, migrations, now=utc_now())
            assert load_settings({"MUSTER_HOME": str(tmp_path / "elsewhere")}).secret_key == before
            with engine.connect() as conn:
                assert dumping.is_empty(conn)


def test_the_key_of_another_installation_and_of_the_environment_stay(
    cast: Cast, honest: Path, tmp_path: Path, database_admin: Engine
) -> None:
    home = tmp_path / "elsewhere"
    with empty(database_admin) as engine, archive.opened(honest) as found:
        there = elsewhere(cast, engine, home)
        ours = (home / KEY).read_text()
        done = restoring.restore(found, engine, there.settings, migrations, take_key=False, now=utc_now())
        assert not done.same_key and (home / KEY).read_text() == ours
    with empty(database_admin) as engine, archive.opened(honest) as found:
        given = load_settings({"MUSTER_HOME": str(home), "MUSTER_SECRET_KEY": "e" * 40})
        settings = replace(elsewhere(cast, engine, home), settings=given).settings
        assert not restoring.restore(found, engine, settings, migrations, now=utc_now()).same_key
        assert (home / KEY).read_text() == ours
        assert mark_of("e" * 40) != found.manifest["key"]


ADDRESSES = (
    "postgresql://u:GEHEIM@h:port/db", "postgresql://u:pw@GEHEIM@h/db", "postgresql://h/db?password=GEHEIM",
    "mysql://u:GEHEIM@h/db", "postgresql://u:GEHEIM@[::1/db",
)  # fmt: skip


def test_a_password_in_an_address_is_told_nowhere(cast: Cast, engine_url: str, honest: Path) -> None:
    home = cast.env.settings.home
    env = {"MUSTER_HOME": str(home), "MUSTER_DATABASE_URL": engine_url}
    for address in ADDRESSES:
        for command in (["db", "move"], ["restore", str(honest), "--into"]):
            told = CliRunner().invoke(commands_of, [*command, address], env=env)
            assert told.exit_code == 1 and "write %40" in told.output, told.output
            assert "GEHEIM" not in told.output
    assert not [log for log in (home / "logs").glob("*") if "GEHEIM" in log.read_text()]
