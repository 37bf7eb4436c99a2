"""`muster backup` and `muster restore`: a copy of the installation, made while it runs, and brought back elsewhere."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, cast

import typer

from cli.database import address_of, kind_of
from cli.output import JsonOption, command_errors, progress, refuse, say, say_error, show_json

if TYPE_CHECKING:
    from cases.copies.restoring import Restored
    from cases.copies.taking import Taken
    from config.database import Engine
    from config.settings import Settings

app = typer.Typer()

File = Annotated[Path, typer.Argument(help="The backup.", exists=True, dir_okay=False)]
ELSE = "Not in it: the secret key (--with-key puts it there), the settings of the environment, and your policy file."


@app.command()
@command_errors()
def backup(
    to: Annotated[Path, typer.Argument(help="A file or folder; - writes to standard output.")] = Path(),
    with_key: Annotated[bool, typer.Option("--with-key", help="Put the secret key into it: keep it safe.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Read a backup and compare every digest instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write database, files and mail of this moment into one file. Nothing has to stop for it.

    Exit status 1 when a stored file was missing or damaged; the backup is whole otherwise.
    Examples: muster backup /srv/backups; muster backup --verify FILE; muster backup - | age -r KEY > muster.age
    """
    from config.clock import utc_now

    if verify:
        _verify(to, as_json=as_json)
        return
    settings, engine = _installation()
    try:
        if str(to) == "-":
            _to_stdout(engine, settings, with_key=with_key)
            return
        from cases.copies.taking import take_into

        with progress("Backing up") as tell:
            path, taken = take_into(engine, settings, to.resolve(), with_key=with_key, progress=tell, now=utc_now())
    finally:
        engine.dispose()
    if as_json:
        show_json({"file": str(path), **_plain(taken)})
    else:
        say(f"{path}: {taken.rows} rows and {taken.files} files, {taken.size / 1000:,.0f} kB. {ELSE}")
    _faults(taken)


def _installation() -> "tuple[Settings, Engine]":
    from cases.environment import NotInitialised
    from config.database import make_engine
    from config.postgres import database_url
    from config.settings import load_settings

    settings = load_settings()
    if kind_of(settings) is None:
        raise NotInitialised
    return settings, make_engine(database_url(settings), pool_size=1)


def _to_stdout(engine: "Engine", settings: "Settings", *, with_key: bool) -> None:
    from cases.copies.taking import take
    from config.clock import utc_now

    out = cast(BinaryIO, sys.stdout.buffer)
    if out.isatty():
        refuse("Standard output is a terminal; send it into a file or a program.")
    taken = take(engine, settings, out, drafts=settings.home, with_key=with_key, now=utc_now())
    out.flush()
    _faults(taken)


def _faults(taken: "Taken") -> None:
    for fault in taken.faults:
        say_error(f"Not in the backup as it was stored: {fault}")
    if taken.faults:
        raise typer.Exit(1)


def _plain(taken: "Taken") -> dict[str, Any]:
    return {"made_at": taken.made_at, "rows": taken.rows, "files": taken.files, "bytes": taken.size,
            "faults": list(taken.faults)}  # fmt: skip


def _verify(path: Path, *, as_json: bool) -> None:
    from cases.copies.archive import opened

    with opened(path) as found:
        found.verify()
        told = {name: found.manifest[name] for name in ("made_at", "muster", "revision", "kind", "record", "faults")}
    if as_json:
        show_json({**told, "ok": True, "parts": len(found.parts)})
        return
    record = told["record"]
    say(f"{path} is as it was written: {len(found.parts)} parts of {told['made_at'][:16]}, "
        f"{record['cases']} cases with {record['events']} events.")  # fmt: skip


@app.command()
@command_errors()
def restore(
    file: File,
    into: Annotated[str | None, typer.Option("--into", help="Address of an empty database instead.")] = None,
    files: Annotated[bool, typer.Option("--files", help="Only put back files that are missing or damaged.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a backup back, into an empty database. What is restored is at rest until: muster db resume

    Examples: MUSTER_HOME=/srv/trial muster restore FILE; muster restore FILE --into postgresql://…; … --files
    """
    from cases.copies import restoring
    from cases.copies.archive import opened
    from config.settings import load_settings

    settings = load_settings()
    with opened(file) as found:
        if files:
            found.verify()
            put = restoring.files(found, settings)
            show_json({"files": len(put)}) if as_json else say(f"{len(put)} files put back.")
            return
        done = _restored(found, settings, into)
    if as_json:
        show_json({name: getattr(done, name) for name in done.__slots__})
        return
    _say(done, settings)


def _restored(found: Any, settings: "Settings", into: str | None) -> "Restored":
    import migrations
    from cases.copies.restoring import restore as bring_back
    from config.clock import utc_now
    from config.database import make_engine
    from config.postgres import database_url

    home_is_free = into is None or kind_of(settings) is None
    engine = make_engine(address_of(into) if into else database_url(settings), pool_size=1)
    try:
        with progress("Restoring") as tell:
            return bring_back(found, engine, settings, migrations, take_key=home_is_free, progress=tell, now=utc_now())
    finally:
        engine.dispose()


def _say(done: "Restored", settings: "Settings") -> None:
    say(f"{done.rows} rows and {done.files} files of {done.made_at[:16]} (UTC) are here. Everybody was signed out.")
    say("It is at rest: no sweep, no mail, no daily work. Look at it (muster check), and when it is to go on here and "
        "nowhere else: muster db resume")  # fmt: skip
    if not done.same_key:
        say(f"The secret key here is another, so personal links sent before do not work: put the old one into "
            f"{settings.home / 'secret-key'} or MUSTER_SECRET_KEY.")  # fmt: skip
    for sentence in (
        *(f"Not in the backup: {fault}" for fault in done.faults),
        *(f"Left out, since it is not Muster's: the table {name}" for name in done.left_out),
        *(
            [f"The record had {done.problems} problems when it was backed up: muster audit verify"]
            * bool(done.problems)
        ),
    ):
        say(sentence)
