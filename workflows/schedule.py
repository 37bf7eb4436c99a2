"""When each flow runs.

What runs more often than daily is scheduled in UTC: in a zone of its own, Prefect leaves out an hour of the night in
which the clocks go back. Every schedule has a slug; without one, each start would make new schedules, and run twice.
"""

from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from workflows import flows

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

EVERY_MINUTE = "* * * * *"
EVERY_TEN_MINUTES = "*/10 * * * *"
AT_NIGHT = "30 2 * * *"
MONDAY_MORNING = "30 7 * * 1"
GRACE_SECONDS = 60

POOL = "muster"
SWEEPS, REST = "sweeps", "default"
"""The queues of the work pool: a worker runs one sweep at a time, so that a long one is shared by the machines."""
ENGINE = "python -m prefect.engine"
"""Said here, since the worker otherwise starts another process first, to see whether there is something to install."""
SPARE = 1
"""On a pool, so many more runs at a time than begin together: a machine that failed keeps a slot for minutes."""


def deployments(zone: ZoneInfo, *, inbox: bool = True, sweeps: int | None = None) -> list["RunnerDeployment"]:
    """Return what is to be run: every flow with its schedule, one run of each at a time.

    A run that finds the one before still busy is dropped, not queued: the next minute does its work. Without ``inbox``
    there is no mail to be read, and its schedule rests. With ``sweeps`` it is for a work pool, and so many sweeps begin
    each minute; they claim different cases.
    """
    first, rest = (SWEEPS, REST) if sweeps else (None, None)
    return [
        _deployment(flows.sweep, "every-minute", EVERY_MINUTE, "UTC", queue=first, times=sweeps or 1),
        _deployment(flows.deliver, "every-minute", EVERY_MINUTE, "UTC", queue=rest),
        _deployment(flows.inbox, "every-minute", EVERY_MINUTE, "UTC", queue=rest, rests=not inbox),
        _deployment(flows.housekeeping, "every-ten-minutes", EVERY_TEN_MINUTES, "UTC", queue=rest),
        _deployment(flows.nightly, "nightly", AT_NIGHT, zone.key, queue=rest),
        _deployment(flows.digest, "monday-morning", MONDAY_MORNING, zone.key, queue=rest),
    ]


def _deployment(
    flow: "Flow[[], None]", name: str, cron: str, zone: str, *, queue: str | None, times: int = 1, rests: bool = False
) -> "RunnerDeployment":
    slugs = [f"{flow.name}-{name}", *(f"{flow.name}-{name}-{number}" for number in range(2, times + 1))]
    limit = ConcurrencyLimitConfig(
        limit=times + SPARE if queue else times,
        collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW,
        grace_period_seconds=GRACE_SECONDS,
    )
    made = flow.to_deployment(
        name,
        schedules=[Cron(cron, timezone=zone, slug=slug) for slug in slugs],
        concurrency_limit=limit,
        description=flow.description,
        paused=rests,
        entrypoint_type=EntrypointType.MODULE_PATH,
        work_pool_name=POOL if queue else None,
        work_queue_name=queue,
        job_variables={"command": ENGINE} if queue else None,
    )
    return cast("RunnerDeployment", made)  # a coroutine only where an event loop runs
