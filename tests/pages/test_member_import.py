"""Importing members on the desk: nothing is written before it was seen, and exactly that is written."""

from __future__ import annotations

import io
import os
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest

from config import clock
from members import uploads
from members.column_guesses import guessed
from members.commands import update_member
from members.errors import NotFound, Unusable
from tests.cast import MONDAY, Cast
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client, Page

FILE = "Organisation;Membership tier;Contact e-mail;Notes\n{}"


def sent(client: Client, text: str, name: str = "members.csv", **typed: object) -> Page:
    form = client.get("/members/import").form("#import")
    return form.submit(files={"file": (name, text.encode(), "text/csv")}, **typed)


def planned(client: Client, text: str, **typed: object) -> Page:
    return sent(client, text, **typed).form("#columns").submit()


@pytest.fixture
def cast(cast: Cast) -> Cast:
    cast.members("Ö'Brien & <Söhne>", team="North", tier="General")
    return cast


def test_a_file_goes_in_by_four_steps_and_is_then_gone(cast: Cast, desk: SignedIn) -> None:
    mina = desk("Mina")
    columns = sent(
        mina, FILE.format("Ö'Brien & <Söhne>;Premier;m1@members.example;\nZürich;Premier;z@z.example;Hi\n;;;x\n")
    )
    assert columns.one("#column-0 option[selected]")["value"] == "name"
    assert columns.one("#column-1 option[selected]")["value"] == "tier"
    assert columns.one("#column-2 option[selected]")["value"] == "email"
    assert columns.all("#column-3 option[selected]") == []

    preview = columns.form("#columns").submit()
    assert "Tier: General → Premier" in preview.main
    assert "Line" in preview.main and "2 Ö'Brien & <Söhne> M-000001" in preview.words("main tbody tr")[0]
    created = preview.follow("New (1)")
    assert "Zürich" in created.main and "Kept beside: Notes: Hi" in created.main
    refused = preview.follow("Refused (1)")
    assert "a member needs a name" in refused.main and refused.words("main tbody th") == ["4"]
    assert cast.scalar("SELECT count(*) FROM members") == 1

    report = preview.form("#write").submit()
    assert "The file is imported." in report.main and "a member needs a name" in report.main
    assert cast.rows("SELECT name, tier FROM members ORDER BY id") == [
        ("Ö'Brien & <Söhne>", "Premier"),
        ("Zürich", "Premier"),
    ]
    kept = list((cast.env.settings.home / "uploads").rglob("*.csv"))
    assert kept == []
    assert mina.get(report.path.replace("/report", "")).path == report.path


def test_what_was_not_seen_is_not_written(cast: Cast, desk: SignedIn) -> None:
    preview = planned(desk("Mina"), FILE.format("Ö'Brien & <Söhne>;Premier;;"))
    update_member(cast.env.engine, "M-000001", {"tier": "Gold"}, actor=cast.actor("Max"), now=MONDAY)

    page = preview.form("#write").submit()

    assert page.status == 409 and "look again" in page.main and "Tier: Gold → Premier" in page.main
    assert cast.scalar("SELECT tier FROM members") == "Gold"
    assert "The file is imported." in page.form("#write").submit().main


def test_sending_it_twice_imports_it_once(cast: Cast, desk: SignedIn) -> None:
    form = planned(desk("Mina"), FILE.format("Zürich;Premier;z@z.example;")).form("#write")

    assert form.submit().path == form.submit().path
    assert cast.scalar("SELECT count(*) FROM members") == 2


def test_many_who_would_leave_hold_the_import_until_somebody_says_so(cast: Cast, desk: SignedIn) -> None:
    cast.members(*(f"Pool {n}" for n in range(20)))
    preview = planned(desk("Ada"), FILE.format("Pool 1;;;\nPool 2;;;"), all_listed="true")

    assert "19 of 21 active members would leave." in preview.main
    assert "Leaves" in preview.words("main tbody tr")[0] and "not in the file" in preview.main
    refused = preview.form("#write").submit()
    assert refused.status == 409 and cast.scalar("SELECT count(*) FROM members WHERE status = 'left'") == 0
    refused.form("#write").submit(allow_leavers="true")
    assert cast.scalar("SELECT count(*) FROM members WHERE status = 'left'") == 19


def test_a_full_list_that_cannot_be_read_cannot_be_imported(desk: SignedIn) -> None:
    preview = planned(desk("Mina"), FILE.format('Pool 1;;;\n;;"broken'), all_listed="true")

    assert "cannot be read on line" in preview.main and preview.all("#write") == []


