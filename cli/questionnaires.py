"""`muster questionnaires`: import a form, look whether a questionnaire can be used, read one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from cli.output import JsonOption, command_errors, refuse, say, say_error, show_json

if TYPE_CHECKING:
    from cases.shelf.reading import Brought

NAME = "questionnaires"
app = typer.Typer(no_args_is_help=True, help="Import, check and read questionnaires.")
FileArgument = Annotated[Path, typer.Argument(help="A form (.xlsx, .xls) or a questionnaire (.yaml)", dir_okay=False)]


@app.command("import")
@command_errors()
def import_(
    form: FileArgument,
    out: Annotated[Path | None, typer.Option(help="Write the questionnaire here, not to the screen.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a questionnaire of a form that was written for ODK, Kobo or SurveyCTO (XLSForm).

    What is not supported is refused, each with its sheet and row; nothing is written then.
    Example: muster questionnaires import form.xlsx --out questionnaires/pulse.yaml
    """
    found = _brought(form, as_json=as_json)
    if out is not None:
        if out.exists():
            refuse(f"{out} is there already; name another file, or move it away first.")
        out.write_text(found.text, "utf-8")
    if as_json:
        show_json(_told(found) | ({"file": str(out)} if out else {"text": found.text}))
        return
    if out is None:
        say(found.text)
    for told in (*found.ignored, *found.remarks):
        say_error(told)
    if out is not None:
        say(f"{found.questionnaire.title} is written to {out}: {len(found.questionnaire.questions)} questions.")


@app.command()
@command_errors()
def check(file: FileArgument, as_json: JsonOption = False) -> None:
    """Say whether a questionnaire or a form can be used, and what is wrong with it.

    Example: muster questionnaires check questionnaires/pulse.yaml
    """
    found = _brought(file, as_json=as_json)
    if as_json:
        show_json(_told(found))
        return
    for told in (*found.ignored, *found.remarks):
        say(told)
    one = found.questionnaire
    say(
        f"{one.title} can be used: version {one.version}, {len(one.questions)} questions in {', '.join(one.languages)}."
    )


@app.command()
@command_errors()
def show(
    name: Annotated[str, typer.Argument(help="The name of a questionnaire, such as pulse")],
    language: Annotated[str, typer.Option(help="In which of its languages.")] = "",
    version: Annotated[int, typer.Option(help="An older version; 0 is the newest.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Print the questions of a questionnaire as a member reads them.

    Example: muster questionnaires show pulse --language fr
    """
    from cases.shelf.keeping import read
    from config.settings import load_settings
    from surveys.wording import choices_of

    found = read(load_settings(), name, version or None).questionnaire
    if language and language not in found.languages:
        refuse(f"{name} is written in {', '.join(found.languages)}, not in {language}.")
    spoken = found.in_language(language)
    if as_json:
        show_json(spoken.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"translations"}))
        return
    say(f"{spoken.title}, version {spoken.version}")
    for section in spoken.sections:
        say(f"\n{section.title}")
        for question in section.questions:
            say(f"  {question.text or question.id}{' (required)' if question.required else ''}")
            for choice in choices_of(question):
                say(f"     {choice.label}")


def _brought(file: Path, *, as_json: bool) -> Brought:
    """Return the questionnaire in a file, or end the command with what is wrong with it."""
    from cases.shelf.reading import NotUsable, read_file

    try:
        return read_file(file.read_bytes(), file.name)
    except NotUsable as bad:
        _objected(file, bad.problems, as_json=as_json)
    except OSError as bad:
        refuse(f"{file} cannot be read: {bad.strerror}.")


def _objected(file: Path, problems: Sequence[str], *, as_json: bool) -> NoReturn:
    if as_json:
        show_json({"file": file.name, "problems": list(problems)})
    for told in problems:
        say_error(told)
    say_error(f"{file.name} cannot be used.")
    raise typer.Exit(1)


def _told(found: Brought) -> dict[str, object]:
    one = found.questionnaire
    return {
        "name": one.name, "version": one.version, "title": one.title, "languages": list(one.languages),
        "questions": len(one.questions), "fingerprint": one.fingerprint(), "ignored": list(found.ignored),
        "remarks": found.remarks,
    }  # fmt: skip
