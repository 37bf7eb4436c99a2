"""`muster audit`: whether the record is as it was written, and the record as a file."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.asking import AsViewer, environment, person
from cli.output import JsonOption, command_errors, progress, say, show_json

NAME = "audit"
app = typer.Typer(no_args_is_help=True, help="Verify the record, and hand it out.")


class Format(StrEnum):
    """How the record is written into a file."""

    JSONL = "jsonl"
    CSV = "csv"


@app.command()
@command_errors()
def verify(as_json: JsonOption = False) -> None:
    """Compute every hash of the record again. Exit status 1 when something is not as it was written.

    Examples: muster audit verify; muster audit verify --json
    """
    from cases.audit import verify as verify_
    from config.database import reading

    env = environment()
    with progress("Verifying") as tell, reading(env.engine) as conn:
        report = verify_(conn, progress=_steps(tell))
    if as_json:
        show_json(report.to_dict())
    else:
        for problem in report.problems:
            say(f"{problem.ref} event {problem.seq}: {problem.why}" if problem.seq else f"{problem.ref}: {problem.why}")
        verdict = "all as it was written" if report.ok else f"{len(report.problems)} problems"
        say(f"{report.cases} cases with {report.events} events: {verdict}.")
    if not report.ok:
        raise typer.Exit(1)


def _steps(tell: Callable[..., None]) -> Callable[[int], None]:
    """Return a function that takes how much is done so far and tells what was done since."""
    told = 0

    def step(done: int) -> None:
        nonlocal told
        tell(done - told)
        told = done

    return step


@app.command()
@command_errors()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write it, e.g. record.jsonl or record.csv", dir_okay=False)],
    format_: Annotated[Format | None, typer.Option("--format", help="Default: as the file's name says.")] = None,
    personal: Annotated[bool, typer.Option("--personal", help="With the personal parts; needs --as.")] = False,
    as_: AsViewer = None,
    as_json: JsonOption = False,
) -> None:
    """Write the record into a file, one event a line, so that others can compute the hashes too.

    Examples: muster audit export record.jsonl; muster audit export record.csv --personal --as mina@x.org
    """
    from cases.audit import export as export_

    if personal and as_ is None:
        raise typer.BadParameter("Say with --as who takes them out; it is logged.", param_hint="--personal")
    chosen = format_ or (Format.CSV if file.suffix.lower() == ".csv" else Format.JSONL)
    env = environment()
    count = export_(env, file, fmt=chosen.value, personal=personal, actor=person(env, as_))
    if as_json:
        show_json({"file": str(file), "format": chosen.value, "events": count, "personal": personal})
        return
    say(f"{count} events written to {file}{' with their personal parts' if personal else ''}.")
