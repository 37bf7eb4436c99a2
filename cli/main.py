"""The `muster` command: what it knows is in the other modules of this folder, each loading what it needs when called.

A module has `app`, a typer application, and `NAME` when its commands belong under a word of their own
(`muster members list`); without `NAME` they are commands of `muster` itself. Two modules may share a word.
"""

import importlib
import importlib.util

import typer

MODULES = (
    "running",
    "checking",
    "backup",
    "db",
    "machines",
    "flows",
    "clock",
    "cases",
    "campaigns",
    "documents",
    "answers",
    "questionnaires",
    "members",
    "staff",
    "messages",
    "holds",
    "inbox",
    "audit",
    "reports",
    "campaign_reports",
    "process",
)

app = typer.Typer(
    name="muster",
    help="Case management for membership organisations: every case has an owner, a clock and a next step.",
    epilog="To try it out: muster demo. In earnest: muster init, then muster up.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def muster() -> None:
    """Case management for membership organisations: every case has an owner, a clock and a next step."""


_words: dict[str, typer.Typer] = {}
for _module in MODULES:
    if importlib.util.find_spec(f"cli.{_module}"):
        _loaded = importlib.import_module(f"cli.{_module}")
        _name = getattr(_loaded, "NAME", None)
        if _name is None:
            app.add_typer(_loaded.app)
        elif _name in _words:
            _words[_name].add_typer(_loaded.app)
        else:
            app.add_typer(_loaded.app, name=_name)
            _words[_name] = _loaded.app


if __name__ == "__main__":
    app()
