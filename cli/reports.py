"""`muster reports`: figures, as they are known now."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import environment
from cli.output import JsonOption, command_errors, say, show_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cases.environment import Environment
    from reports.table import Table

NAME = "reports"
app = typer.Typer(
    no_args_is_help=True, help="Figures as Markdown, CSV or JSON, and the reports of a campaign as files."
)

Quarter = Annotated[str, typer.Option(help="Which quarter, e.g. 2026Q1.", metavar="YYYYQn")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print CSV.")]


@app.command()
@command_errors()
def monitoring(
    quarter: Quarter,
    public: Annotated[
        bool, typer.Option("--public", help="The copy for publication: no small numbers, no cases.")
    ] = False,
    as_csv: CsvOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print monitoring cases of a quarter by criterion and stage. Members are never named.

    Examples: muster reports monitoring --quarter 2026Q1 --public; muster reports monitoring --quarter 2026Q1 --csv
    """
    from config.database import reading
    from reports.monitoring import quarterly

    env = environment()
    start, end = _bounds(quarter, env)
    with reading(env.engine) as conn:
        table = quarterly(conn, start, end, public=public, now=env.now())
    _shown(table, as_csv=as_csv, as_json=as_json)


@app.command()
@command_errors()
def deadlines(
    quarter: Quarter,
    process: Annotated[str | None, typer.Option(help="Only this kind of case.")] = None,
    as_csv: CsvOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print how the clocks of a quarter were kept: due, met, median, extensions, by process and clock.

    Example: muster reports deadlines --quarter 2026Q1 --process complaint
    """
    from config.database import reading
    from reports.cases import sla
    from state_machines.registry import process_named

    env = environment()
    start, end = _bounds(quarter, env)
    only = process_named(process).name if process else None
    with reading(env.engine) as conn:
        table = sla(conn, start, end, env.calendar, process=only, now=env.now())
    _shown(table, as_csv=as_csv, as_json=as_json)


@app.command()
@command_errors()
def complaints(quarter: Quarter, as_csv: CsvOption = False, as_json: JsonOption = False) -> None:
    """Print the complaints of a quarter by what they are about: new, closed, answered, upheld, and how soon.

    Example: muster reports complaints --quarter 2026Q1 --csv
    """
    from reports.complaints import complaints as table_of

    _by_group(table_of, quarter, as_csv=as_csv, as_json=as_json)


@app.command()
@command_errors()
def cancellations(quarter: Quarter, as_csv: CsvOption = False, as_json: JsonOption = False) -> None:
    """Print who asked to leave in a quarter by reason: offers made and accepted, who stays and who left.

    Example: muster reports cancellations --quarter 2026Q1 --csv
    """
    from reports.cancellations import cancellations as table_of

    _by_group(table_of, quarter, as_csv=as_csv, as_json=as_json)


def _by_group(table_of: Callable[..., Table], quarter: str, *, as_csv: bool, as_json: bool) -> None:
    from config.database import reading
    from reports.months import months_until

    env = environment()
    bounds, now = _bounds(quarter, env), env.now()
    with reading(env.engine) as conn:
        table = table_of(conn, bounds, months_until(bounds[1], env.calendar, now), now=now)
    _shown(table, as_csv=as_csv, as_json=as_json)


def _bounds(text: str, env: Environment) -> tuple[datetime, datetime]:
    from reports.monitoring import quarter

    found = re.fullmatch(r"(\d{4})-?[qQ]([1-4])", text.strip())
    if not found:
        raise typer.BadParameter(f"{text!r} is no quarter; write for example 2026Q1.", param_hint="--quarter")
    return quarter(int(found[1]), int(found[2]), env.calendar)


def _shown(table: Table, *, as_csv: bool, as_json: bool) -> None:
    from reports.table import to_csv, to_markdown

    if as_json:
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        show_json(
            {"title": table.title, "as_at": table.as_at, "notes": list(table.notes), "items": rows, "total": len(rows)}
        )
    else:
        say((to_csv if as_csv else to_markdown)(table).rstrip())
