"""Clearing away what an earlier runner left behind, before this one begins."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterNextScheduledStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.states import Cancelled, Crashed

from config.clock import utc_now

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

LATE = timedelta(minutes=2)
LONGEST = timedelta(minutes=25)
"""Longer than any flow runs, its timeout included: a run that says so is one whose machine has gone."""
PAGE = 200
BUSY = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]


class Reconciled(NamedTuple):
    """How many runs were found without a runner, and how many had been missed."""

    orphaned: int
    missed: int


async def reconcile() -> Reconciled:
    """End every run that says it is busy, and drop every run whose time has passed.

    Only for installations with one runner: before it begins, nothing can be running. An orphan keeps its slot, and
    every later run would be refused; the missed would all be run in a row. The ledger catches up what matters.
    """
    return await _cleared(_in_state(BUSY))


async def reconcile_pool() -> Reconciled:
    """The same where several workers share a pool: what is busy may well be at work, unless it is far too old."""
    orphans = _in_state(BUSY)
    before = {"before_": utc_now() - LONGEST}
    orphans.expected_start_time = FlowRunFilterExpectedStartTime.model_validate(before)
    return await _cleared(orphans)


async def _cleared(orphans: FlowRunFilter) -> Reconciled:
    orphaned = missed = 0
    async with get_client() as client:
        async for run in _all(client, orphans):
            await client.set_flow_run_state(run.id, Crashed(message="Its runner is gone."), force=True)
            orphaned += 1
        async for run in _all(client, _late()):
            await client.set_flow_run_state(run.id, Cancelled(message="Its minute has passed."), force=True)
            missed += 1
    return Reconciled(orphaned, missed)


def _in_state(types: list[StateType]) -> FlowRunFilter:
    return FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=types)))


def _late() -> FlowRunFilter:
    found = _in_state([StateType.SCHEDULED])
    before = {"before_": utc_now() - LATE}
    found.next_scheduled_start_time = FlowRunFilterNextScheduledStartTime.model_validate(before)
    return found


async def _all(client: "PrefectClient", wanted: FlowRunFilter) -> AsyncIterator["FlowRun"]:
    """Yield each run once. Who gets them changes them, so that the next page begins where the last one did."""
    seen = set()
    while True:
        page = await client.read_flow_runs(flow_run_filter=wanted, limit=PAGE)
        fresh = [run for run in page if run.id not in seen]
        if not fresh:
            return
        for run in fresh:
            seen.add(run.id)
            yield run
