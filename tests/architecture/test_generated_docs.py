"""The pages of the handbook are what the definitions and the policy say now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cases.environment import load_policy
from config.settings import load_settings
from notifications import catalogue
from state_machines import handbook
from state_machines.diagram import digest
from state_machines.registry import processes
from web import diagrams

PAGES = Path(__file__).resolve().parents[2] / "docs" / "processes"
COMMAND = "muster process docs docs/processes"


def file_of(name: str) -> Path:
    return PAGES / f"{name.replace('_', '-')}.md"


@pytest.mark.parametrize("name", list(processes()))
def test_the_page_of_each_process_is_the_one_its_definition_gives(name: str, tmp_path: Path) -> None:
    shipped = load_policy(load_settings({"MUSTER_HOME": str(tmp_path)}))
    titles = {kind.kind: kind.title for kind in catalogue.kinds()}

    page = handbook.page(processes()[name], shipped, titles)

    path = file_of(name)
    assert path.is_file(), f"docs/processes/{path.name} is missing; run: {COMMAND}"
    assert path.read_text(encoding="utf-8") == page, f"docs/processes/{path.name} is stale; run: {COMMAND}"


def test_no_page_is_left_of_a_process_that_is_gone() -> None:
    known = {file_of(name).name for name in processes()}
    assert {path.name for path in PAGES.glob("*.md")} == known, f"run: {COMMAND}, and remove what is not written"


@pytest.mark.parametrize("name", list(processes()))
def test_the_drawing_of_each_process_is_of_its_definition(name: str) -> None:
    path = diagrams.file_of(name)

    assert path.is_file(), f"web/static/diagrams/{path.name} is missing; with Graphviz installed run: {COMMAND}"
    drawn = path.read_text(encoding="utf-8")
    assert f'data-digest="{digest(processes()[name])}"' in drawn, f"{path.name} is stale; with Graphviz run: {COMMAND}"


def test_no_drawing_is_left_of_a_process_that_is_gone() -> None:
    known = {diagrams.file_of(name).name for name in processes()}
    assert {path.name for path in diagrams.FOLDER.glob("*.svg")} == known, "remove what is drawn no more"


@pytest.mark.parametrize("name", list(processes()))
def test_a_drawing_leaves_colours_fonts_and_styles_to_the_style_sheet(name: str) -> None:
    drawn = diagrams.file_of(name).read_text(encoding="utf-8")

    assert re.findall(r' (?:style|fill|stroke|font-family|id)="(?!diagram-)', drawn) == []
    assert "<script" not in drawn and "href" not in drawn
