"""The shape of the source: which folders there are, how big files get, and what may not appear in them."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
FOLDERS = PYPROJECT["tool"]["importlinter"]["root_packages"]
NOT_SHIPPED = {"tests", "bench", "docs"}
LONGEST_MODULE = 400
VAGUE_NAMES = {"utils", "util", "helpers", "common", "base", "manager", "misc"}

CLOCK_READS = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
    ("time", "time"), ("time", "time_ns"), ("time", "localtime"), ("func", "now"),
    ("func", "current_timestamp"),
}  # fmt: skip

# Folders of one machine, in which nothing that is shipped may be looked for.
MACHINE_PATH = re.compile(r"(?<![\w.}~/-])/(?:wo" r"rk|ro" r"ot|Us" r"ers|home/\w+|mnt/\w+)/\w")


def modules() -> list[Path]:
    """Every module that is shipped."""
    return sorted(path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.py"))


def in_repository(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def source_files() -> Iterator[Path]:
    """Every file that is, or would be, tracked."""
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("needs git and a checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True, text=True).stdout
    yield from (REPOSITORY / name for name in listed.split("\0") if name and (REPOSITORY / name).is_file())


def clock_reads(tree: ast.Module) -> list[str]:
    """Every place in `tree` that reads a clock, by line."""
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value).split(".")[-1]
            if (names.get(owner, owner), node.attr) in CLOCK_READS:
                found.append(f"line {node.lineno}: {ast.unparse(node)}")
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found += [f"line {node.lineno}: from time import {a.name}" for a in node.names if a.name == "time"]
    return found


def test_the_folders_on_disk_are_those_whose_imports_are_checked() -> None:
    on_disk = {path.parent.name for path in REPOSITORY.glob("*/__init__.py")} - NOT_SHIPPED

    assert on_disk == set(FOLDERS)


def test_the_folders_that_are_shipped_are_those_whose_types_are_checked() -> None:
    assert set(PYPROJECT["tool"]["mypy"]["packages"]) == set(FOLDERS)


def test_the_folders_that_are_shipped_are_packaged() -> None:
    patterns = set(PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"])

    assert {f"{folder}*" for folder in FOLDERS} <= patterns


def test_each_folder_says_its_rule_in_its_init_file_and_nothing_else_hides_there() -> None:
    silent = [
        folder
        for folder in FOLDERS
        if not ast.get_docstring(ast.parse((REPOSITORY / folder / "__init__.py").read_text()))
    ]

    assert silent == []


def test_imports_go_downwards_only() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tables_of_cases_have_few_readers() -> None:
    allowed = {"cases", "reports", "migrations"}
    readers = [
        in_repository(path)
        for path in modules()
        if path.relative_to(REPOSITORY).parts[0] not in allowed
        and re.search(r"\bcases\.tables\b|from cases import .*\btables\b", path.read_text())
    ]

    assert readers == []


def test_no_module_is_too_long_to_read() -> None:
    lengths = {in_repository(path): len(path.read_text().splitlines()) for path in modules()}
    lengths = {name: length for name, length in lengths.items() if not name.startswith("migrations/versions/")}

    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_module_has_a_name_that_could_hold_anything() -> None:
    assert [in_repository(path) for path in modules() if path.stem in VAGUE_NAMES] == []


def test_only_the_clock_module_reads_the_clock() -> None:
    read = {
        in_repository(path): found
        for path in modules()
        if path != REPOSITORY / "config" / "clock.py" and (found := clock_reads(ast.parse(path.read_text())))
    }

    assert read == {}


@pytest.mark.parametrize(
    "source",
    [
        "import datetime\ndatetime.datetime.now(zone)",
        "from datetime import datetime as dt\ndt.now()",
        "from datetime import date\ndate.today()",
        "import time as t\nt.time()",
        "from time import time",
        "from sqlalchemy import func\nfunc.now()",
    ],
)
def test_reading_the_clock_is_noticed_however_it_is_written(source: str) -> None:
    assert clock_reads(ast.parse(source))


def test_the_clock_module_is_seen_to_read_the_clock() -> None:
    assert clock_reads(ast.parse((REPOSITORY / "config" / "clock.py").read_text()))


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    found = {}
    for path in source_files():
        try:
            words = path.read_text()
        except UnicodeDecodeError:
            continue
        if match := MACHINE_PATH.search(words):
            found[in_repository(path)] = match.group()

    assert found == {}


def test_the_rows_of_cases_and_events_are_written_in_one_room() -> None:
    rooms = {"cases/writing.py", "cases/side_writes.py"}
    statements = r"UPDATE cases\b|INSERT INTO (cases|case_events)\b|(update|insert|delete)\((CaseRow|CaseEvent)\)"
    write = re.compile(statements + r'|copy_rows\(conn, "(cases|case_events)"')
    found = {in_repository(path) for path in modules() if write.search(path.read_text())}
    assert {name for name in found if not name.startswith(("bench/", "migrations/"))} == rooms
