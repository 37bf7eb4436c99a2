"""`muster staff`: who works here, who is away, and who may say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.database import make_engine
from tests.cast import Cast
from tests.shell.cli_runner import Muster, muster_of


@pytest.fixture
def muster(cast: Cast) -> Muster:
    return muster_of(cast)


def person(muster: Muster, name: str) -> dict[str, object]:
    return next(item for item in muster.json("staff", "list")["items"] if item["name"] == name)


def test_somebody_is_added_with_roles_a_team_and_a_manager(muster: Muster) -> None:
    said = muster(
        "staff", "add", "eve@muster.example", "--name", "Eve Ødegård", "--role", "coordinator", "--role", "auditor",
        "--team", "North", "--manager", "mina@muster.example",
    )  # fmt: skip

    assert "Eve Ødegård (eve@muster.example) is on the staff: auditor, coordinator of North" in said.out
    eve = person(muster, "Eve Ødegård")
    assert (eve["roles"], eve["team"], eve["manager"]) == (["auditor", "coordinator"], "North", "mina@muster.example")


def test_the_first_person_can_be_added_when_there_is_nobody(engine_url: str, tmp_path: Path) -> None:
    muster = Muster(engine_url, tmp_path / "home")
    muster("init")

    assert "Nothing" in muster("staff", "list").out or "no such person" in muster("staff", "list").out
    muster("staff", "add", "ada@x.example", "--name", "Ada", "--role", "admin")
    assert muster.json("staff", "list")["total"] == 1


def test_a_role_that_does_not_exist_is_refused_and_a_missing_one_is_a_usage_error(muster: Muster) -> None:
    said = muster("staff", "add", "eve@x.example", "--name", "Eve", "--role", "coodinator", code=1)

    assert 'Did you mean "coordinator"?' in said.err
    muster("staff", "add", "eve@x.example", "--name", "Eve", code=2)


def test_an_absence_names_who_acts_until_the_person_is_back(muster: Muster) -> None:
    dates = ("--from", "2026-03-02", "--to", "2026-03-06")
    muster("staff", "away", "amara@muster.example", *dates, "--deputy", "bo@muster.example")

    amara = person(muster, "Amara")
    assert (amara["away_until"], amara["deputy"], amara["acting"]) == (
        "2026-03-06", "bo@muster.example", "bo@muster.example",
    )  # fmt: skip
    assert "away until Fri 6 Mar 2026; bo@muster.example acts" in muster("staff", "list").out
    muster("staff", "back", "amara@muster.example", "--on", "2026-03-03")
    assert person(muster, "Amara")["away_until"] == "2026-03-02"


def test_a_day_that_is_no_day_is_a_usage_error(muster: Muster) -> None:
    said = muster("staff", "away", "bo@muster.example", "--from", "tomorrowish", "--to", "2026-03-06", code=2)

    assert "--from" in said.err and "is not a date" in said.err


def test_somebody_leaves_and_their_open_cases_are_told(cast: Cast, muster: Muster) -> None:
    cast.members("North Pool")
    complaint = ("cases", "open", "complaint", "--member", "North Pool", "--set", "category=service")
    muster(*complaint, "--subject", "Cold water", "--as", "amara@muster.example")

    assert muster.json("staff", "left", "amara@muster.example")["open_cases"] == 1
    assert person(muster, "Amara")["status"] == "left"
    muster("cases", "list", "--as", "amara@muster.example", code=1)


def test_a_team_takes_in_the_members_it_covers(cast: Cast, muster: Muster) -> None:
    cast.members("West Pool", team=None, region="West")

    made = muster.json("staff", "team", "West", "--covers", "region=West,Wales", "--lead", "mina@muster.example")

    assert (made["covers"], made["joined"]) == ([{"region": ["West", "Wales"]}], 1)
    muster("staff", "team", "West", "--covers", "West", code=2)
    muster("staff", "team", "West", "--covers", "colour=red", code=1)


def test_a_conflict_of_interest_keeps_somebody_from_judging(cast: Cast, muster: Muster) -> None:
    cast.members("North Pool")

    assert muster.json("staff", "conflict", "mina@muster.example", "--member", "north pool")["member"] == "M-000001"
    assert cast.actor("Mina").conflicts == {1}


def test_a_coordinator_records_their_own_absence_and_nobody_elses(muster: Muster) -> None:
    dates = ("--from", "2026-03-02", "--to", "2026-03-06", "--as", "bo@muster.example")

    muster("staff", "away", "bo@muster.example", *dates)
    assert "Only a manager" in muster("staff", "away", "amara@muster.example", *dates, code=1).err
    muster("staff", "add", "eve@x.example", "--name", "Eve", "--role", "manager", "--as", "bo@muster.example", code=1)


def test_a_database_that_is_not_set_up_says_what_to_do(engine_url: str, tmp_path: Path) -> None:
    make_engine(engine_url).dispose()

    assert "muster init" in Muster(engine_url, tmp_path / "home")("staff", "list", code=1).err
