"""`muster reports results` and `muster reports risk`: the reports of a campaign as files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import AsViewer, environment, person
from cli.output import command_errors, refuse, say

if TYPE_CHECKING:
    from reports.dossier import Copy

NAME = "reports"
app = typer.Typer()

Ref = Annotated[str, typer.Argument(help="The reference of the campaign, e.g. SC-2026-000001")]
Format = Annotated[str, typer.Option("--format", help="pdf, xlsx or csv.", metavar="FORMAT")]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Where to write it; CSV is printed without.", metavar="FILE", dir_okay=False),
]
Tier = Annotated[str, typer.Option(help="Only members of this tier (internal copies).")]
Country = Annotated[str, typer.Option(help="Only members of this country (internal copies).")]
Region = Annotated[str, typer.Option(help="Only members of this region (internal copies).")]
Team = Annotated[str, typer.Option(help="Only members of this team (internal copies).")]


@app.command()
@command_errors()
def results(
    ref: Ref,
    format: Format = "csv",
    out: Out = None,
    internal: Annotated[
        bool, typer.Option("--internal", help="Leave nothing out. Not to be passed on; without it, what may be shared.")
    ] = False,
    tier: Tier = "",
    country: Country = "",
    region: Region = "",
    team: Team = "",
    as_: AsViewer = None,
) -> None:
    """Write what members answered to a campaign, question by question. Small numbers are left out, names are not in it.

    Example: muster reports results SC-2026-000001 --format pdf --out results.pdf
    """
    from cases.campaigning.results import Narrowed
    from reports.campaigns import results_copy

    env = environment()
    narrowed = Narrowed(tier, country, region, team)
    _written(
        lambda kind: results_copy(env, ref, kind, shared=not internal, narrowed=narrowed, actor=person(env, as_)),
        format, out,
    )  # fmt: skip


@app.command()
@command_errors()
def risk(
    ref: Ref,
    format: Format = "csv",
    out: Out = None,
    shared: Annotated[
        bool, typer.Option("--shared", help="Numbers alone, without names and small numbers; else members are named.")
    ] = False,
    tier: Tier = "",
    country: Country = "",
    region: Region = "",
    team: Team = "",
    as_: AsViewer = None,
) -> None:
    """Write the risks that the answers to a campaign show: members, scores, what pushes them up, and last year.

    Example: muster reports risk SC-2026-000001 --format xlsx --out risk.xlsx --as mina@x.org
    """
    from cases.campaigning.results import Narrowed
    from reports.campaigns import risk_copy

    env = environment()
    narrowed = Narrowed(tier, country, region, team)
    _written(
        lambda kind: risk_copy(env, ref, kind, shared=shared, narrowed=narrowed, actor=person(env, as_)), format, out
    )


def _written(make: Callable[[str], Copy], kind: str, out: Path | None) -> None:
    """Write a copy where it was asked for. Refuses to put anything but text on the screen."""
    if out is None and kind.lower() != "csv":
        refuse("Say with --out where to write the file; only CSV is printed.")
    copy = make(kind.lower())
    if out is None:
        sys.stdout.write(copy.content.decode("utf-8-sig"))
        return
    try:
        out.write_bytes(copy.content)
    except OSError as bad:
        refuse(f"{out} cannot be written: {bad.strerror}.")
    say(f"Written to {out}.")
