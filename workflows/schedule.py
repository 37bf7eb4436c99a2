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


def deployments(zone: ZoneInfo, *, inbox: bool = True) -> list["RunnerDeployment"]:
    """Return what is to be served: every flow with its schedule, one run of each at a time.

    A run that finds the one before still busy is dropped, not queued: the next minute does its work. Without ``inbox``
    there is no mail to be read, and its schedule rests.
    """
    return [
        _deployment(flows.sweep, "every-minute", EVERY_MINUTE, "UTC"),
        _deployment(flows.deliver, "every-minute", EVERY_MINUTE, "UTC"),
        _deployment(flows.inbox, "every-minute", EVERY_MINUTE, "UTC", rests=not inbox),
        _deployment(flows.housekeeping, "every-ten-minutes", EVERY_TEN_MINUTES, "UTC"),
        _deployment(flows.nightly, "nightly", AT_NIGHT, zone.key),
        _deployment(flows.digest, "monday-morning", MONDAY_MORNING, zone.key),
    ]


def _deployment(flow: "Flow[[], None]", name: str, cron: str, zone: str, *, rests: bool = False) -> "RunnerDeployment":
    limit = ConcurrencyLimitConfig(
        limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW, grace_period_seconds=GRACE_SECONDS
    )
    made = flow.to_deployment(
        name,
        schedule=Cron(cron, timezone=zone, slug=f"{flow.name}-{name}"),
        concurrency_limit=limit,
        description=flow.description,
        paused=rests,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return cast("RunnerDeployment", made)  # a coroutine only where an event loop runs