def test_the_choice_of_columns_must_make_sense(desk: SignedIn) -> None:
    columns = sent(desk("Mina"), FILE.format("Zürich;;;"))

    twice = columns.form("#columns").send({"column.1": "name"})
    assert twice.status == 422 and "chosen for two columns" in twice.main
    none = columns.form("#columns").send({"column.0": ""})
    assert none.status == 422 and "holds the name" in none.main


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.csv", b"", "The file is empty."),
        ("picture.csv", b"\x89PNG\0\0\0\0", "neither a CSV nor an XLSX file"),
        ("old.xls", b"\xd0\xcf\x11\xe0rest", "old Excel format"),
        ("broken.xlsx", b"PK\x03\x04rest", "cannot be read as an XLSX file"),
        ("../../etc/<b>passwd", b"", "The file is empty."),
    ],
)
def test_a_file_that_is_no_table_is_refused_and_not_kept(
    cast: Cast, desk: SignedIn, name: str, content: bytes, sentence: str
) -> None:
    form = desk("Mina").get("/members/import").form("#import")
    page = form.submit(files={"file": (name, content, "text/csv")})

    assert page.status == 422 and sentence in page.main
    assert [path for path in (cast.env.settings.home / "uploads").rglob("*") if path.is_file()] == []


def test_a_workbook_is_read_too(cast: Cast, desk: SignedIn) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Member", "Member since"])
    book.active.append(["Zürich", "2020-05-01"])
    book.save(file := io.BytesIO())
    form = desk("Mina").get("/members/import").form("#import")
    page = form.submit(files={"file": ("Mitglieder (März).xlsx", file.getvalue(), "application/zip")})

    assert "Mitglieder (März).xlsx" in page.main
    page.form("#columns").submit().form("#write").submit()
    assert str(cast.scalar("SELECT joined_on FROM members WHERE name = 'Zürich'")) == "2020-05-01"


def test_only_managers_import_and_nobody_sees_another_ones_file(cast: Cast, desk: SignedIn) -> None:
    for name in ("Amara", "Bo", "Cara"):
        desk(name).get("/members/import", status=403)
    path = sent(desk("Mina"), FILE.format("Zürich;;;")).path

    desk("Max").get(path, status=404)
    desk("Max").get(f"{path}/preview", status=404)
    desk("Bo").get(path, status=403)
    desk("Mina").get("/members/import/..%2Fsecret", status=404)


def test_a_file_nobody_decides_about_is_removed(cast: Cast, desk: SignedIn, tmp_path: Path) -> None:
    mina = desk("Mina")
    page = sent(mina, FILE.format("Zürich;;;"))
    gone = page.form('form[action$="/forget"]').submit()
    assert "nothing was imported" in gone.main
    mina.get(page.path, status=404)

    now = clock.utc_now()
    kept = uploads.keep(tmp_path, "staff:1", "a.csv", io.BytesIO(b"name\n"), now=now)
    later = now + timedelta(minutes=61)
    with pytest.raises(NotFound):
        uploads.find(tmp_path, "staff:1", kept.token, now=later)
    os.utime(kept.folder, (now.timestamp(), now.timestamp()))
    assert uploads.forget_old(tmp_path, now=later) == 1
    assert not kept.path.exists()


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST", 10)
    with pytest.raises(Unusable, match="larger than"):
        uploads.keep(tmp_path, "staff:1", "a.csv", io.BytesIO(b"x" * 11), now=clock.utc_now())
    assert list((tmp_path / "uploads" / "staff-1").iterdir()) == []


def test_long_lists_of_changes_have_pages(desk: SignedIn) -> None:
    lines = "\n".join(f"Pool {n:04};;;" for n in range(250))
    first = planned(desk("Mina"), FILE.format(lines)).follow("New (250)")
    last = first.follow("Next").follow("Next")

    assert len(first.all("main tbody tr")) == 100 and len(last.all("main tbody tr")) == 50
    assert last.all("a[rel=next]") == []


@pytest.mark.parametrize(
    ("column", "value", "field"),
    [
        ("Organisation", "Adobe", "name"), ("E-mail address", "a@b.example", "email"),
        ("E-mail 2", "a@b.example", "email_2"),
        ("Telephone", "+44", "phone"), ("Member No.", "17", "external_ref"), ("Reference", "17", "external_ref"),
        ("Reference", "M-000017", "ref"), ("Membership tier", "Gold", "tier"), ("Whatever", "a@b.example", "email"),
        ("Contact e-mail (made up)", "a@b.example", "email"), ("Shoe size", "43", None), ("left_on", "", "left_on"),
    ],
)  # fmt: skip
def test_a_column_is_recognised_by_its_name_or_its_values(column: str, value: str, field: str | None) -> None:
    assert guessed([column], [{column: value}]).get(column) == field
