"""What commands say: tables for people, JSON for programs, one sentence when something is refused.

Results go to standard output, everything else to standard error. Every command runs inside `command_errors`.
"""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

import typer

from cli.progress import progress as progress  # part of what commands say

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

OWN = {"cli", "web", "workflows", "migrations", "reports", "cases", "notifications", "surveys", "members", "config",
       "state_machines"}  # fmt: skip
"""Packages whose errors are sentences for the person who typed the command."""
MOST_LINES = 12


_closing: list[Callable[[], None]] = []


class Refused(Exception):
    """A command cannot do what was asked; its text is the sentence."""


def refuse(sentence: str) -> NoReturn:
    """End the command with `sentence` and exit status 1."""
    raise Refused(sentence)


@contextmanager
def command_errors() -> Iterator[None]:
    """Turn what is raised inside into one sentence and exit status 1. Also a decorator: `@command_errors()`."""
    try:
        yield
    except (typer.Exit, typer.Abort, SystemExit):
        raise
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stdout = None
        raise typer.Exit(0) from None
    except Exception as error:
        if type(error).__module__.split(".")[0] in ("typer", "click"):
            raise  # usage errors, which typer shows itself with exit status 2
        say_error(sentence_for(error))
        if os.environ.get("MUSTER_DEBUG") == "1":
            raise
        raise typer.Exit(1) from None
    finally:
        while _closing:
            _closing.pop()()


def at_end(close: Callable[[], None]) -> None:
    """Have `close` called when the command ends, however it ends."""
    _closing.append(close)


def sentence_for(error: Exception) -> str:
    """Return the sentence that a person reads for `error`; what nobody foresaw is written to a log."""
    kind = type(error)
    text = str(error).strip()
    ours = kind.__module__.split(".")[0] in OWN or (isinstance(error, ValueError) and text.endswith((".", "?")))
    if ours and text and not isinstance(error, RuntimeError):
        return _shortened(text)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}."
    if kind.__module__.startswith("sqlalchemy") and kind.__name__ in ("OperationalError", "InterfaceError"):
        return f"The database does not answer: {str(getattr(error, 'orig', error)).strip().splitlines()[0]}"
    return f"Something went wrong inside Muster ({kind.__name__}). {_kept(error)}"


def _shortened(text: str) -> str:
    lines = list(dict.fromkeys(text.splitlines()))
    more = [f"... and {len(lines) - MOST_LINES} more; see: muster check"] if len(lines) > MOST_LINES else []
    return "\n".join(lines[:MOST_LINES] + more)


def _kept(error: Exception) -> str:
    """Write the whole story of `error` to a log, without addresses and passwords, and say where it is."""
    from config.logging import OneLine

    record = logging.LogRecord("cli", logging.ERROR, "", 0, "command failed", None, None)
    record.exc_info = (type(error), error, error.__traceback__)
    path = Path(os.environ.get("MUSTER_HOME") or ".muster").expanduser() / "logs" / "cli.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as log:
            log.write(OneLine().format(record) + "\n")
    except OSError:
        return "Run it again with MUSTER_DEBUG=1 to see where."
    return f"The details are in {path}."


# ------------------------------------------------------------------------------------------------ for people


def say(text: str) -> None:
    """Print a sentence for people."""
    print(text, flush=True)


def say_error(text: str) -> None:
    """Print a sentence to standard error."""
    print(text, file=sys.stderr, flush=True)


def local(value: object, zone: ZoneInfo | None = None) -> str:
    """Return how people read `value`: instants in `zone`, lists with commas, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%a} {value.astimezone(zone).day} {value.astimezone(zone):%b %Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%a} {value.day} {value:%b %Y}"
    if isinstance(value, timedelta):
        return span(value.total_seconds())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {local(item, zone)}" for key, item in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(local(item, zone) for item in value)
    return str(value)


def span(seconds: float) -> str:
    """Return a length of time as people say it, in its one or two largest units."""
    left, parts = int(seconds), []
    for name, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if left >= size:
            parts.append(f"{left // size} {name}")
            left %= size
    return " ".join(parts[:2]) or "0 s"


def show_list(
    items: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    *,
    as_json: bool = False,
    total: int | None = None,
    zone: ZoneInfo | None = None,
    empty: str = "Nothing to show.",
) -> None:
    """Show `items` as a table with these `columns` (key: heading), or all they hold as JSON."""
    if as_json:
        show_json({"items": list(items), "total": len(items) if total is None else total})
        return
    if not items:
        say(empty)
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns.values(), box=box.SIMPLE_HEAD, pad_edge=False)
    for item in items:
        table.add_row(*(Text(local(item.get(key), zone)) for key in columns))
    _print(table)
    if total is not None and total > len(items):
        say(f"{len(items)} of {total} shown.")


def show_record(
    record: Mapping[str, Any],
    *,
    as_json: bool = False,
    zone: ZoneInfo | None = None,
    labels: Mapping[str, str] | None = None,
) -> None:
    """Show one thing: a line for each of `labels` (key: label; default: every key), or all it holds as JSON."""
    if as_json:
        show_json(record)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for key, label in (labels or {key: key.replace("_", " ") for key in record}).items():
        if record.get(key) is not None:
            table.add_row(Text(label, style="bold"), Text(local(record[key], zone)))
    _print(table)


def show_done(values: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """Say what was done: a sentence for people, or `values` as JSON."""
    show_json(values) if as_json else say(sentence)


def show_json(value: object) -> None:
    """Print `value` as JSON: instants as ISO 8601, nothing coloured, nothing cut."""
    print(json.dumps(value, default=_plain, ensure_ascii=False, indent=2), flush=True)


def _print(renderable: object) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console = Console(width=1000)  # a file or a pipe has no width; lines are not folded for it
    console.print(renderable)


def _plain(value: object) -> object:
    if isinstance(value, date):  # datetimes are dates too
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
