"""`muster members`: bring the register up to date from a file, look members up, change one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.asking import (
    AsActor,
    AsViewer,
    LimitOption,
    MapOption,
    OffsetOption,
    SetOption,
    environment,
    fields,
    pairs,
    person,
)
from cli.member_page import (
    as_text,
    as_values,
    card_values,
    contact_line,
    contact_values,
    found,
    lent_today,
    members_page,
)
from cli.output import JsonOption, command_errors, local, progress, say, say_error, show_done, show_json, show_list

if TYPE_CHECKING:
    from cases.environment import Environment
    from members.cards import Contact, MemberCard
    from members.import_report import ImportReport

NAME = "members"
app = typer.Typer(no_args_is_help=True, help="Import, list, show and change members.")

Ref = Annotated[str, typer.Argument(help="Reference or name of the member, e.g. M-000012", metavar="REF")]


@app.command(name="import")
@command_errors()
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV or XLSX file", exists=True, dir_okay=False)],
    mapping: MapOption = None,
    allow_leavers: Annotated[bool, typer.Option("--allow-leavers", help="Even if many leave at once.")] = False,
    all_listed: Annotated[
        bool, typer.Option("--all-listed", help="The file lists every member: who is missing has left.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,
    as_: AsActor = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the register up to date with a table. The same file again changes nothing.

    Fields are name, ref, external_ref, kind, status, tier, category, country, region, site, team, website, language,
    joined_on, left_on, flags, email, contact_name, phone, contact_role (such as signatory), and email_2 to
    contact_role_5 for further contacts.
    Example: muster members import members.csv --map name=Organisation --map tier="Membership tier" --map email=E-mail
    """
    from cases.handing_over import follow_teams
    from members.importing import import_members
    from members.visibility import require_change_many

    columns = pairs(mapping, "--map")
    env = environment()
    actor = person(env, as_)
    require_change_many(actor)
    limits = env.policy.members
    with progress("Importing") as tell:
        report = import_members(
            env.engine, file, columns, dry_run=dry_run, allow_leavers=allow_leavers, missing_means_left=all_listed,
            leaving_share=limits["leaving_hold_share"], leaving_count=limits["leaving_hold_count"], progress=tell,
            actor=actor, now=env.now(),
        )  # fmt: skip
    if report.held is None and not dry_run:
        follow_teams(env, now=env.now())
    _imported(report, dry_run=dry_run, as_json=as_json)


def _imported(report: ImportReport, *, dry_run: bool, as_json: bool) -> None:
    from cli.cases import show_import

    remarks = ["This was a dry run; nothing was written."] if dry_run and report.held is None else []
    values = {**report.to_dict(), "dry_run": dry_run, "remarks": remarks}
    if report.held is None or as_json:
        show_import(values, as_json=as_json)
    if report.held is None:
        return
    if not as_json:
        say(f"Held: {report.held.why}")
        for leaver in report.held.leavers:
            say(f"   {leaver}")
    say_error(report.held.how)
    raise typer.Exit(1)


@app.command(name="list")
@command_errors()
def list_(
    status: Annotated[str | None, typer.Option(help="Only with this status, e.g. active or left.")] = None,
    tier: Annotated[str | None, typer.Option(help="Only of this tier.")] = None,
    team: Annotated[str | None, typer.Option(help="Only of this team.")] = None,
    search: Annotated[str | None, typer.Option(help="Words of the name, a reference or an address.")] = None,
    as_: AsViewer = None,
    limit: LimitOption = 50,
    offset: OffsetOption = 0,
    as_json: JsonOption = False,
) -> None:
    """List members by name, or those that are searched for, likeliest first.

    Examples: muster members list --tier Premier --status active; muster members list --search "motion pict" --json
    """
    env = environment()
    wanted = {"status": status, "tier": tier, "team": team}
    criteria = {name: value for name, value in wanted.items() if value is not None}
    cards, total = members_page(env, criteria, search, person(env, as_), limit, offset)
    show_list(
        [card_values(card) for card in cards],
        {"ref": "reference", "name": "name", "tier": "tier", "status": "status", "team": "team", "website": "website"},
        as_json=as_json, total=total, empty="There is no such member.",
    )  # fmt: skip


