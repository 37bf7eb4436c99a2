"""`muster members`: a published register goes in, and comes out again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cast import Cast
from tests.shell.cli_runner import Muster, a_table, muster_of

ASWF = (
    "--map", "name=Organisation", "--map", "tier=Membership tier", "--map", "website=Website",
    "--map", "email=Contact e-mail (made up)",
)  # fmt: skip


@pytest.fixture
def muster(cast: Cast) -> Muster:
    return muster_of(cast)


def test_a_published_register_is_imported_once_and_then_unchanged(muster: Muster, shared_data: Path) -> None:
    file = shared_data / "members-aswf.csv"

    first = muster.json("members", "import", file, *ASWF)
    again = muster.json("members", "import", file, *ASWF)

    assert {key: first[key] for key in ("created", "updated", "unchanged", "refused")} == {
        "created": 45, "updated": 0, "unchanged": 0, "refused": [],
    }  # fmt: skip
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 45)
    assert muster.json("members", "list", "--limit", "5")["total"] == 45


def test_diacritics_survive_and_are_found_without_them(muster: Muster, shared_data: Path) -> None:
    muster("members", "import", shared_data / "members-aswf.csv", *ASWF)

    found = muster.json("members", "list", "--search", "weta")

    assert [item["name"] for item in found["items"]] == ["Wētā FX Limited"]
    assert "Wētā FX Limited" in muster("members", "show", "weta fx").out


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(muster: Muster, shared_data: Path) -> None:
    file = shared_data / "members-aswf.csv"

    assert muster.json("members", "import", file, *ASWF, "--dry-run")["created"] == 45
    assert muster.json("members", "list") == {"items": [], "total": 0}
    assert "This was a dry run" in muster("members", "import", file, *ASWF, "--dry-run").out


def test_a_column_that_is_not_there_is_refused_with_those_that_are(muster: Muster, tmp_path: Path) -> None:
    file = a_table(tmp_path, "Organisation,Tier", "Acme,Gold")

    said = muster("members", "import", file, "--map", "name=Organization", code=1)

    assert said.out == ""
    assert 'Did you mean "Organisation"? Its columns are: Organisation, Tier.' in said.err


def test_a_mapping_that_is_no_mapping_is_a_usage_error(muster: Muster, tmp_path: Path) -> None:
    file = a_table(tmp_path, "Organisation", "Acme")

    assert "FIELD=COLUMN" in muster("members", "import", file, "--map", "name", code=2).err
    muster("members", "import", tmp_path / "missing.csv", code=2)


def test_rows_that_cannot_be_taken_are_refused_by_their_line_and_the_others_go_in(
    muster: Muster, tmp_path: Path
) -> None:
    file = a_table(tmp_path, "Name,Mail", "Acme,ann@acme.example", ",x@y.example", "Bolt,not an address")

    report = muster.json("members", "import", file, "--map", "name=Name", "--map", "email=Mail")

    assert report["created"] == 1
    assert [refused["line"] for refused in report["refused"]] == [3, 4]
    assert "is not an e-mail address" in report["refused"][1]["why"]


def test_an_import_that_would_make_many_leave_is_held_until_it_is_allowed(muster: Muster, tmp_path: Path) -> None:
    everybody = [f"Company {number}" for number in range(20)]
    muster("members", "import", a_table(tmp_path, "Name", *everybody), "--map", "name=Name")
    few = a_table(tmp_path, "Name", *everybody[:5])
    full = ("members", "import", few, "--map", "name=Name", "--all-listed")

    held = muster(*full, code=1)
    assert "15 of 20 active members would leave" in held.out
    assert "--allow-leavers" in held.err
    assert len(muster.json(*full, code=1)["held"]["leavers"]) == 15
    assert muster.json(*full, "--allow-leavers")["updated"] == 15
    assert muster.json("members", "list", "--status", "left")["total"] == 15


def test_a_coordinator_sees_the_members_of_their_team_alone(cast: Cast, muster: Muster) -> None:
    cast.members("North Pool", team="North")
    cast.members("South Pool", team="South")

    listed = muster.json("members", "list", "--as", "bo@muster.example")

    assert [item["name"] for item in listed["items"]] == ["South Pool"]
    assert "No member has" in muster("members", "show", "North Pool", "--as", "bo@muster.example", code=1).err
    muster("members", "set", "North Pool", "--set", "tier=Gold", "--as", "bo@muster.example", code=1)


def test_a_members_page_has_contacts_cases_messages_and_what_was_changed(cast: Cast, muster: Muster) -> None:
    cast.members("North Pool", team="North")
    opened = ("cases", "open", "complaint", "--member", "North Pool", "--set", "category=service",
              "--set", "complainant_name=Carl", "--set", "complainant_email=carl@x.example")  # fmt: skip
    kept = muster.json(*opened, "--subject", "Cold water", "--as", "amara@muster.example")["ref"]
    ended = muster.json(*opened, "--subject", "Rude letter", "--as", "amara@muster.example")["ref"]
    muster("cases", "fire", ended, "withdraw", "--as", "amara@muster.example")
    muster("members", "set", "North Pool", "--set", "tier=Gold", "--as", "amara@muster.example")

    page = muster.json("members", "show", "North Pool")

    assert [contact["status"] for contact in page["contacts"]] == ["ok"]
    assert [case["ref"] for case in page["open_cases"]] == [kept]
    assert [case["ref"] for case in page["closed_cases"]] == [ended]
    assert page["messages"][0]["case"] == ended
    assert (page["changes"][0]["by"], page["changes"][0]["changes"]) == ("Amara", {"tier": [None, "Gold"]})
    text = muster("members", "show", page["ref"]).out
    assert "Open cases" in text and "Closed cases" in text and "What was changed" in text


def test_a_field_is_changed_and_what_may_not_be_is_refused(cast: Cast, muster: Muster) -> None:
    cast.members("North Pool")

    assert "tier nothing → Gold" in muster("members", "set", "North Pool", "--set", "tier=Gold").out
    assert muster.json("members", "set", "North Pool", "--set", "add_flags=VULNERABLE")["flags"] == ["VULNERABLE"]
    assert "cannot be changed" in muster("members", "set", "North Pool", "--set", "colour=red", code=1).err
    assert "decision in a case" in muster("members", "set", "North Pool", "--set", "status=terminated", code=1).err
    muster("members", "set", "North Pool", code=2)


def test_a_contact_is_added_and_another_repaired(cast: Cast, muster: Muster) -> None:
    cast.members("North Pool")

    added = muster.json("members", "contact", "North Pool", "--set", "email=ann@x.example", "--set", "name=Ann")
    assert [contact["email"] for contact in added["contacts"]][1] == "ann@x.example"
    repaired = muster.json(
        "members", "contact", "North Pool", "--repair", "ann@x.example", "--set", "email=eve@x.example"
    )
    assert [contact["email"] for contact in repaired["contacts"]][1] == "eve@x.example"
    muster("members", "contact", "North Pool", "--repair", "9", "--set", "email=eve@x.example", code=1)
