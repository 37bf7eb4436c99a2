"""The help of every command: that it is there, quick, and shows how."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.main import MODULES, app

TEXT_ONLY = {
    "init", "up", "demo", "stop", "prefect", "deploy", "worker", "web", "process show", "process diagram",
    "process docs", "reports results", "reports risk", "db roles",
}  # fmt: skip
"""Commands whose result is a running program, a page, a drawing, statements, or a file of its own format."""


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it."""
    group = typer.main.get_command(app) if group is None else group
    for name, command in getattr(group, "commands", {}).items():
        if getattr(command, "commands", None) is None:
            yield (*path, name), command
        else:
            yield from commands(command, (*path, name))


EVERY = dict(commands())


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_the_help_of_every_command_shows_an_example_of_it(words: tuple[str, ...]) -> None:
    said = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})

    assert said.exit_code == 0
    assert "Example" in said.stdout
    assert f"muster {' '.join(words)}" in " ".join(said.stdout.replace("│", " ").split())


@pytest.mark.parametrize("words", [w for w in EVERY if " ".join(w) not in TEXT_ONLY], ids=" ".join)
def test_every_command_that_prints_can_print_json(words: tuple[str, ...]) -> None:
    options = [name for parameter in EVERY[words].params for name in parameter.opts]

    assert "--json" in options


def test_every_module_of_the_command_is_there() -> None:
    groups = {words[0] for words in EVERY if len(words) == 2}

    assert groups >= {"clock", "members", "staff", "cases", "campaigns", "answers", "messages", "audit", "process"}
    assert len(MODULES) == len(set(MODULES))


def test_the_list_of_commands_is_there_within_a_second() -> None:
    command = [str(Path(sys.executable).with_name("muster")), "--help"]
    took = []
    for _ in range(3):
        began = os.times()
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        ended = os.times()
        # The processor's time, since other tests run beside this one.
        took.append(ended.children_user + ended.children_system - began.children_user - began.children_system)
        assert done.returncode == 0 and "members" in done.stdout

    assert min(took) < 1.0


def test_the_list_of_commands_loads_nothing_that_takes_long() -> None:
    script = "import sys, cli.main; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert not set(done.stdout.split()) & {"sqlalchemy", "prefect", "pydantic", "emails", "jinja2", "fastapi"}
