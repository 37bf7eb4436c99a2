"""`muster process`: the processes as they are defined, without a database."""

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import JsonOption, command_errors, say, show_list

if TYPE_CHECKING:
    from state_machines.policy import Policy
    from state_machines.process import Process

NAME = "process"
app = typer.Typer(no_args_is_help=True, help="Show how cases move: states, deadlines, who may do what.")

Name = Annotated[str, typer.Argument(help="The process, such as complaint; `muster process list` shows all.")]


@app.command(name="list")
@command_errors()
def list_(as_json: JsonOption = False) -> None:
    """List the processes.

    Example: muster process list
    """
    from state_machines.registry import processes

    items = [
        {
            "name": process.name, "title": process.title, "version": process.version,
            "states": len(process.states), "transitions": len(process.transitions),
        }
        for process in processes().values()
    ]  # fmt: skip
    columns = {"name": "Name", "title": "Process", "version": "Version", "states": "States"}
    show_list(items, columns | {"transitions": "Transitions"}, as_json=as_json)


@app.command()
@command_errors()
def show(name: Name) -> None:
    """Print the page of a process: states, who may do what, clocks, letters.

    Example: muster process show complaint
    """
    from state_machines import handbook
    from state_machines.registry import process_named

    say(handbook.page(process_named(name), _policy(), _titles()))


@app.command()
@command_errors()
def diagram(
    name: Name, current: Annotated[str | None, typer.Option(help="Mark this state as where a case is.")] = None
) -> None:
    """Print a process as a Mermaid diagram.

    Examples: muster process diagram complaint; muster process diagram complaint --current stage_1
    """
    from state_machines.diagram import mermaid
    from state_machines.registry import process_named

    say(mermaid(process_named(name), current))


@app.command()
@command_errors()
def docs(folder: Annotated[Path, typer.Argument(help="Where the pages go, such as docs/processes.")]) -> None:
    """Write one page for each process and, where Graphviz is installed, draw it anew for the desk.

    Example: muster process docs docs/processes
    """
    from state_machines import handbook
    from state_machines.registry import processes

    folder.mkdir(parents=True, exist_ok=True)
    for process in processes().values():
        page = handbook.page(process, _policy(), _titles())
        (folder / f"{process.name.replace('_', '-')}.md").write_text(page.rstrip() + "\n", encoding="utf-8")
    say(f"{len(processes())} pages written to {folder}.")
    program = shutil.which("dot")
    if program is None:
        say("The drawings of the desk are left as they are: Graphviz (dot) is not installed.")
        return
    for process in processes().values():
        _draw(process, program)
    say(f"{len(processes())} processes drawn.")


def _draw(process: "Process", program: str) -> None:
    from state_machines.diagram import dot
    from web.diagrams import cleaned, file_of

    drawn = subprocess.run([program, "-Tsvg"], input=dot(process), capture_output=True, text=True, check=True)  # noqa: S603  its text is ours
    file_of(process.name).parent.mkdir(parents=True, exist_ok=True)
    file_of(process.name).write_text(cleaned(process, drawn.stdout), encoding="utf-8")


def _policy() -> "Policy":
    from cases.environment import load_policy
    from config.settings import load_settings

    return load_policy(load_settings())


def _titles() -> dict[str, str]:
    """Return what each kind of message is called."""
    from notifications import catalogue

    return {kind.kind: kind.title for kind in catalogue.kinds()}
