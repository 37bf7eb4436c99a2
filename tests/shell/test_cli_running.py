"""The commands that make and look at an installation, as a person and a program see them."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from cli import output, progress
from cli.main import app
from state_machines.registry import processes

REPOSITORY = Path(__file__).resolve().parents[2]

Muster = Callable[..., Result]


@pytest.fixture
def muster(tmp_path: Path, engine_url: str) -> Muster:
    """The command, on an empty, migrated database and a home of its own."""
    env = {"MUSTER_HOME": str(tmp_path / "home"), "MUSTER_DATABASE_URL": engine_url, "MUSTER_DEBUG": ""}

    def run(*arguments: str, typed: str | None = None, **more: str) -> Result:
        return CliRunner().invoke(app, list(arguments), input=typed, env={**env, **more})

    return run


# ------------------------------------------------------------------------------------------------- the whole


def test_help_is_there_at_once_and_loads_nothing_heavy() -> None:
    program = (
        "import sys\nfrom cli.main import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'prefect', 'sqlalchemy', 'pydantic', 'fastapi', 'jinja2', 'psycopg'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 3, "0.3 s when nothing else runs"
    assert {"init", "up", "demo", "status", "check", "sweep"} <= set(re.findall(r"\w+", done.stdout))


def test_every_command_has_a_help_with_an_example() -> None:
    group: Any = typer.main.get_command(app)
    silent = [path for path, command in _commands(group, "muster") if f"{path}" not in (command.help or "")]

    assert [path for path in silent if path.split()[1] in {"init", "up", "demo", "status", "check", "sweep"}] == []


def _commands(group: Any, path: str) -> list[tuple[str, Any]]:
    found = []
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        found += _commands(command, f"{path} {name}") if inner else [(f"{path} {name}", command)]
    return found


def test_a_command_that_does_not_exist_is_a_mistake_in_usage(muster: Muster) -> None:
    assert muster("swep").exit_code == 2
    assert muster("sweep", "--seconds", "soon").exit_code == 2


# ------------------------------------------------------------------------------------------------------ init


def test_an_installation_is_made_once_and_again_is_harmless(muster: Muster) -> None:
    first, second = muster("init"), muster("init")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.startswith("Made a production database")
    assert second.stdout.startswith("There is already a production database")


@pytest.mark.parametrize(("made", "wanted"), [(["--sandbox"], []), ([], ["--sandbox"])])
def test_an_installation_stays_what_it_was_made_as(muster: Muster, made: list[str], wanted: list[str]) -> None:
    muster("init", *made)
    again = muster("init", *wanted)

    assert again.exit_code == 1
    assert again.stdout == ""
    assert "stays what it was made as" in again.stderr


@pytest.mark.parametrize("command", [["up"], ["sweep"], ["status"], ["clock", "show"]])
def test_before_init_every_command_says_what_to_do(muster: Muster, command: list[str]) -> None:
    told = muster(*command)

    assert told.exit_code == 1
    assert told.stderr.rstrip().endswith("run: muster init")
    assert len(told.stderr.splitlines()) == 1


def test_wrong_settings_are_one_sentence_each(muster: Muster) -> None:
    told = muster("status", MUSTER_CALENDAR="FR", MUSTER_TIME_ZONE="London")

    assert told.exit_code == 1
    assert [line.split()[0] for line in sorted(told.stderr.splitlines())] == ["MUSTER_CALENDAR", "MUSTER_TIME_ZONE"]


# --------------------------------------------------------------------------------------------- the sandbox's clock


def test_a_sandbox_is_moved_through_time_and_told_that_nothing_fires_by_itself(muster: Muster) -> None:
    muster("init", "--sandbox")
    told = muster("clock", "set", "2026-07-02T14:30")
    muster("clock", "advance", "1d12h")
    shown = json.loads(muster("clock", "show", "--json").stdout)

    assert "stands at Thu 2 Jul 2026 14:30." in told.stdout
    assert "Nothing fires by itself: run `muster sweep`" in told.stdout
    assert shown == {
        "now": "2026-07-04T01:30:00+00:00", "zone": "Europe/London", "kind": "sandbox", "stands_still": True,
    }  # fmt: skip


def test_a_sandbox_follows_the_real_clock_again(muster: Muster) -> None:
    muster("init", "--sandbox")
    muster("clock", "set", "2020-01-01")

    assert muster("clock", "follow").exit_code == 0
    assert json.loads(muster("clock", "show", "--json").stdout)["stands_still"] is False


def test_a_production_clock_is_not_moved(muster: Muster) -> None:
    muster("init")
    told = muster("clock", "advance", "7d")

    assert (told.exit_code, told.stderr) == (1, "This is a production database; its clock cannot be moved.\n")


def test_a_length_of_time_that_is_none_is_refused_with_a_sentence(muster: Muster) -> None:
    told = muster("clock", "advance", "soon")

    assert told.exit_code == 1
    assert told.stderr == "'soon' is not a length of time; write for example 7d, 36h, 90m, 2w or 1d12h.\n"


# ---------------------------------------------------------------------------------- sweep, deliver, status, check


def test_a_sweep_and_a_delivery_by_hand_say_what_they_did(muster: Muster) -> None:
    muster("init", "--sandbox")
    swept, delivered = muster("sweep"), muster("deliver")

    assert (swept.exit_code, swept.stdout) == (0, "0 due\n")
    assert (delivered.exit_code, delivered.stdout) == (0, "0 sent\n")
    assert json.loads(muster("sweep", "--json").stdout)["batches"] == 1
    assert json.loads(muster("deliver", "--json").stdout)["reasons"] == {}


def test_status_tells_a_missing_sweep_from_a_fresh_one(muster: Muster) -> None:
    muster("init", "--sandbox")
    before = json.loads(muster("status", "--json").stdout)
    muster("sweep")
    after = json.loads(muster("status", "--json").stdout)
    told = muster("status")

    assert (before["sweep"]["late"], after["sweep"]["late"]) == (True, False)
    assert after["kind"] == "sandbox"
    assert after["running"] is False
    assert after["migrations"]["current"] == after["migrations"]["head"]
    assert re.search(r"^sweep age +\d+ s *$", told.stdout, re.MULTILINE)


def test_check_proves_processes_letters_and_database(muster: Muster) -> None:
    muster("init", "--sandbox")
    told = muster("check", "--json")

    assert json.loads(told.stdout)["findings"] == []
    assert json.loads(told.stdout)["database"] is True
    assert told.exit_code == 0


def test_check_without_a_database_proves_the_definitions(muster: Muster) -> None:
    told = muster("check", MUSTER_DATABASE_URL="")

    assert (told.exit_code, told.stdout) == (0, "All promises hold; there is no database to check yet.\n")


def test_a_broken_definition_is_shown_and_ends_with_one(muster: Muster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.catalogue.missing_templates", lambda: ["complaint/answer.txt"])
    told, as_json = muster("check"), muster("check", "--json")

    assert (told.exit_code, as_json.exit_code) == (1, 1)
    assert "complaint/answer.txt" in told.stdout
    assert json.loads(as_json.stdout)["findings"][0]["why"] == "the template does not exist"


def test_stopping_what_does_not_run_is_harmless(muster: Muster) -> None:
    told = muster("stop")

    assert (told.exit_code, told.stdout) == (0, "Nothing was running.\n")


# ------------------------------------------------------------------------------------------------- processes


def test_processes_are_listed_shown_and_drawn_without_a_database(muster: Muster, tmp_path: Path) -> None:
    listed = json.loads(muster("process", "list", "--json").stdout)
    page = muster("process", "show", "survey-response")
    drawn = muster("process", "diagram", "complaint", "--current", "stage_1")
    written = muster("process", "docs", str(tmp_path / "docs"))

    assert listed["total"] == len(listed["items"]) == len(processes())
    assert page.stdout.startswith("# ")
    assert drawn.stdout.startswith("stateDiagram-v2")
    assert written.exit_code == 0
    assert len(list((tmp_path / "docs").glob("*.md"))) == len(processes())


def test_an_unknown_process_is_refused_with_those_there_are(muster: Muster) -> None:
    told = muster("process", "show", "nothing")

    assert told.exit_code == 1
    assert "There is no process named 'nothing'; there are monitoring" in told.stderr


# -------------------------------------------------------------------------------------------------- demo


def test_a_demo_does_not_take_over_a_sandbox_of_somebody_elses(muster: Muster) -> None:
    muster("init", "--sandbox")
    told = muster("demo")

    assert told.exit_code == 1
    assert "was not made by `muster demo`" in told.stderr


def test_a_demo_deletes_no_database_that_is_not_its_own(muster: Muster) -> None:
    muster("init")
    told = muster("demo", "--fresh", "--yes")

    assert told.exit_code == 1
    assert "only an embedded one can be started anew" in told.stderr


# ------------------------------------------------------------------------------------------------ what it says


def raised(error: BaseException) -> tuple[int, str]:
    """Return exit status and standard error of a command that raises this."""
    small = typer.Typer()

    @small.command()
    @output.command_errors()
    def fail() -> None:
        raise error

    told = CliRunner().invoke(small, [])
    return told.exit_code, told.stderr


def test_what_nobody_foresaw_is_one_sentence_and_the_rest_is_in_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_HOME", str(tmp_path))
    monkeypatch.delenv("MUSTER_DEBUG", raising=False)
    status, told = raised(KeyError("chandra@example.org"))
    logged = (tmp_path / "logs" / "cli.log").read_text()

    assert status == 1
    assert told == f"Something went wrong inside Muster (KeyError). The details are in {tmp_path}/logs/cli.log.\n"
    assert "Traceback" in logged
    assert "chandra@" not in logged


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("That is no date."), "That is no date."),
        (FileNotFoundError(2, "No such file or directory", "members.csv"), "members.csv: No such file or directory."),
        (output.Refused("Not now."), "Not now."),
    ],
)
def test_what_was_foreseen_is_its_own_sentence(error: Exception, sentence: str) -> None:
    assert raised(error) == (1, f"{sentence}\n")


def test_a_reader_who_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    program = "from cli.main import app\napp(['process', 'show', 'complaint'])"
    command = f'"{sys.executable}" -c "{program}" | head -1'
    env = {**os.environ, "MUSTER_HOME": str(tmp_path)}
    done = subprocess.run(["sh", "-c", command], cwd=REPOSITORY, capture_output=True, text=True, env=env)

    assert done.stdout.startswith("# ")
    assert "Traceback" not in done.stderr


def test_json_is_exact_and_tables_are_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    from zoneinfo import ZoneInfo

    items = [{"ref": "CO-1", "due": datetime(2026, 7, 2, 13, 30, tzinfo=UTC), "age": timedelta(hours=25), "open": True}]
    columns = {"ref": "Ref", "due": "Due", "age": "Age", "open": "Open"}
    output.show_list(items, columns, as_json=True, total=7)
    as_json = json.loads(capsys.readouterr().out)
    output.show_list(
        items, {"ref": "Ref", "due": "Due", "age": "Age", "open": "Open"}, total=7, zone=ZoneInfo("Europe/London")
    )
    table = capsys.readouterr().out

    assert as_json["total"] == 7
    assert as_json["items"][0]["due"] == "2026-07-02T13:30:00+00:00"
    assert "Thu 2 Jul 2026 14:30" in table
    assert "1 d 1 h" in table
    assert "1 of 7 shown." in table


def test_what_looks_like_markup_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_list([{"name": "[bold]Acme[/bold] [x]"}], {"name": "Name"})
    output.show_record({"name": "[red]Acme"})
    shown = capsys.readouterr().out

    assert "[bold]Acme[/bold] [x]" in shown
    assert "[red]Acme" in shown


def test_no_bar_is_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("Working") as tell:
        tell(1, 2)
        tell(5)

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("facts", "learned"),
    [
        ((3,), {"advance": 3}),
        ((3, 10), {"completed": 3, "total": 10}),
        (("Members", 3, 10), {"description": "Members", "completed": 3, "total": 10}),
        (("Members",), {"description": "Members"}),
    ],
)
def test_a_bar_learns_from_whatever_it_is_told(facts: tuple[object, ...], learned: dict[str, Any]) -> None:
    assert progress._known(facts) == learned
