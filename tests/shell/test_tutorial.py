"""The tutorial: its script runs from beginning to end, and its page shows the commands of the script and no others."""

import os
import subprocess
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCRIPT = DOCS / "tutorial" / "run.sh"


def commands_of_the_page() -> list[str]:
    lines, shown = [], False
    for line in (DOCS / "tutorial.md").read_text("utf-8").splitlines():
        if line.startswith("```"):
            shown = not shown
        elif shown and line.startswith("muster "):
            lines.append(line)
    return lines


def commands_of_the_script() -> list[str]:
    script = SCRIPT.read_text("utf-8")
    _, told = script.split('said "1.', maxsplit=1)
    lines = [line.removeprefix("refused ") for line in told.splitlines()]
    return [line for line in lines if line.startswith("muster ")]


def test_the_page_shows_the_commands_of_the_script_in_their_order() -> None:
    assert commands_of_the_page() == commands_of_the_script()


@pytest.mark.flows
@pytest.mark.timeout(900)
def test_the_script_runs_to_its_end_and_leaves_nothing_running(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MUSTER_", "PREFECT_"))}

    done = subprocess.run(["bash", str(SCRIPT), str(tmp_path / "it")], env=env, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "The tutorial works." in done.stdout
    assert "All promises hold." in done.stdout
    assert not (tmp_path / "it" / "muster" / "postgres" / "postmaster.pid").exists()
