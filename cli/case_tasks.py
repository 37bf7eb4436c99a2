"""`muster cases done`: a task of a case is done."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.asking import AsOption, environment, person
from cli.output import JsonOption, command_errors, show_done

app = typer.Typer()


@app.command()
@command_errors()
def done(
    ref: Annotated[str, typer.Argument(help="The reference of the case, e.g. CO-2026-000042")],
    number: Annotated[int, typer.Argument(help="The number of the task, as muster cases show tells it")],
    as_: AsOption,
    note: Annotated[str, typer.Option("--note", help="What there is to say about it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Close a task that is done; again does nothing.

    Example: muster cases done CO-2026-000042 7 --note "Posted on Monday" --as amara@x.org
    """
    from cases.tasks import close_task

    env = environment()
    task = close_task(env, ref, number, note=note, actor=person(env, as_))
    said = f"{task.ref}: this task was done already." if task.was_closed else f"{task.ref}: done, {task.title}."
    values = {"ref": task.ref, "task": task.number, "title": task.title, "was_closed": task.was_closed}
    show_done(values, said, as_json=as_json)
