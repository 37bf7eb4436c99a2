"""The `muster` command as a person types it, run in this process against the database of a test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cli.main import app
from tests.cast import Cast


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, read as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Muster:
    """An installation whose commands can be run."""

    url: str
    home: Path

    def __call__(self, *words: str | Path, code: int = 0, given: str | None = None) -> Said:
        """Run a command, which must end with this exit status; ``given`` is typed into it."""
        env = {"MUSTER_DATABASE_URL": self.url, "MUSTER_HOME": str(self.home), "MUSTER_DEBUG": "", "COLUMNS": "200"}
        done = CliRunner().invoke(app, [str(word) for word in words], env=env, input=given)
        said = Said(done.exit_code, done.stdout, done.stderr)
        assert said.code == code, f"muster {' '.join(map(str, words))} ended with {said}"
        return said

    def json(self, *words: str | Path, code: int = 0) -> Any:
        """Run a command with --json and return what it printed."""
        return self(*words, "--json", code=code).json


def muster_of(cast: Cast) -> Muster:
    """Return the command of the cast's installation."""
    return Muster(cast.env.engine.url.render_as_string(hide_password=False), cast.env.settings.home)


def a_table(folder: Path, *lines: str, name: str = "table.csv") -> Path:
    """Write a file of these lines and return it."""
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
