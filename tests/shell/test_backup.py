"""Backups: taken while everything goes on, brought back elsewhere row by row and file by file, and then at rest."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import migrations
from cases import audit, commands, evidence, nightly
from cases.copies import archive, resting, restoring, taking
from cases.copies.archive import MANIFEST
from cases.copies.errors import BadBackup, NotRestored
from cases.delivering import deliver
from cases.environment import Environment
from cases.inbox.reading import read_inbox
from cases.inbox.taking import take as take_mail
from cases.sweep import sweep_due
from config import dumping
from config.clock import utc_now
from config.database import Engine, make_engine, transaction
from config.settings import Settings, load_settings
from notifications.inbox import keeping
from tests.cast import MONDAY, Cast
from tests.conftest import fresh_database
from tests.shell.cli_runner import muster_of
from workflows import jobs

NAMES = "Ünïcode 日本 \t tab \\ back \\N \n line"


def a_complaint(cast: Cast, subject: str) -> str:
    member = cast.scalar("SELECT ref FROM members ORDER BY id LIMIT 1")
    return commands.open_one(
        cast.env, "complaint", member=member, subject=subject, payload={"category": "service"},
        actor=cast.actor("Amara"),
    ).after.ref  # fmt: skip


@pytest.fixture
def organisation(cast: Cast) -> Cast:
    """Cases with odd signs, files, mail that came in, large mail too, messages, a seal, and somebody signed in."""
    cast.members(NAMES.replace("\n", " "), "South Gym")
    refs = [a_complaint(cast, f"{NAMES} {number}") for number in range(4)]
    for number, ref in enumerate(refs):
        evidence.add(cast.env, ref, "a.txt", f"file {number}".encode(), actor=cast.actor("Amara"))
        commands.note(cast.env, ref, NAMES, actor=cast.actor("Amara"))
    for size in (100, keeping.INLINE + 1):
        mail = b"From: jo@x.example\r\nSubject: hello\r\n\r\n" + b"words \xff\x00 " * (size // 9 + 1)
        take_mail(cast.env, mail, source="test")
    cast.go_to(MONDAY + timedelta(days=4))
    sweep_due(cast.env)
    nightly.seal(cast.env, now=cast.env_now)
    with transaction(cast.env.engine) as conn:
        conn.execute(text("INSERT INTO web_sessions (token_sha256, staff_id, started_at, seen_at, address, agent) "
                          "VALUES ('x', 4, now(), now(), '', '')"))  # fmt: skip
    return cast


@contextmanager
def empty(admin: Engine) -> Iterator[Engine]:
    """A database with nothing in it."""
    with fresh_database(admin) as url:
        engine = make_engine(url, pool_size=2)
        with engine.begin() as conn:
            conn.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        try:
            yield engine
        finally:
            engine.dispose()


def elsewhere(cast: Cast, engine: Engine, home: Path) -> Environment:
    """The same installation with another home and database."""
    url = engine.url.render_as_string(hide_password=False)
    settings = load_settings({"MUSTER_HOME": str(home), "MUSTER_DATABASE_URL": url})
    return replace(cast.env, engine=engine, settings=settings)


def rows(engine: Engine) -> dict[str, list[bytes]]:
    """Every row of every table, as text."""
    with engine.connect() as conn, conn.begin():
        dumping.be_exact(conn)
        return {t.name: sorted(b"".join(dumping.copy_out(conn, t)).splitlines()) for t in dumping.tables(conn)}


def files(settings: Settings) -> dict[str, bytes]:
    """Every stored file by its place."""
    folders = {"evidence": settings.evidence, "mail": settings.home / "mail-kept"}
    return {
        f"{name}/{path.relative_to(folder)}": path.read_bytes()
        for name, folder in folders.items() for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip


def backed_up(cast: Cast, folder: Path, **more: Any) -> Path:
    path, taken = taking.take_into(cast.env.engine, cast.env.settings, folder, now=utc_now(), **more)
    assert taken.faults == ()
    return path


def restored(path: Path, env: Environment) -> restoring.Restored:
    with archive.opened(path) as found:
        return restoring.restore(found, env.engine, env.settings, migrations, now=utc_now())


def test_what_is_brought_back_is_what_was_there_row_by_row_and_file_by_file(
    organisation: Cast, tmp_path: Path, database_admin: Engine
) -> None:
    cast = organisation
    path = backed_up(cast, tmp_path)
    before, kept = rows(cast.env.engine), files(cast.env.settings)
    assert len(kept) == 5

    with empty(database_admin) as engine:
        there = elsewhere(cast, engine, tmp_path / "elsewhere")
        done = restored(path, there)
        after = rows(engine)

        assert (done.files, done.problems, done.same_key, done.faults) == (5, 0, False, ())
        assert files(there.settings) == kept
        marks = [line for line in after["job_runs"] if line.startswith(b"at_rest")]
        assert len(marks) == 1
        after["job_runs"].remove(marks[0])
        assert {name for name in before if before[name] != after[name]} == {"web_sessions"}
        assert after["web_sessions"] == [], "whoever was signed in is signed out"
        assert set(before) == set(after)
        found = nightly.run_checks(there, now=there.now())
        assert [one for one in found.findings if one.check != "no_sweep"] == []
        with engine.connect() as conn:
            assert audit.verify(conn).ok

        assert_guarded_and_usable(replace(cast, env=there))


def assert_guarded_and_usable(cast: Cast) -> None:
    """The record refuses change, numbers go on after the highest, and words that are erased are not found."""
    with pytest.raises(Exception, match="append-only"), transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE case_events SET actor = 'x'"))
    before = cast.scalar("SELECT max(id) FROM cases")
    a_complaint(cast, "After")
    assert cast.scalar("SELECT max(id) FROM cases") == before + 1
    with transaction(cast.env.engine) as conn:
        conn.execute(text("DELETE FROM event_personal WHERE case_id = 1"))
    assert cast.scalar("SELECT count(*) FROM case_words WHERE case_id = 1 AND seq > 0") == 0


def test_a_backup_taken_while_cases_are_opened_and_swept_is_of_one_moment(
    organisation: Cast, tmp_path: Path, database_admin: Engine
) -> None:
    cast = organisation

    def work(number: int) -> None:
        ref = a_complaint(cast, f"Meanwhile {number}")
        evidence.add(cast.env, ref, "a.txt", os.urandom(9).hex().encode(), actor=cast.actor("Amara"))
        sweep_due(cast.env, now=cast.env_now + timedelta(days=number))

    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(work, number) for number in range(12)]
        paths = [backed_up(cast, tmp_path / f"{number}.backup") for number in range(3)]
        assert all(done.result() is None for done in working)
    with empty(database_admin) as engine:
        there = elsewhere(cast, engine, tmp_path / "elsewhere")
        restored(paths[1], there)
        with engine.connect() as conn:
            assert audit.verify(conn).ok
        assert evidence.verify_files(there) == []
        found = nightly.run_checks(there, now=there.now())
        assert [one for one in found.findings if not one.warning] == []


def test_what_is_restored_is_at_rest_until_somebody_says_that_it_goes_on(
    organisation: Cast, tmp_path: Path, database_admin: Engine
) -> None:
    cast = organisation
    path = backed_up(cast, tmp_path)
    with empty(database_admin) as engine:
        there = elsewhere(cast, engine, tmp_path / "elsewhere")
        restored(path, there)
        for work in (sweep_due, deliver, read_inbox, jobs.run_missing):
            with pytest.raises(resting.AtRest, match=r"restored on .* muster db resume"):
                work(there)  # type: ignore[operator]
        muster = muster_of(replace(cast, env=there))
        assert "at rest" in muster("up", code=1).err
        assert "muster db resume" in muster.json("status")["at_rest"]
        assert "at rest" in muster("sweep", code=1).err
        assert "messages to send" in muster("db", "resume", code=1, given="n\n").out
        assert muster.json("db", "resume", "--yes")["resumed"]
        assert muster.json("db", "resume") == {"resumed": False}
        assert sweep_due(there).parked == 0


def test_a_backup_of_an_older_schema_is_brought_to_this_one_and_one_of_a_newer_is_refused(
    organisation: Cast, tmp_path: Path, database_admin: Engine
) -> None:
    cast = organisation
    path = backed_up(cast, tmp_path)
    with empty(database_admin) as engine:
        there = elsewhere(cast, engine, tmp_path / "elsewhere")
        with archive.opened(path) as found:
            found.manifest["revision"] = "9999"  # type: ignore[index]
            with pytest.raises(BadBackup, match="newer Muster"):
                restoring.restore(found, engine, there.settings, migrations, now=utc_now())
    with empty(database_admin) as old, empty(database_admin) as engine:
        with old.begin() as conn:
            migrations.bring(conn, "0001")
            conn.exec_driver_sql("INSERT INTO installation (id, kind, time_zone, created_at) "
                                 "VALUES (1, 'sandbox', 'Europe/London', now())")  # fmt: skip
        older = elsewhere(cast, old, tmp_path / "old")
        path = taking.take_into(old, older.settings, tmp_path / "old.backup", now=utc_now())[0]
        restored(path, elsewhere(cast, engine, tmp_path / "new"))
        assert migrations.current(engine) == migrations.head()


def broken_part(path: Path) -> None:
    content = bytearray(path.read_bytes())
    with tarfile.open(path) as tar:
        at = tar.getmember("tables/case_events.copy.gz").offset_data
    content[at + 40] ^= 1
    path.write_bytes(content)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20_000])


def no_backup(path: Path) -> None:
    path.write_text("words")


@pytest.mark.parametrize(
    ("damage", "says"),
    [(broken_part, "tables/case_events"), (cut_off, "no end|cannot be read"), (no_backup, "cannot be read")],
)
def test_a_damaged_backup_is_refused_and_leaves_nothing(
    organisation: Cast, tmp_path: Path, database_admin: Engine, damage: Callable[[Path], None], says: str
) -> None:
    path = backed_up(organisation, tmp_path)
    damage(path)
    with empty(database_admin) as engine:
        there = elsewhere(organisation, engine, tmp_path / "elsewhere")
        with pytest.raises(BadBackup, match=says):
            restored(path, there)
        with engine.connect() as conn:
            assert dumping.is_empty(conn)
        assert files(there.settings) == {}


def test_a_restore_that_fails_in_the_end_leaves_neither_rows_nor_files(
    organisation: Cast, tmp_path: Path, database_admin: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = backed_up(organisation, tmp_path)
    put, done = restoring._put, list[Path]()

    def full(path: Path, chunks: Iterator[bytes]) -> None:
        if len(done) == 2:
            raise OSError(28, "No space left on device")
        put(path, chunks)
        done.append(path)

    monkeypatch.setattr(restoring, "_put", full)
    with empty(database_admin) as engine:
        there = elsewhere(organisation, engine, tmp_path / "elsewhere")
        with pytest.raises(OSError, match="No space"):
            restored(path, there)
        with engine.connect() as conn:
            assert dumping.is_empty(conn)
        assert files(there.settings) == {}


def test_a_database_that_is_not_empty_is_never_restored_into(organisation: Cast, tmp_path: Path) -> None:
    path = backed_up(organisation, tmp_path)
    before = rows(organisation.env.engine)
    with pytest.raises(NotRestored, match="not empty"):
        restored(path, organisation.env)
    assert rows(organisation.env.engine) == before


def test_a_backup_is_for_its_owner_alone_holds_no_key_unless_asked_and_is_never_written_over(
    organisation: Cast, tmp_path: Path, database_admin: Engine
) -> None:
    cast, muster = organisation, muster_of(organisation)
    told = muster.json("backup", tmp_path / "a.backup")
    assert (told["faults"], told["files"]) == ([], 5)
    key = cast.env.settings.secret_key.get_secret_value().encode()
    content = (tmp_path / "a.backup").read_bytes()
    assert (tmp_path / "a.backup").stat().st_mode & 0o777 == 0o600
    assert key not in content
    assert "never written over" in muster("backup", tmp_path / "a.backup", code=1).err
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []
    assert muster.json("backup", "--verify", tmp_path / "a.backup")["ok"]

    with_key = backed_up(cast, tmp_path / "b.backup", with_key=True)
    with empty(database_admin) as engine:
        there = elsewhere(cast, engine, tmp_path / "elsewhere")
        assert restored(with_key, there).same_key
        assert (there.settings.home / "secret-key").read_bytes().strip() == key


def test_a_file_that_is_lost_or_damaged_is_told_when_backing_up_and_put_back_from_a_backup(
    organisation: Cast, tmp_path: Path
) -> None:
    cast, muster = organisation, muster_of(organisation)
    path = backed_up(cast, tmp_path)
    digests = [row.sha256 for row in cast.rows("SELECT sha256 FROM evidence_files ORDER BY id")]
    lost, damaged = (evidence.path_of(cast.env.settings.evidence, digest) for digest in digests[:2])
    kept = files(cast.env.settings)
    lost.unlink()
    damaged.write_bytes(b"jello")

    told = muster("backup", tmp_path / "again.backup", code=1)
    assert f"evidence/{digests[0]}: missing" in told.err
    assert f"evidence/{digests[1]}: not what was stored" in told.err
    assert {one.check for one in evidence.verify_files(cast.env)} == {"evidence"}
    assert muster("restore", path, "--files").out == "2 files put back.\n"
    assert files(cast.env.settings) == kept
    assert evidence.verify_files(cast.env) == []


def test_a_backup_on_standard_output_is_the_same_and_holds_what_it_says(organisation: Cast, tmp_path: Path) -> None:
    with (tmp_path / "piped.backup").open("wb") as out:
        settings, engine = organisation.env.settings, organisation.env.engine
        taken = taking.take(engine, settings, out, drafts=tmp_path, now=utc_now())
    with archive.opened(tmp_path / "piped.backup") as found:
        found.verify()
        manifest = found.manifest
    assert sum(table["rows"] for table in manifest["tables"].values()) == taken.rows
    assert manifest["record"] == {**manifest["record"], "cases": 5, "events": manifest["tables"]["case_events"]["rows"]}
    assert manifest["seal"]["period"] == "2026-03-06"
    with tarfile.open(tmp_path / "piped.backup") as tar:
        assert tar.getnames()[-1] == MANIFEST, "a backup that was cut off has none"
        assert json.loads(tar.extractfile(MANIFEST).read())["kind"] == "sandbox"  # type: ignore[union-attr]
