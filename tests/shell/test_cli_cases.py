"""`muster cases` and `muster clock`: what is printed, what is refused, and how commands end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cast import Cast
from tests.shell.cli_runner import Muster, a_table, muster_of

AMARA = ("--as", "amara@muster.example")
BO = ("--as", "bo@muster.example")


@pytest.fixture
def muster(cast: Cast) -> Muster:
    cast.members("North Pool", team="North")
    return muster_of(cast)


def a_complaint(muster: Muster, subject: str = "Cold water") -> str:
    opened = ("cases", "open", "complaint", "--member", "North Pool", "--set", "category=service")
    ref: str = muster.json(*opened, "--subject", subject, *AMARA)["ref"]
    return ref


def test_a_file_whose_last_row_is_cut_off_is_imported_but_for_that_row(muster: Muster, tmp_path: Path) -> None:
    file = a_table(
        tmp_path, "Id,Company,Issue,Received", "1,North Pool,Cold water,2026-02-20",
        '2,North Pool,"Rude, again",2026-02-23', '3,North Pool,"Cut',
    )  # fmt: skip
    columns = ("--map", "external_ref=Id", "--map", "member=Company", "--map", "subject=Issue")
    command = ("cases", "import", "complaint", file, *columns, "--map", "received_at=Received")

    dry, first, again = muster.json(*command, "--dry-run"), muster.json(*command), muster.json(*command)

    assert (dry["created"], first["created"], again["created"], again["unchanged"]) == (2, 2, 0, 2)
    assert [refused["line"] for refused in first["refused"]] == [4]
    assert muster.json("cases", "list")["total"] == 2
    assert "line 4:" in muster(*command).out


def test_an_import_into_a_field_that_does_not_exist_is_refused(muster: Muster, tmp_path: Path) -> None:
    file = a_table(tmp_path, "Company,Issue", "North Pool,Cold water")

    assert "no field 'colour'" in muster("cases", "import", "complaint", file, "--map", "colour=Issue", code=1).err
    assert "no process named" in muster("cases", "import", "compliant", file, "--map", "member=Company", code=1).err


def test_a_list_of_cases_has_items_and_a_total(muster: Muster) -> None:
    refs = [a_complaint(muster), a_complaint(muster, "Rude letter")]

    listed = muster.json("cases", "list", "--process", "complaint", "--owner", "amara@muster.example", "--limit", "1")

    assert (len(listed["items"]), listed["total"]) == (1, 2)
    assert {"ref", "process", "state", "subject", "member", "owner", "deadline", "overdue"} <= set(listed["items"][0])
    assert listed["items"][0]["ref"] in refs
    assert "1 of 2 shown." in muster("cases", "list", "--limit", "1").out
    assert muster.json("cases", "list", "--overdue")["total"] == 0
    assert muster.json("cases", "list", "--state", "received", *BO)["total"] == 0


def test_a_case_is_shown_with_what_one_may_do_and_what_happens_otherwise(muster: Muster) -> None:
    ref = a_complaint(muster)

    page = muster.json("cases", "show", ref.lower(), *AMARA)

    assert (page["ref"], page["state"], page["owner"]) == (ref, "received", "amara@muster.example")
    assert page["clocks"][0]["name"] == "acknowledge"
    assert page["events"][0]["by"] == "Amara"
    assert {choice["trigger"] for choice in page["may"]} >= {"acknowledge", "withdraw"}
    assert page["next"][0]["at"] > "2026-03-02"
    text = muster("cases", "show", ref, *AMARA).out
    assert "You may" in text and "If nobody acts" in text and "Amara" in text


def test_a_case_one_may_not_see_is_not_there(muster: Muster) -> None:
    ref = a_complaint(muster)

    assert "no such case" in muster("cases", "show", ref, *BO, code=1).err
    assert "no such case" in muster("cases", "fire", ref, "withdraw", *BO, code=1).err


def test_what_the_process_does_not_allow_is_refused_with_a_sentence(muster: Muster) -> None:
    ref = a_complaint(muster)
    withdraw = ("cases", "fire", ref, "withdraw")

    refused = muster("cases", "fire", ref, "approve", *AMARA, code=1)
    assert refused.out == "" and refused.err.strip().endswith((".", "?"))
    assert muster.json(*withdraw, "--note", "By telephone", *AMARA)["final"] is True
    assert muster(*withdraw, *AMARA, code=1).err
    assert "By telephone" in muster("cases", "show", ref).out


def test_what_is_typed_wrongly_is_a_usage_error(muster: Muster) -> None:
    ref = a_complaint(muster)

    assert "FIELD=VALUE" in muster("cases", "fire", ref, "withdraw", "--set", "note", *AMARA, code=2).err
    muster("cases", "fire", ref, "withdraw", code=2)
    muster("cases", "list", "--colour", "red", code=2)
    assert "not valid JSON" in muster("cases", "fire", ref, "acknowledge", "--set", "issues=[1", *AMARA, code=2).err


def test_notes_and_owners_are_told_as_values_too(muster: Muster) -> None:
    ref = a_complaint(muster)

    assert muster.json("cases", "note", ref, "Called, no answer", *AMARA)["ref"] == ref
    refused = muster("cases", "assign", ref, "mina@muster.example", *AMARA, code=1)
    assert "Mina is no coordinator" in refused.err
    assert muster("cases", "unpark", ref, code=1).err == f"{ref} is not parked.\n"


def test_somebody_who_is_not_on_the_staff_or_has_left_cannot_act(muster: Muster) -> None:
    assert "nobody on the staff" in muster("cases", "list", "--as", "eve@x.example", code=1).err
    assert "has left" in muster("cases", "list", "--as", "dov@muster.example", code=1).err


def test_the_clock_of_a_sandbox_is_set_moved_and_told_as_values(muster: Muster) -> None:
    assert muster.json("clock", "show")["now"] == "2026-03-02T09:00:00+00:00"
    assert muster.json("clock", "advance", "7d")["now"] == "2026-03-09T09:00:00+00:00"
    moved = muster.json("clock", "set", "2026-03-10T14:30")
    assert (moved["now"], moved["stands_still"]) == ("2026-03-10T14:30:00+00:00", True)
    assert muster.json("clock", "follow")["stands_still"] is False


def test_a_week_later_a_sweep_makes_the_case_overdue(muster: Muster) -> None:
    ref = a_complaint(muster)

    muster("clock", "advance", "9d")
    assert muster.json("sweep")["fired"] > 0
    assert [item["ref"] for item in muster.json("cases", "list", "--overdue")["items"]] == [ref]


def test_the_clock_of_a_production_database_cannot_be_moved(engine_url: str, tmp_path: Path) -> None:
    production = Muster(engine_url, tmp_path / "home")
    production("init")

    for command in (("set", "2026-03-02"), ("advance", "7d"), ("follow",)):
        assert "production database" in production("clock", *command, code=1).err
    assert production.json("clock", "show")["kind"] == "production"


def test_a_campaign_is_planned_approved_by_somebody_else_and_answered(muster: Muster, tmp_path: Path) -> None:
    plan = a_table(
        tmp_path, "kind: survey", "title: Pulse 2026", "questionnaire: pulse", "launch: 2026-03-16",
        "deadline: 2026-04-13", "population: {status: active}", name="plan.yaml",
    )  # fmt: skip
    ref = muster.json("campaigns", "plan", plan, "--as", "mina@muster.example")["ref"]
    approve = ("cases", "fire", ref, "approve_plan", "--set", "data_protection_checked=true", "--as")

    assert "Someone other than" in muster(*approve, "mina@muster.example", code=1).err
    assert muster.json(*approve, "max@muster.example")["state"] == "plan_approved"
    assert muster.json("campaigns", "status", ref)["eligible"] == 1
    muster("cases", "fire", ref, "skip_pilot", "--set", "reason=The questions are known", "--as", "max@muster.example")
    muster("clock", "set", "2026-03-16T12:00")
    muster("sweep")
    [response] = muster.json("cases", "list", "--campaign", ref)["items"]
    answers = a_table(tmp_path, muster("answers", "sample", response["ref"]).out, name="answers.json")
    empty = a_table(tmp_path, '{"answers": {}}', name="empty.json")
    assert muster.json("answers", "submit", response["ref"], empty, code=1)["errors"]
    assert muster.json("answers", "submit", response["ref"], answers)["revision"] == 1
    assert muster.json("campaigns", "status", ref)["responded"] == 1
    assert "Response rate: 100.0%" in muster("campaigns", "status", ref).out


def test_an_answer_file_that_is_no_json_is_refused(muster: Muster, tmp_path: Path) -> None:
    file = a_table(tmp_path, "not json", name="answers.json")

    assert "is not valid JSON" in muster("answers", "submit", "SR-2026-000001", file, code=1).err
    muster("campaigns", "status", a_complaint(muster), code=1)