@app.command()
@command_errors()
def show(ref: Ref, as_: AsViewer = None, as_json: JsonOption = False) -> None:
    """Show a member: the entry, contacts, cases, recent messages, and what was changed.

    Examples: muster members show M-000012; muster members show "Adobe" --as amara@x.org
    """
    env = environment()
    viewer = person(env, as_)
    values = as_values(env, found(env, ref, viewer), viewer)
    if as_json:
        show_json(values)
    else:
        say(as_text(values, env.settings.zone))


@app.command(name="set")
@command_errors()
def set_(ref: Ref, settings: SetOption = None, as_: AsActor = None, as_json: JsonOption = False) -> None:
    """Change fields of a member; a blank erases. Flags: add_flags and remove_flags.

    Examples: muster members set M-000012 --set tier=Premier --set team=; muster members set M-000012 --set
    add_flags=VULNERABLE --as amara@x.org
    """
    from cases.handing_over import follow_teams
    from members.commands import update_member

    changes = {name: _flags(value) if name.endswith("_flags") else value for name, value in fields(settings).items()}
    if not changes:
        raise typer.BadParameter("Say what is to change, e.g. --set tier=Premier.", param_hint="--set")
    env = environment()
    actor = person(env, as_)
    before = card_values(found(env, ref, actor))
    card = update_member(
        env.engine, before["ref"], changes, lent=lent_today(env, actor), actor=actor, now=env.now()
    )  # fmt: skip
    if "team" in changes:
        follow_teams(env, [card.id], now=env.now())
    after = card_values(card)
    new = [f"{name} {local(before[name]) or 'nothing'} → {local(after[name]) or 'nothing'}" for name in after
           if before[name] != after[name] and name != "version"]  # fmt: skip
    show_done(after, f"{after['ref']} {after['name']}: {', '.join(new) or 'nothing changes'}.", as_json=as_json)


def _flags(value: Any) -> list[str]:
    return value if isinstance(value, list) else [flag for flag in str(value).replace(",", " ").split() if flag]


@app.command()
@command_errors()
def contact(
    ref: Ref,
    settings: SetOption = None,
    repair: Annotated[
        str | None, typer.Option(help="The contact that is changed: address or place; default: a new one.")
    ] = None,
    as_: AsActor = None,
    as_json: JsonOption = False,
) -> None:
    """Add a contact, or repair one: name, email, phone, role and language. A new address is taken to work.

    Examples: muster members contact M-000012 --set email=ann@x.org --set name=Ann; muster members contact M-000012
    --repair old@x.org --set email=new@x.org
    """
    from members.commands import save_contact

    values = {name: str(value) for name, value in fields(settings).items()}
    env = environment()
    actor = person(env, as_)
    card = found(env, ref, actor)
    which = _contact(env, card, repair).id if repair else None
    saved = save_contact(
        env.engine, card.ref, values, contact_id=which, lent=lent_today(env, actor), actor=actor, now=env.now()
    )  # fmt: skip
    lines = "".join(f"\n   {contact_line(contact_values(each))}" for each in saved)
    result = {"ref": card.ref, "contacts": [contact_values(each) for each in saved]}
    show_done(result, f"{card.ref} {card.name} is written to in this order:{lines}", as_json=as_json)


def _contact(env: Environment, card: MemberCard, which: str) -> Contact:
    from config.database import reading
    from members import store
    from members.errors import NotFound

    with reading(env.engine) as conn:
        contacts = store.contacts_of(conn, [card.id])[card.id]
    for each in contacts:
        if which.strip().lower() in (str(each.position), (each.email or "").lower()):
            return each
    raise NotFound(f"{card.name} has no contact {which}; see: muster members show {card.ref}")
