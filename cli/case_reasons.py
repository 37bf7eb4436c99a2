"""`muster cases next` and `muster cases why`: what comes by itself, and why something did or did not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cli import case_tasks
from cli.asking import AsViewer, environment, person
from cli.output import JsonOption, command_errors, local, say, show_json

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cases.explaining.foretold import Coming, Mail, Next
    from cases.explaining.looked_back import RungThen, Why

app = typer.Typer()
app.add_typer(case_tasks.app)

Ref = Annotated[str, typer.Argument(help="The reference of the case, e.g. CO-2026-000042")]


@app.command(name="next")
@command_errors()
def next_(ref: Ref, as_: AsViewer = None, as_json: JsonOption = False) -> None:
    """Show what happens next to a case until it ends, if nobody acts: when, what, and who is written to.

    Example: muster cases next CO-2026-000042 --as amara@x.org
    """
    from cases.explaining.coming import what_happens_next
    from cases.explaining.values import coming_values

    env = environment()
    found = what_happens_next(env, ref, actor=person(env, as_))
    if as_json:
        show_json(coming_values(found))
    else:
        say("\n".join(_coming(found, env.settings.zone)))


def _coming(found: Coming, zone: ZoneInfo) -> Iterator[str]:
    yield f"{found.ref}  {found.subject}"
    yield f"If nobody acts from here ({found.state_title}):"
    for mail in found.waiting:
        yield f"   waits: {_mail(mail, zone)}"
    for each in found.items:
        yield f"   {local(each.at, zone)}  {_what(each)}"
        yield from (f"      {line}" for line in _with_it(each, zone))
    yield found.ending
    yield from found.assumed


def _what(each: Next) -> str:
    words = each.title + (f", then {each.rhythm}" if each.rhythm else "")
    if each.kind != "transition":
        return f"{words}: {each.kind.replace('_', ' ')}, {each.why}"
    acting = f" ({each.acting} acts)" if each.acting else ""
    return f"{words} → {each.target_title}, {each.owner or 'nobody'}{acting}" if each.moves else words


def _with_it(each: Next, zone: ZoneInfo) -> Iterator[str]:
    yield from (f"mail: {_mail(mail, zone)}" for mail in each.mails)
    yield from (f"task: {task.title} ({task.who}), until {local(task.due, zone)}" for task in each.tasks)
    for beside in each.beside:
        yield f"{beside.what}: {' '.join(word for word in (beside.process, beside.subject, beside.where) if word)}"
    for decision in each.decisions:
        yield f"decision: {', '.join(decision.titles)} by {', '.join(decision.people) or 'nobody yet'}"


def _mail(mail: Mail, zone: ZoneInfo) -> str:
    to = f"{mail.to.name} <{mail.to.email}>" if mail.to else mail.audience
    instead = f" for {mail.to.instead_of}" if mail.to and mail.to.instead_of else ""
    why = f" ({mail.why})" if mail.why else ""
    return f"{mail.title} to {to}{instead}, {mail.state} {local(mail.at, zone)}{why}"


@app.command(name="why")
@command_errors()
def why_(
    ref: Ref,
    at: Annotated[str | None, typer.Option(help="At which moment, if not now.", metavar="INSTANT")] = None,
    rung: Annotated[str | None, typer.Option(help="Only this rung, e.g. due_soon.")] = None,
    as_: AsViewer = None,
    as_json: JsonOption = False,
) -> None:
    """Say why something happened to a case or did not, at any moment, with each guard's answer.

    Example: muster cases why CO-2026-000042 --at 2026-03-09T10:00 --rung due_soon
    """
    from dataclasses import asdict

    from cases.explaining.past import why
    from config.clock import parse_instant

    env = environment()
    moment = parse_instant(at, env.settings.zone) if at else None
    found = why(env, ref, at=moment, rung=rung, actor=person(env, as_))
    if as_json:
        show_json(asdict(found))
    else:
        say("\n".join(_why(found, env.settings.zone)))


def _why(found: Why, zone: ZoneInfo) -> Iterator[str]:
    yield f"{found.ref}  {found.subject}, as it was on {local(found.at, zone)}"
    yield found.answer
    for clock in found.clocks:
        yield ""
        yield f"{clock.title}: from {local(clock.anchor, zone)}, due {local(clock.due, zone)}"
        for each in clock.rungs:
            yield from _rung(each, zone)
    yield ""
    yield from found.notes


def _rung(rung: RungThen, zone: ZoneInfo) -> Iterator[str]:
    happened = f" on {local(rung.happened_at, zone)}" if rung.happened_at else ""
    late = f", {local(rung.late_by)} late" if rung.late_by else ""
    why = f": {rung.why}" if rung.why else ""
    yield f"   {local(rung.due, zone)}  {rung.title} ({rung.name}): {rung.verdict}{happened}{late}{why}"
    for answer in rung.answers:
        value = {True: "yes", False: "no", None: "could not be asked"}[answer.value]
        facts = "; ".join(f"{name} = {value}" for name, value in answer.looked_at)
        kept = " (written down then)" if answer.recorded else ""
        no = f", {answer.sentence}" if answer.value is False else ""
        yield f"      {answer.question} {value}{no}{kept}{f' [{facts}]' if facts else ''}"
    for mail in rung.messages:
        reason = f" ({mail.reason})" if mail.reason else ""
        yield f"      mail: {mail.title} to {mail.to or mail.audience}, {mail.state} {local(mail.at, zone)}{reason}"
