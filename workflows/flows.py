"""The flows that Prefect runs: each opens this installation, makes one call, and says in a line what came of it.

The database decides what is due and keeps what was done. A flow that is lost, late or run twice changes nothing.
"""

import logging
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from time import sleep
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.exceptions import MissingContextError
from prefect.runtime import flow_run

from cases import ledger
from cases.environment import Environment, open_environment
from config.clock import utc_now
from config.logging import OneLine, redact
from config.roles import WORKER
from workflows.jobs import delivered, inbox_read, run_missing
from workflows.lifeline import tie_to_parent

BUDGET_SECONDS = 40
"""Of each minute: the next run asks for its slot up to ten seconds before it is due."""
MINUTELY_TIMEOUT, JOB_TIMEOUT = 300, 1200

log = logging.getLogger("workflows.flows")


class FlowFailed(Exception):
    """A flow ended early; the reason is in the log. What it had done stays done, and the next run goes on."""

    def __str__(self) -> str:
        return " ".join([*map(str, self.args), type(self).__doc__ or ""])


@flow(name="sweep", timeout_seconds=MINUTELY_TIMEOUT)
def sweep() -> None:
    """Fire every rung that is due."""

    def work(env: Environment) -> Mapping[str, Any]:
        from cases.sweep import sweep_due

        return sweep_due(env, budget_seconds=BUDGET_SECONDS).to_dict()

    _tell("sweep", _run(work), shown=("due", "fired", "parked", "not_fired", "batches", "milliseconds"))


@flow(name="deliver", timeout_seconds=MINUTELY_TIMEOUT)
def deliver() -> None:
    """Send the mail that is due and still wanted."""

    def work(env: Environment) -> Mapping[str, Any]:
        return delivered(env, budget_seconds=BUDGET_SECONDS)

    _tell("deliver", _run(work), shown=("sent", "suppressed", "failed", "held", "retried"))


@flow(name="inbox", timeout_seconds=MINUTELY_TIMEOUT)
def inbox() -> None:
    """Read the mail that came in."""

    def work(env: Environment) -> Mapping[str, Any]:
        return inbox_read(env, budget_seconds=BUDGET_SECONDS)

    _tell("inbox", _run(work), shown=("read", "matched", "unmatched", "kept", "ignored", "again", "retried"))


@flow(name="housekeeping", timeout_seconds=JOB_TIMEOUT)
def housekeeping() -> None:
    """Do the daily and weekly work that was missed."""
    _jobs("housekeeping", tuple(ledger.JOBS))


@flow(name="nightly", timeout_seconds=JOB_TIMEOUT)
def nightly() -> None:
    """Put the clocks right and check the promises."""
    _jobs("nightly", (ledger.CLOCKS, ledger.CHECKS))


@flow(name="digest", timeout_seconds=JOB_TIMEOUT)
def digest() -> None:
    """Send each manager the week's overview."""
    _jobs("digest", (ledger.DIGEST,))


FLOWS = (sweep, deliver, inbox, housekeeping, nightly, digest)


def _jobs(name: str, jobs: Collection[str]) -> None:
    for job, result in _run(lambda env: run_missing(env, jobs)).items():
        _tell(f"{name}: {job}", result, shown=[key for key, value in result.items() if isinstance(value, int)])


def _run(work: Callable[[Environment], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return what `work` returns for this installation; the reason of a failure goes to our log only, redacted."""
    if flow_run.id is not None and os.environ.get("PREFECT__FLOW_RUN_ID"):
        tie_to_parent()  # a run of the runner's does not go on without it
    _wait_for_the_minute()
    try:
        env = open_environment(role=WORKER)
        try:
            return work(env)
        finally:
            env.engine.dispose()
    except Exception as error:
        _log_to_stderr()
        log.exception("a flow ended early")
        raise FlowFailed(f"{type(error).__name__}.") from None


def _wait_for_the_minute() -> None:
    """Wait until the run is due: Prefect may begin it some tenths of a second early."""
    due = flow_run.scheduled_start_time
    if due is not None:
        sleep(min(max((due - utc_now()).total_seconds(), 0), 2))


def _log_to_stderr() -> None:
    """Let our own logger write one redacted line; Prefect's handlers, which keep every word, do not get it."""
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(OneLine())
        log.addHandler(handler)
        log.propagate = False


def _tell(name: str, result: Mapping[str, Any], *, shown: Iterable[str]) -> None:
    """Log one line of numbers, and keep an artifact when something happened. No names, no addresses."""
    numbers = {key: result[key] for key in shown if key in result}
    line = f"{name}: " + (", ".join(f"{value} {key}" for key, value in numbers.items()) or "done")
    if result.get("stopped"):  # the mail server, in a sentence
        line += f". {redact(str(result['stopped']))}"
    try:
        get_run_logger().info(line)
    except MissingContextError:  # called as a function
        log.info(line)
        return
    worth_keeping = {key for key, value in numbers.items() if value} - {"batches", "milliseconds"}
    if worth_keeping or result.get("findings"):
        create_markdown_artifact(_page(name, numbers, result), key=name.split(":")[0])


def _page(name: str, numbers: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    rows = [f"| {key.replace('_', ' ')} | {value} |" for key, value in numbers.items()]
    for part in ("by_trigger", "reasons"):
        rows += [f"| {part.replace('_', ' ')}: {key} | {count} |" for key, count in result.get(part, {}).items()]
    rows += [f"| {found['check']} | {found['ref']} |" for found in result.get("findings", [])[:50]]
    return "\n".join([f"## {name}", "", "| what | how many |", "|---|---|", *rows])
