"""What `deploy/` says to run exists: each command, each setting, each unit that the documentation names."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cli.main import app
from config.settings import load_settings
from workflows.prefect_settings import FROM_OUTSIDE

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if "command" in service}
EXAMPLE = dict(
    line.split("=", 1)
    for line in (DEPLOY / "muster.env.example").read_text().splitlines()
    if re.match(r"[A-Z_]+=", line)
)


def commands() -> Iterator[list[str]]:
    """Every command of the units and of the compose file, without the path of the program."""
    for unit in UNITS:
        for line in re.findall(r"^Exec\w+=(.+)$", unit.read_text(), re.MULTILINE):
            program, *words = line.split()
            assert Path(program).name == "muster", line
            yield words
    for service in OURS.values():
        program, *words = service["command"]
        assert program == "muster"
        yield words


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_is_one_of_musters_with_options_that_it_has(words: list[str]) -> None:
    group: Any = typer.main.get_command(app)
    command = group.commands[words[0]]
    said = [word.replace("%H-%i", "here-1") for word in words[1:]]

    command.make_context(words[0], said)  # raises where an option does not exist or does not fit


def test_every_part_runs_both_ways() -> None:
    parts = {"prefect", "deploy", "worker", "web"}

    assert {words[0] for words in commands()} == {*parts, "init"}
    assert [unit.name for unit in UNITS] == ["muster-prefect.service", "muster-web@.service", "muster-worker@.service"]


def test_the_settings_in_the_example_are_settings(tmp_path: Path) -> None:
    ours = {name: value for name, value in EXAMPLE.items() if name.startswith("MUSTER_")}
    load_settings({**ours, "MUSTER_HOME": str(tmp_path), "MUSTER_EVIDENCE": str(tmp_path)})

    assert set(EXAMPLE) - set(ours) <= set(FROM_OUTSIDE)


def test_the_settings_in_the_compose_file_are_settings(tmp_path: Path) -> None:
    said: dict[str, str] = COMPOSE["x-muster"]["environment"]
    made_up = {
        name: re.sub(
            r"\$\{\w+:\?\}", "smtp://mail" if "SMTP" in name else "https://here" if "URL" in name else "x" * 40, value
        )
        for name, value in said.items()
    }
    ours = {name: value for name, value in made_up.items() if name.startswith("MUSTER_")}
    load_settings({**ours, "MUSTER_HOME": str(tmp_path), "MUSTER_DATABASE_URL": "postgresql://muster@database/muster"})

    assert set(said) - set(ours) <= set(FROM_OUTSIDE)


def test_every_service_is_hardened_and_waits_only_for_services() -> None:
    for name, service in OURS.items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert set(service.get("depends_on", ())) <= set(COMPOSE["services"]), name


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """Where there is no systemd, at least the sections are there."""
    for unit in UNITS:
        assert re.findall(r"^\[(\w+)\]$", unit.read_text(), re.MULTILINE) == ["Unit", "Service", "Install"]
        if shutil.which("systemd-analyze") is None:
            continue
        there = tmp_path / unit.name.replace("@", "@1")
        there.write_text(
            unit.read_text().replace("/opt/muster/.venv/bin/muster", "/bin/true").replace("/opt/muster", "/")
        )
        done = subprocess.run(["systemd-analyze", "verify", str(there)], capture_output=True, text=True)
        complaints = [line for line in done.stderr.splitlines() if line.startswith((unit.name, there.name, str(there)))]
        assert complaints == [], complaints


def test_the_documentation_names_every_unit() -> None:
    told = (REPOSITORY / "docs" / "operations.md").read_text()

    for unit in UNITS:
        assert unit.stem in told
