"""The way of several machines: `python -m workflows.work_pool register` and `… work`, called by `muster deploy` and
`muster worker`.

A work pool on a shared Prefect server holds the flows; each worker takes what begins next. What belongs together is
kept together by the database: a worker that is gone holds no case, and what it had not written is due as before.
"""

import asyncio
import logging
import signal
import sys
from contextlib import suppress

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectHTTPStatusError
from prefect.workers.process import ProcessWorker

from cases.inbox.reading import is_configured
from config.clock import monotonic
from config.logging import Redaction, configure_logging
from config.settings import Settings, load_settings
from workflows.lifeline import expect_ties
from workflows.reconcile import reconcile_pool
from workflows.runner import AT_ONCE
from workflows.schedule import POOL, REST, SWEEPS, deployments

SWEEPS_EACH_MINUTE = 2
SERVER_STARTS_WITHIN = 120.0
LOOK_AROUND = 60.0

log = logging.getLogger("workflows.work_pool")


class PrefectRefused(Exception):
    """The Prefect server does not know this password; PREFECT_API_AUTH_STRING must be that of `muster prefect`."""

    def __str__(self) -> str:
        return type(self).__doc__ or ""


class PrefectAway(Exception):
    """The Prefect server does not answer at"""

    def __str__(self) -> str:
        return f"{type(self).__doc__} {self.args[0]}"


async def register(settings: Settings, sweeps: int) -> None:
    """Make the pool and bring its deployments to this version, with so many sweeps each minute. Twice is harmless.

    Raises PrefectAway and PrefectRefused.
    """
    await _answered()
    async with get_client() as client:
        with suppress(ObjectAlreadyExists):
            template = ProcessWorker.get_default_base_job_template()
            await client.create_work_pool(WorkPoolCreate(name=POOL, type="process", base_job_template=template))
    for made in await asyncio.to_thread(deployments, settings.zone, inbox=is_configured(settings), sweeps=sweeps):
        number = await made.aapply()
        wanted = {schedule.slug for schedule in made.schedules or []}
        async with get_client() as client:
            for schedule in await client.read_deployment_schedules(number):
                if schedule.slug not in wanted:  # there were more sweeps before
                    await client.delete_deployment_schedule(number, schedule.id)
    log.info("the flows are registered, with %d sweeps each minute", sweeps)


async def work(settings: Settings, name: str) -> None:
    """Run what the pool has to be run until cancelled; whoever comes first registers the flows."""
    expect_ties()
    if not await _is_registered():
        await register(settings, SWEEPS_EACH_MINUTE)
    async with asyncio.TaskGroup() as together:
        together.create_task(_look_around())
        for queue, limit in ((SWEEPS, 1), (REST, AT_ONCE - 1)):
            worker = ProcessWorker(POOL, work_queues=[queue], name=f"{name} {queue}", limit=limit)
            together.create_task(worker.start(printer=log.info))


async def _look_around() -> None:
    """Each minute drop what was missed, and end what says that it runs and cannot."""
    while True:
        with suppress(httpx.HTTPError, PrefectHTTPStatusError):  # the workers say so themselves, and wait
            found = await reconcile_pool()
            if found.orphaned or found.missed:
                log.info("%d orphaned runs ended, %d missed runs dropped", found.orphaned, found.missed)
        await asyncio.sleep(LOOK_AROUND)


async def _answered() -> None:
    """Wait until the server answers."""
    deadline = monotonic() + SERVER_STARTS_WITHIN
    async with get_client() as client:
        while await client.api_healthcheck() is not None:
            if monotonic() > deadline:
                raise PrefectAway(client.api_url)
            await asyncio.sleep(1)
        try:
            await client.read_work_pools()
        except PrefectHTTPStatusError as refused:
            if refused.response.status_code in (401, 403):
                raise PrefectRefused from None
            raise


async def _is_registered() -> bool:
    await _answered()
    async with get_client() as client:
        try:
            await client.read_deployment_by_name("digest/monday-morning")  # the last one
        except ObjectNotFound:
            return False
    return True


async def _until_told_to_stop(settings: Settings, name: str) -> None:
    working = asyncio.current_task()
    assert working is not None  # noqa: S101  this is one
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    with suppress(asyncio.CancelledError):
        await work(settings, name)


def main() -> None:
    """Do what the command line says: `register SWEEPS` or `work NAME`."""
    what, given = sys.argv[1:]
    settings = load_settings()
    configure_logging(settings.log_level, as_json=settings.log_format == "json", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    for handler in logging.getLogger("prefect").handlers:
        handler.addFilter(Redaction())
    try:
        asyncio.run(register(settings, int(given)) if what == "register" else _until_told_to_stop(settings, given))
    except (PrefectAway, PrefectRefused) as refused:
        sys.exit(str(refused))


if __name__ == "__main__":
    main()
