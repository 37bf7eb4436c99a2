"""The threat model, and what it says about tests: they exist, and each defence is where it can be taken out."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security import taken_out
from tests.security.taken_out import DEFENCES, ITEMS, REPOSITORY, Defence

PAGE = (REPOSITORY / "docs" / "security.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`|`(test_\w+)`")


def names_in(path: Path) -> set[str]:
    """Return the names of the tests of a file."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def every_test() -> set[str]:
    """Return the name of every test there is."""
    return set().union(*(names_in(path) for path in (REPOSITORY / "tests").rglob("test_*.py")))


@pytest.mark.parametrize(("page", "at_least"), [("security.md", 100), ("promises.md", 40)])
def test_every_test_that_a_page_names_exists(page: str, at_least: int) -> None:
    known, gone = every_test(), []
    found = list(NAMED.finditer((REPOSITORY / "docs" / page).read_text()))
    assert len(found) > at_least
    for file, test, alone in (each.groups() for each in found):
        path = REPOSITORY / (file or "tests")
        if (file and not path.exists()) or (test and test not in names_in(path)) or (alone and alone not in known):
            gone.append(alone or f"{file}::{test}")
    assert gone == []


def test_every_item_of_the_list_has_a_defence_that_can_be_taken_out() -> None:
    assert {each.item for each in DEFENCES} == set(ITEMS)
    assert [each.name for each in DEFENCES if each.name not in PAGE] == []


def test_every_defence_stands_where_it_is_taken_out_and_its_tests_exist() -> None:
    assert taken_out.missing() == []
    named = [test.partition("::") for each in DEFENCES for test in each.tests]
    assert [test for file, _, test in named if test not in names_in(REPOSITORY / file)] == []
    assert [each.name for each in DEFENCES if each.text == each.instead] == []


def chapters() -> Iterator[tuple[str, str]]:
    """Yield the number and the text of each chapter of the standard, as the page has them."""
    parts = re.split(r"^### V(\d+) ", PAGE, flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def test_every_chapter_of_the_standard_is_answered_line_by_line() -> None:
    assert [number for number, _ in chapters()] == [str(n) for n in range(1, 18)]
    for number, text in chapters():
        rows = [row for row in text.splitlines() if row.startswith("|")][2:]
        assert rows or "Not applicable" in text, number
        for row in rows:
            cells = [cell.strip() for cell in row.strip("|").split(" | ")]
            assert len(cells) == 3 and all(cells), row
            assert "`" in cells[2] or cells[2].startswith(("Not applicable", "Accepted", "Outside")), row


TAKEN = [each for each in DEFENCES if "MUSTER_SOAK" in os.environ or each.name == "a link is signed for its purpose"]
"""With MUSTER_SOAK all of them, each in a copy of its own; otherwise one, to see that it can be done."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("defence", TAKEN, ids=lambda each: each.name.replace(" ", "_"))
def test_without_it_a_test_turns_red(defence: Defence) -> None:
    with taken_out.a_copy() as root:
        found = taken_out.without(defence, root)
    assert found.red, found.said
