"""`muster answers`: a member's answers, as their personal link would send them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from cli.asking import AsOption, SetOption, environment, fields, person
from cli.output import JsonOption, command_errors, refuse, say, say_error, show_json

NAME = "answers"
app = typer.Typer(no_args_is_help=True, help="Hand in a member's answers.")


@app.command()
@command_errors()
def submit(
    ref: Annotated[str, typer.Argument(help="The reference of the response, e.g. SR-2026-000012")],
    file: Annotated[Path, typer.Argument(help="The answers, a JSON file", exists=True, dir_okay=False)],
    draft: Annotated[bool, typer.Option("--draft", help="Save only; the member goes on later.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Submit a member's answers, as their personal link would.

    The file holds {"respondent": {"name": …, "role": …, "email": …}, "declaration": true,
    "answers": {question: answer}}. `muster answers sample` prints one.
    Example: muster answers submit SR-2026-000012 answers.json
    """
    from cases.answers import AnswersInvalid
    from cases.answers import submit as submit_

    raw = _read(file)
    try:
        receipt = submit_(environment(), ref, raw, submitting=not draft)
    except AnswersInvalid as bad:
        _objected(ref, bad.errors, as_json=as_json)
    flags = [{"question": f.question, "rule": str(f.rule.value), "text": f.text} for f in receipt.flags]
    if as_json:
        show_json({"ref": receipt.ref, "revision": receipt.revision, "state": receipt.state, "flags": flags,
                   "repeated": receipt.repeated})  # fmt: skip
        return
    done = "had been received before" if receipt.repeated else "are saved" if draft else "are received"
    say(f"The answers to {receipt.ref} {done} (version {receipt.revision}); it is {receipt.state.replace('_', ' ')}.")
    for flag in flags:
        say(f"   {flag['question']}: {flag['text']}")


def _objected(ref: str, errors: Mapping[str, Sequence[str]], *, as_json: bool) -> NoReturn:
    """End the command with what is wrong with the answers, question by question."""
    if as_json:
        show_json({"ref": ref.upper(), "errors": {name: list(found) for name, found in errors.items()}})
    for name, found in errors.items():
        say_error(f"{name}: {' '.join(found)}")
    raise typer.Exit(1)


def _read(file: Path) -> dict[str, Any]:
    try:
        raw = json.loads(file.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as bad:
        refuse(f"{file.name} is not valid JSON: {getattr(bad, 'msg', 'it is not UTF-8 text')}.")
    if not isinstance(raw, dict):
        refuse(f"{file.name} does not hold a JSON object with the answers.")
    return raw


@app.command()
@command_errors()
def correct(
    ref: Annotated[str, typer.Argument(help="The reference of the response")],
    reason: Annotated[str, typer.Option(help="Why; it stays on the record.")],
    as_: AsOption,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Correct submitted answers as staff. They are marked so, and a second person checks them.

    Example: muster answers correct SR-2026-000012 --set staff=120 --reason "Confirmed by phone" --as amara@x.org
    """
    from cases.answers import correct as correct_

    changes = fields(settings)
    env = environment()
    receipt = correct_(env, ref, changes, reason, actor=person(env, as_))
    if as_json:
        show_json({"ref": receipt.ref, "revision": receipt.revision, "state": receipt.state})
        return
    say(f"{receipt.ref} has version {receipt.revision}, corrected by staff; a second person checks it.")


@app.command()
@command_errors()
def sample(
    ref: Annotated[str, typer.Argument(help="The reference of the response")],
    seed: Annotated[int, typer.Option(help="Another seed gives other answers.")] = 0,
    poor: Annotated[bool, typer.Option("--poor", help="Answers that a reviewer would ask back about.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="They are JSON anyway.")] = True,
) -> None:
    """Print made-up answers that fit the questionnaire of a response, to try things out.

    Example: muster answers sample SR-2026-000012 > answers.json
    """
    from cases.answers import sample_for

    show_json(sample_for(environment(), ref, seed=seed, poor=poor))
