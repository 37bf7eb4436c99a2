"""The work of the flows, without Prefect. Daily and weekly work goes through the ledger: nobody does it twice."""

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from cases import ledger
from cases.copies.resting import require_awake
from cases.environment import Environment
from config.clock import utc_now
from config.database import reading, transaction

log = logging.getLogger(__name__)

Work = Callable[[Environment], Mapping[str, Any]]


class JobsFailed(Exception):
    """A job did not come to its end; it is tried again in half an hour:"""

    def __str__(self) -> str:
        return " ".join([type(self).__doc__ or "", ", ".join(map(str, self.args))])


def delivered(
    env: Environment, *, budget_seconds: float | None = None, progress: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Send the mail that is due and return the numbers of it: no addresses. `stopped` says why it ended early."""
    from cases.delivering import deliver

    report = deliver(env, budget_seconds=budget_seconds, progress=progress)
    return {
        "sent": report.sent, "suppressed": sum(report.suppressed.values()), "failed": report.failed,
        "held": report.held, "retried": report.retried, "reasons": dict(report.suppressed), "stopped": report.stopped,
    }  # fmt: skip


def inbox_read(env: Environment, *, budget_seconds: float | None = None) -> dict[str, Any]:
    """Read what came in and return the numbers of it: no addresses. `stopped` says why it ended early."""
    from cases.inbox.reading import is_configured, read_inbox

    report = read_inbox(env, budget_seconds=budget_seconds)
    return {**report.to_dict(), "configured": is_configured(env.settings)}


def run_missing(env: Environment, only: Collection[str] = tuple(ledger.JOBS)) -> dict[str, Mapping[str, Any]]:
    """Run what the ledger says is due and not done, and return what came of it, by job.

    Raises JobsFailed at the end, when any failed; the others have run all the same.
    """
    require_awake(env.engine)
    now = env.now()
    with reading(env.engine) as conn:
        missing = [pair for pair in ledger.due_jobs(conn, now, env.settings.zone) if pair[0] in only]
    results: dict[str, Mapping[str, Any]] = {}
    failed = []
    for job, period in missing:
        try:
            result = _run(env, job, period)
        except Exception as error:
            log.exception("%s for %s failed", job, period)
            failed.append(f"{job} ({type(error).__name__})")
        else:
            if result is not None:
                results[job] = result
    if failed:
        raise JobsFailed(*failed)
    return results


def _run(env: Environment, job: str, period: str) -> Mapping[str, Any] | None:
    """Run one job when it is ours to run; None when somebody else has it."""
    with transaction(env.engine) as conn:
        if not ledger.claim(conn, job, period, utc_now()):
            return None
    result = WORK[job](env)
    with transaction(env.engine) as conn:
        ledger.finish(conn, job, period, utc_now(), result)
    return result


# The work itself is imported when it is done: most looks at the ledger find nothing to do.


def _recalculate_clocks(env: Environment) -> Mapping[str, Any]:
    from cases import handing_over, nightly
    from cases.campaigning import register_changes
    from cases.looking.store import forget_old
    from cases.rehearsing import asked

    asked.forget_old(env)
    forget_old(env.engine, now=utc_now())
    handing_over.hand_over(env, now=env.now())
    handing_over.follow_merges(env, now=env.now())
    handing_over.follow_teams(env, now=env.now())
    register_changes.ask_who_counts(env, now=env.now())
    return _plain(nightly.recalculate_clocks(env, now=env.now()))


def _check(env: Environment) -> Mapping[str, Any]:
    from cases import nightly

    return _plain(nightly.run_checks(env, now=env.now()))


def _send_digests(env: Environment) -> Mapping[str, Any]:
    from cases import digest

    return {"sent": digest.send_digests(env, now=env.now())}


def _plain(result: Any) -> Mapping[str, Any]:
    """Return what a job returned in a form that can be stored."""
    if result is None:
        return {}
    if hasattr(result, "to_dict"):
        plain: Mapping[str, Any] = result.to_dict()
        return plain
    return result if isinstance(result, Mapping) else {"count": result}


WORK: Mapping[str, Work] = {
    ledger.CLOCKS: _recalculate_clocks,
    ledger.CHECKS: _check,
    ledger.DIGEST: _send_digests,
}
