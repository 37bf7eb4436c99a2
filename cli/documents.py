"""`muster documents`: bring out versions of what members sign, read them, and verify receipts of signatures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.asking import AsOption, AsViewer, day, environment, pairs, person
from cli.output import JsonOption, command_errors, refuse, say, show_done, show_json, show_list, show_record

if TYPE_CHECKING:
    from cases.documents.receipt import Signed

NAME = "documents"
app = typer.Typer(no_args_is_help=True, help="Versions of what members sign, and receipts of signatures.")

Ref = Annotated[str, typer.Argument(help="The reference of the version, e.g. CD-2026-000003")]


@app.command()
@command_errors()
def add(
    title: Annotated[str, typer.Argument(help="What members read as its name")],
    number: Annotated[str, typer.Argument(help="Number of the version, such as 3.0")],
    as_: AsOption,
    text: Annotated[
        list[str],
        typer.Option("--text", help="A file with the text in a language; repeat for each.", metavar="LANGUAGE=FILE"),
    ],
    summary: Annotated[str, typer.Option(help="What has changed, in members' words")],
    effective_on: Annotated[str, typer.Option(help="The day from which it holds", metavar="DATE")],
    authoritative: Annotated[
        str, typer.Option(help="The language that decides where they differ; default: the first")
    ] = "",
    not_material: Annotated[
        bool, typer.Option("--not-material", help="Members are only told; otherwise they sign again.")
    ] = False,
    supersedes: Annotated[str, typer.Option(help="Reference of the version whose place it takes")] = "",
    as_json: JsonOption = False,
) -> None:
    """Begin a version of a document with its texts: Markdown in UTF-8, or PDF. Somebody else approves it.

    Example: muster documents add "Code of Practice" 3.1 --text en=code.md --text fr=code-fr.md
    --summary "Clause 4 is clearer" --effective-on 2026-09-01 --supersedes CD-2026-000003 --as amara@x.org
    """
    from cases.documents.versions import add_version

    files = _given(pairs(text, "--text"))
    env = environment()
    case = add_version(
        env, title=title, number=number, files=files, authoritative=authoritative or next(iter(files)),
        material=not not_material, summary=summary, effective_on=day(effective_on, "--effective-on"),
        supersedes=supersedes or None, actor=person(env, as_),
    ).after  # fmt: skip
    found = {"ref": case.ref, "state": case.state, "languages": dict(case.data["languages"])}
    show_done(found, f"{case.ref} is begun: {case.subject}. Next: send it to review.", as_json=as_json)


def _given(texts: dict[str, str]) -> dict[str, Any]:
    from cases.documents.files import Given

    found = {}
    for language, name in texts.items():
        try:
            found[language] = Given(Path(name).name, Path(name).read_bytes())
        except OSError as bad:
            refuse(f"{name} cannot be read: {bad.strerror}.")
    return found


@app.command(name="list")
@command_errors()
def list_(as_: AsViewer = None, as_json: JsonOption = False) -> None:
    """List every version, the newest first.

    Example: muster documents list
    """
    from cases.documents.reading import documents

    env = environment()
    lines = [line for versions in documents(env, actor=person(env, as_)).values() for line in versions]
    items = [
        {"ref": x.ref, "title": x.title, "number": x.number, "state": x.state, "effective_on": x.effective_on,
         "material": x.material, "languages": list(x.languages), "signatures": x.signatures}
        for x in lines
    ]  # fmt: skip
    columns = {
        "ref": "Reference", "title": "Title", "number": "Version", "state": "State", "effective_on": "Holds from",
        "signatures": "Signatures",
    }  # fmt: skip
    show_list(items, columns, as_json=as_json, empty="There is no document yet.")


@app.command()
@command_errors()
def show(
    ref: Ref,
    language: Annotated[str, typer.Option(help="Print the text in this language, and nothing else.")] = "",
    as_: AsViewer = None,
    as_json: JsonOption = False,
) -> None:
    """Show one version, or print one of its texts, exactly as it was approved.

    Examples: muster documents show CD-2026-000003 · muster documents show CD-2026-000003 --language en > code.md
    """
    import sys

    from cases.documents.reading import read_text, version

    env = environment()
    viewer = person(env, as_)
    if language:
        sys.stdout.buffer.write(read_text(env, ref, language, actor=viewer).content)
        return
    found = version(env, ref, actor=viewer)
    line = found.line
    record = {
        "ref": line.ref, "title": line.title, "number": line.number, "state": line.state,
        "effective_on": line.effective_on, "material": line.material, "summary": found.summary,
        "written_by": list(found.written_by), "approved_by": list(found.approved_by),
        "before": found.before.ref if found.before else None, "after": found.after.ref if found.after else None,
        "signatures": line.signatures,
    }  # fmt: skip
    texts = [
        {"language": text.language, "decides": text.authoritative, "name": text.name, "sha256": text.sha256}
        for text in found.texts
    ]
    if as_json:
        show_json({**record, "texts": texts})
        return
    people = {"written_by": ", ".join(found.written_by), "approved_by": ", ".join(found.approved_by)}
    show_record({**record, **people})
    show_list(texts, {"language": "Language", "decides": "Decides", "name": "File", "sha256": "SHA-256"})


@app.command()
@command_errors()
def verify(
    file: Annotated[
        Path | None, typer.Argument(help="The file of a receipt", exists=True, dir_okay=False, show_default=False)
    ] = None,
    number: Annotated[str, typer.Option(help="The number of a receipt, instead of its file")] = "",
    as_: AsViewer = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether a file is a receipt of a signature that was issued here, unchanged, and what it says.

    Ends with status 1 when it is not. Example: muster documents verify receipt-SG-2026-000042-R7.pdf
    """
    from cases.documents.signatures import verify_file, verify_number

    if (file is None) == (not number):
        refuse("Give the file of a receipt, or its number with --number.")
    env = environment()
    viewer = person(env, as_)
    found = (
        verify_file(env, file.read_bytes(), actor=viewer)
        if file is not None
        else verify_number(env, number, actor=viewer)
    )
    said = _said(found.given.signed) if found.given is not None else {}
    if as_json:
        show_json({"genuine": found.genuine, "sentence": found.sentence, **said})
    else:
        say(found.sentence)
        if said:
            show_record(said)
    if not found.genuine:
        raise typer.Exit(1)


def _said(signed: Signed) -> dict[str, Any]:
    """What a receipt says."""
    return {
        "receipt": signed.number, "case": signed.ref, "member": signed.member, "legal_name": signed.legal_name,
        "signed_by": signed.name, "position": signed.position, "document": signed.title,
        "document_ref": signed.document_ref, "language": signed.language, "sha256": signed.document_sha256,
        "signed_at": signed.signed_at, "consent": signed.consent, "reservation": signed.reservation or None,
    }  # fmt: skip
