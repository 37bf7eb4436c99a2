"""`muster check`: whether every promise is kept, what to do where one is not, and putting right what can be."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.database import kind_of, opened
from cli.output import JsonOption, command_errors, say, show_json, show_list

if TYPE_CHECKING:
    from cases.environment import Environment
    from cases.nightly import Findings
    from config.settings import Settings

app = typer.Typer()

COLUMNS = {"check": "Check", "ref": "Where", "why": "What is wrong", "advice": "What to do"}


@app.command()
@command_errors()
def check(
    repair: Annotated[bool, typer.Option("--repair", help="Put right what can be put right.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --repair: say what it would do.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Prove the processes and their letters, and check every promise against the database. Exit status 1 when broken.

    A repair is written into the record, case by case; what the record or the rules do not say is left to a person.
    Examples: muster check; muster check --json; muster check --repair --dry-run; muster check --repair
    """
    from config.settings import load_settings

    if dry_run and not repair:
        raise typer.BadParameter("It belongs to --repair.", param_hint="--dry-run")
    settings = load_settings()
    findings = _broken_definitions(settings)
    looked = not findings and kind_of(settings) is not None
    told: dict[str, Any] = {"findings": findings, "warnings": []}
    if looked:
        told = (
            _looked_and_repaired(opened(settings), dry_run=dry_run) if repair else _looked(opened(settings)).to_dict()
        )
    if as_json:
        show_json({**told, "ok": not told["findings"], "database": looked})
    else:
        _say(told, looked=looked)
        if dry_run and told.get("repairs"):
            say("This was a dry run; nothing was written. Without --dry-run it is put right.")
    if told["findings"]:
        raise typer.Exit(1)


def _say(told: dict[str, Any], *, looked: bool) -> None:
    for one in told.get("repairs", ()):
        change = "; ".join(f"{name}: {one['before'].get(name)} → {value}" for name, value in one["after"].items())
        say(f"{one['ref']} ({one['check']}): {change or one['why']}")
    for listed, heading in ((told["findings"], "What is wrong"), (told["warnings"], "Worth a look")):
        if listed:
            show_list(listed, {**COLUMNS, "why": heading})
    if not told["findings"]:
        say(f"All promises hold{'' if looked else '; there is no database to check yet'}.")


def _looked(env: "Environment") -> "Findings":
    from cases import nightly

    return nightly.run_checks(env, now=env.now())


def _looked_and_repaired(env: "Environment", *, dry_run: bool) -> dict[str, Any]:
    """Return what was repaired, or would be, and what a check finds after that."""
    from cases.repairing.repair import repaired

    found = _looked(env)
    repairs = repaired(env, found.findings, trial=dry_run, now=env.now())
    after = found if dry_run else _looked(env)
    return {**after.to_dict(), "repairs": [one.to_dict() for one in repairs]}


def _broken_definitions(settings: "Settings") -> list[dict[str, str]]:
    """Return what is wrong with processes and letters, without a database."""
    from cases.advice import advice_on
    from cases.environment import load_policy
    from notifications import catalogue, samples
    from state_machines.registry import check_all

    broken = check_all(load_policy(settings), list(catalogue.entries()))
    found = [
        {"check": "process", "ref": f"{bad.process}: {bad.path}", "why": bad.rule} for bad in dict.fromkeys(broken)
    ]
    missing = catalogue.missing_templates()
    found += [{"check": "letters", "ref": name, "why": "the template does not exist"} for name in missing]
    if not missing:
        _, failed = samples.render_samples()
        found += [{"check": "letters", "ref": kind, "why": why} for kind, why in failed.items()]
    return [{**one, "advice": advice_on(one["check"])} for one in found]
