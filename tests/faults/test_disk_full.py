"""The disk is full: nothing is half kept, what came in stays where it is, and people hear it in a sentence."""

from __future__ import annotations

import errno
import os
import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from cases import evidence
from cases.evidence import NoRoom
from cases.inbox.reading import read_inbox
from cases.sweep import sweep_due
from config.database import transaction
from tests.cast import MONDAY, Cast
from tests.core.incoming_samples import plain
from tests.faults.kept import broken
from tests.pages.case_cast import TYPED, a_complaint
from tests.pages.conftest import sign_in
from tests.shell.test_sweep import complaints
from web.app import create_app

LARGE = b"word " * 200_000


def _full(*given: Any, **named: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


@contextmanager
def _files_are_cut_off() -> Iterator[None]:
    """The kernel itself refuses what is written beyond a quarter of a megabyte, in the middle of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _broken(owner: object, name: str, *, after: int = 0) -> Callable[[], AbstractContextManager[None]]:
    """Let one call of the operating system say that the disk is full, after so many went well."""

    @contextmanager
    def full() -> Iterator[None]:
        calls, real = iter(range(1000)), getattr(owner, name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, name, lambda *a, **b: real(*a, **b) if next(calls) < after else _full())
            yield

    return full


WHERE = {
    "while it is written": _files_are_cut_off,
    "at its folder": _broken(Path, "mkdir"),
    "at its draft": _broken(tempfile, "mkstemp"),
    "when it is to stay": _broken(os, "fsync"),
    "when it gets its name": _broken(Path, "replace"),
}


def files_below(folder: Path) -> list[Path]:
    """Return every file, drafts among them."""
    return [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


@pytest.mark.parametrize("where", WHERE)
def test_evidence_for_which_there_is_no_room_is_not_there_at_all(cast: Cast, where: str) -> None:
    ref = a_complaint(cast)
    amara, ours, store = sign_in(create_app(cast.env), cast, "Amara"), cast.actor("Amara"), cast.env.settings.evidence
    form = amara.get(f"/cases/{ref}").form(f'form[action="/cases/{ref}/files"]')

    with WHERE[where]():
        with pytest.raises(NoRoom) as told:
            evidence.add(cast.env, ref, "plan.txt", LARGE, actor=ours)
        page = form.submit(files={"file": ("plan.txt", LARGE, "text/plain")})

    assert "nothing was kept" in str(told.value)
    assert "could not be stored" in page.text
    assert files_below(store) == []
    assert cast.scalar("SELECT count(*) FROM evidence_files") == 0
    assert cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'evidence'") == 0
    evidence.add(cast.env, ref, "plan.txt", LARGE, actor=ours)
    assert len(files_below(store)) == 1
    assert evidence.verify_files(cast.env) == []
    assert broken(cast) == []


def test_content_whose_name_may_not_outlast_a_power_cut_gets_no_row_and_is_taken_the_next_time(cast: Cast) -> None:
    ref, ours = a_complaint(cast), cast.actor("Amara")
    with _broken(os, "fsync", after=1)(), pytest.raises(NoRoom):
        evidence.add(cast.env, ref, "plan.txt", LARGE, actor=ours)
    assert cast.scalar("SELECT count(*) FROM evidence_files") == 0
    kept = evidence.add(cast.env, ref, "plan.txt", LARGE, actor=ours)
    assert [path.name for path in files_below(cast.env.settings.evidence)] == [kept.sha256]


@pytest.mark.parametrize("where", WHERE)
def test_mail_for_which_there_is_no_room_stays_where_it_is_and_is_taken_once_there_is(cast: Cast, where: str) -> None:
    spool, kept = cast.env.settings.spool, cast.env.settings.home / "mail-kept"
    (spool / "done").mkdir(parents=True)
    (spool / "large.eml").write_bytes(plain("Jo <jo@elsewhere.example>", "Large", "x" * 700_000))

    with WHERE[where]():
        report = read_inbox(cast.env)

    assert report.stopped is not None
    assert report.stopped.startswith("There is no room for a mail that came in, so it stays where it is:")
    assert cast.scalar("SELECT error FROM inbox_sources") == report.stopped
    assert [path.name for path in files_below(spool)] == ["large.eml"]
    assert files_below(kept) == []
    assert cast.scalar("SELECT count(*) FROM inbox_messages") == 0
    assert read_inbox(cast.env).to_dict()["read"] == 1
    assert (len(files_below(kept)), len(files_below(spool / "done"))) == (1, 1)
    assert cast.scalar("SELECT error FROM inbox_sources") is None


def test_a_full_disk_of_the_database_parks_no_case_and_everything_goes_on_when_there_is_room(cast: Cast) -> None:
    complaints(cast, 3)
    ref, amara = a_complaint(cast), sign_in(create_app(cast.env), cast, "Amara")
    form = amara.get(f"/cases/{ref}/do/acknowledge").form("#do")
    with transaction(cast.env.engine) as conn:
        conn.execute(text(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
            "'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"
        ))  # fmt: skip
        conn.execute(text(
            "CREATE TRIGGER full_disk BEFORE INSERT ON case_events FOR EACH ROW EXECUTE FUNCTION full_disk()"
        ))  # fmt: skip

    page = form.submit(**TYPED)
    assert page.status == 503
    assert "The pool was cold." in str(page.soup), "what was typed is still there"
    cast.go_to(MONDAY.replace(day=10))
    with pytest.raises(OperationalError):
        sweep_due(cast.env)
    assert cast.scalar("SELECT count(*) FROM cases WHERE parked_at IS NOT NULL") == 0

    with transaction(cast.env.engine) as conn:
        conn.execute(text("DROP TRIGGER full_disk ON case_events"))
    assert page.form("#again").submit().path == f"/cases/{ref}"
    assert sweep_due(cast.env).parked == 0
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger LIKE 'overdue%'") == 3
    assert broken(cast) == []
